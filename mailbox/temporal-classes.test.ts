/**
 * Failures and errors of ours, and those of Temporal's packages: each is an instance of the other's class.
 * Thread: the test's.
 */
import * as theirClient from '@temporalio/client';
import * as theirs from '@temporalio/common';
import { expect, test } from 'vitest';
import * as errors from '../runtime/errors.js';
import * as ours from './failures.js';
import './temporal-classes.js';

test.each([
  new ours.TemporalFailure('t'),
  new ours.ApplicationFailure('a'),
  new ours.CancelledFailure('c'),
  new ours.TerminatedFailure('t'),
  new ours.TimeoutFailure('t', undefined, 'HEARTBEAT'),
  new ours.ActivityFailure('a', 'sing', '1', 'TIMEOUT', undefined),
  new ours.ChildWorkflowFailure('default', { workflowId: 'w' }, 'order', 'TIMEOUT'),
  new ours.ServerFailure('s', true),
])('%s of ours is one of theirs, and of no other class of theirs', (failure) => {
  const classes = [
    [ours.ApplicationFailure, theirs.ApplicationFailure],
    [ours.CancelledFailure, theirs.CancelledFailure],
    [ours.TerminatedFailure, theirs.TerminatedFailure],
    [ours.TimeoutFailure, theirs.TimeoutFailure],
  ] as const;
  for (const [our, their] of classes) {
    expect(failure instanceof their).toBe(failure.name === our.name);
    expect(failure instanceof our).toBe(failure.name === our.name);
  }
  expect(failure).toBeInstanceOf(theirs.TemporalFailure);
  expect(failure).toBeInstanceOf(ours.TemporalFailure);
});

test('errors of ours are of their class by the same name', () => {
  const ids = { workflowId: 'w', runId: 'r' };
  const run = { ...ids, workflowType: 'order' };
  const next = { ...ids, newExecutionRunId: 'n' };
  expect(new errors.WorkflowFailedError({ ...ids, status: 'FAILED' })).toBeInstanceOf(theirClient.WorkflowFailedError);
  expect(new errors.WorkflowNotFoundError(ids)).toBeInstanceOf(theirs.WorkflowNotFoundError);
  expect(new errors.WorkflowExecutionAlreadyStartedError(run)).toBeInstanceOf(
    theirs.WorkflowExecutionAlreadyStartedError,
  );
  expect(new errors.WorkflowContinuedAsNewError(next)).toBeInstanceOf(theirClient.WorkflowContinuedAsNewError);
  expect(new errors.WorkflowNotFoundError(ids)).not.toBeInstanceOf(theirClient.WorkflowFailedError);
});

test('a failure of theirs is recorded like one of ours', () => {
  const cause = new theirs.CancelledFailure('stopped', ['why']);
  const failure = new theirs.ApplicationFailure('no', 'SoldOut', true, [{ left: 0 }], cause, '5 seconds', 'BENIGN');
  const arrived = ours.fromFailureRecord(ours.toFailureRecord(failure));
  expect(arrived).toBeInstanceOf(ours.ApplicationFailure);
  expect(arrived).toMatchObject({
    ...{ message: 'no', type: 'SoldOut', nonRetryable: true, details: [{ left: 0 }], category: 'BENIGN' },
    ...{ nextRetryDelay: 5_000, stack: failure.stack },
  });
  expect(arrived.cause).toBeInstanceOf(ours.CancelledFailure);
  expect(ours.isCancellation(cause)).toBe(true);
  expect(theirs.rootCause(arrived)).toBe('stopped');
  const plain = ours.toFailureRecord(theirs.ApplicationFailure.retryable('again', null));
  expect(plain).toMatchObject({ kind: 'application', message: 'again' });
  expect(plain.nextRetryDelay).toBeUndefined();
});

test('what extends a class of ours is only what it is', () => {
  class SoldOut extends ours.ApplicationFailure {}
  expect(new SoldOut('s')).toBeInstanceOf(SoldOut);
  expect(new SoldOut('s')).toBeInstanceOf(ours.ApplicationFailure);
  expect(new ours.ApplicationFailure('a')).not.toBeInstanceOf(SoldOut);
  for (const other of [undefined, null, 7, 'text', {}, new Error('e')]) {
    expect((other as unknown) instanceof ours.TemporalFailure).toBe(false);
  }
});
