/**
 * Run options: what each becomes, and what is refused by name.
 */
import { expect, test } from 'vitest';
import { nextCronTime, parseCron } from './cron.js';
import { RUN_OPTIONS, type RunOptions, runOptionsRecord } from './run-options.js';

test('a start that says nothing of its run says nothing', () => {
  expect(runOptionsRecord({})).toBeUndefined();
  const nothing = Object.fromEntries(RUN_OPTIONS.map((name) => [name, undefined])) as RunOptions;
  expect(runOptionsRecord(nothing)).toBeUndefined();
});

test('all that can be said of a run, in milliseconds and with its defaults', () => {
  const record = runOptionsRecord({
    workflowExecutionTimeout: '1 hour',
    workflowRunTimeout: '2 minutes',
    workflowTaskTimeout: 1500.2,
    retry: { initialInterval: '3s', maximumAttempts: Number.POSITIVE_INFINITY },
    cronSchedule: '0 12 * * *',
    staticSummary: 'one line',
    staticDetails: 'more',
  });
  expect(record).toEqual({
    executionTimeout: 3_600_000,
    runTimeout: 120_000,
    taskTimeout: 1501,
    retry: {
      initialInterval: 3000,
      backoffCoefficient: 2,
      maximumInterval: 300_000,
      maximumAttempts: 0,
      nonRetryableErrorTypes: [],
    },
    cronSchedule: '0 12 * * *',
    staticSummary: 'one line',
    staticDetails: 'more',
  });
});

test('a run may take no longer than its execution', () => {
  const options = { workflowExecutionTimeout: '1 minute', workflowRunTimeout: '1 hour' } as const;
  expect(runOptionsRecord(options)).toEqual({ executionTimeout: 60_000, runTimeout: 60_000 });
});

const wrong: [option: string, options: unknown, reason: RegExp][] = [
  ['workflowExecutionTimeout', { workflowExecutionTimeout: 0 }, /more than 0 ms/],
  ['workflowRunTimeout', { workflowRunTimeout: '-1s' }, /more than 0 ms/],
  ['workflowRunTimeout', { workflowRunTimeout: 'soon' }, /neither milliseconds nor/],
  ['workflowTaskTimeout', { workflowTaskTimeout: Number.POSITIVE_INFINITY }, /more than 0 ms/],
  ['workflowRunTimeout', { workflowRunTimeout: 1e16 }, /at most 1000000000000000, not 10000000000000000/],
  ['retry', { retry: 3 }, /an object/],
  ['retry.maximumAttempt', { retry: { maximumAttempt: 3 } }, /Did you mean 'retry.maximumAttempts'/],
  ['retry.maximumAttempts', { retry: { maximumAttempts: 1.5 } }, /whole number/],
  ['retry.backoffCoefficient', { retry: { backoffCoefficient: 0.5 } }, /from 1/],
  ['retry.initialInterval', { retry: { initialInterval: 0 } }, /more than 0 ms/],
  ['retry.maximumInterval', { retry: { initialInterval: 10, maximumInterval: 5 } }, /less than initialInterval/],
  ['retry.nonRetryableErrorTypes', { retry: { nonRetryableErrorTypes: 'A' } }, /array/],
  ['staticSummary', { staticSummary: 1 }, /a string, not number/],
  ['cronSchedule', { cronSchedule: '' }, /five fields/],
  ['cronSchedule', { cronSchedule: '* * * *' }, /five fields/],
  ['cronSchedule', { cronSchedule: '* * * * * *' }, /five fields/],
  ['cronSchedule', { cronSchedule: '0 0 L * *' }, /five fields/],
  ['cronSchedule', { cronSchedule: '61 * * * *' }, /61/],
  ['cronSchedule', { cronSchedule: '0 0 30 2 *' }, /never comes/],
  ['cronSchedule', { cronSchedule: '@every 5' }, /five fields/],
  ['cronSchedule', { cronSchedule: '@every 0.5s' }, /less than a second/],
  ['cronSchedule', { cronSchedule: '@every 999999999999h' }, /apart/],
  ['cronSchedule', { cronSchedule: 'CRON_TZ=Mars/Base 0 0 * * *' }, /time zone 'Mars\/Base'/],
  ['cronSchedule', { cronSchedule: 5 }, /a string/],
];
test.each(wrong)('%s is refused: %j', (option, options, reason) => {
  expect(() => runOptionsRecord(options as RunOptions)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', fields: { option, reason: expect.stringMatching(reason) } }),
  );
});

const times: [schedule: string, after: string, next: string][] = [
  ['0 12 * * *', '2026-01-01T11:59:59.999Z', '2026-01-01T12:00:00.000Z'],
  ['0 12 * * *', '2026-01-01T12:00:00.000Z', '2026-01-02T12:00:00.000Z'],
  ['*/15 9-17 * * MON-FRI', '2026-01-02T17:45:00.000Z', '2026-01-05T09:00:00.000Z'],
  // Either day will do when both are given.
  ['0 12 1 * MON', '2026-01-02T12:00:00.000Z', '2026-01-05T12:00:00.000Z'],
  ['0 0 ? JAN ?', '2026-01-31T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['@daily', '2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'],
  ['@yearly', '2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['CRON_TZ=Europe/Berlin 0 6 * * *', '2026-06-30T00:00:00.000Z', '2026-06-30T04:00:00.000Z'],
  ['TZ=Europe/Berlin @daily', '2026-06-30T00:00:00.000Z', '2026-06-30T22:00:00.000Z'],
  // An hour that does not exist that day is an hour later, one that exists twice is the first.
  ['TZ=America/New_York 30 2 * * *', '2026-03-08T05:00:00.000Z', '2026-03-08T07:00:00.000Z'],
  ['TZ=America/New_York 30 1 * * *', '2026-11-01T05:30:00.000Z', '2026-11-02T06:30:00.000Z'],
  ['@every 1h30m', '2026-01-01T00:00:00.000Z', '2026-01-01T01:30:00.000Z'],
  ['@every 1h30m', '2026-01-01T03:00:00.001Z', '2026-01-01T04:30:00.000Z'],
];
test.each(times)('%s after %s is %s', (schedule, after, next) => {
  const found = nextCronTime(parseCron(schedule), Date.UTC(2026, 0, 1), Date.parse(after));
  expect(new Date(found!).toISOString()).toBe(next);
});
