/**
 * Signals: handed to their handlers, or held until one is set.
 * Thread: worker. In → out: signal message → a handler's run, of which only a failure counts.
 */
import { isThenable } from '../mailbox/gate.js';
import type { MessageOf } from '../mailbox/messages.js';
import { codeFailed } from './closing.js';
import { inUpdate } from './code-context.js';
import type { Execution } from './execution.js';

export function receiveSignal(execution: Execution, message: MessageOf<'signal'>): void {
  const { handlers } = execution;
  const handler = handlers.find('signal', message.name);
  if (handler === undefined) {
    handlers.hold(message);
    return;
  }
  let outcome: unknown;
  try {
    const args = handler.decode(message.input);
    outcome = inUpdate(undefined, () => handler.run(message.name, args));
  } catch (error) {
    codeFailed(execution, error);
    return;
  }
  if (!isThenable(outcome)) return;
  const entry = handlers.began({ kind: 'signal', name: message.name, abandon: handler.abandon });
  outcome.then(
    () => handlers.ended(entry),
    (error) => {
      handlers.ended(entry);
      codeFailed(execution, error);
    },
  );
}
