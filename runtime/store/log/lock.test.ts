/**
 * The lock: one opener a store, and no dead one in the way.
 * Thread: tests. In → out: nothing.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { frameOf, openAndCollect } from '../contract.js';
import { nodeDisk } from './disk.js';
import { acquireLock, type Processes, releaseAbandonedLock, systemProcesses } from './lock.js';
import { LogStore } from './log-store.js';
import { SimDisk } from './sim-disk.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-lock-'));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

const at = (name: string) =>
  new LogStore({ path: path.join(root, name), durability: 'disk', partitions: 4, segmentBytes: 64 * 1024 });

/** A process among those whose ids are in `running`, started at `start`. */
const processOf = (pid: number, running: Map<number, string>): Processes => ({
  pid,
  startOf: (other) => running.get(other),
  runs: (other) => running.has(other),
});

test('a store that is open cannot be opened a second time in the same process, and can after it was closed', async () => {
  const first = at('same');
  await openAndCollect(first);
  const refused = at('same');
  await expect(openAndCollect(refused)).rejects.toMatchObject({ code: 'STORE_LOCKED', fields: { pid: process.pid } });
  await first.append([frameOf(1, 1, -1)]);
  await first.close();
  await openAndCollect(refused);
  await refused.close();
});

test('a store held by another process is refused with its id, and free at once when that process is killed', async () => {
  const holder = path.join(root, 'holder.mjs');
  const store = path.join(root, 'held');
  fs.writeFileSync(
    holder,
    `import { LogStore } from ${JSON.stringify(new URL('./log-store.js', import.meta.url).href)};
     const store = new LogStore({ path: ${JSON.stringify(store)}, durability: 'disk', partitions: 4, segmentBytes: 65536 });
     await store.open({ entry() {}, frame() {} });
     setInterval(() => {}, 1e9);
     process.send('open');`,
  );
  const child = fork(holder, { execArgv: [] });
  await once(child, 'message');
  await expect(openAndCollect(at('held'))).rejects.toMatchObject({ code: 'STORE_LOCKED', fields: { pid: child.pid } });
  child.kill('SIGKILL');
  await once(child, 'exit');
  const after = at('held');
  expect((await openAndCollect(after)).opened.clean).toBe(false);
  await after.close();
});

test('a process id that is in use again does not keep the store locked', async () => {
  const disk = new SimDisk();
  const running = new Map([[7, 'monday']]);
  await acquireLock(disk, processOf(7, running));
  await expect(acquireLock(disk, processOf(8, running))).rejects.toMatchObject({ fields: { pid: 7 } });
  running.set(7, 'tuesday');
  const release = await acquireLock(disk, processOf(8, running));
  await release();
  expect(disk.files().size).toBe(0);
});

test('of several processes that open at the same time at most one passes, however their calls interleave', async () => {
  for (let seed = 0; seed < 300; seed++) {
    const disk = new SimDisk();
    const running = new Map([1, 2, 3].map((pid) => [pid, 'now']));
    await acquireLock(disk, processOf(9, new Map([[9, 'before']])));
    const delays = (pid: number): SimDisk => {
      let state = seed * 31 + pid;
      return new Proxy(disk, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key, target);
          if (typeof value !== 'function') return value;
          return async (...args: unknown[]) => {
            state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
            for (let turns = (state >>> 16) % 7; turns > 0; turns--) await undefined;
            return Reflect.apply(value, target, args);
          };
        },
      });
    };
    const results = await Promise.allSettled([1, 2, 3].map((pid) => acquireLock(delays(pid), processOf(pid, running))));
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
  }
});

test('the lock of a thread that ended without closing can be cleared by the thread that saw it end', async () => {
  const disk = nodeDisk(path.join(root, 'abandoned'));
  await disk.ensureFolder();
  await acquireLock(disk, systemProcesses);
  await expect(acquireLock(disk, systemProcesses)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  await releaseAbandonedLock(disk);
  await (await acquireLock(disk, systemProcesses))();
});

test('a folder that cannot be used is an error that names it', async () => {
  fs.writeFileSync(path.join(root, 'file'), '');
  const error = await openAndCollect(at('file/store')).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', fields: { path: path.join(root, 'file/store') } });
});

test('an opening that fails leaves no lock behind', async () => {
  const folder = path.join(root, 'foreign');
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'photo.jpg'), '');
  await expect(openAndCollect(at('foreign'))).rejects.toMatchObject({ code: 'STORE_FORMAT' });
  expect(fs.readdirSync(folder)).toEqual(['photo.jpg']);
});
