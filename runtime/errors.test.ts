/**
 * The error catalogue: its classes and ERRORS.md hold the same entries, and every error survives a thread.
 * Thread: the test's.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ApplicationFailure } from '../mailbox/failures.js';
import { fromErrorRecord, toErrorRecord } from './client/error-record.js';
import {
  ERROR_CLASSES,
  HoldfastError,
  InvalidArgumentError,
  RuntimeFailedError,
  WorkflowNotFoundError,
} from './errors.js';
import * as holdfast from './index.js';

/** Fields that satisfy every class: what is missing or of no concern to a message is simply not in it. */
const FIELDS = {
  workflowId: 'w',
  runId: 'r',
  registered: ['a'],
  limit: 1,
  bytes: 2,
  offset: 3,
  times: 4,
  pid: 5,
  readyAt: 6,
};

const instances = [...ERROR_CLASSES.values()].map((type) => new type(FIELDS));

test('ERRORS.md has a row for every class with its code, and no other', () => {
  const text = readFileSync(new URL('../../ERRORS.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| `(\w+)` \| (.+) \| (.+) \|$/gm)].map(([, code, name]) => [
    name,
    code,
  ]);
  expect(rows.sort()).toEqual(instances.map((error) => [error.name, error.code]).sort());
});

test('every class is in the table under its own name, and no code stands for two', () => {
  const exported = Object.values(holdfast).filter(
    (value) => typeof value === 'function' && value.prototype instanceof HoldfastError,
  );
  expect(new Set(exported)).toEqual(new Set(ERROR_CLASSES.values()));
  for (const [name, type] of ERROR_CLASSES) expect(type.name).toBe(name);
  expect(new Set(instances.map((error) => error.code)).size).toBe(instances.length);
});

test.each(instances.map((error) => [error.name, error] as const))('%s survives a thread', (_, error) => {
  const cause = ApplicationFailure.nonRetryable('why', 'Reason', { detail: 1 });
  error.cause = cause;
  const arrived = fromErrorRecord(structuredClone(toErrorRecord(error)));
  expect(arrived).toBeInstanceOf(error.constructor);
  expect(arrived).toMatchObject({ name: error.name, code: error.code, message: error.message, fields: FIELDS });
  expect(arrived.cause).toBeInstanceOf(ApplicationFailure);
  expect(arrived.cause).toMatchObject({ message: 'why', type: 'Reason', nonRetryable: true, details: [{ detail: 1 }] });
});

test('an error without a cause has none afterwards', () => {
  const arrived = fromErrorRecord(toErrorRecord(new InvalidArgumentError({ argument: 'a', reason: 'b' })));
  expect(arrived).not.toHaveProperty('cause');
});

test('what is not of the catalogue crosses as a failure of the runtime, with its cause', () => {
  const record = toErrorRecord(new TypeError('x is undefined'));
  const arrived = fromErrorRecord(record);
  expect(arrived).toBeInstanceOf(RuntimeFailedError);
  expect(arrived.message).toContain('x is undefined');
  expect(arrived.cause).toMatchObject({ type: 'TypeError' });
});

test('a message names the workflow and says what to do', () => {
  const error = new WorkflowNotFoundError({ workflowId: 'order-1', runId: 'r-1', closed: true });
  expect(error.message).toContain("Workflow 'order-1' (run r-1)");
  expect(error.message).toContain('Start a new run');
  expect(error.workflowId).toBe('order-1');
});
