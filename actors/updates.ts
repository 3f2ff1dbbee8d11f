/**
 * Updates: through the gate, accepted, run, completed or failed.
 * Thread: worker. In → out: update message → acceptUpdate and completeUpdate commands, or the answer that it is rejected.
 */
import { isThenable, Validation } from '../mailbox/gate.js';
import { headersFrom } from '../mailbox/headers.js';
import type { MessageOf } from '../mailbox/messages.js';
import type { Payload } from '../mailbox/payload.js';
import { inUpdate } from './code-context.js';
import { ContinueAsNew, refusedInUpdate } from './continue-as-new.js';
import { EngineFlag } from './engine-flags.js';
import type { Execution } from './execution.js';
import { isFailure } from './failure-types.js';
import type { Handler, InProgress } from './handlers.js';
import { after, awaited } from './microtasks.js';
import type { UpdateInput } from './workflow/interceptors.js';

type Update = MessageOf<'update'>;

/** One that has no drain between gate and handler: in a merged step, in replay, or found by `setHandler`. */
export function receiveUpdate(execution: Execution, message: Update): void {
  const handler = execution.handlers.find('update', message.name);
  if (handler === undefined) {
    execution.handlers.hold(message);
    return;
  }
  if (!execution.replaying && message.passed !== true) {
    const validation = validateUpdate(execution, message, handler);
    const violation = execution.outbox.unguard();
    const { verdict } = validation;
    if (validation.goesOn) {
      // What it does after the step's other code could not be told from theirs.
      execution.setApart(message);
      return;
    }
    if (violation !== undefined || !verdict.pass) {
      rejectUpdate(execution, message, violation ?? (verdict.pass ? undefined : verdict.error));
      return;
    }
  }
  runUpdate(execution, message, handler);
}

/** The synchronous part of the gate. The guard stays up: it is for the caller to take it down. */
export function validateUpdate(execution: Execution, message: Update, handler: Handler): Validation {
  const { updateId, name } = message;
  execution.outbox.guard(`the validator of update '${name}'`);
  const validator = validatorOf(execution, message, handler);
  return inUpdate({ id: updateId, name }, () => new Validation().run(validator, () => handler.decode(message.input)));
}

type Validator = (args: unknown[], validation: Validation) => unknown;

function validatorOf({ interceptors }: Execution, message: Update, handler: Handler): Validator | undefined {
  if (handler.validate === undefined) return undefined;
  if (interceptors?.has('validateUpdate') !== true) return (args) => handler.validate?.(message.name, args);
  return (args, validation) =>
    interceptors.through('validateUpdate', inputOf(message, args), (input) => {
      const outcome = handler.validate?.(input.name, input.args);
      validation.includes(outcome);
      return outcome as undefined; // What goes round it may await it.
    });
}

function inputOf({ updateId, name, headers }: Update, args: unknown[]): UpdateInput {
  return { updateId, name, args, headers: headersFrom(headers) };
}

function runOf({ interceptors }: Execution, message: Update, handler: Handler): () => unknown {
  const { name } = message;
  const args = handler.decode(message.input);
  if (interceptors?.has('handleUpdate') !== true) return () => handler.run(name, args);
  const run = async (input: UpdateInput): Promise<unknown> => handler.run(input.name, input.args);
  return () => interceptors.through('handleUpdate', inputOf(message, args), run);
}

/** Accepts the update, then runs the synchronous part of its handler. */
export function runUpdate(execution: Execution, message: Update, handler: Handler): void {
  const { name, updateId, seq } = message;
  execution.outbox.push({ kind: 'acceptUpdate', updateId, seq });
  const entry = execution.handlers.began({ kind: 'update', name, id: updateId, abandon: handler.abandon });
  const asInTemporal = execution.follows(EngineFlag.TemporalActivations);
  const succeeded = (result: unknown) => {
    execution.handlers.ended(entry, asInTemporal);
    returned(execution, entry, updateId, result);
  };
  const threw = (error: unknown) => {
    execution.handlers.ended(entry, asInTemporal);
    failed(execution, entry, updateId, error);
  };
  let outcome: unknown;
  try {
    outcome = inUpdate({ id: updateId, name }, runOf(execution, message, handler));
  } catch (error) {
    if (asInTemporal) void after(2, () => threw(error));
    else threw(error);
    return;
  }
  if (asInTemporal) awaited(outcome).then(succeeded, (error) => void after(1, () => threw(error)));
  else if (isThenable(outcome)) outcome.then(succeeded, threw);
  else succeeded(outcome);
}

export function rejectUpdate(execution: Execution, message: Update, error: unknown): void {
  execution.answer({ seq: message.seq, failure: { kind: 'rejected', failure: execution.record(error) } });
}

function returned(execution: Execution, entry: InProgress, updateId: string, result: unknown): void {
  let payload: Payload;
  try {
    payload = execution.encode(result, 'result');
  } catch (error) {
    failed(execution, entry, updateId, error);
    return;
  }
  execution.outbox.push({ kind: 'completeUpdate', updateId, result: payload });
}

function failed(execution: Execution, entry: InProgress, updateId: string, error: unknown): void {
  const thrown = error instanceof ContinueAsNew ? refusedInUpdate(entry.name) : error;
  if (isFailure(execution, thrown)) {
    execution.outbox.push({ kind: 'completeUpdate', updateId, failure: execution.record(thrown) });
  } else execution.fail(thrown);
}
