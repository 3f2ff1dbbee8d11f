/**
 * Temporal's classes: makes `instanceof` hold between failures and errors of ours and the classes of Temporal's packages, so that a service
 * which imports some of them from there still tells failures apart. Those packages know each other's instances by marks; so do we then.
 * Thread: any; done once, when an entry of the package is loaded. In → out: nothing.
 */
import {
  DeterminismViolationError,
  PayloadConverterError,
  QueryNotRegisteredError,
  WorkflowContinuedAsNewError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '../runtime/errors.js';
import { CompleteAsyncError } from './complete-async-error.js';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  ServerFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
} from './failures.js';

interface ErrorClass {
  readonly name: string;
  readonly prototype: Error;
}

const markOf = (name: string): symbol => Symbol.for(`__temporal_is${name}`);

/** Instances of `ours` are instances of Temporal's class of that name. */
function passAs(ours: ErrorClass, name: string): void {
  Object.defineProperty(ours.prototype, markOf(name), { value: true });
}

/** Instances of Temporal's class of the same name are instances of `ours`: activities may throw them. */
function takeIn(ours: ErrorClass): void {
  const mark = markOf(ours.name);
  Object.defineProperty(ours, Symbol.hasInstance, {
    value(this: ErrorClass, thrown: unknown): boolean {
      // A class that extends `ours` inherits this, and must not take in what is only of its base.
      if (this !== ours) return Object.prototype.isPrototypeOf.call(this.prototype, thrown as object);
      return typeof thrown === 'object' && thrown !== null && Reflect.get(thrown, mark) === true;
    },
  });
}

for (const failure of [
  TemporalFailure,
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  ActivityFailure,
  ChildWorkflowFailure,
  ServerFailure,
  CompleteAsyncError,
]) {
  passAs(failure, failure.name);
  takeIn(failure);
}

for (const error of [
  DeterminismViolationError,
  PayloadConverterError,
  QueryNotRegisteredError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
]) {
  passAs(error, error.name);
}
// Temporal's mark of it has another name than its class.
passAs(WorkflowContinuedAsNewError, 'WorkflowExecutionContinuedAsNewError');
