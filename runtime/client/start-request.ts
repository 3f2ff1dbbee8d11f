/**
 * What a start is asked for with.
 * Thread: any client thread. In → out: input of a start → checked request.
 */
import { checkId, checkOneOf, checkOptionalId, encodeWithin, refuseUnknownOptions } from '../../mailbox/checks.js';
import { runOptionsRecord } from '../../mailbox/run-options.js';
import { randomUuid } from '../../mailbox/uuid.js';
import type { Connection } from './connection.js';
import type { WorkflowStartInput } from './interceptors.js';
import { CONFLICT_POLICIES, REUSE_POLICIES, START_OPTIONS, startDelayOf } from './options.js';
import type { StartDraft } from './request-draft.js';

/** @throws InvalidArgumentError, InvalidOptionError, InvalidSearchAttributeError, PayloadConverterError, PayloadTooLargeError */
export function startRequest(
  connection: Connection,
  { workflowType, options, headers: given }: WorkflowStartInput,
): StartDraft {
  const { payloadBytes } = connection;
  const headers = connection.headers(given);
  refuseUnknownOptions(options, START_OPTIONS);
  return {
    kind: 'start' as const,
    workflowId: checkId('workflowId', options.workflowId),
    workflowType: checkId('workflow type', workflowType),
    input: connection.encodeArgs(options.args),
    requestId: checkOptionalId('requestId', options.requestId) ?? randomUuid(),
    reusePolicy: checkOneOf('workflowIdReusePolicy', options.workflowIdReusePolicy, REUSE_POLICIES),
    conflictPolicy: checkOneOf('workflowIdConflictPolicy', options.workflowIdConflictPolicy, CONFLICT_POLICIES),
    startDelay: startDelayOf(options),
    options: runOptionsRecord(options, headers),
    memo:
      options.memo === undefined
        ? undefined
        : connection.converting(() => encodeWithin(options.memo, 'memo', payloadBytes)),
  };
}
