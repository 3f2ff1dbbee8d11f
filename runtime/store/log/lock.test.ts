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
import { ManualClock, monotonicClock, systemClock } from '../../clock.js';
import { frameOf, openAndCollect } from '../contract.js';
import { type Disk, nodeDisk, storageOf } from './disk.js';
import { LEASE_MS, type LockOptions, releaseAbandonedLock, takeLock } from './lock.js';
import { LogStore } from './log-store.js';
import { lockName, type Processes, parseLockName, systemProcesses } from './owner.js';
import { SimDisk } from './sim-disk.js';
import { settle } from './sim-ledger.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-lock-'));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

const at = (name: string) =>
  new LogStore({ path: path.join(root, name), durability: 'disk', partitions: 4, segmentBytes: 64 * 1024 });

/** A process among those whose ids are in `running`, started at `start`. */
const processOf = (pid: number, running: Map<number, string>, namespace = '1'): Processes => ({
  pid,
  host: 'sim',
  namespace,
  startOf: (other) => running.get(other),
  runs: (other) => running.has(other),
});

const acquireLock = (disk: Disk, processes: Processes, options: Partial<LockOptions> = {}) =>
  takeLock(disk, { processes, clock: systemClock, monotonic: monotonicClock, waitMs: 0, ...options });

/** Lets time pass in small steps until the promise is settled. */
async function passing<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let settled = false;
  const end = () => {
    settled = true;
  };
  promise.then(end, end);
  for (let steps = 0; !settled && steps < 10_000; steps++) {
    clock.advance(10);
    await settle();
  }
  return promise;
}

test('a store that is open cannot be opened a second time in the same process, and can after it was closed', async () => {
  const first = at('same');
  await openAndCollect(first);
  const refused = at('same');
  await expect(openAndCollect(refused)).rejects.toMatchObject({
    code: 'STORE_LOCKED',
    fields: { pid: process.pid, where: 'this process' },
  });
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
  const hold = await acquireLock(disk, processOf(8, running));
  await hold.release();
  expect(disk.files().size).toBe(0);
});

test('of several processes that open at the same time exactly one passes, however their calls interleave', async () => {
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
          if (key === 'look') return value.bind(target);
          return async (...args: unknown[]) => {
            state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
            for (let turns = (state >>> 16) % 7; turns > 0; turns--) await undefined;
            return Reflect.apply(value, target, args);
          };
        },
      });
    };
    const clock = new ManualClock();
    const open = (pid: number) => acquireLock(delays(pid), processOf(pid, running), { clock, monotonic: clock });
    const results = await passing(clock, Promise.allSettled([1, 2, 3].map(open)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await disk.list()).filter((name) => parseLockName(name) !== undefined)).toHaveLength(1);
  }
});

test('the lock of a thread that ended without closing can be cleared by the thread that saw it end, and no other one', async () => {
  const disk = nodeDisk(path.join(root, 'abandoned'));
  await disk.ensureFolder();
  await acquireLock(disk, systemProcesses, { nonce: 'a1' });
  await expect(acquireLock(disk, systemProcesses)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  await releaseAbandonedLock(disk, 'a2');
  await expect(acquireLock(disk, systemProcesses)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  await releaseAbandonedLock(disk, 'a1');
  await (await acquireLock(disk, systemProcesses)).release();
});

test('an owner of another namespace is replaced once it has stood still for its lease, and not before', async () => {
  const disk = new SimDisk();
  const alive = new ManualClock();
  const own = new ManualClock();
  const holder = await acquireLock(disk, processOf(7, new Map(), 'one'), { clock: alive, monotonic: alive });
  let taken = false;
  const taking = acquireLock(disk, processOf(7, new Map(), 'two'), { clock: own, monotonic: own, waitMs: 60_000 });
  void taking.then(() => {
    taken = true;
  });
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10) {
      own.advance(10);
      await settle();
    }
  };
  for (let second = 0; second < 20; second++) {
    alive.advance(1000);
    await pass(1000);
  }
  expect([taken, holder.isHeld()]).toEqual([false, true]);
  await pass(LEASE_MS - 1100);
  expect(taken).toBe(false);
  await pass(200);
  expect([taken, holder.isHeld()]).toEqual([true, false]);
  expect(await holder.loss()).toMatchObject({
    code: 'STORE_LOCKED',
    fields: { pid: 7, where: 'elsewhere', taken: true },
  });
});

test('an owner of another namespace that shows that it lives is refused once the wait is over; without a wait, as soon as it has', async () => {
  for (const waitMs of [0, 3000]) {
    const disk = new SimDisk();
    const clock = new ManualClock();
    await acquireLock(disk, processOf(7, new Map(), 'one'), { clock, monotonic: clock });
    const taking = acquireLock(disk, processOf(7, new Map(), 'two'), { clock, monotonic: clock, waitMs });
    await expect(passing(clock, taking)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      fields: { pid: 7, where: 'elsewhere' },
    });
    expect(clock.now()).toBeGreaterThanOrEqual(waitMs);
    expect(clock.now()).toBeLessThan(waitMs + 1500);
  }
});

test('who waits has the lock a moment after its owner has let go of it', async () => {
  const disk = new SimDisk();
  const clock = new ManualClock();
  const running = new Map([7, 8].map((pid) => [pid, 'now']));
  const holder = await acquireLock(disk, processOf(7, running));
  const taking = acquireLock(disk, processOf(8, running), { clock, monotonic: clock, waitMs: 60_000 });
  clock.advance(2000);
  await settle();
  await holder.release();
  await passing(clock, taking);
  expect(clock.now()).toBeLessThan(2100);
});

test('a lock of an earlier version keeps the store of a process that runs, and is cleared away after one that does not', async () => {
  const running = new Map([7, 8].map((pid) => [pid, 'now']));
  const disk = SimDisk.of(new Map([['lock-7-123b45', Buffer.from('7')]]));
  await expect(acquireLock(disk, processOf(8, running))).rejects.toMatchObject({ fields: { pid: 7 } });
  running.delete(7);
  await (await acquireLock(disk, processOf(8, running))).release();
  expect(disk.files().size).toBe(0);
});

test('what is left of a taker that died while it took is no obstacle', async () => {
  const disk = new SimDisk();
  const running = new Map<number, string>();
  const names: string[] = [];
  for (const pid of [1, 2, 3]) {
    const name = lockName({ host: 'sim', namespace: '1', pid, start: 'before', nonce: `n${pid}` });
    names.unshift(name);
    await disk.makeFolder(names.toReversed().join('/'));
  }
  const [, , outer] = names;
  expect(await disk.list()).toEqual([outer]);
  await (await acquireLock(disk, processOf(9, running))).release();
  expect(await disk.list()).toEqual([]);
});

test('this process knows its own life: the ids that it sees are those of its namespace', () => {
  const { pid, host, namespace } = systemProcesses;
  expect(host).toMatch(/^[0-9a-f]+$/);
  expect(namespace).toMatch(/^\d+$/);
  expect(systemProcesses.runs(pid)).toBe(true);
  if (process.platform === 'linux') expect(systemProcesses.startOf(pid)).toMatch(/^\d+$/);
});

test('a file system of several machines is refused, one of which nothing is known is warned of', async () => {
  expect(storageOf(0x6969)).toEqual({ kind: 'network', name: 'NFS' });
  expect(storageOf(0xff534d42 | 0).kind).toBe('network');
  expect(storageOf(0x65735546).kind).toBe('unknown');
  expect(storageOf(0xef53).kind).toBe('local');
  const disk = new SimDisk();
  const store = () => new LogStore({ path: '/sim', durability: 'disk', partitions: 4, segmentBytes: 1024, disk });
  disk.storedOn = { kind: 'network', name: 'NFS' };
  await expect(openAndCollect(store())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(disk.files().size).toBe(0);
  disk.storedOn = { kind: 'unknown', name: 'FUSE' };
  const opened = store();
  await openAndCollect(opened);
  expect(opened.warnings).toEqual([expect.stringContaining('FUSE')]);
  await opened.close();
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
