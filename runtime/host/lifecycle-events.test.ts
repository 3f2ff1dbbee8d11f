/**
 * Lifecycle events and the log: who is told what, and what is asked for.
 * Thread: the test's.
 */
import { expect, test, vi } from 'vitest';
import { toFailureRecord } from '../../mailbox/failures.js';
import type { Lifecycle } from '../client/control.js';
import { toErrorRecord } from '../client/error-record.js';
import { RuntimeFailedError, WorkflowSuspendedError } from '../errors.js';
import { RuntimeEvents } from './lifecycle-events.js';
import { LOGGED, logLifecycle } from './lifecycle-log.js';
import { consoleLogger, type Logger, loggerFrom } from './logger.js';

const resumed: Lifecycle = { name: 'runResumed', workflowId: 'w', runId: 'r' };

test('every way to gain or lose a listener is noticed', () => {
  const events = new RuntimeEvents();
  const seen: unknown[][] = [];
  events.onChange(() => seen.push(events.eventNames()));
  const listener = () => {};
  events.on('runResumed', listener);
  events.addListener('slowStep', listener);
  events.off('runResumed', listener);
  events.removeListener('slowStep', listener);
  events.once('runResumed', listener);
  events.tell(resumed);
  events.on('workerLost', listener).removeAllListeners();
  expect(seen).toEqual([
    ['runResumed'],
    ['runResumed', 'slowStep'],
    ['slowStep'],
    [],
    ['runResumed'],
    [],
    ['workerLost'],
    [],
  ]);
});

test('a listener gets the event, with its error as an instance', () => {
  const events = new RuntimeEvents();
  const told: unknown[] = [];
  events.on('runResumed', (event) => told.push(event));
  events.on('failed', ({ error }) => told.push(error));
  events.tell(resumed);
  events.tell({ name: 'failed', error: toErrorRecord(new RuntimeFailedError({ reason: 'disk' })) });
  expect(told).toEqual([resumed, expect.any(RuntimeFailedError)]);
});

test("a listener's error does not stop what follows, and is not swallowed", () => {
  const later = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => {});
  const events = new RuntimeEvents();
  const told: string[] = [];
  events.once('runResumed', () => {
    throw new Error('mine');
  });
  events.on('workerLost', () => told.push('workerLost'));
  events.tell(resumed);
  events.tell({ name: 'workerLost', worker: 1, reason: 'x', runs: 0 });
  const [rethrow] = later.mock.calls[0]!;
  later.mockRestore();
  expect(told).toEqual(['workerLost']);
  expect(rethrow).toThrow('mine');
});

function recorded(): { logger: Logger; lines: unknown[][] } {
  const lines: unknown[][] = [];
  return { logger: loggerFrom((...line) => lines.push(line)), lines };
}

test('a line of workflow code is logged at its level, with the run that wrote it', () => {
  const { logger, lines } = recorded();
  const line = { name: 'log', workflowId: 'w', runId: 'r', workflowType: 't', message: 'hello' } as const;
  logLifecycle(logger, { ...line, level: 'debug', meta: { n: 1 } });
  logLifecycle(logger, { ...line, level: 'loud', meta: 'text' });
  logLifecycle(logger, { ...line, level: 'warn' });
  const run = { sdkComponent: 'workflow', workflowId: 'w', runId: 'r', workflowType: 't' };
  expect(lines).toEqual([
    ['debug', 'hello', { ...run, n: 1 }],
    ['info', 'hello', { ...run, meta: 'text' }],
    ['warn', 'hello', run],
  ]);
});

test('a suspension is logged as an error with the stack of where the code threw, and each further attempt as one line', () => {
  const { logger, lines } = recorded();
  const thrown = new TypeError('x is undefined');
  const error = toErrorRecord(new WorkflowSuspendedError({ workflowId: 'w', runId: 'r', reason: 'TypeError' }));
  error.cause = toFailureRecord(thrown);
  for (const attempts of [1, 2])
    logLifecycle(logger, { name: 'runSuspended', workflowId: 'w', runId: 'r', error, attempts });
  expect(lines).toEqual([
    [
      'error',
      expect.stringContaining('is suspended'),
      { sdkComponent: 'worker', workflowId: 'w', runId: 'r', attempts: 1, stack: thrown.stack },
    ],
    [
      'warn',
      'Still suspended after 2 attempts: x is undefined',
      { sdkComponent: 'worker', workflowId: 'w', runId: 'r', attempts: 2 },
    ],
  ]);
});

test('what a program may do often is not logged', () => {
  expect([...LOGGED].sort()).toEqual([
    'failed',
    'historyLarge',
    'log',
    'runSuspended',
    'slowStep',
    'workerLost',
    'workerStuck',
    'workflowFailed',
  ]);
  const { logger, lines } = recorded();
  logLifecycle(logger, resumed);
  expect(lines).toEqual([]);
});

test('the console gets what is at its level or above', () => {
  const { logger, lines } = recorded();
  const limited = consoleLogger('warn', logger);
  limited.info('not this');
  limited.warn('this', {});
  limited.error('and this', { a: 1 });
  consoleLogger('silent', logger).error('nor this');
  expect(lines).toEqual([
    ['warn', expect.stringMatching(/^\S+Z \[WARN\] this$/), undefined],
    ['error', expect.stringMatching(/ \[ERROR\] and this$/), { a: 1 }],
  ]);
});
