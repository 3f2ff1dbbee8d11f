/**
 * The activity host: attempts, contexts, cancellation, bounds and batches, over a real port.
 * Thread: the test's.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ApplicationFailure, CancelledFailure, fromFailureRecord } from '../../mailbox/failures.js';
import { decodePayload, encodePayload, encodePayloads } from '../../mailbox/payload.js';
import { withRawArgs } from '../../mailbox/raw-args.js';
import type { RawValue } from '../../mailbox/raw-value.js';
import { DEFAULT_RETRY_POLICY } from '../../mailbox/retry-policy.js';
import {
  activityInfo,
  CompleteAsyncError,
  Context,
  cancellationDetails,
  cancellationSignal,
  cancelled,
  heartbeat,
  type Info,
  log,
  sleep,
} from '../activity/index.js';
import { decodeTaskToken } from '../activity/task-token.js';
import type { Lifecycle } from '../client/control.js';
import { type Clock, ManualClock } from '../clock.js';
import { ActivityCompletionError, NotInActivityError } from '../errors.js';
import { ActivityHost } from './activity-host.js';
import type { DefaultActivity } from './attempt.js';
import { loggerFrom } from './logger.js';
import { decodeFromHost, encodeToHost, type FromHost, type FromHostBatch, type ToHost } from './protocol.js';

type RunActivity = Extract<ToHost, { kind: 'runActivity' }>;

let supervisor: MessagePort;
let host: ActivityHost;
let lines: unknown[][];
let lifecycle: Lifecycle[];
let batches: FromHost[][];
let outcomes: Map<number, Extract<FromHost, { kind: 'activityDone' }>>;
let waiting: (() => void)[];

beforeEach(() => {
  lines = [];
  lifecycle = [];
  batches = [];
  outcomes = new Map();
  waiting = [];
});
afterEach(() => host.stop());

function serve(
  activities: object,
  maxConcurrentActivities = 100,
  defaultActivity?: DefaultActivity,
  clock?: Clock,
): void {
  const { port1, port2 } = new MessageChannel();
  supervisor = port2;
  supervisor.on('message', (message: FromHostBatch) => {
    const batch = decodeFromHost(message);
    batches.push(batch);
    for (const message of batch) {
      if (message.kind === 'activityDone') outcomes.set(message.token, message);
    }
    for (const tell of waiting.splice(0)) tell();
  });
  host = new ActivityHost(port1, {
    activities,
    defaultActivity,
    logger: loggerFrom((...line) => lines.push(line)),
    payloadBytes: 10_000,
    client: () => expect.unreachable('nothing here asks for a client'),
    maxConcurrentActivities,
    onLifecycle: (event) => lifecycle.push(event),
    ...(clock === undefined ? {} : { clock }),
  });
}

function task(token: number, activityType: string, ...args: unknown[]): RunActivity {
  const run = { workflowId: 'w', runId: 'r', workflowType: 'order', scheduledTime: 5_000, startToCloseTimeout: 1_000 };
  return {
    kind: 'runActivity',
    token,
    activityId: `${token}`,
    activityType,
    attempt: 2,
    input: encodePayloads(args),
    attemptTime: 6_000,
    ...run,
  };
}

const send = (...messages: ToHost[]) => supervisor.postMessage(encodeToHost(messages));

async function outcome(token: number): Promise<unknown> {
  while (!outcomes.has(token)) {
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
  const { result, failure } = outcomes.get(token)!;
  return result === undefined ? fromFailureRecord(failure!) : decodePayload(result);
}

function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

test('an activity gets its arguments and its result goes back', async () => {
  serve({ add: async (a: number, b: Date) => a + b.getTime(), now: () => 'at once', none: async () => {} });
  send(task(1, 'add', 1, new Date(2)), task(2, 'now'), task(3, 'none'));
  expect(await Promise.all([outcome(1), outcome(2), outcome(3)])).toEqual([3, 'at once', undefined]);
});

test('what begins and ends during one turn of the event loop is reported in one message', async () => {
  serve({ f: async (n: number) => n });
  send(...Array.from({ length: 50 }, (_, i) => task(i, 'f', i)));
  await Promise.all(Array.from({ length: 50 }, (_, i) => outcome(i)));
  expect(batches.map((batch) => batch.map(({ kind }) => kind))).toEqual([Array(50).fill('activityDone')]);
});

test('an activity that is not there fails for good, and says which are', async () => {
  serve({ charge: () => 1, refund: () => 1, VERSION: '1' });
  const names = ['chrage', 'toString', 'constructor', '__proto__', 'VERSION', ''];
  send(...names.map((name, i) => task(i, name)));
  for (const [i, name] of names.entries()) {
    const failure = (await outcome(i)) as ApplicationFailure;
    expect(failure).toMatchObject({ type: 'NotFoundError', nonRetryable: true });
    expect(failure.message).toBe(
      `Activity function ${name} is not registered on this Worker, available activities: ["charge","refund"]. Add it to the runtime's activities, or give the runtime a defaultActivity`,
    );
  }
});

test('the default activity runs what no other has the name of, and knows what it was asked as', async () => {
  const defaultActivity = (name: string, ...args: unknown[]) => [name, activityInfo().activityType, ...args];
  serve({ charge: (n: number) => n + 1, VERSION: '1' }, 100, defaultActivity);
  send(task(1, 'charge', 1), task(2, 'refund', 'a', 2), task(3, 'toString'), task(4, 'VERSION'));
  expect(await outcome(1)).toBe(2);
  expect(await outcome(2)).toEqual(['refund', 'refund', 'a', 2]);
  expect(await outcome(3)).toEqual(['toString', 'toString']);
  expect(await outcome(4)).toEqual(['VERSION', 'VERSION']);
});

test('activities may take their arguments raw, and pass them on unread', async () => {
  const last = withRawArgs((_name: string, args: RawValue[]) => args[args.length - 1]);
  const first = withRawArgs((args) => args[0]);
  serve({ first }, 100, last);
  send(task(1, 'first', 'a', 'b'), task(2, 'any', 'a', { deep: 'b' }));
  expect(await outcome(1)).toBe('a');
  expect(await outcome(2)).toEqual({ deep: 'b' });
});

test('an activity may use its siblings through this', async () => {
  serve({
    rate: 2,
    double(this: { rate: number }, n: number): number {
      return n * this.rate;
    },
  });
  send(task(1, 'double', 21));
  expect(await outcome(1)).toBe(42);
});

test('what an activity throws is its failure', async () => {
  serve({
    plain: () => Promise.reject(new RangeError('too many')),
    failure: () => {
      throw ApplicationFailure.nonRetryable('no', 'SoldOut', { left: 0 });
    },
    text: () => Promise.reject('text'),
  });
  send(task(1, 'plain'), task(2, 'failure'), task(3, 'text'));
  expect(await outcome(1)).toMatchObject({ message: 'too many', type: 'RangeError', nonRetryable: false });
  expect(await outcome(2)).toMatchObject({ type: 'SoldOut', nonRetryable: true, details: [{ left: 0 }] });
  expect(await outcome(3)).toMatchObject({ message: 'text' });
});

/** Values that throw when they are looked at. */
const unreadable: Record<string, () => unknown> = {
  cause: () => Object.defineProperty({ message: 'm' }, 'cause', { get: refuse }),
  name: () => Object.defineProperty(new Error('m'), 'name', { get: refuse }),
  category: () => Object.defineProperty(ApplicationFailure.retryable('m'), 'category', { get: refuse }),
  anything: () => new Proxy({}, { get: refuse, getPrototypeOf: refuse }),
};

function refuse(): never {
  throw new Error('not to be read');
}

test.each(Object.keys(unreadable))('what cannot be read fails its attempt all the same: %s', async (what) => {
  serve({
    hostile: () => {
      throw unreadable[what]!();
    },
  });
  send(task(1, 'hostile'));
  const message = what === 'anything' ? 'A value was thrown that cannot be read' : 'm';
  expect(await outcome(1)).toMatchObject({ message, nonRetryable: false });
  expect(lines).toMatchObject([['warn', 'Activity failed', { activityType: 'hostile' }]]);
});

test('a result that cannot be handed over fails for good, and says why', async () => {
  serve({ callback: () => ({ list: [() => 1] }), large: () => 'x'.repeat(20_000) });
  send(task(1, 'callback'), task(2, 'large'));
  const unserializable = (await outcome(1)) as ApplicationFailure;
  expect(unserializable).toMatchObject({ type: 'PayloadConverterError', nonRetryable: true });
  expect(unserializable.message).toContain("'callback'");
  expect(unserializable.message).toContain('result.list[0]');
  expect(await outcome(2)).toMatchObject({ type: 'PayloadTooLargeError', nonRetryable: true });
});

test('each attempt has its own context, in all its asynchronous calls', async () => {
  const later = async (): Promise<Info> => {
    await null;
    await new Promise((resolve) => setImmediate(resolve));
    expect(Context.current().info).toBe(activityInfo());
    return activityInfo();
  };
  serve({ a: later, b: later });
  send(task(1, 'a'), task(2, 'b'));
  const { taskToken, base64TaskToken, ...info } = (await outcome(1)) as Info;
  expect(info).toEqual({
    activityId: '1',
    activityType: 'a',
    attempt: 2,
    idempotencyKey: 'w/r/1',
    isLocal: false,
    inWorkflow: true,
    workflowExecution: { workflowId: 'w', runId: 'r' },
    workflowType: 'order',
    namespace: 'default',
    activityNamespace: 'default',
    workflowNamespace: 'default',
    taskQueue: 'default',
    scheduledTimestampMs: 5_000,
    currentAttemptScheduledTimestampMs: 6_000,
    startToCloseTimeoutMs: 1_000,
    scheduleToCloseTimeoutMs: 0,
    heartbeatDetails: undefined,
    retryPolicy: DEFAULT_RETRY_POLICY,
  });
  expect(Buffer.from(base64TaskToken, 'base64')).toEqual(Buffer.from(taskToken));
  expect(decodeTaskToken(taskToken)).toEqual({ workflowId: 'w', runId: 'r', activityId: '1', attempt: 2 });
  expect(await outcome(2)).toMatchObject({ activityType: 'b', activityId: '2' });
});

test('outside an activity there is no context', async () => {
  serve({});
  for (const call of [
    activityInfo,
    cancellationSignal,
    cancelled,
    heartbeat,
    () => Context.current(),
    () => log.info('x'),
  ]) {
    expect(call).toThrow(NotInActivityError);
  }
  await expect(sleep(1)).rejects.toThrow('sleep() works only inside an activity');
});

test('a line that an activity logs says which activity wrote it', async () => {
  serve({ f: () => log.warn('careful', { order: 7 }) });
  send(task(1, 'f'));
  await outcome(1);
  const run = { workflowId: 'w', runId: 'r', workflowType: 'order' };
  const fields = { sdkComponent: 'activity', activityType: 'f', activityId: '1', attempt: 2, ...run };
  expect(lines).toEqual([['warn', 'careful', { ...fields, order: 7 }]]);
});

test('a cancelled attempt sees its signal aborted, and its sleep ends at once', async () => {
  const started = deferred();
  serve({
    async f() {
      const pending = sleep('1 hour');
      started.resolve();
      await pending;
    },
  });
  send(task(1, 'f'));
  await started.promise;
  send({ kind: 'cancelActivity', token: 1, cause: 'cancelRequested' });
  const failure = await outcome(1);
  expect(failure).toBeInstanceOf(CancelledFailure);
  expect(failure).toMatchObject({ message: 'CANCELLED' });
});

test('cancellation reaches what takes a signal, and what only races', async () => {
  const bothStarted = deferred();
  const aborted = (signal: AbortSignal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new DOMException('This operation was aborted', 'AbortError')));
    });
  serve({
    takes: () => aborted(cancellationSignal()),
    races: () => {
      bothStarted.resolve();
      return Promise.race([new Promise(() => {}), cancelled()]);
    },
  });
  send(task(1, 'takes'), task(2, 'races'));
  await bothStarted.promise;
  for (const token of [1, 2]) send({ kind: 'cancelActivity', token, cause: 'timedOut' });
  for (const token of [1, 2]) {
    const failure = await outcome(token);
    expect(failure).toBeInstanceOf(CancelledFailure);
    expect(failure).toMatchObject({ message: 'TIMED_OUT' });
  }
});

test('an activity may clean up after its cancellation, and what it then returns counts', async () => {
  const started = deferred();
  serve({
    async f() {
      started.resolve();
      await cancelled().catch(() => {});
      await expect(sleep(1)).rejects.toThrow(CancelledFailure);
      return 'cleaned up';
    },
  });
  send(task(1, 'f'));
  await started.promise;
  send({ kind: 'cancelActivity', token: 1, cause: 'cancelRequested' });
  expect(await outcome(1)).toBe('cleaned up');
});

test('a heartbeat sees a cancellation even in a loop that awaits nothing', async () => {
  serve({
    spin() {
      send(task(2, 'other'), { kind: 'cancelActivity', token: 1, cause: 'timedOut' });
      let beats = 0;
      while (!cancellationSignal().aborted) heartbeat({ beats: ++beats });
      expect(order).toEqual([]);
      throw cancellationSignal().reason;
    },
    other: () => order.push('other') && undefined,
  });
  const order: string[] = [];
  send(task(1, 'spin'));
  expect(await outcome(1)).toMatchObject({ name: 'CancelledFailure', message: 'TIMED_OUT' });
  await outcome(2);
  expect(order).toEqual(['other']);
});

test('a heartbeat whose details are not data fails where it is called', async () => {
  serve({ f: () => heartbeat({ socket: () => 1 }) });
  send(task(1, 'f'));
  expect(await outcome(1)).toMatchObject({
    type: 'PayloadConverterError',
    message: expect.stringContaining('details.socket'),
  });
});

test('no more attempts run at once than allowed; the others follow in order', async () => {
  const gates = new Map<number, () => void>();
  const started: number[] = [];
  const changed: (() => void)[] = [];
  serve(
    {
      f: (n: number) => {
        started.push(n);
        for (const tell of changed.splice(0)) tell();
        return new Promise<void>((resolve) => gates.set(n, resolve));
      },
    },
    2,
  );
  const reached = async (count: number) => {
    while (started.length < count) await new Promise<void>((resolve) => changed.push(resolve));
  };
  send(...[1, 2, 3, 4].map((n) => task(n, 'f', n)));
  await reached(2);
  expect(started).toEqual([1, 2]);
  gates.get(2)!();
  await reached(3);
  expect(started).toEqual([1, 2, 3]);
  gates.get(1)!();
  gates.get(3)!();
  await reached(4);
  gates.get(4)!();
  await Promise.all([1, 2, 3, 4].map(outcome));
});

test('an attempt cancelled while it waits its turn never runs', async () => {
  const gate = deferred();
  const ran: number[] = [];
  serve({ f: (n: number) => ran.push(n) && gate.promise }, 1);
  send(task(1, 'f', 1), task(2, 'f', 2), { kind: 'cancelActivity', token: 2, cause: 'timedOut' });
  expect(await outcome(2)).toBeInstanceOf(CancelledFailure);
  gate.resolve();
  await outcome(1);
  expect(ran).toEqual([1]);
});

test('lifecycle events are handed on in order', async () => {
  serve({ f: () => {} });
  const event = (runId: string): Lifecycle => ({ name: 'runResumed', workflowId: 'w', runId });
  send({ kind: 'lifecycle', event: event('a') }, task(1, 'f'), { kind: 'lifecycle', event: event('b') });
  await outcome(1);
  expect(lifecycle).toEqual([event('a'), event('b')]);
});

test('a stopped host cancels what runs and reports nothing more', async () => {
  const reason = deferred<unknown>();
  const started = deferred();
  serve({
    f() {
      started.resolve();
      return cancelled().catch(reason.resolve);
    },
  });
  send(task(1, 'f'));
  await started.promise;
  host.stop();
  expect(await reason.promise).toBeInstanceOf(CancelledFailure);
  await new Promise((resolve) => supervisor.once('close', resolve));
  expect(batches).toEqual([]);
});

test('a client port reaches the supervisor', async () => {
  serve({});
  const received = new Promise<FromHostBatch>((resolve) => supervisor.once('message', resolve));
  const { port1, port2 } = new MessageChannel();
  host.attach(port2);
  const [message] = decodeFromHost(await received);
  expect(message).toMatchObject({ kind: 'attach' });
  if (message!.kind === 'attach') message!.port.postMessage('hello');
  expect(await new Promise((resolve) => port1.once('message', resolve))).toBe('hello');
  port1.close();
});

test('bytes that do not decode are the failure of their attempt alone', async () => {
  serve({ f: () => 'fine' });
  const broken = task(1, 'f');
  broken.input = [encodePayload('hello').slice(0, 2)];
  send(broken, task(2, 'f'));
  expect(await outcome(1)).toMatchObject({ type: 'PayloadConverterError' });
  expect(await outcome(2)).toBe('fine');
});

const beats = () => batches.flat().flatMap((message) => (message.kind === 'activityHeartbeat' ? [message] : []));
const toldDetails = () => beats().map(({ details }) => (details === undefined ? undefined : decodePayload(details)));

test('of the heartbeats within an interval the first goes out at once, and of the others the last when it is over', async () => {
  const gate = deferred();
  const clock = new ManualClock();
  serve({ f: () => gate.promise, g: async () => [1, 2, 3].map((n) => heartbeat(n)) }, 100, undefined, clock);
  send({ ...task(1, 'g'), heartbeatTimeout: 1000 }, task(2, 'f'));
  await outcome(1);
  expect(toldDetails()).toEqual([1]);
  // It is over, and what it held back is not wanted.
  clock.advance(10_000);
  gate.resolve();
  await outcome(2);
  expect(toldDetails()).toEqual([1]);
});

test('what a heartbeat held back goes with the failure of its attempt, and out when the interval is over', async () => {
  const clock = new ManualClock();
  const sent = deferred();
  const gate = deferred();
  serve(
    {
      async f() {
        for (const n of [1, 2, 3]) heartbeat(n);
        sent.resolve();
        await gate.promise;
        heartbeat(4);
        heartbeat(5);
        throw new Error('lost');
      },
    },
    100,
    undefined,
    clock,
  );
  send({ ...task(1, 'f'), heartbeatTimeout: 1000 });
  await sent.promise;
  clock.advance(799);
  clock.advance(1);
  gate.resolve();
  await outcome(1);
  expect(toldDetails()).toEqual([1, 3]);
  expect(decodePayload(outcomes.get(1)!.heartbeatDetails!)).toBe(5);
});

test('a heartbeat of an attempt that is over is refused', async () => {
  let late: () => void = () => undefined;
  serve({
    f() {
      const context = Context.current();
      late = () => context.heartbeat(1);
    },
  });
  send(task(1, 'f'));
  await outcome(1);
  expect(late).toThrow(ActivityCompletionError);
  expect(late).toThrow("this attempt of 'f' is over");
});

test('details of an earlier attempt are there, and an outcome may be left to somebody else', async () => {
  serve({
    f() {
      heartbeat(activityInfo().heartbeatDetails + 1);
      throw new CompleteAsyncError();
    },
  });
  send({ ...task(1, 'f'), heartbeatDetails: encodePayload(41) });
  while (!outcomes.has(1)) await new Promise<void>((resolve) => waiting.push(resolve));
  expect(outcomes.get(1)).toMatchObject({ completesLater: true });
  expect(toldDetails()).toEqual([42]);
});

test.each([
  ['cancelRequested', { cancelRequested: true }],
  ['timedOut', { timedOut: true }],
  ['notFound', { notFound: true }],
] as const)('an attempt knows why it is cancelled: %s', async (cause, flags) => {
  const started = deferred();
  serve({
    async f() {
      expect(cancellationDetails()).toBeUndefined();
      started.resolve();
      await cancelled().catch(() => undefined);
      return { ...cancellationDetails() };
    },
  });
  send(task(1, 'f'));
  await started.promise;
  send({ kind: 'cancelActivity', token: 1, cause });
  const none = {
    notFound: false,
    cancelRequested: false,
    paused: false,
    timedOut: false,
    workerShutdown: false,
    reset: false,
  };
  expect(await outcome(1)).toEqual({ ...none, ...flags });
});
