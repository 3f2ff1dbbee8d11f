/**
 * The environment in which an activity is tested alone.
 * Thread: the test's.
 */
import { expect, test } from 'vitest';
import {
  ApplicationFailure,
  activityInfo,
  Context,
  cancellationSignal,
  cancelled,
  heartbeat,
  type Info,
  log,
  sleep,
} from '../activity/index.js';
import { InvalidArgumentError, InvalidOptionError, NotInActivityError } from '../errors.js';
import { Money } from '../fixtures/money.js';
import { payloadConverter } from '../fixtures/money-converter.js';
import { loggerFrom } from '../host/logger.js';
import { MockActivityEnvironment } from './index.js';

test('an activity gets its arguments, and what it returns or throws comes back', async () => {
  const env = new MockActivityEnvironment();
  expect(await env.run((a: number, b: number) => a + b, 1, 2)).toBe(3);
  expect(await env.run(async (name: string) => `Hello, ${name}`, 'Ada')).toBe('Hello, Ada');
  const failure = ApplicationFailure.nonRetryable('no', 'SoldOut');
  await expect(env.run(() => Promise.reject(failure))).rejects.toBe(failure);
  await expect(
    env.run(() => {
      throw failure;
    }),
  ).rejects.toBe(failure);
});

test('it knows what the test says of it, and defaults for the rest', async () => {
  const env = new MockActivityEnvironment({ activityType: 'charge', attempt: 3, heartbeatDetails: { row: 7 } });
  const info: Info = await env.run(() => activityInfo());
  expect(info).toMatchObject({
    activityType: 'charge',
    attempt: 3,
    heartbeatDetails: { row: 7 },
    activityId: 'test',
    isLocal: false,
    workflowExecution: { workflowId: 'test', runId: 'test-run' },
  });
  const later = async () => {
    await null;
    return Context.current();
  };
  expect(await env.run(later)).toBe(env.context);
  expect(() => activityInfo()).toThrow(NotInActivityError);
});

test('each heartbeat is an event, with its details as the next attempt would get them', async () => {
  const env = new MockActivityEnvironment();
  const heard: unknown[] = [];
  env.on('heartbeat', (details) => heard.push(details));
  const progress = { rows: [1] };
  await env.run(async () => {
    heartbeat();
    heartbeat(progress);
    progress.rows.push(2);
    heartbeat(new Date(5));
  });
  expect(heard).toEqual([undefined, { rows: [1] }, new Date(5)]);
  await expect(env.run(() => heartbeat({ socket: () => 1 }))).rejects.toThrow(/details\.socket/);
});

test('cancelled, it sees its signal aborted, whatever it awaits', async () => {
  const env = new MockActivityEnvironment();
  const sleeping = env.run(() => sleep('1 hour'));
  const racing = env.run(() => cancelled());
  const listening = env.run(
    () => new Promise((resolve) => cancellationSignal().addEventListener('abort', () => resolve('heard'))),
  );
  env.cancel();
  env.cancel('TIMED_OUT');
  await expect(sleeping).rejects.toMatchObject({ name: 'CancelledFailure', message: 'CANCELLED' });
  await expect(racing).rejects.toMatchObject({ name: 'CancelledFailure' });
  expect(await listening).toBe('heard');
  expect(env.context.cancellationDetails).toMatchObject({ cancelRequested: true, timedOut: false });
  expect(await env.run(() => cancellationSignal().aborted)).toBe(true);
});

test.each([
  ['TIMED_OUT', 'timedOut'],
  ['NOT_FOUND', 'notFound'],
  ['WORKER_SHUTDOWN', 'workerShutdown'],
] as const)('cancelled for %s, it knows why', (reason, detail) => {
  const env = new MockActivityEnvironment();
  env.cancel(reason);
  expect(env.context.cancellationDetails).toMatchObject({ [detail]: true, cancelRequested: false });
});

test('its log goes to the logger of the test', async () => {
  const lines: unknown[] = [];
  const env = new MockActivityEnvironment({}, { logger: loggerFrom((...line) => lines.push(line)) });
  await env.run(() => log.info('hello', { order: 1 }));
  expect(lines).toEqual([['info', 'hello', { order: 1 }]]);
});

test('a payload converter holds there as it would in the runtime', async () => {
  const env = new MockActivityEnvironment({}, { payloadConverter });
  const heard: unknown[] = [];
  env.on('heartbeat', (details) => heard.push(details));
  await env.run(() => heartbeat(new Money(1, 'EUR')));
  expect(heard[0]).toBeInstanceOf(Money);
});

test('what is wrong is refused', async () => {
  expect(() => new MockActivityEnvironment({}, { loger: 1 } as object)).toThrow(InvalidOptionError);
  expect(() => new MockActivityEnvironment({}, { payloadConverter: {} as never })).toThrow(InvalidOptionError);
  const env = new MockActivityEnvironment();
  expect(() => env.cancel('WHY' as never)).toThrow(InvalidArgumentError);
  await expect(env.run('charge' as never)).rejects.toThrow(InvalidArgumentError);
});
