/**
 * Start companions: the signal or the update that comes with a start in one request, and is admitted with it or not at all.
 * Thread: supervisor. In → out: what a start request brings → the message of its start group, or a message for the run that is there.
 */
import { randomUuid } from '../../../mailbox/uuid.js';
import type { RequestOf, StartBrings } from '../../client/protocol.js';
import type { Core } from '../core.js';
import type { Run, Waiter } from '../runs/run.js';
import type { GroupMessage } from '../runs/run-starts.js';
import { type Door, knowsNothing } from './door.js';
import type { SignalRequests } from './signal-requests.js';
import type { UpdateRequests } from './update-requests.js';

export interface StartCompanion {
  /** What a new run gets with its start. */
  readonly message: GroupMessage;
  /** True if nothing need be started or admitted, or not now: the caller is answered, or held. */
  settles(current: Run): boolean;
  /** Admits it to the open run that is used instead of a new one. False if that takes no more: the caller is told. */
  admitTo(run: Run): boolean;
  /** The start that brings it has been sent before. False if what is new of it cannot be admitted: the caller is told. */
  again(current: Run): boolean;
  /** The new run has begun. */
  begun(run: Run): void;
}

export interface StartCompanionsDeps {
  readonly core: Core;
  readonly door: Door;
  readonly signals: SignalRequests;
  readonly updates: UpdateRequests;
}

export class StartCompanions {
  constructor(private readonly deps: StartCompanionsDeps) {}

  of(waiter: Waiter, request: RequestOf<'start'>, brings: StartBrings): StartCompanion {
    return brings.kind === 'signal' ? this.#signal(waiter, brings) : this.#update(waiter, request, brings);
  }

  #signal(waiter: Waiter, signal: Extract<StartBrings, { kind: 'signal' }>): StartCompanion {
    const { door, signals } = this.deps;
    const { requestId } = signal;
    return {
      message: signal,
      settles: (current) => {
        if (door.holds(waiter, current)) return true;
        if (requestId === undefined || knowsNothing(current)) return false;
        const ids = door.ids(waiter, current, requestId);
        if (ids === undefined) return true;
        if (!ids.hasRequest(requestId)) return false;
        this.#replyUsed(waiter, current);
        return true;
      },
      admitTo: (run) => {
        if (door.isFull(waiter, run)) return false;
        signals.admit(run, signal);
        return true;
      },
      // It was admitted with that start, though its id may be forgotten.
      again: () => true,
      begun: () => undefined,
    };
  }

  #update(
    waiter: Waiter,
    { workflowId }: RequestOf<'start'>,
    update: Extract<StartBrings, { kind: 'update' }>,
  ): StartCompanion {
    const { door, updates } = this.deps;
    const { name, input, stage, replyTo, headers } = update;
    const anonymous = update.updateId === undefined;
    const updateId = update.updateId ?? randomUuid();
    const sent = { name, input, ...(headers === undefined ? {} : { headers }) };
    // As if it had been sent by itself, under a number of its own.
    const named = anonymous ? {} : { updateId };
    const request: RequestOf<'update'> = { kind: 'update', id: replyTo, workflowId, ...named, ...sent, stage };
    const own: Waiter = { port: waiter.port, request, counted: false };
    return {
      message: { kind: 'update', updateId, ...sent },
      settles: (current) => {
        if (door.holds(waiter, current)) return true;
        if (knowsNothing(current)) return false;
        const ids = door.ids(waiter, current, anonymous ? undefined : updateId);
        if (ids === undefined) return true;
        if (anonymous || !updates.isKnown(own, current, ids, updateId, stage)) return false;
        this.#replyUsed(waiter, current);
        return true;
      },
      // A refusal answers the start, and thereby both.
      admitTo: (run) => updates.admit(waiter, own, run, request),
      again: (current) => {
        if (current.open) return updates.admit(waiter, own, current, request);
        door.notFound(waiter, request, current);
        return false;
      },
      begun: (run) => {
        run.live!.ids!.noteUpdate(updateId, name, run.lastTime, run.runId, anonymous).waiters.push(own);
      },
    };
  }

  #replyUsed(waiter: Waiter, run: Run): void {
    const { core } = this.deps;
    core.committer.after(run, () => core.reply(waiter, { kind: 'started', runId: run.runId, started: false }));
  }
}
