/**
 * Updates: through the gate, accepted, run, completed or failed.
 * Thread: worker. In → out: update message → acceptUpdate and completeUpdate commands, or the answer that it is rejected.
 */
import { isThenable, Validation } from '../mailbox/gate.js';
import { headersFrom } from '../mailbox/headers.js';
import { legible } from '../mailbox/legible.js';
import type { MessageOf } from '../mailbox/messages.js';
import type { Payload } from '../mailbox/payload.js';
import { inUpdate } from './code-context.js';
import { ContinueAsNew, refusedInUpdate } from './continue-as-new.js';
import { EngineFlag } from './engine-flags.js';
import type { Execution } from './execution.js';
import { isFailure } from './failure-types.js';
import type { Handler, InProgress } from './handlers.js';
import type { Interceptors } from './interceptors.js';
import { after } from './microtasks.js';
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

/**
 * The synchronous part of the gate. The guard stays up: it is for the caller to take it down. Arguments are decoded afresh, so that a validator
 * cannot change what the handler sees.
 */
export function validateUpdate(execution: Execution, message: Update, handler: Handler): Validation {
  const { updateId, name, input } = message;
  const { interceptors } = execution;
  const validation = new Validation();
  execution.outbox.guard(`the validator of update '${name}'`);
  if (handler.validate === undefined) return validation;
  const validate =
    interceptors?.has('validateUpdate') === true
      ? () => intercepted(interceptors, message, handler, validation)
      : () => handler.validate!(name, handler.decode(input));
  return inUpdate({ id: updateId, name }, () => validation.run(validate));
}

function intercepted(interceptors: Interceptors, message: Update, handler: Handler, validation: Validation): unknown {
  return interceptors.through('validateUpdate', inputOf(message, handler.decode(message.input)), (input) => {
    const outcome = handler.validate!(input.name, input.args);
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
  let outcome: unknown;
  try {
    outcome = inUpdate({ id: updateId, name }, runOf(execution, message, handler));
  } catch (error) {
    const threw = () => failed(execution, entry, updateId, error, asInTemporal);
    if (asInTemporal) void after(2, threw);
    else threw();
    return;
  }
  if (asInTemporal) void conclude(execution, entry, updateId, outcome);
  else if (isThenable(outcome)) {
    outcome.then(
      (result) => returned(execution, entry, updateId, result, false),
      (error) => failed(execution, entry, updateId, error, false),
    );
  } else returned(execution, entry, updateId, outcome, false);
}

/** As many microtasks pass as in Temporal's SDK before what the handler came to is known. */
async function conclude(execution: Execution, entry: InProgress, updateId: string, outcome: unknown): Promise<void> {
  let result: unknown;
  try {
    result = await outcome;
  } catch (error) {
    await undefined;
    await undefined;
    failed(execution, entry, updateId, error, true);
    return;
  }
  await undefined;
  returned(execution, entry, updateId, result, true);
}

export function rejectUpdate(execution: Execution, message: Update, error: unknown): void {
  execution.answer({ seq: message.seq, failure: { kind: 'rejected', failure: execution.record(error) } });
}

function returned(
  execution: Execution,
  entry: InProgress,
  updateId: string,
  result: unknown,
  asInTemporal: boolean,
): void {
  let payload: Payload;
  try {
    payload = execution.encode(result, 'result');
  } catch (error) {
    failed(execution, entry, updateId, error, asInTemporal);
    return;
  }
  execution.handlers.ended(entry, asInTemporal);
  execution.outbox.push({ kind: 'completeUpdate', updateId, result: payload });
}

function failed(
  execution: Execution,
  entry: InProgress,
  updateId: string,
  given: unknown,
  asInTemporal: boolean,
): void {
  execution.handlers.ended(entry, asInTemporal);
  const error = legible(given);
  const thrown = error instanceof ContinueAsNew ? refusedInUpdate(entry.name) : error;
  if (isFailure(execution, thrown)) {
    execution.outbox.push({ kind: 'completeUpdate', updateId, failure: execution.record(thrown) });
  } else execution.fail(thrown);
}
