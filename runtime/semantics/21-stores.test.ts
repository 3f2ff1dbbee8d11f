/**
 * Semantics, section 21: who owns a store.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import { ManualClock } from '../clock.js';
import { RuntimeFailedError, StoreFailedError, StoreLockedError, StoreUnavailableError } from '../errors.js';
import type { RuntimeOptions } from '../options.js';
import { Runtime } from '../runtime.js';
import { frameOf, openAndCollect } from '../store/contract.js';
import { LEASE_MS } from '../store/log/lock.js';
import { LogStore } from '../store/log/log-store.js';
import { SimDisk, systemError } from '../store/log/sim-disk.js';
import { settle } from '../store/log/sim-ledger.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { add, counter, total } from '../testing/fixtures/counter.js';

routeRejections();

const root = mkdtempSync(join(tmpdir(), 'holdfast-stores-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const workflows = new URL('../testing/fixtures/counter.js', import.meta.url);
const create = (name: string, options: Partial<RuntimeOptions> = {}) =>
  Runtime.create({ workflows, store: join(root, name), workers: 1, logger: 'silent', ...options });

const thrown = (promise: Promise<unknown>): Promise<Error & { cause?: unknown; fields?: object }> =>
  promise.then(
    (value) => expect.unreachable(`it resolved with ${String(value)}`),
    (error: Error) => error,
  );

async function holderOf(name: string) {
  const child = fork(fileURLToPath(new URL('./fixtures/holder.js', import.meta.url)), [join(root, name)]);
  await once(child, 'message');
  return child;
}

row('store/one-owner', 'another process has it, and its id is told once the wait is over', async () => {
  const holder = await holderOf('other');
  const error = await thrown(create('other', { lockWait: 0 }));
  expect(error).toBeInstanceOf(StoreLockedError);
  expect(error.fields).toMatchObject({ pid: holder.pid, where: 'another process' });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  await (await create('other', { lockWait: 0 })).shutdown();
});

row('store/same-process', 'is said at once, before the workflow file is looked at', async () => {
  await using _first = await create('same');
  const missing = new URL('./fixtures/missing.js', import.meta.url);
  const error = await thrown(create('same', { workflows: missing, lockWait: '1 hour' }));
  expect(error).toBeInstanceOf(StoreLockedError);
  expect(error.fields).toMatchObject({ pid: process.pid, where: 'this process' });
  expect(error.message).toContain('another runtime of this process');
});

row('store/same-process', 'one that shuts down is waited for', async () => {
  const first = await create('after');
  const down = first.shutdown();
  await using second = await create('after');
  await down;
  expect(await second.client.workflow.count()).toEqual({ count: 0, groups: [] });
});

row('store/lock-wait', 'a runtime that waits opens the store when its owner has let go of it', async () => {
  const holder = await holderOf('waiting');
  let open = false;
  const creating = create('waiting', { store: { path: join(root, 'waiting'), lockWait: '1 hour' } }).then((runtime) => {
    open = true;
    return runtime;
  });
  expect(open).toBe(false);
  holder.send('close');
  await using runtime = await creating;
  const handle = await runtime.client.workflow.start(counter, { workflowId: 'c', args: [1] });
  expect(await handle.query(total)).toBe(1);
});

/** Two processes of which neither knows whether the other lives. */
function containers(disk: SimDisk, clock: ManualClock, namespace: string) {
  return new LogStore({
    path: '/sim',
    durability: 'disk',
    partitions: 4,
    segmentBytes: 4096,
    disk,
    clock,
    monotonic: clock,
    processes: { pid: 1, host: 'sim', namespace, startOf: () => '1', runs: () => true },
  });
}

async function replaced() {
  const disk = new SimDisk();
  const stopped = new ManualClock();
  const first = containers(disk, stopped, 'one');
  await openAndCollect(first);
  await first.append([frameOf(1, 1, -1)]);
  const clock = new ManualClock();
  const second = containers(disk, clock, 'two');
  const opening = openAndCollect(second);
  let opened = false;
  void opening.then(() => {
    opened = true;
  });
  while (!opened) {
    await settle();
    if (!opened) clock.advance(20);
  }
  return { disk, stopped, first, second, took: clock.now(), found: (await opening).frames };
}

row('store/replaced', 'an owner in another container that stands still for its lease', async () => {
  const { second, took, found } = await replaced();
  expect(took).toBeGreaterThan(LEASE_MS);
  expect(took).toBeLessThan(LEASE_MS + 500);
  expect(found).toHaveLength(1);
  await second.close();
});

row('store/old-owner', 'confirms nothing, and may tell nothing, once it was replaced', async () => {
  const { stopped, first, second } = await replaced();
  expect(first.maySpeak()).toBe(true);
  // Its clock has gone on while it was stopped, and its beats have not.
  const late = thrown(first.append([frameOf(2, 1, -1)]));
  expect(await late).toMatchObject({ code: 'STORE_LOCKED', fields: { where: 'elsewhere', taken: true } });
  stopped.advance(LEASE_MS);
  expect(first.maySpeak()).toBe(false);
  await thrown(first.append([frameOf(3, 1, -1)]));
  await first.close().catch(() => undefined);
  await second.append([frameOf(4, 1, -1)]);
  await second.close();
});

row('store/removed', 'the next flush says that what was acknowledged is gone, and the runtime stops', async () => {
  const runtime = await create('removed');
  const failed = new Promise<Error>((resolve) => runtime.events.once('failed', ({ error }) => resolve(error)));
  const handle = await runtime.client.workflow.start(counter, { workflowId: 'c', args: [1] });
  rmSync(join(root, 'removed'), { recursive: true });
  const error = await thrown(handle.signal(add, 1));
  expect(error).toBeInstanceOf(RuntimeFailedError);
  expect(String(error.cause)).toContain('has been removed');
  expect(String(error.cause)).not.toContain('is safe');
  expect(String((await failed).cause)).toContain('has been removed');
  await runtime.shutdown();
  await (await create('removed')).shutdown();
});

row('store/failed-says', 'what is known of that which was acknowledged', async () => {
  for (const [durability, acknowledged] of [
    ['disk', 'safe'],
    ['process', 'unsure'],
  ] as const) {
    const disk = new SimDisk();
    const clock = new ManualClock();
    const store = new LogStore({ path: '/sim', durability, partitions: 4, disk, clock, monotonic: clock });
    await openAndCollect(store);
    const [position] = await store.append([frameOf(1, 1, -1)]);
    disk.onCall = ({ kind }) => {
      if (kind === 'write') throw systemError('EIO');
    };
    const error = await thrown(store.append([frameOf(1, 2, position!)]));
    expect(error).toBeInstanceOf(StoreFailedError);
    expect(error.fields).toMatchObject({ acknowledged });
    expect(error.message.includes('What was acknowledged is safe')).toBe(durability === 'disk');
    await store.close();
  }
});

row('store/file-systems', 'one that shows the changes of other machines late is refused', async () => {
  const disk = new SimDisk();
  disk.storedOn = { kind: 'network', name: 'NFS' };
  const error = await thrown(openAndCollect(containers(disk, new ManualClock(), 'one')));
  expect(error).toBeInstanceOf(StoreUnavailableError);
  expect(error.message).toContain('NFS');
});
