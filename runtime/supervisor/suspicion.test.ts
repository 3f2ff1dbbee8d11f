/**
 * A run whose step ends the whole process is found, and left alone from then on, across restarts; nobody else is; and runs that end their
 * worker at the same place cost the others hardly anything.
 */
import { expect, test } from 'vitest';
import type { Slice } from '../../mailbox/turn.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import { ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const workflows = { ledger };

/** Where a step of a signal of that name is in a turn. */
function stepOf(slices: readonly Slice[], name: string): { run: number; seq: number } | undefined {
  for (const { run, steps } of slices) {
    const message = steps.flat().find((m) => m.kind === 'signal' && m.name === name);
    if (message !== undefined) return { run, seq: message.seq };
  }
  return undefined;
}

/**
 * The process lives until a turn with that signal comes back, at which it crashes; then the next begins, as often as given, or until no such
 * turn comes. Returns how often it crashed.
 */
async function crashAt(system: System, name: string, atMost: number): Promise<number> {
  for (let crashes = 0; ; crashes++) {
    const { workers } = system;
    let comes = false;
    workers.fate = (slices) => {
      if (stepOf(slices, name) === undefined) return undefined;
      comes = true;
      // Nothing of it comes back before the crash.
      workers.returns.shut();
      return undefined;
    };
    workers.returns.shut();
    await system.settle();
    // One turn after the other, until the deadly one is under way.
    while (workers.returns.waiting > 0) {
      if (workers.turns.some(({ slices }) => stepOf(slices, name) !== undefined)) break;
      workers.returns.letThrough();
      await system.settle();
    }
    comes ||= workers.turns.some(({ slices }) => stepOf(slices, name) !== undefined);
    if (!comes || crashes === atMost) {
      workers.fate = () => undefined;
      workers.returns.open();
      await system.settle();
      return crashes;
    }
    system.clock.advance(1000);
    await system.crash('kept');
  }
}

async function withRuns(ids: readonly string[], slots = 1): Promise<System> {
  const system = await System.open({ workflows, slots });
  system.tellUncleanStops();
  for (const id of ids) await system.start(id, 'ledger').value();
  return system;
}

test('a run whose step ends the process is left alone after three stops at which it was noted alone; the others go on', async () => {
  const system = await withRuns(['bad', 'good']);
  system.workers.returns.shut();
  await system.settle();
  expect(await system.signal('good', 'add', 'a').value()).toBe('done');
  expect(await system.signal('bad', 'poison').value()).toBe('done');
  // Two to come under suspicion, one that tells of both, three that tell of one.
  expect(await crashAt(system, 'poison', 20)).toBeLessThanOrEqual(6);
  const error = await system.query('bad', 'entries').error();
  expect(error).toMatchObject({ code: 'WORKFLOW_SUSPENDED', cause: { type: 'StepFailedWorkerError' } });
  expect(error.message).toContain('3 times');
  expect(await system.query('good', 'entries').value()).toEqual(['a']);
  expect((await system.describe('good')).suspended).toBeUndefined();
});

test('quarantine outlives restarts and crashes, with signals kept, until its owner resumes the run', async () => {
  const system = await withRuns(['bad']);
  system.workers.fate = (slices) => stepOf(slices, 'poison');
  await system.signal('bad', 'add', 'before').value();
  await system.signal('bad', 'poison').value();
  await system.settle();
  await system.restart();
  await system.signal('bad', 'add', 'kept').value();
  await system.crash();
  expect(await system.query('bad', 'entries').error()).toMatchObject({ code: 'WORKFLOW_SUSPENDED' });
  expect(system.workers.turns.filter(({ slices }) => stepOf(slices, 'poison'))).toEqual([]);
  expect(await system.resume('bad').value()).toBe('done');
  expect(await system.query('bad', 'entries').value()).toEqual(['before', 'kept']);
  await system.restart();
  expect(await system.query('bad', 'entries').value()).toEqual(['before', 'kept']);
  await expectInvariants(system);
});

test('other code ends a quarantine, and what was counted of the code before', async () => {
  const system = await withRuns(['bad']);
  system.workers.fate = (slices) => stepOf(slices, 'poison');
  await system.signal('bad', 'poison').value();
  await system.settle();
  system.build = 'mended';
  await system.restart();
  expect(await system.query('bad', 'entries').value()).toEqual([]);
  // Nor does it come back with the earlier code.
  system.build = 'test';
  await system.restart();
  expect(await system.query('bad', 'entries').value()).toEqual([]);
});

test('a terminated run is in quarantine no more', async () => {
  const system = await withRuns(['bad']);
  system.workers.fate = (slices) => stepOf(slices, 'poison');
  await system.signal('bad', 'poison').value();
  await system.settle();
  await system.terminate('bad').value();
  await system.restart();
  expect((await system.describe('bad')).status).toBe('TERMINATED');
  expect((await system.describe('bad')).suspended).toBeUndefined();
  expect(await system.resume('bad').error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
});

test('a process that is ended from outside, whatever it is doing, quarantines nobody', async () => {
  const ids = ['v', 'w', 'x', 'y'];
  const system = await withRuns(ids, 2);
  for (let life = 0; life < 40; life++) {
    // Alone in flight at every stop, and it has ended a step well in every life.
    const busy = ids[life % 2]!;
    for (const id of ids) await system.signal(id, 'add', `${life}`).value();
    await system.settle();
    system.workers.returns.shut();
    await system.signal(busy, 'add', 'last').value();
    await system.settle();
    system.clock.advance(1000);
    await system.crash('kept');
  }
  await system.settle();
  for (const id of ids) {
    expect((await system.describe(id)).suspended).toBeUndefined();
    expect(await system.query(id, 'entries').value()).toHaveLength(id < 'x' ? 60 : 40);
  }
  await expectInvariants(system);
});

test('a run noted at a stop among others is stepped by itself in the next process, with no other turn under way', async () => {
  const ids = ['v', 'w', 'x', 'y'];
  const system = await withRuns(ids, 2);
  for (let stop = 0; stop < 3; stop++) {
    system.workers.returns.shut();
    for (const id of ids) await system.signal(id, 'add', `${stop}`).value();
    await system.settle();
    system.clock.advance(1000);
    await system.crash('kept');
  }
  system.workers.returns.shut();
  await system.settle();
  for (let turn = 1; turn <= ids.length; turn++) {
    expect(system.workers.turns).toHaveLength(turn);
    expect(system.workers.turns.at(-1)!.slices).toHaveLength(1);
    system.workers.returns.letThrough();
    await system.settle();
  }
  system.workers.returns.open();
  for (const id of ids) expect(await system.query(id, 'entries').value()).toEqual(['0', '1', '2']);
});

test('a hundred runs that end their worker at the same message cost each worker of the others three restarts at most', async () => {
  const bad = Array.from({ length: 100 }, (_, index) => `bad ${index}`);
  const good = Array.from({ length: 20 }, (_, index) => `good ${index}`);
  const system = await withRuns([...bad, ...good], 2);
  const lost = [0, 0, 0];
  system.workers.fate = (slices, slot) => {
    const culprit = stepOf(slices, 'poison');
    if (culprit !== undefined) lost[slot]!++;
    return culprit;
  };
  const calls = [
    ...bad.map((id) => system.signal(id, 'poison')),
    ...good.map((id) => system.update(id, 'append', 'a')),
  ];
  for (const call of calls) await call.value();
  await system.settle();
  expect(lost[0]).toBeLessThanOrEqual(3);
  expect(lost[1]).toBeLessThanOrEqual(3);
  for (const id of bad) expect((await system.describe(id)).suspended).toBeDefined();
  for (const id of good) expect(await system.query(id, 'entries').value()).toEqual(['a']);
  // A run that only has the same message to come is stepped there as well, and goes on among the others.
  system.workers.fate = () => undefined;
  await system.signal('good 1', 'poison').value();
  await system.settle();
  expect(system.workers.turns.at(-1)!.slot).toBe(2);
  await system.signal('good 1', 'add', 'b').value();
  await system.settle();
  expect(system.workers.turns.at(-1)!.slot).toBeLessThan(2);
  expect(await system.query('good 1', 'entries').value()).toEqual(['a', 'b']);
  // A minute later the place is one as any.
  await system.pass(60_000);
  await system.signal('good 2', 'poison').value();
  await system.settle();
  expect(system.workers.turns.at(-1)!.slot).toBeLessThan(2);
  await expectInvariants(system);
});
