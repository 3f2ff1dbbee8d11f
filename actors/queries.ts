/**
 * Queries: what an execution answers of its state, changing nothing.
 * Thread: worker. In → out: query message → answer. The caller guards the outbox around it and until the microtasks have drained.
 */
import { isThenable } from '../mailbox/gate.js';
import { headersFrom } from '../mailbox/headers.js';
import type { MessageOf } from '../mailbox/messages.js';
import type { Answer } from '../mailbox/turn.js';
import type { Execution } from './execution.js';
import type { Interceptors } from './interceptors.js';
import type { QueryInput } from './workflow/interceptors.js';

export function answerQuery(execution: Execution, message: MessageOf<'query'>): Answer | InterceptedQuery {
  const { seq, name } = message;
  const handler = execution.handlers.find('query', name);
  if (handler === undefined) {
    return { seq, failure: { kind: 'queryNotRegistered', registered: execution.handlers.names('query') } };
  }
  try {
    const args = handler.decode(message.input);
    if (execution.interceptors?.has('handleQuery') === true) {
      return new InterceptedQuery(execution, message, execution.interceptors, args);
    }
    return { seq, result: execution.encode(resultOf(handler.run(name, args)), 'result') };
  } catch (error) {
    return queryFailure(execution, message, error);
  }
}

/** @throws TypeError for a promise */
function resultOf(outcome: unknown): unknown {
  if (!isThenable(outcome)) return outcome;
  // Its outcome is nobody's: it must not surface as an unhandled rejection.
  outcome.then(undefined, () => undefined);
  throw new TypeError('Query handlers should not return a Promise');
}

/** An answer that interceptors may have to await: known once the microtasks have drained. */
export class InterceptedQuery {
  #answer: Answer | undefined;

  constructor(
    private readonly execution: Execution,
    private readonly message: MessageOf<'query'>,
    interceptors: Interceptors,
    args: unknown[],
  ) {
    const { seq, name: queryName, headers } = message;
    const input = { queryId: String(seq), queryName, args, headers: headersFrom(headers) };
    const run = async ({ queryName: name, args: given }: QueryInput): Promise<unknown> => {
      const handler = execution.handlers.find('query', name);
      if (handler === undefined) throw new Error(`There is no handler of query '${name}'`);
      return resultOf(handler.run(name, given));
    };
    Promise.resolve(interceptors.through('handleQuery', input, run)).then(
      (result) => {
        this.#answer = this.#encoded(result);
      },
      (error) => {
        this.#answer = queryFailure(execution, message, error);
      },
    );
  }

  get answer(): Answer {
    const reason = 'An interceptor of the query awaits what another step would bring; queries are answered within one';
    return this.#answer ?? queryFailure(this.execution, this.message, new TypeError(reason));
  }

  #encoded(result: unknown): Answer {
    try {
      return { seq: this.message.seq, result: this.execution.encode(result, 'result') };
    } catch (error) {
      return queryFailure(this.execution, this.message, error);
    }
  }
}

export function queryFailure(execution: Execution, message: MessageOf<'query'>, error: unknown): Answer {
  const failure = execution.record(error);
  return { seq: message.seq, failure: { kind: 'queryFailed', reason: failure.message, failure } };
}
