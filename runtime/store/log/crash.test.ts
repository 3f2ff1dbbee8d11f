/**
 * Crashes: whatever was acknowledged is there afterwards, whichever call was the last and whatever of the unsynced survived.
 * Thread: tests. In → out: nothing.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameOf, openAndCollect, plain } from '../contract.js';
import type { Durability, Frame } from '../store.js';
import type { LogStore } from './log-store.js';
import {
  Crash,
  everythingSurvives,
  nothingSurvives,
  SECTOR,
  type SimDisk,
  type Survival,
  someSurvive,
  systemError,
} from './sim-disk.js';
import { SimMachine } from './sim-machine.js';

/** What a run is known to have: acknowledged for certain, and asked for at most. */
interface Run {
  head: number;
  acknowledged: number;
  asked: number;
}

class Ledger {
  readonly runs = new Map<number, Run>();
  /** Index as a supervisor keeps it: event count and head by run. */
  readonly index = new Map<string, string>();

  run(id: number): Run {
    const run = this.runs.get(id) ?? { head: -1, acknowledged: 0, asked: 0 };
    this.runs.set(id, run);
    return run;
  }

  async append(store: LogStore, ids: readonly number[], size = 0): Promise<void> {
    const frames: Frame[] = ids.map((id) => {
      const run = this.run(id);
      run.asked = run.acknowledged + 1;
      return frameOf(id, run.asked, run.head, `${id}.${run.asked}${'-'.repeat(size)}`);
    });
    const positions = await store.append(frames);
    for (const [at, id] of ids.entries()) {
      const run = this.run(id);
      run.acknowledged++;
      run.head = positions[at]!;
      this.index.set(String(id), `${run.acknowledged} ${run.head}`);
    }
  }

  entries(): [Buffer, Buffer][] {
    return [...this.index].map(([key, value]) => [Buffer.from(key), Buffer.from(value)]);
  }

  /** Opens the store, expects everything acknowledged in it and nothing that was never asked for, and goes on from what it holds. */
  async reopen(store: LogStore): Promise<void> {
    const { entries, frames } = await openAndCollect(store);
    const found = new Map([...entries].map(([key, value]) => [key, value.split(' ').map(Number) as [number, number]]));
    for (const { frame, position } of frames) {
      const id = String(Buffer.from(frame.runId, 'hex')[15]);
      if (frame.firstEventId > (found.get(id)?.[0] ?? 0)) found.set(id, [frame.firstEventId, position]);
    }
    for (const [id, run] of this.runs) {
      const [count, head] = found.get(String(id)) ?? [0, -1];
      expect(count).toBeGreaterThanOrEqual(run.acknowledged);
      expect(count).toBeLessThanOrEqual(run.asked);
      if (count > 0) {
        const history = (await store.readHistory(head)).map(plain);
        expect(history.map((frame) => frame.firstEventId)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
        for (const frame of history) expect(frame.events.startsWith(`${id}.${frame.firstEventId}`)).toBe(true);
      }
      Object.assign(run, { head, acknowledged: count, asked: count });
      this.index.set(String(id), `${count} ${head}`);
    }
  }
}

const survivals: [string, Survival][] = [
  ['nothing', nothingSurvives],
  ['everything', everythingSurvives],
  ['some (1)', someSurvive(1)],
  ['some (2)', someSurvive(2)],
];

/** Touches everything that a store does: creation, segments of both kinds, checkpoints, clean and unclean stops, reopening. */
async function workload(machine: SimMachine, ledger: Ledger): Promise<void> {
  let store = machine.store({ segmentBytes: 2 * SECTOR });
  await openAndCollect(store);
  await ledger.append(store, [1, 2, 3]);
  await ledger.append(store, [1]);
  await ledger.append(store, [2, 4], 300);
  await store.checkpoint(ledger.entries(), { full: true });
  await ledger.append(store, [1, 5], 1500);
  await ledger.append(store, [5]);
  await store.checkpoint(ledger.entries(), { full: false });
  await store.close();
  store = machine.store({ segmentBytes: 2 * SECTOR });
  await ledger.reopen(store);
  await ledger.append(store, [1, 2, 3, 4, 5], 40);
  await store.checkpoint(ledger.entries(), { full: true });
  await ledger.append(store, [4]);
  await ledger.append(store, [4], 400);
  await store.close();
}

const crashAt = (disk: SimDisk, number: number) => {
  disk.onCall = (call) => {
    if (call.number >= number) throw new Crash();
  };
};

async function untilCrash(work: () => Promise<void>, disk: SimDisk): Promise<void> {
  let crashed = false;
  const look = disk.onCall;
  disk.onCall = (call) => {
    try {
      look(call);
    } catch (error) {
      crashed = true;
      throw error;
    }
  };
  try {
    await work();
  } catch (error) {
    if (!crashed) throw error;
  }
}

test('a crash at any call, with any part of the unsynced surviving, loses nothing that was acknowledged', async () => {
  const calm = new SimMachine();
  await workload(calm, new Ledger());
  expect(calm.disk.calls).toBeGreaterThan(100);
  for (let number = 1; number <= calm.disk.calls; number++) {
    for (const [, survives] of survivals) {
      const machine = new SimMachine();
      const ledger = new Ledger();
      crashAt(machine.disk, number);
      await untilCrash(() => workload(machine, ledger), machine.disk);
      machine.powerLoss(survives);
      let store = machine.store({ segmentBytes: 2 * SECTOR });
      await ledger.reopen(store);
      await ledger.append(store, [1, 2]);
      machine.powerLoss(nothingSurvives);
      store = machine.store({ segmentBytes: 2 * SECTOR });
      await ledger.reopen(store);
      await store.close();
    }
  }
});

test('a crash at any call of the recovery after a crash loses nothing either', async () => {
  const ledger = new Ledger();
  const first = new SimMachine();
  const store = first.store({ segmentBytes: 2 * SECTOR });
  await openAndCollect(store);
  await ledger.append(store, [1, 2], 100);
  await ledger.append(store, [1, 2], 200);
  first.disk.onCall = (call) => {
    if (call.kind === 'datasync') throw new Crash();
  };
  await untilCrash(() => ledger.append(store, [1, 2], 700), first.disk);
  first.powerLoss(someSurvive(3));
  const torn = first.disk;
  for (let number = 1; ; number++) {
    for (const [, survives] of survivals) {
      const machine = new SimMachine(torn.restart());
      const copy = new Ledger();
      for (const [id, run] of ledger.runs) copy.runs.set(id, { ...run });
      crashAt(machine.disk, number);
      await untilCrash(() => copy.reopen(machine.store()), machine.disk);
      const through = machine.disk.calls < number;
      machine.powerLoss(survives);
      const again = machine.store();
      await copy.reopen(again);
      await copy.append(again, [1]);
      machine.powerLoss(nothingSurvives);
      await copy.reopen(machine.store());
      if (through) return;
    }
  }
});

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

/** Lets pending promises settle; the simulated disk needs no more. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

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

type Step =
  | { kind: 'append'; runs: number[]; size: number }
  | { kind: 'checkpoint'; full: boolean }
  | { kind: 'tick'; ms: number }
  | { kind: 'reopen' }
  | { kind: 'kill' }
  | { kind: 'power'; seed: number; inCall: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      runs: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
      size: fc.integer({ min: 0, max: 900 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const), full: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('tick' as const), ms: fc.integer({ min: 1, max: 60 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('reopen' as const, 'kill' as const) }) as fc.Arbitrary<Step>,
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('power' as const),
      seed: fc.nat(1000),
      inCall: fc.integer({ min: 1, max: 12 }),
    }),
  },
);

async function follow(steps: readonly Step[], durability: Durability): Promise<void> {
  const machine = new SimMachine();
  const ledger = new Ledger();
  const options = { durability, segmentBytes: 2 * SECTOR };
  let store = machine.store(options);
  await openAndCollect(store);
  for (const each of steps) {
    if (each.kind === 'append') await ledger.append(store, each.runs, each.size);
    else if (each.kind === 'checkpoint') await store.checkpoint(ledger.entries(), { full: each.full });
    else if (each.kind === 'tick') {
      machine.clock.advance(each.ms);
      await settle();
    } else {
      if (each.kind === 'reopen') await store.close();
      else if (each.kind === 'kill') machine.kill();
      else {
        crashAt(machine.disk, machine.disk.calls + each.inCall);
        const work = async () => {
          await ledger.append(store, [1, 2], 700);
          await store.checkpoint(ledger.entries(), { full: false });
          await store.close();
        };
        await untilCrash(work, machine.disk);
        machine.powerLoss(someSurvive(each.seed));
        // Only 'disk' promises anything about power; what is left must still be a store without holes.
        if (durability === 'process') for (const run of ledger.runs.values()) run.acknowledged = 0;
      }
      store = machine.store(options);
      await ledger.reopen(store);
    }
  }
  await store.close();
  await ledger.reopen(machine.store(options));
}

for (const durability of ['disk', 'process'] as const) {
  test(`any row of appends, checkpoints, restarts and crashes keeps what '${durability}' promises`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), (steps) => follow(steps, durability)),
      { numRuns: 150 },
    );
  });
}
