/**
 * Chains: the runs of one workflow id that continue one another, and what moves from each to the next.
 * Thread: supervisor. In → out: continueAsNew command → the run's closing event and, in the same flush, the next run with what waited.
 */
import type { CommandOf } from '../../mailbox/commands.js';
import type { EventBody, WorkflowEvent } from '../../mailbox/events.js';
import type { Message, MessageOf } from '../../mailbox/messages.js';
import { WorkflowNotFoundError } from '../errors.js';
import type { Closing } from './closing.js';
import type { Core } from './core.js';
import type { Run, Waiter } from './run.js';
import type { GroupMessage, RunStarts } from './run-starts.js';

export interface ChainsDeps {
  readonly core: Core;
  readonly starts: RunStarts;
  readonly closing: Closing;
  /** Admits requests that were held. */
  readonly readmit: (waiters: Waiter[]) => void;
}

/** On its way to the next run. */
interface Moving {
  readonly group: GroupMessage[];
  /** Callers of queries. */
  readonly asking: Waiter[];
}

export class Chains {
  constructor(private readonly deps: ChainsDeps) {}

  /**
   * Closes the run and begins the next. A signal that moves on names the one that it is a copy of in the run before, so that its way can be
   * followed back run by run.
   * @param write writes an event of the step that asked for it
   */
  continueAsNew(run: Run, command: CommandOf<'continueAsNew'>, write: (body: EventBody) => WorkflowEvent): void {
    const { core, starts, closing, readmit } = this.deps;
    const { workflowId } = run;
    const { workflowType, input, memo, options } = command;
    const runId = core.options.newRunId();
    const event = write({
      eventType: 'WorkflowExecutionContinuedAsNew',
      newExecutionRunId: runId,
      workflowType,
      input,
      ...(memo === undefined ? {} : { memo }),
      ...(options === undefined ? {} : { options }),
    });
    const ids = run.live!.ids!;
    const { group, asking } = this.#takeWaiting(run, command, runId);
    closing.closed(run, event);
    const known = ids.knowsAny(run.lastTime);
    const next = {
      workflowId,
      runId,
      workflowType,
      input,
      memo,
      options,
      // Of no start: a start that is sent again is recognized by the first run of the chain.
      requestId: runId,
      parent: run.parent,
      continues: run,
      idsInRunId: !known ? undefined : run.hasIds ? run.runId : run.idsIn,
    };
    starts.begin(next, group, known ? { ids } : {});
    readmit(asking);
  }

  /** Empties the mailbox. What only this run could use, timers and outcomes, ends with it. */
  #takeWaiting(run: Run, { buffered }: CommandOf<'continueAsNew'>, nextRunId: string): Moving {
    const { mailbox } = run.live!;
    const moving: Moving = {
      group: buffered.map((signal) => ({
        ...signal,
        kind: 'signal',
        carriedFrom: { runId: run.runId, seq: signal.seq },
      })),
      asking: [],
    };
    mailbox.redeliver();
    for (const message of mailbox.remove(() => true)) this.#move(run, message, moving, nextRunId);
    return moving;
  }

  #move(run: Run, message: Message, { group, asking }: Moving, nextRunId: string): void {
    switch (message.kind) {
      case 'signal':
      case 'cancel':
        group.push({ ...message, carriedFrom: { runId: run.runId, seq: message.seq } });
        return;
      case 'update':
        if (this.#moveUpdate(run, message, nextRunId)) group.push(message);
        return;
      case 'query': {
        const caller = run.live!.takeCaller(message.seq);
        if (caller !== undefined) asking.push(...this.#unpinned(run, [caller]));
      }
    }
  }

  /** False if nobody is left who wants it of another run. */
  #moveUpdate(run: Run, { updateId }: MessageOf<'update'>, nextRunId: string): boolean {
    const ids = run.live!.ids!;
    const entry = ids.pending(updateId)!;
    entry.waiters = this.#unpinned(run, entry.waiters);
    entry.runId = nextRunId;
    if (entry.waiters.length === 0) ids.forgetUpdate(updateId);
    return entry.waiters.length > 0;
  }

  /** Those whose request names no run; the others are told that theirs is closed. */
  #unpinned(run: Run, waiters: readonly Waiter[]): Waiter[] {
    const { workflowId, runId } = run;
    return waiters.filter((waiter) => {
      if (!('runId' in waiter.request) || waiter.request.runId === undefined) return true;
      this.deps.core.refuse(waiter, run, new WorkflowNotFoundError({ workflowId, runId, closed: true }));
      return false;
    });
  }
}
