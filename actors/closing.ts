/**
 * How a run ends: what `main` returns or throws, and what signal handlers throw, as the run's last command.
 * Thread: worker. In → out: a result or a thrown value → a closing command, or a step that breaks.
 */
import type { CommandOf } from '../mailbox/commands.js';
import { isCancellation } from '../mailbox/failures.js';
import { legible } from '../mailbox/legible.js';
import type { MessageOf } from '../mailbox/messages.js';
import type { Payload } from '../mailbox/payload.js';
import { ContinueAsNew } from './continue-as-new.js';
import { EngineFlag } from './engine-flags.js';
import type { Execution } from './execution.js';
import { isFailure } from './failure-types.js';
import { awaited } from './microtasks.js';

export function startMain(execution: Execution, message: MessageOf<'start'>): void {
  const { memo, parent, continuedFromRunId, suggestAt, suggestAtBytes, options, succession, startDelay } = message;
  const facts =
    memo ?? parent ?? continuedFromRunId ?? suggestAt ?? suggestAtBytes ?? options ?? succession ?? startDelay;
  if (facts !== undefined) {
    execution.origin = {
      memo,
      parent,
      continuedFromRunId,
      suggestAt,
      suggestAtBytes,
      options,
      succession,
      startDelay,
    };
  }
  outcomeOf(execution, message.input)?.then(
    (result) => mainReturned(execution, result),
    (error) => codeFailed(execution, error),
  );
}

/** Takes as many microtasks as in Temporal, where main is called by an async function whose outcome is logged. */
function outcomeOf(execution: Execution, input: readonly Payload[]): Promise<unknown> | undefined {
  if (execution.follows(EngineFlag.TemporalActivations)) {
    return awaited((async () => await execution.main(input))());
  }
  try {
    return Promise.resolve(execution.main(input));
  } catch (error) {
    codeFailed(execution, error);
    return undefined;
  }
}

function mainReturned(execution: Execution, result: unknown): void {
  let payload: Payload;
  try {
    payload = execution.encode(result, 'result');
  } catch (error) {
    codeFailed(execution, error);
    return;
  }
  execution.close({ kind: 'completeWorkflow', result: payload });
}

/** A failure thrown by main or by a signal handler fails the run, and continuing as new ends it too; anything else breaks the step. */
export function codeFailed(execution: Execution, thrown: unknown): void {
  const error = legible(thrown);
  if (execution.cancelRequested && isCancellation(error)) {
    execution.close({ kind: 'cancelWorkflow' });
  } else if (error instanceof ContinueAsNew) {
    execution.close({ ...error.command, ...carried(execution, error), buffered: [] });
  } else if (isFailure(execution, error)) {
    execution.close({ kind: 'failWorkflow', failure: execution.record(error) });
  } else {
    execution.fail(error);
  }
}

/** What is said of this run now holds for the next one, where that is given nothing else; but not what interceptors sent along with it. */
function carried(
  { origin }: Execution,
  { command }: ContinueAsNew,
): Pick<CommandOf<'continueAsNew'>, 'memo' | 'options'> {
  const memo = command.memo ?? origin?.memo;
  const { headers: _, ...same } = origin?.options ?? {};
  const options = { ...same, ...command.options };
  return {
    ...(memo !== undefined && { memo }),
    ...(Object.keys(options).length > 0 && { options }),
  };
}

/** In the step that closes the run, once it is over: what ends in it is not cut off. */
export function warnOfUnfinished(execution: Execution): void {
  const unfinished = execution.handlers.unfinished();
  if (unfinished.length === 0) return;
  const names = unfinished.map(({ kind, name, id }) => `${kind} ${name}${id === undefined ? '' : ` (${id})`}`);
  execution.log(
    'warn',
    `Workflow finished while handlers are still running: ${names.join(', ')}. Their work is cut off and senders of these updates get an ` +
      'error. Wait with condition(allHandlersFinished) before returning, or set unfinishedPolicy to ABANDON',
  );
}
