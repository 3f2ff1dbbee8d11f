/**
 * What a reset is asked for with.
 * Thread: any client thread. In → out: options → request.
 */
import { checkId, checkReason, nameOfType, refuseUnknownOptions } from '../../mailbox/checks.js';
import { InvalidOptionError } from '../errors.js';
import { CALL_OPTIONS, type CallOptions } from './call-options.js';
import type { RequestOf } from './protocol.js';

export interface WorkflowResetOptions extends CallOptions {
  /** The last event of the base run that the new run keeps: one that ends a step. */
  eventId: number;
  /** The base run, which must be the newest of its workflow id. Default: that one. */
  runId?: string;
  /** Told in both histories. */
  reason?: string;
  /** What of the base run's later history is not applied again. Default: nothing is left out. */
  resetReapplyExcludeTypes?: readonly ('SIGNAL' | 'UPDATE')[];
}

const OPTIONS: ReadonlySet<string> = new Set<keyof WorkflowResetOptions>([
  'eventId',
  'runId',
  'reason',
  'resetReapplyExcludeTypes',
  ...CALL_OPTIONS,
]);

type ResetRequest = Omit<RequestOf<'reset'>, 'id'>;

/** @throws InvalidArgumentError, InvalidOptionError */
export function resetRequest(workflowId: string, options: WorkflowResetOptions): ResetRequest {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError({ option: 'eventId', reason: 'it is missing: which event is the last to be kept?' });
  }
  refuseUnknownOptions(options, OPTIONS);
  const { eventId, runId, reason, resetReapplyExcludeTypes: exclude } = options;
  if (!Number.isInteger(eventId) || eventId < 1) {
    const given = typeof eventId === 'number' ? eventId : nameOfType(eventId);
    throw new InvalidOptionError({ option: 'eventId', reason: `it must be a whole number from 1, not ${given}` });
  }
  if (
    exclude !== undefined &&
    !(Array.isArray(exclude) && exclude.every((type) => type === 'SIGNAL' || type === 'UPDATE'))
  ) {
    const reason = "it must be an array of 'SIGNAL' and 'UPDATE'";
    throw new InvalidOptionError({ option: 'resetReapplyExcludeTypes', reason });
  }
  const text = checkReason(reason);
  return {
    kind: 'reset',
    workflowId: checkId('workflowId', workflowId),
    eventId,
    ...(runId === undefined ? {} : { runId: checkId('runId', runId) }),
    ...(text === undefined ? {} : { reason: text }),
    ...(exclude === undefined ? {} : { exclude: [...exclude] }),
  };
}
