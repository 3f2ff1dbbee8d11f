/**
 * The activity pool: threads that are really ended, and attempts that alone are hurt by it.
 * Thread: the test's, with a pool of real ones.
 */
import { afterEach, expect, test } from 'vitest';
import { CancelledFailure, fromFailureRecord } from '../../mailbox/failures.js';
import { decodePayload, encodePayloads } from '../../mailbox/payload.js';
import { InvalidOptionError } from '../errors.js';
import { ActivityPool } from './activity-pool.js';
import { type ActivityPoolOptions, resolveActivityPool } from './activity-pool-options.js';
import type { AttemptOutcome } from './attempt.js';
import { loggerFrom } from './logger.js';
import type { ActivityTask } from './protocol.js';

const MODULE = new URL('./fixtures/pool-activities.js', import.meta.url);
let pools: ActivityPool[] = [];
let lines: unknown[][] = [];
let beats: unknown[] = [];
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.stop()));
  pools = [];
  lines = [];
  beats = [];
});

async function open(options: Partial<ActivityPoolOptions> = {}, taken: string[] = []): Promise<ActivityPool> {
  const setting = resolveActivityPool({ activities: MODULE, threads: 1, ...options });
  const pool = await ActivityPool.open(setting, {
    payloadBytes: 10_000,
    payloadConverter: undefined,
    payloadCodec: undefined,
    isTimeVirtual: false,
    logger: loggerFrom((...line) => lines.push(line)),
    taken,
  });
  pools.push(pool);
  return pool;
}

let lastToken = 0;

interface Attempt {
  readonly token: number;
  readonly started: Promise<void>;
  /** What it returned, or the failure. */
  readonly outcome: Promise<unknown>;
}

function run(pool: ActivityPool, activityType: string, ...args: unknown[]): Attempt {
  const token = ++lastToken;
  const task: ActivityTask = {
    token,
    activityId: `${token}`,
    activityType,
    attempt: 2,
    input: encodePayloads(args),
    workflowId: 'w',
    runId: 'r',
    workflowType: 'order',
    scheduledTime: 5_000,
    attemptTime: 5_000,
    startToCloseTimeout: 1_000,
  };
  let outcome!: Promise<AttemptOutcome>;
  const started = new Promise<void>((resolve) => {
    outcome = pool.run(task, {
      started: resolve,
      heartbeat: (details) => beats.push(details && decodePayload(details)),
      connects: (port) => port.close(),
    });
  });
  return { token, started, outcome: outcome.then(toldBy) };
}

function toldBy(outcome: AttemptOutcome): unknown {
  if ('result' in outcome) return decodePayload(outcome.result);
  return 'failure' in outcome ? fromFailureRecord(outcome.failure) : 'completed later';
}

test('an activity of the pool runs on another thread, with a context of its own', async () => {
  const pool = await open({ threads: 2 });
  expect(['sum', 'deaf', 'VERSION', 'default', 'toString'].map((name) => pool.runs(name))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(await run(pool, 'sum', 1, 2, 3).outcome).toBe(6);
  expect(await run(pool, 'thread').outcome).toBeGreaterThan(0);
  const { token, outcome } = run(pool, 'info');
  const workflowExecution = { workflowId: 'w', runId: 'r' };
  expect(await outcome).toEqual({ activityId: `${token}`, activityType: 'info', attempt: 2, workflowExecution });
  expect(await run(pool, 'refuse').outcome).toMatchObject({
    type: 'SoldOut',
    nonRetryable: true,
    details: [{ left: 0 }],
  });
});

test('a thread has one attempt at a time; the others wait in order', async () => {
  const pool = await open();
  const first = run(pool, 'sleeper');
  await first.started;
  const ended: number[] = [];
  const rest = [1, 2, 3].map((n) => run(pool, 'sum', n).outcome.then((sum) => ended.push(sum as number)));
  pool.cancel(first.token, 'cancelRequested');
  await Promise.all(rest);
  expect(ended).toEqual([1, 2, 3]);
});

test('what waits for its place and is cancelled never runs', async () => {
  const pool = await open();
  const first = run(pool, 'sleeper');
  const second = run(pool, 'thread');
  pool.cancel(second.token, 'cancelRequested');
  expect(await second.outcome).toMatchObject({ name: 'CancelledFailure', message: 'CANCELLED' });
  pool.cancel(first.token, 'cancelRequested');
  await first.outcome;
});

test.each(['polite', 'sleeper'])('a cancelled attempt hears of it: %s', async (activityType) => {
  const pool = await open({ cancellationGrace: '1 hour' });
  const before = await run(pool, 'thread').outcome;
  const { token, started, outcome } = run(pool, activityType);
  await started;
  pool.cancel(token, 'cancelRequested');
  expect(await outcome).toMatchObject({ name: 'CancelledFailure', message: 'CANCELLED' });
  // And so keeps its thread.
  expect(await run(pool, 'thread').outcome).toBe(before);
});

test('what a cancelled attempt returns within its grace counts', async () => {
  const pool = await open({ cancellationGrace: '1 hour' });
  const { token, started, outcome } = run(pool, 'tidy');
  await started;
  pool.cancel(token, 'cancelRequested');
  expect(await outcome).toBe('cleaned up');
});

test('one that does not heed its cancellation loses its thread, which is replaced', async () => {
  const pool = await open({ cancellationGrace: 1 });
  const before = await run(pool, 'thread').outcome;
  const { token, started, outcome } = run(pool, 'deaf');
  await started;
  const next = run(pool, 'thread');
  pool.cancel(token, 'cancelRequested');
  const failure = await outcome;
  expect(failure).toBeInstanceOf(CancelledFailure);
  expect(failure).toMatchObject({ message: 'CANCELLED' });
  expect(await next.outcome).not.toBe(before);
});

test('one whose time is up has no grace', async () => {
  const pool = await open({ cancellationGrace: '1 hour' });
  const { token, started, outcome } = run(pool, 'deaf');
  await started;
  pool.cancel(token, 'timedOut');
  expect(await outcome).toMatchObject({ name: 'CancelledFailure', message: 'TIMED_OUT' });
});

test('one whose time is up while it has its grace has it no longer', async () => {
  const pool = await open({ cancellationGrace: '1 hour' });
  const { token, started, outcome } = run(pool, 'deaf');
  await started;
  pool.cancel(token, 'cancelRequested');
  pool.cancel(token, 'timedOut');
  expect(await outcome).toMatchObject({ name: 'CancelledFailure', message: 'CANCELLED' });
});

test.each([
  ['exits', 'worker exited with code: 3'],
  ['crashes', 'thrown where no caller is'],
  ['hog', 'it ran out of memory'],
])('a thread that dies fails its own attempt, to be tried again, and no other: %s', async (activityType, reason) => {
  const pool = await open({ threads: 2, cancellationGrace: '1 hour', resourceLimits: { maxOldGenerationSizeMb: 48 } });
  const neighbour = run(pool, 'tidy');
  await neighbour.started;
  const { outcome } = run(pool, activityType);
  const waits = run(pool, 'sum', 1, 2);
  expect(await outcome).toMatchObject({
    name: 'ApplicationFailure',
    type: 'ActivityThreadLostError',
    nonRetryable: false,
    message: `The pool thread that ran activity '${activityType}' ended: ${reason}`,
  });
  expect(await waits.outcome).toBe(3);
  pool.cancel(neighbour.token, 'cancelRequested');
  expect(await neighbour.outcome).toBe('cleaned up');
});

test('heartbeats of a tight loop come now and then, the last one of an attempt always', async () => {
  const pool = await open();
  const { outcome } = run(pool, 'beats', 10_000);
  expect(await outcome).toBe(10_000);
  expect([beats[0], beats.at(-1)]).toEqual([1, 10_000]);
  expect(beats.length).toBeLessThan(5_000);
});

test('a line that is logged on the thread comes to the logger of the runtime', async () => {
  const pool = await open();
  const { token, outcome } = run(pool, 'write');
  await outcome;
  const fields = {
    activityType: 'write',
    activityId: `${token}`,
    attempt: 2,
    workflowId: 'w',
    runId: 'r',
    workflowType: 'order',
  };
  expect(lines).toEqual([
    ['warn', 'careful', { sdkComponent: 'activity', ...fields, order: 7 }],
    ['info', 'what cannot go along', { notSerializable: expect.stringContaining('could not be cloned') }],
  ]);
});

test('interceptors of its own go round its attempts, the first outermost', async () => {
  const doubling = new URL('./fixtures/pool-interceptors.js', import.meta.url);
  const pool = await open({ interceptorModules: [doubling, doubling] });
  expect(await run(pool, 'sum', 1, 2).outcome).toBe(12);
  await run(pool, 'write').outcome;
  expect(lines[0]).toMatchObject(['warn', 'careful', { order: 7, doubled: true }]);
});

test('a pool that stops ends its threads, whatever they do', async () => {
  const pool = await open();
  const { started } = run(pool, 'deaf');
  await started;
  await pool.stop();
  await pool.stop();
});

test.each([
  ['no such file', { activities: new URL('./fixtures/none.js', import.meta.url) }, /none\.js: it does not load/],
  [
    'a module without functions',
    { activities: new URL('../fixtures/masking-codec.js', import.meta.url) },
    /no function/,
  ],
  ['an unknown option', { thread: 1 } as object, /Did you mean 'activityPool.threads'/],
  ['no module', { activities: undefined as never }, /it is missing/],
  ['interceptors that are none', { interceptorModules: [MODULE] }, /it must export interceptors, a function/],
  [
    'an interceptor module that is not there',
    { interceptorModules: ['./none.js'] },
    /interceptorModules.*does not load/,
  ],
  ['interceptor modules that are no list', { interceptorModules: './a.js' as never }, /must be an array/],
  ['no thread', { threads: 0 }, /activityPool.threads/],
  ['a limit that is none', { resourceLimits: { stackSizeMb: -1 } }, /activityPool.resourceLimits.stackSizeMb/],
  ['a limit of an unknown name', { resourceLimits: { heap: 1 } as object }, /activityPool.resourceLimits.heap/],
  ['a grace before its beginning', { cancellationGrace: -1 }, /activityPool.cancellationGrace/],
])('%s is refused', async (_, options, message) => {
  const opening = open(options);
  await expect(opening).rejects.toThrow(InvalidOptionError);
  await expect(opening).rejects.toThrow(message);
});

test('a name that activities have too is refused', async () => {
  await expect(open({}, ['charge', 'sum'])).rejects.toThrow(/it exports 'sum', which is in 'activities' too/);
});
