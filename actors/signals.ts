/**
 * Signals: handed to their handlers, or held until one is set.
 * Thread: worker. In → out: signal message → a handler's run, of which only a failure counts.
 */
import { isThenable } from '../mailbox/gate.js';
import { headersFrom } from '../mailbox/headers.js';
import type { MessageOf } from '../mailbox/messages.js';
import { codeFailed } from './closing.js';
import { inUpdate } from './code-context.js';
import { EngineFlag } from './engine-flags.js';
import type { Execution } from './execution.js';
import type { Handler } from './handlers.js';
import { awaited } from './microtasks.js';
import type { SignalInput } from './workflow/interceptors.js';

export function receiveSignal(execution: Execution, message: MessageOf<'signal'>): void {
  const { handlers } = execution;
  const handler = handlers.find('signal', message.name);
  if (handler === undefined) {
    handlers.hold(message);
    return;
  }
  if (execution.follows(EngineFlag.TemporalActivations)) runInProgress(execution, message, handler);
  else runEarlier(execution, message, handler);
}

/** In progress from its first instruction until its outcome is known, which takes as many microtasks as in Temporal. */
function runInProgress(execution: Execution, message: MessageOf<'signal'>, handler: Handler): void {
  const { handlers } = execution;
  // Most handlers are synchronous: that they are called is enough, and no promise is made for them.
  handlers.called();
  let outcome: unknown;
  try {
    outcome = inUpdate(undefined, runOf(execution, message, handler));
  } catch (error) {
    outcome = Promise.reject(error);
  }
  if (!isThenable(outcome)) return;
  const entry = handlers.began({ kind: 'signal', name: message.name, abandon: handler.abandon });
  awaited(outcome).then(
    () => handlers.ended(entry, true),
    (error) => {
      handlers.ended(entry, true);
      codeFailed(execution, error);
    },
  );
}

/** For runs of before `TemporalActivations`. */
function runEarlier(execution: Execution, message: MessageOf<'signal'>, handler: Handler): void {
  const { handlers } = execution;
  let outcome: unknown;
  try {
    outcome = inUpdate(undefined, runOf(execution, message, handler));
  } catch (error) {
    codeFailed(execution, error);
    return;
  }
  if (!isThenable(outcome)) return;
  const entry = handlers.began({ kind: 'signal', name: message.name, abandon: handler.abandon });
  outcome.then(
    () => handlers.ended(entry, false),
    (error) => {
      handlers.ended(entry, false);
      codeFailed(execution, error);
    },
  );
}

function runOf(execution: Execution, message: MessageOf<'signal'>, handler: Handler): () => unknown {
  const { interceptors, handlers } = execution;
  const { name: signalName } = message;
  const args = handler.decode(message.input);
  if (interceptors?.has('handleSignal') !== true) return () => handler.run(signalName, args);
  // By then another handler may have been set, or an interceptor have chosen another name.
  const run = async (input: SignalInput): Promise<void> => {
    await (handlers.find('signal', input.signalName) ?? handler).run(input.signalName, input.args);
  };
  return () => interceptors.through('handleSignal', { signalName, args, headers: headersFrom(message.headers) }, run);
}
