/**
 * What is said of a call whose caller has given up: whether it may have been applied, and under which ids it may be sent again.
 * Thread: any client thread. In → out: request, whether it had left → fields of the error.
 */
import type { UnansweredCallFields } from '../errors.js';
import type { RequestKind } from './protocol.js';
import type { RequestDraft } from './request-draft.js';

type Asked = Exclude<RequestKind, 'withdraw'>;

/** By the names of the methods that ask. */
const CALLS: { readonly [K in Asked]: string } = {
  start: 'start',
  signal: 'signal',
  query: 'query',
  update: 'update',
  pollUpdate: 'result of an update',
  result: 'result',
  cancel: 'cancel',
  terminate: 'terminate',
  fetchHistory: 'fetchHistory',
  reportActivity: 'report of an activity',
  reset: 'reset',
  resume: 'resume',
};

/** They change nothing. */
const READS: ReadonlySet<RequestKind> = new Set<RequestKind>(['query', 'pollUpdate', 'result', 'fetchHistory']);

export function unansweredCall(draft: RequestDraft, left: boolean): UnansweredCallFields {
  const { kind, workflowId } = draft;
  const brings = draft.kind === 'start' ? draft.brings : undefined;
  const requestId = 'requestId' in draft ? draft.requestId : undefined;
  const updateId = brings?.kind === 'update' ? brings.updateId : 'updateId' in draft ? draft.updateId : undefined;
  return {
    call: kind === 'start' && brings !== undefined ? `${brings.kind} with start` : CALLS[kind as Asked],
    workflowId,
    mayHaveBeenApplied: left && !READS.has(kind),
    ...(requestId === undefined ? {} : { requestId }),
    ...(updateId === undefined ? {} : { updateId }),
  };
}
