/**
 * Checkpoints save time and decide nothing: whatever was played, and however it stopped, a log opened without its checkpoints goes on as with
 * them. `npm run model -- --of checkpoints` plays as many programs as one likes.
 */
import { assert, asyncProperty } from 'fast-check';
import { expect, test } from 'vitest';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyLocalActivities,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import {
  expectCheckpointsDecideNothing,
  expectEntriesFromLog,
  stoppedProgram,
  withAndWithoutCheckpoints,
} from '../test-kit/checkpoints.test-kit.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { running } from '../test-kit/running.test-kit.js';

routeRejections();

const { MODEL_CASES: cases = '200', MODEL_SEED: seed, MODEL_PATH: path } = process.env;

test('deleting all checkpoints changes nothing: not what runs hold, nor which are suspended, nor what is found', {
  timeout: 3_600_000,
}, async () => {
  // How the event loop came to a step is in the stacks of its failures, and so in the size of its history.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    await assert(asyncProperty(stoppedProgram, expectCheckpointsDecideNothing), {
      numRuns: Number(cases),
      ...(seed === undefined ? {} : { seed: Number(seed) }),
      ...(path === undefined ? {} : { path }),
    });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
});

const note = defineSignal<[text: string]>('note');
const notes = defineQuery<string[]>('notes');
const change = defineUpdate<void, []>('change');

/** Keeps notes, and does what `act` does at each. */
const noting = (act: () => unknown) => async (): Promise<void> => {
  const kept: string[] = [];
  setHandler(notes, () => kept);
  setHandler(note, async (text) => {
    kept.push(text);
    await act();
  });
  setHandler(change, () => undefined, {
    validator: () => {
      throw new Error('refused');
    },
  });
  await condition(() => false);
};

const nothing = () => undefined;

test.each(['clean', 'lost'] as const)(
  'code that does not fit a step that made nothing is told of after a clean stop, and no checkpoint decides: %s',
  async (how) => {
    const system = await running(noting(nothing));
    await system.signal('w', 'note', 'a').value();
    system.store.checkpointDue = true;
    await system.signal('w', 'note', 'b').value();
    await system.stop(how);
    system.deploy({ main: noting(() => sleep(1)) });
    const suspended = await withAndWithoutCheckpoints(system, async (each) => {
      const { cause } =
        (await each
          .query('w', 'notes')
          .error()
          .catch(() => undefined)) ?? {};
      return (cause as { type?: string } | undefined)?.type;
    });
    // A checkpoint has told of both, and the crash came after it.
    expect(suspended).toEqual(['DeterminismViolationError', 'DeterminismViolationError']);
  },
);

test('steps that made nothing are made again by the code of the day after a crash that no checkpoint came before', async () => {
  const system = await running(noting(nothing));
  await system.signal('w', 'note', 'a').value();
  await system.stop('lost');
  system.deploy({ main: noting(() => sleep(1)) });
  expect(await withAndWithoutCheckpoints(system, (each) => each.query('w', 'notes').value())).toEqual([['a'], ['a']]);
});

test('a clean stop writes down what ran without an event, in one event a run, and the next one nothing more', async () => {
  const system = await running(noting(nothing));
  for (const text of ['a', 'b']) await system.signal('w', 'note', text).value();
  await system.restart();
  const told = [
    'WorkflowExecutionStarted',
    'WorkflowExecutionSignaled',
    'WorkflowExecutionSignaled',
    'WorkflowTaskCompleted',
  ];
  expect(system.types('w')).toEqual(told);
  expect(system.history('w').at(-1)).toMatchObject({ ran: [3], cause: 3 });
  expect(await system.query('w', 'notes').value()).toEqual(['a', 'b']);
  await system.update('w', 'change').error();
  await system.restart();
  expect(await system.query('w', 'notes').value()).toEqual(['a', 'b']);
  expect(system.types('w'), 'of queries and rejected updates nothing need be told').toEqual(told);
  await expectInvariants(system);
});

test('a run whose history is read just when a checkpoint tells of its steps is rebuilt with them', async () => {
  const system = await running(
    noting(() => sleep(1)),
    { slots: 1, maxResident: 0 },
  );
  await system.settle();
  system.signal('w', 'note', 'a');
  system.store.checkpointDue = true;
  await system.settle();
  expect(await system.query('w', 'notes').value()).toEqual(['a']);
  expect(system.types('w')).toContain('TimerStarted');
  await expectInvariants(system);
});

test('what runs silently while a checkpoint is made is told by the next clean stop', async () => {
  const system = await running(noting(nothing));
  await system.signal('w', 'note', 'a').value();
  system.workers.returns.shut();
  await system.signal('w', 'note', 'b').value();
  system.store.flushes.shut();
  system.store.checkpointDue = true;
  const asked = system.query('w', 'notes');
  await system.settle();
  system.workers.returns.open();
  await system.settle();
  system.store.flushes.open();
  expect(await asked.value()).toEqual(['a', 'b']);
  expect(system.history('w').at(-1)).toMatchObject({ ran: [2] });
  await system.restart();
  expect(system.history('w').at(-1)).toMatchObject({ eventType: 'WorkflowTaskCompleted', ran: [4] });
  await expectInvariants(system);
});

test('a run that was evicted has its silent steps told by the next clean stop', async () => {
  const system = await running(noting(nothing));
  await system.signal('w', 'note', 'a').value();
  await system.evictAll();
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'WorkflowExecutionSignaled']);
  expect(await system.query('w', 'notes').value(), 'replayed, and not made again').toEqual(['a']);
  await system.evictAll();
  await system.restart();
  expect(system.types('w').at(-1)).toBe('WorkflowTaskCompleted');
  await expectInvariants(system);
});

test('a local activity that a silent step asked for goes on after a clean stop, checkpoint or none', async () => {
  const { work } = proxyLocalActivities<{ work(): Promise<string> }>({ startToCloseTimeout: '1 hour' });
  const system = await running(noting(() => work()));
  await system.signal('w', 'note', 'a').value();
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'WorkflowExecutionSignaled']);
  system.toHost.length = 0;
  await system.stop('clean');
  expect(system.history('w').at(-1)).toMatchObject({
    eventType: 'WorkflowTaskCompleted',
    ran: [2],
    localActivities: ['1'],
  });
  const asked = await withAndWithoutCheckpoints(system, async (each) =>
    each.attempts.map(({ activityId }) => activityId),
  );
  expect(asked).toEqual([['1'], ['1']]);
});

test('what a checkpoint stores of a run is what its log makes of it, also of one that only answers', async () => {
  const system = await running(noting(nothing));
  system.clock.advance(1000);
  await system.query('w', 'notes').value();
  await system.update('w', 'change').error();
  await expectEntriesFromLog(system);
  await system.signal('w', 'note', 'a').value();
  await expectEntriesFromLog(system);
});
