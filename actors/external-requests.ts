/**
 * External requests: what this run has asked of other workflows, until each is answered.
 * Thread: worker. In → out: request → requestExternal command and a promise; externalResolved → settled promise.
 */
import type { ExternalRequest } from '../mailbox/events.js';
import { ApplicationFailure, type CancelledFailure, fromFailureRecord } from '../mailbox/failures.js';
import type { MessageOf } from '../mailbox/messages.js';
import { ResourceExhaustedError } from '../runtime/errors.js';
import { EngineFlag } from './engine-flags.js';
import type { Execution } from './execution.js';

/** Requests, and children, of one run that have no answer yet: part of what workflow code sees, so never changed by an option. */
export const MAX_PENDING = 2000;

/** What came of a request: the run that took it and its result, where there are such. */
export type ExternalOutcome = Pick<MessageOf<'externalResolved'>, 'runId' | 'result' | 'status'>;

interface Answered {
  resolve(outcome: ExternalOutcome): void;
  reject(error: unknown): void;
}

interface Pending extends Answered {
  /** Ends the wait for its cancellation. */
  end(): void;
}

const nothing = () => undefined;

/** What has been sent reaches its workflow in any case, and soon: cancellation waits for it. */
const WAITED_FOR: ReadonlySet<ExternalRequest['kind']> = new Set<ExternalRequest['kind']>([
  'signal',
  'signalWithStart',
]);

/** Answered with nothing, which workflow code sees. */
const ACKNOWLEDGED: ReadonlySet<ExternalRequest['kind']> = new Set<ExternalRequest['kind']>(['signal', 'cancel']);

export class ExternalRequests {
  /** Those that nobody waits for any more included: they count until they are answered. */
  readonly #pending = new Map<string, Pending>();
  #last = 0;

  constructor(private readonly execution: Execution) {}

  /**
   * Rejects with what the other side says as an ApplicationFailure, or with CancelledFailure.
   * @param toRequest gets the id by which this run knows the request
   */
  send(toRequest: (externalId: string) => ExternalRequest): Promise<ExternalOutcome> {
    return new Promise((resolve, reject) => {
      const { pending } = this.execution;
      refuseBeyond(this.#pending.size, 'The number of requests to other workflows that wait for an answer');
      const request = toRequest(String(this.#last + 1));
      const asked = request.kind === 'cancel' && !this.execution.follows(EngineFlag.TemporalActivations);
      // For runs of before that, a cancellation is asked for in a cancelled scope too, though nobody hears what comes of it.
      if (!asked && pending.rejectsIfCancelled(reject)) return;
      const answered = { resolve: ACKNOWLEDGED.has(request.kind) ? () => (resolve as () => void)() : resolve, reject };
      const externalId = this.request(request, answered);
      if (pending.rejectsIfCancelled(reject)) return;
      const end = pending.onCancelled((failure) => this.#cancelled(externalId, request, failure));
      this.#pending.set(externalId, { ...answered, end });
    });
  }

  /** As `send`, whatever is cancelled meanwhile, and however many there are. */
  request(request: ExternalRequest, answered: Answered): string {
    const externalId = String(this.#last + 1);
    this.execution.outbox.push({ kind: 'requestExternal', externalId, request });
    this.#last++;
    this.#pending.set(externalId, { ...answered, end: nothing });
    return externalId;
  }

  resolved({ externalId, runId, result, failure, status }: MessageOf<'externalResolved'>): void {
    const pending = this.#pending.get(externalId);
    if (pending === undefined) return;
    this.#pending.delete(externalId);
    pending.end();
    if (failure !== undefined) pending.reject(fromFailureRecord(failure));
    else {
      pending.resolve({
        ...(runId === undefined ? {} : { runId }),
        ...(result === undefined ? {} : { result }),
        ...(status === undefined ? {} : { status }),
      });
    }
  }

  #cancelled(externalId: string, request: ExternalRequest, failure: CancelledFailure): void {
    const pending = this.#pending.get(externalId)!;
    const isWithdrawn =
      request.kind !== 'cancel' &&
      this.execution.outbox.withdraw('requestExternal', (command) => command.externalId === externalId);
    if (isWithdrawn) this.#pending.delete(externalId);
    if (isWithdrawn || !WAITED_FOR.has(request.kind)) this.execution.onceAtRest(() => pending.reject(failure));
  }
}

/** @throws ApplicationFailure of type ResourceExhaustedError, which fails the run unless it is caught */
export function refuseBeyond(pending: number, resource: string): void {
  if (pending < MAX_PENDING) return;
  const message = `${resource} is at its limit of ${MAX_PENDING}, which no option changes. Await some of them before the next`;
  throw ApplicationFailure.nonRetryable(message, ResourceExhaustedError.name);
}
