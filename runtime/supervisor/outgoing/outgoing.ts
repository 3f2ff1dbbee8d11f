/**
 * Outgoing: what runs ask of other workflows, carried out once it is durable that they asked, and answered in their history.
 * Thread: supervisor. In → out: …Initiated event (durable) → internal request → reply → resolution, written at admission.
 */
import type {
  EndStatus,
  EventBody,
  ExternalInitiated,
  ExternalRequest,
  HeadersRecord,
} from '../../../mailbox/events.js';
import type { FailureRecord } from '../../../mailbox/failures.js';
import { decodeEvents } from '../../../mailbox/turn.js';
import { fromErrorRecord } from '../../client/error-record.js';
import type { ErrorRecord, Reply } from '../../client/protocol.js';
import { WorkflowFailedError, WorkflowNotFoundError } from '../../errors.js';
import type { Core } from '../core.js';
import { errorRecord } from '../replies.js';
import { endExternal } from '../runs/fold.js';
import type { Run } from '../runs/run.js';
import type { InternalClient, RequestBody } from './internal-client.js';
import type { Resolve } from './resolutions.js';

type Kind = ExternalRequest['kind'];
type RequestOf<K extends Kind> = Extract<ExternalRequest, { kind: K }>;

/** Under which event type each kind of request is recorded. */
export const INITIATED: { readonly [K in Kind]: ExternalInitiated['eventType'] } = {
  signal: 'SignalExternalWorkflowExecutionInitiated',
  signalWithStart: 'SignalExternalWorkflowExecutionInitiated',
  cancel: 'RequestCancelExternalWorkflowExecutionInitiated',
  update: 'UpdateExternalWorkflowExecutionInitiated',
  pollUpdate: 'UpdateExternalWorkflowExecutionInitiated',
  query: 'QueryExternalWorkflowExecutionInitiated',
  start: 'ManageExternalWorkflowExecutionInitiated',
  awaitEnd: 'ManageExternalWorkflowExecutionInitiated',
  terminate: 'ManageExternalWorkflowExecutionInitiated',
};

const FAILED = {
  signal: 'SignalExternalWorkflowExecutionFailed',
  signalWithStart: 'SignalExternalWorkflowExecutionFailed',
  cancel: 'RequestCancelExternalWorkflowExecutionFailed',
  update: 'UpdateExternalWorkflowExecutionFailed',
  pollUpdate: 'UpdateExternalWorkflowExecutionFailed',
  query: 'QueryExternalWorkflowExecutionFailed',
  start: 'ManageExternalWorkflowExecutionFailed',
  awaitEnd: 'ManageExternalWorkflowExecutionFailed',
  terminate: 'ManageExternalWorkflowExecutionFailed',
} as const;

/** Whoever asks, and under which id. */
interface External {
  readonly run: Run;
  readonly externalId: string;
  readonly initiatedEventId: number;
  readonly kind: Kind;
}

const REPEATED_WITHIN_MS = 60_000;
/** Whoever is asked twice does it twice, or answers of another run. */
const WITHOUT_ID: ReadonlySet<Kind> = new Set<Kind>(['query', 'pollUpdate', 'awaitEnd', 'terminate']);

export class Outgoing {
  /** Runs that a restart has yet to take up, each with what it has asked since: that waits behind what it asked before. */
  readonly #untaken = new Map<Run, ExternalInitiated[]>();

  constructor(
    private readonly core: Core,
    private readonly client: InternalClient,
    private readonly resolve: Resolve,
  ) {}

  /** Only once the event is durable. Also for a run that has closed with that very step: it is nobody's to hear, but it was asked. */
  carryOut(run: Run, event: ExternalInitiated): void {
    const untaken = this.#untaken.get(run);
    if (untaken === undefined) this.#begin(run, event);
    else untaken.push(event);
  }

  #begin(run: Run, { externalId, eventId, request }: ExternalInitiated): void {
    const external: External = { run, externalId, initiatedEventId: eventId, kind: request.kind };
    const target = this.#target(run, request);
    if (target === undefined) {
      const { workflowId } = request;
      this.#replied(external, { id: 0, kind: 'error', error: errorRecord(new WorkflowNotFoundError({ workflowId })) });
      return;
    }
    // The same at every attempt, so that what is carried out again after a crash is applied once.
    const requestId = `external/${this.core.index.writerOf(run, eventId).runId}/${externalId}`;
    const body = (REQUESTS[request.kind] as (request: ExternalRequest, ids: RequestIds) => RequestBody)(request, {
      target,
      requestId,
      sender: { workflowId: run.workflowId, runId: run.runId },
    });
    this.client.send(body, (reply) => this.#replied(external, reply));
  }

  /** After a restart: `recover` is coming for this run. */
  expectRecovery(run: Run): void {
    this.#untaken.set(run, []);
  }

  /** Whatever has no answer is carried out again, of events through that one; then what was asked since. */
  async recover(run: Run, through: number): Promise<void> {
    const frames = run.externals === undefined ? [] : await this.core.readHistory(run);
    for (const { frame } of frames) {
      for (const event of decodeEvents(frame.events, frame.firstEventId)) {
        if (!('request' in event) || event.eventId > through) continue;
        if (run.externals?.has(event.externalId) !== true) continue;
        if (this.#isOver(run, event.request)) endExternal(run, event.externalId);
        else this.#begin(run, event);
      }
    }
    const untaken = this.#untaken.get(run) ?? [];
    this.#untaken.delete(run);
    for (const event of untaken) this.#begin(run, event);
  }

  /**
   * No event tells of what became of a closed run's requests, so they may have been carried out before the crash. They are repeated only where
   * whoever was asked then still knows them: shortly after; and what has no id only if no other run has begun under that workflow id.
   */
  #isOver(run: Run, { kind, workflowId }: ExternalRequest): boolean {
    if (run.open) return false;
    if (this.core.now() - run.closeTime > REPEATED_WITHIN_MS) return true;
    return WITHOUT_ID.has(kind) && (this.core.index.current(workflowId)?.startTime ?? 0) > run.closeTime;
  }

  /** A request to a child, or to a chain, is for no other workflow that uses its id. Undefined: that is not there. */
  #target(run: Run, request: ExternalRequest): Target | undefined {
    const { workflowId } = request;
    if (request.kind === 'signalWithStart' || request.kind === 'start') return { workflowId };
    if (request.kind === 'awaitEnd') return { workflowId, runId: request.runId };
    const pinned = request.runId === undefined ? undefined : { workflowId, runId: request.runId };
    const current = this.core.index.current(workflowId);
    if (request.firstRunId !== undefined)
      return current?.firstRunId === request.firstRunId ? { workflowId } : undefined;
    if (request.childId === undefined) return pinned ?? { workflowId };
    const child = run.children?.get(request.childId);
    const parent = child === undefined ? run : this.core.index.writerOf(run, child.initiatedEventId);
    return current !== undefined && isChildOf(current, parent, request.childId) ? { workflowId } : pinned;
  }

  #replied({ run, externalId, initiatedEventId, kind }: External, reply: Reply): void {
    if (run.externals?.has(externalId) !== true) return;
    if (!run.open) {
      // Nobody waits for it any more.
      endExternal(run, externalId);
      this.core.index.changed(run);
      return;
    }
    this.resolve(run, resolutionOf(kind, { externalId, initiatedEventId }, reply));
  }
}

interface Target {
  workflowId: string;
  runId?: string;
}

interface RequestIds {
  readonly target: Target;
  readonly requestId: string;
  readonly sender: { readonly workflowId: string; readonly runId: string };
}

const REQUESTS: { readonly [K in Kind]: (request: RequestOf<K>, ids: RequestIds) => RequestBody } = {
  signal: ({ name, input, headers }, { target, requestId, sender }) => ({
    kind: 'signal',
    ...target,
    name,
    input,
    requestId,
    sender,
    ...withHeaders(headers),
  }),
  cancel: ({ reason }, { target, requestId, sender }) => ({
    kind: 'cancel',
    ...target,
    ...(reason === undefined ? {} : { reason }),
    requestId,
    sender,
  }),
  update: ({ updateId, name, input, stage, headers }, { target, requestId }) => ({
    kind: 'update',
    ...target,
    requestId,
    updateId,
    name,
    input,
    stage,
    ...withHeaders(headers),
  }),
  pollUpdate: ({ updateId }, { target }) => ({ kind: 'pollUpdate', ...target, updateId, stage: 'COMPLETED' }),
  query: ({ name, input, headers }, { target }) => ({ kind: 'query', ...target, name, input, ...withHeaders(headers) }),
  // As in a client's: the run and the signal both have them.
  signalWithStart: ({ workflowId, workflowType, input, name, signalInput, headers }, { requestId, sender }) => ({
    kind: 'start',
    workflowId,
    workflowType,
    input,
    requestId,
    conflictPolicy: 'USE_EXISTING',
    ...(headers === undefined ? {} : { options: { headers } }),
    brings: { kind: 'signal', name, input: signalInput, requestId, sender, ...withHeaders(headers) },
  }),
  start: ({ kind, workflowId, workflowType, input, memo, options }, { requestId }) => ({
    kind,
    workflowId,
    workflowType,
    input,
    requestId,
    ...(memo === undefined ? {} : { memo }),
    ...(options === undefined ? {} : { options }),
  }),
  awaitEnd: ({ workflowId, runId }) => ({ kind: 'result', workflowId, runId, followRuns: true }),
  terminate: ({ kind, reason }, { target }) => ({ kind, ...target, ...(reason === undefined ? {} : { reason }) }),
};

function withHeaders(headers: HeadersRecord | undefined): { headers?: HeadersRecord } {
  return headers === undefined ? {} : { headers };
}

const MANAGED: ReadonlySet<Kind> = new Set<Kind>(['start', 'awaitEnd', 'terminate']);

interface ExternalIds {
  readonly externalId: string;
  readonly initiatedEventId: number;
}

function resolutionOf(kind: Kind, ids: ExternalIds, reply: Reply): EventBody {
  if (MANAGED.has(kind)) return managed(kind, ids, reply);
  switch (reply.kind) {
    case 'done':
      return kind === 'cancel'
        ? { eventType: 'ExternalWorkflowExecutionCancelRequested', ...ids }
        : { eventType: 'ExternalWorkflowExecutionSignaled', ...ids };
    case 'started':
      return { eventType: 'ExternalWorkflowExecutionSignaled', ...ids, runId: reply.runId };
    case 'updateAccepted':
      return { eventType: 'ExternalWorkflowExecutionUpdateAccepted', ...ids, runId: reply.runId };
    case 'updateCompleted': {
      const { runId, result } = reply;
      return { eventType: 'ExternalWorkflowExecutionUpdateCompleted', ...ids, runId, result };
    }
    case 'queryResult':
      return { eventType: 'ExternalWorkflowExecutionQueried', ...ids, result: reply.result };
    case 'error':
      return { eventType: FAILED[kind], ...ids, failure: notFound(kind, failureOf(reply.error)) };
    default:
      throw new Error(`A request of kind ${kind} was answered with '${reply.kind}'`);
  }
}

/** Of what Temporal has too, in the words of its core. */
function notFound(kind: Kind, failure: FailureRecord): FailureRecord {
  if (failure.type !== WorkflowNotFoundError.name || (kind !== 'signal' && kind !== 'cancel')) return failure;
  const reason = kind === 'signal' ? 'it was not found' : 'not found';
  return { ...failure, message: `Unable to ${kind} external workflow because ${reason}: ${failure.message}` };
}

/** Of an end only its status is kept: the outcome itself stands in the other run's history. */
function managed(kind: Kind, ids: ExternalIds, reply: Reply): EventBody {
  if (reply.kind === 'started') return { eventType: 'ExternalWorkflowExecutionManaged', ...ids, runId: reply.runId };
  if (reply.kind === 'closed') return { eventType: 'ExternalWorkflowExecutionManaged', ...ids, status: 'COMPLETED' };
  if (reply.kind !== 'error') return { eventType: 'ExternalWorkflowExecutionManaged', ...ids };
  const { name, fields } = reply.error;
  if (kind === 'awaitEnd' && name === WorkflowFailedError.name) {
    const { status } = fields as { status: EndStatus };
    return { eventType: 'ExternalWorkflowExecutionManaged', ...ids, status };
  }
  return { eventType: 'ManageExternalWorkflowExecutionFailed', ...ids, failure: failureOf(reply.error) };
}

/** What a client would get as an error of the catalogue, as a workflow gets it: a failure of that name, with the same message and cause. */
export function failureOf({ name, fields, cause }: ErrorRecord): FailureRecord {
  // The cause stays as it is: its payloads are not for this thread to read.
  const { message } = fromErrorRecord({ name, fields });
  const failure: FailureRecord = { kind: 'application', type: name, message, nonRetryable: true };
  if (cause !== undefined) failure.cause = cause;
  return failure;
}

/** @param parent the run that wrote that it wants the child */
export function isChildOf(run: Run, parent: Run, childId: string): boolean {
  return run.parent?.runId === parent.runId && run.parent.childId === childId;
}
