/**
 * Crashes: whatever was acknowledged is there afterwards, whichever call was the last and whatever of the unsynced survived.
 * Thread: tests. In → out: nothing.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openAndCollect } from '../contract.js';
import type { Durability } from '../store.js';
import { Crash, everythingSurvives, nothingSurvives, SECTOR, type Survival, someSurvive } from './sim-disk.js';
import { crashAt, Ledger, settle, untilCrash } from './sim-ledger.js';
import { SimMachine } from './sim-machine.js';

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
    arbitrary: fc.constantFrom<Step>({ kind: 'reopen' }, { kind: 'kill' }),
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
