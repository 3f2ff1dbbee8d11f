/**
 * Queries: what an execution answers of its state, changing nothing.
 * Thread: worker. In → out: query message → answer. The caller guards the outbox around it and until the microtasks have drained.
 */
import { isThenable } from '../mailbox/gate.js';
import type { MessageOf } from '../mailbox/messages.js';
import type { Answer } from '../mailbox/turn.js';
import type { Execution } from './execution.js';

export function answerQuery(execution: Execution, message: MessageOf<'query'>): Answer {
  const { seq, name } = message;
  const handler = execution.handlers.find('query', name);
  if (handler === undefined) {
    return { seq, failure: { kind: 'queryNotRegistered', registered: execution.handlers.names('query') } };
  }
  try {
    const outcome = handler.run(name, handler.decode(message.input));
    if (isThenable(outcome)) {
      // Its outcome is nobody's: it must not surface as an unhandled rejection.
      outcome.then(undefined, () => undefined);
      return queryFailure(execution, message, new TypeError('Query handlers should not return a Promise'));
    }
    return { seq, result: execution.encode(outcome, 'result') };
  } catch (error) {
    return queryFailure(execution, message, error);
  }
}

export function queryFailure(execution: Execution, message: MessageOf<'query'>, error: unknown): Answer {
  const failure = execution.record(error);
  return { seq: message.seq, failure: { kind: 'queryFailed', reason: failure.message, failure } };
}
