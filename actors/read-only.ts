/**
 * Read-only phases: the part of a step in which a query's handler or an update's validator runs under guard, until its microtasks have drained.
 * Thread: worker. In → out: query or update message → a phase → the query's answer, or the update let in or turned away.
 */
import type { Validation } from '../mailbox/gate.js';
import type { MessageOf } from '../mailbox/messages.js';
import type { Answer } from '../mailbox/turn.js';
import type { Execution } from './execution.js';
import type { Handler } from './handlers.js';
import { answerQuery, InterceptedQuery } from './queries.js';
import { rejectUpdate, validateUpdate } from './updates.js';

export type ReadOnlyPhase =
  | { readonly kind: 'query'; readonly message: MessageOf<'query'>; readonly answer: Answer | InterceptedQuery }
  | {
      readonly kind: 'validator';
      readonly message: MessageOf<'update'>;
      readonly handler: Handler;
      readonly validation: Validation;
    };

/** An update that its validator let in, and who handles it. */
export interface Admitted {
  readonly message: MessageOf<'update'>;
  readonly handler: Handler;
}

export function beginQuery(execution: Execution, message: MessageOf<'query'>): ReadOnlyPhase {
  execution.outbox.guard(`the handler of query '${message.name}'`);
  return { kind: 'query', message, answer: answerQuery(execution, message) };
}

/** Undefined if the update has no handler yet: it is held. */
export function beginValidator(execution: Execution, message: MessageOf<'update'>): ReadOnlyPhase | undefined {
  const handler = execution.handlers.find('update', message.name);
  if (handler === undefined) {
    execution.handlers.hold(message);
    return undefined;
  }
  return { kind: 'validator', message, handler, validation: validateUpdate(execution, message, handler) };
}

/** The microtasks of a query or validator have drained: whatever they did is known. */
export function endReadOnly(execution: Execution, phase: ReadOnlyPhase): Admitted | undefined {
  const violation = execution.outbox.unguard();
  if (violation !== undefined) execution.fail(violation);
  if (phase.kind === 'query') {
    const { answer } = phase;
    execution.answer(answer instanceof InterceptedQuery ? answer.answer : answer);
    return undefined;
  }
  if (violation !== undefined) return undefined;
  const { verdict, goesOn } = phase.validation;
  if (verdict.pass) return phase;
  // Whatever it waits for must not wake it in a later step, as that of the run.
  if (goesOn) execution.mustGo = true;
  rejectUpdate(execution, phase.message, verdict.error);
  return undefined;
}
