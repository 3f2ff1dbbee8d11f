/**
 * Failing writes, failing syncs, full disks and unclean stops: nothing false is acknowledged.
 * Thread: tests. In → out: nothing.
 */
import { expect, test } from 'vitest';
import { frameOf, openAndCollect } from '../contract.js';
import { Crash, nothingSurvives, SimDisk, systemError } from './sim-disk.js';
import { Ledger, settle, untilCrash } from './sim-ledger.js';
import { SimMachine } from './sim-machine.js';

test('after a failed sync nothing more is acknowledged, and the sync is not tried again', async () => {
  const machine = new SimMachine();
  const store = machine.store();
  const ledger = new Ledger();
  await openAndCollect(store);
  await ledger.append(store, [1]);
  let syncs = 0;
  machine.disk.onCall = (call) => {
    if (call.kind !== 'datasync') return;
    syncs++;
    throw systemError('EIO');
  };
  await expect(ledger.append(store, [1])).rejects.toMatchObject({ code: 'STORE_FAILED' });
  machine.disk.onCall = (call) => {
    if (call.kind === 'datasync' || call.kind === 'write') syncs++;
  };
  const first = await store.append([frameOf(2, 1, -1)]).catch((error: unknown) => error);
  const second = await store.append([frameOf(2, 1, -1)]).catch((error: unknown) => error);
  expect(first).toMatchObject({ code: 'STORE_FAILED', cause: { code: 'EIO' } });
  expect(second).toBe(first);
  await store.close();
  expect(syncs).toBe(1);
});

test('a batch whose sync failed may be read by the next process, and is durable before that process builds on it', async () => {
  const machine = new SimMachine();
  const ledger = new Ledger();
  let store = machine.store();
  await openAndCollect(store);
  await ledger.append(store, [1]);
  machine.disk.onCall = (call) => {
    if (call.kind === 'datasync') throw systemError('EIO');
  };
  await expect(ledger.append(store, [1], 600)).rejects.toMatchObject({ code: 'STORE_FAILED' });
  machine.kill();
  store = machine.store();
  await ledger.reopen(store);
  expect(ledger.run(1).acknowledged).toBe(2);
  machine.powerLoss(nothingSurvives);
  await ledger.reopen(machine.store());
});

test('an unclean stop is reported with its time, the torn tail cut off; a clean one leaves the record as it is', async () => {
  const machine = new SimMachine();
  const ledger = new Ledger();
  const store = machine.store();
  await openAndCollect(store);
  await ledger.append(store, [1]);
  machine.disk.onCall = (call) => {
    if (call.kind === 'datasync') throw new Crash();
  };
  await untilCrash(() => ledger.append(store, [1], 600), machine.disk);
  let kept = true;
  machine.powerLoss(() => {
    kept = !kept;
    return kept;
  });
  machine.clock.advance(1000);
  const now = machine.clock.now();
  const second = machine.store();
  const { opened, frames } = await openAndCollect(second);
  expect(opened).toMatchObject({ clean: false, uncleanStops: [now] });
  expect(opened.cutBytes).toBeGreaterThan(0);
  expect(frames).toHaveLength(1);
  await second.close();
  const third = machine.store();
  expect((await openAndCollect(third)).opened).toEqual({
    partitions: 4,
    clean: true,
    uncleanStops: [now],
    cutBytes: 0,
    notes: new Map(),
  });
});

test('a full disk at opening is an error that says so, and leaves the store usable', async () => {
  const machine = new SimMachine();
  machine.disk.capacity = 700;
  await expect(openAndCollect(machine.store())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  machine.disk.capacity = Number.POSITIVE_INFINITY;
  expect((await openAndCollect(machine.store())).opened.clean).toBe(true);
});

test('a full disk stops the store only when the space is needed, and loses nothing', async () => {
  const machine = new SimMachine();
  const ledger = new Ledger();
  let store = machine.store({ segmentBytes: 1024 });
  await openAndCollect(store);
  machine.disk.capacity = 1024 + 700;
  await ledger.append(store, [1], 500);
  await ledger.append(store, [1], 100);
  await expect(ledger.append(store, [1], 500)).rejects.toMatchObject({
    code: 'STORE_FAILED',
    cause: { code: 'ENOSPC' },
  });
  await store.close();
  machine.disk.capacity = Number.POSITIVE_INFINITY;
  store = machine.store();
  await ledger.reopen(store);
  expect(ledger.run(1).acknowledged).toBe(2);
  await ledger.append(store, [1], 500);
});

test('space that is free again when it is needed lets the store go on', async () => {
  const machine = new SimMachine();
  const ledger = new Ledger();
  const store = machine.store({ segmentBytes: 1024 });
  await openAndCollect(store);
  machine.disk.capacity = 1024 + 700;
  await ledger.append(store, [1], 600);
  machine.disk.capacity = Number.POSITIVE_INFINITY;
  await ledger.append(store, [1], 500);
  await store.close();
  await ledger.reopen(machine.store());
});

test("with 'process' durability a batch is synced within 50 ms", async () => {
  const machine = new SimMachine();
  const ledger = new Ledger();
  const store = machine.store({ durability: 'process', segmentBytes: 64 * 1024 });
  await openAndCollect(store);
  await ledger.append(store, [1]);
  expect(machine.disk.unsynced).toBe(true);
  machine.clock.advance(10);
  await ledger.append(store, [1]);
  machine.clock.advance(40);
  await settle();
  machine.powerLoss(nothingSurvives);
  const next = machine.store({ durability: 'process', segmentBytes: 64 * 1024 });
  await ledger.reopen(next);
  await ledger.append(next, [1]);
  machine.clock.advance(50);
  await settle();
  machine.powerLoss(nothingSurvives);
  await ledger.reopen(machine.store());
});

test("with 'process' durability everything acknowledged survives a killed process", async () => {
  const machine = new SimMachine();
  const ledger = new Ledger();
  const store = machine.store({ durability: 'process' });
  await openAndCollect(store);
  for (let count = 0; count < 30; count++) await ledger.append(store, [1, 2], 50);
  machine.kill();
  await ledger.reopen(machine.store());
});

test('a background sync that fails stops the store, and closing tells of it', async () => {
  for (const told of [true, false]) {
    const machine = new SimMachine();
    const store = machine.store({ durability: 'process' });
    await openAndCollect(store);
    await store.append([frameOf(1, 1, -1)]);
    machine.disk.onCall = (call) => {
      if (call.kind === 'datasync') throw systemError('EIO');
    };
    machine.clock.advance(50);
    await settle();
    if (told) await expect(store.append([frameOf(2, 1, -1)])).rejects.toMatchObject({ code: 'STORE_FAILED' });
    if (told) await store.close();
    else await expect(store.close()).rejects.toMatchObject({ code: 'STORE_FAILED' });
  }
});

test('what is cut off is never taken for a batch later, even if the batch before it is written again as it was', async () => {
  const before = new SimMachine();
  const options = { durability: 'process', segmentBytes: 8192 } as const;
  let store = before.store(options);
  await openAndCollect(store);
  const again = frameOf(1, 1, -1, 'x'.repeat(600));
  const [first] = await store.append([again]);
  await store.append([frameOf(1, 2, first!)]);
  before.kill();
  const files = before.disk.files();
  // The first sector, in which the first batch begins, was never written.
  files.get('0000000000000000.log')!.fill(0, 64, 512);
  const machine = new SimMachine(SimDisk.of(files));
  store = machine.store(options);
  const { opened, frames } = await openAndCollect(store);
  expect(frames).toEqual([]);
  expect(opened.cutBytes).toBeGreaterThan(0);
  expect(await store.append([again])).toEqual([first]);
  machine.kill();
  expect((await openAndCollect(machine.store(options))).frames).toHaveLength(1);
});

test('a folder that is removed is noticed by the next flush, and nothing is said to be safe', async () => {
  for (const durability of ['disk', 'process'] as const) {
    const machine = new SimMachine();
    const store = machine.store({ durability });
    await openAndCollect(store);
    await store.append([frameOf(1, 1, -1)]);
    machine.disk.removed = true;
    const error = await store.append([frameOf(2, 1, -1)]).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'STORE_FAILED', fields: { acknowledged: 'gone' } });
    await store.close();
  }
});

test('a segment that is removed under its owner, or a folder that is another one, is noticed too', async () => {
  for (const harm of ['segment', 'folder'] as const) {
    const machine = new SimMachine();
    const store = machine.store();
    await openAndCollect(store);
    await store.append([frameOf(1, 1, -1)]);
    if (harm === 'segment') await machine.disk.unlink('0000000000000000.log');
    else {
      machine.disk.removed = true;
      await openAndCollect(machine.store());
    }
    await expect(store.append([frameOf(2, 1, -1)])).rejects.toMatchObject({
      code: 'STORE_FAILED',
      fields: { acknowledged: 'gone' },
    });
  }
});

test('an owner that has nothing to write learns from its beat that the store is gone, and says so once', async () => {
  const machine = new SimMachine();
  const told: unknown[] = [];
  const store = machine.store({ onLost: (error) => told.push(error) });
  await openAndCollect(store);
  expect(store.maySpeak()).toBe(true);
  machine.disk.removed = true;
  for (let second = 0; second < 5; second++) {
    machine.clock.advance(1000);
    await settle();
  }
  expect(store.maySpeak()).toBe(false);
  expect(told).toEqual([expect.objectContaining({ code: 'STORE_FAILED' })]);
  await expect(store.append([frameOf(1, 1, -1)])).rejects.toBe(told[0]);
});

test('a lock that is taken away is another owner, whoever that was', async () => {
  const machine = new SimMachine();
  const store = machine.store();
  await openAndCollect(store);
  const [lock] = [...machine.disk.files().keys()].filter((name) => name.startsWith('lock-'));
  await machine.disk.rename(lock!.split('/')[0]!, 'elsewhere');
  await expect(store.append([frameOf(1, 1, -1)])).rejects.toMatchObject({
    code: 'STORE_LOCKED',
    fields: { taken: true, pid: undefined },
  });
  await expect(store.checkpoint([], { full: true })).rejects.toMatchObject({ code: 'STORE_LOCKED' });
});
