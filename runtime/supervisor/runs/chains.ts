/**
 * Chains: the runs of one workflow id that continue one another, and what moves from each to the next.
 * Thread: supervisor. In → out: what ends a run → its closing event and, in the same flush, the next run if there is to be one, with what waited.
 */
import type { BufferedSignal, CommandOf } from '../../../mailbox/commands.js';
import type { EventBody, EventOf, RunOptionsRecord, SuccessionRecord, WorkflowEvent } from '../../../mailbox/events.js';
import type { FailureRecord } from '../../../mailbox/failures.js';
import type { Message, MessageOf } from '../../../mailbox/messages.js';
import type { Payload } from '../../../mailbox/payload.js';
import { WorkflowNotFoundError } from '../../errors.js';
import type { Core, StoredFrame } from '../core.js';
import type { Closing } from './closing.js';
import { startOf, storedMessages } from './history-reader.js';
import { deadlineOf, type Ending, type NextRun, type WhatFollows, whatFollows } from './lifetime.js';
import type { Run, Waiter } from './run.js';
import type { GroupMessage, RunStart, RunStarts } from './run-starts.js';

export interface ChainsDeps {
  readonly core: Core;
  readonly starts: RunStarts;
  readonly closing: Closing;
  /** Admits requests that were held. */
  readonly readmit: (waiters: Waiter[]) => void;
}

/** The one that ends its run. */
interface LastStep {
  readonly run: Run;
  readonly messages: readonly Message[];
}

/** What a run has been given and not dealt with. */
interface LeftOver {
  readonly buffered: readonly BufferedSignal[];
  /** Of its last step. */
  readonly messages: readonly Message[];
}

/** On its way to the next run. */
interface Moving {
  readonly group: GroupMessage[];
  /** Callers of queries. */
  readonly asking: Waiter[];
}

/** What the next run is, as far as it does not follow from the one before. */
type Following = Pick<RunStart, 'workflowType' | 'input' | 'memo' | 'options' | 'startDelay' | 'succession'> & {
  readonly runId: string;
};

const NOTHING: LeftOver = { buffered: [], messages: [] };
const TIMED_OUT = 'Workflow execution timed out';
/** Of a chain. */
const NO_TIME_LEFT: WhatFollows = { retryState: 'TIMEOUT' };

export class Chains {
  constructor(private readonly deps: ChainsDeps) {}

  /**
   * Closes the run and begins the next. A signal that moves on names the one that it is a copy of in the run before, so that its way can be
   * followed back run by run.
   * @param write writes an event of the step that asked for it
   */
  continueAsNew(
    { run, messages }: LastStep,
    command: CommandOf<'continueAsNew'>,
    write: (body: EventBody) => WorkflowEvent,
  ): void {
    const { workflowType, input, memo, options, buffered } = command;
    const runId = this.deps.core.options.newRunId();
    const event = write({
      eventType: 'WorkflowExecutionContinuedAsNew',
      newExecutionRunId: runId,
      workflowType,
      input,
      ...(memo === undefined ? {} : { memo }),
      ...(options === undefined ? {} : { options }),
    });
    const last = run.live!.started?.succession?.lastCompletionResult;
    this.#follow(
      run,
      event,
      { buffered, messages },
      {
        runId,
        workflowType,
        input,
        memo,
        options,
        startDelay: command.startDelay,
        succession: {
          ...this.#succession(run, 'CONTINUE_AS_NEW', 1),
          ...(last === undefined ? {} : { lastCompletionResult: last }),
        },
      },
    );
  }

  /**
   * Closes the run as one of its steps has ended it, and begins the next if its retry policy or cron schedule asks for one.
   * @param buffered signals that it had no handler for
   */
  end(
    { run, messages }: LastStep,
    ending: Ending,
    buffered: readonly BufferedSignal[],
    write: (body: EventBody) => WorkflowEvent,
  ): void {
    const { core, closing } = this.deps;
    const { next, retryState } = whatFollows(run, ending, core.now());
    if (retryState !== undefined && 'failure' in ending) ending.retryState = retryState;
    if (next === undefined) {
      closing.closed(run, write(ending));
      return;
    }
    ending.newExecutionRunId = core.options.newRunId();
    this.#repeat(run, run.live!.started!, write(ending), next, { buffered, messages });
  }

  /** The run has taken longer than it may: it ends at once, and is followed as one that failed. What is stored and not processed moves on. */
  timeOut(run: Run, frames: readonly StoredFrame[]): void {
    const { core, closing } = this.deps;
    const failure: FailureRecord = { kind: 'timeout', timeoutType: 'START_TO_CLOSE', message: TIMED_OUT };
    const timedOut: Ending = { eventType: 'WorkflowExecutionTimedOut', failure };
    // Its time is up, whatever the wall clock has been set to since.
    const now = Math.max(core.now(), deadlineOf(run.lifetime!)!);
    const { next, retryState } = isOver(run, now) ? NO_TIME_LEFT : whatFollows(run, timedOut, now);
    if (retryState !== undefined) timedOut.retryState = retryState;
    if (next === undefined) closing.closed(run, closing.cutOff(run, timedOut));
    else {
      const stored = core.live(run).mailboxStored ? storedMessages(run, frames) : [];
      timedOut.newExecutionRunId = core.options.newRunId();
      const event = closing.cutOff(run, timedOut);
      run.live!.mailbox.unshift(stored);
      this.#repeat(run, startOf(frames), event, next, NOTHING);
    }
    closing.readmitHeld(run);
  }

  /** The same once more, knowing how it went before. */
  #repeat(
    run: Run,
    started: EventOf<'WorkflowExecutionStarted'>,
    event: WorkflowEvent,
    { initiator, delay, attempt }: NextRun,
    left: LeftOver,
  ): void {
    const { workflowType, input, memo } = started;
    const { newExecutionRunId } = event as WorkflowEvent & Ending;
    const last = 'result' in event ? event.result : started.succession?.lastCompletionResult;
    this.#follow(run, event, left, {
      runId: newExecutionRunId!,
      workflowType,
      input,
      memo,
      options: this.#optionsAgain(started.options),
      startDelay: delay,
      succession: {
        ...this.#succession(run, initiator, attempt),
        ...('failure' in event && event.failure !== undefined ? { continuedFailure: event.failure } : {}),
        ...(last === undefined ? {} : { lastCompletionResult: last as Payload }),
      },
    });
  }

  /** Nobody can be told that an attribute does not fit any more: the run begins without it. */
  #optionsAgain(options: RunOptionsRecord | undefined): RunOptionsRecord | undefined {
    if (options?.searchAttributes === undefined) return options;
    const { attributes } = this.deps.core.index.table;
    return { ...options, searchAttributes: attributes.fitting(options.searchAttributes) };
  }

  #succession(run: Run, initiator: SuccessionRecord['initiator'], attempt: number): SuccessionRecord {
    const deadline = run.lifetime?.executionDeadline;
    const chainStartTime = run.first.startTime;
    return {
      initiator,
      chainStartTime,
      attempt,
      ...(deadline === undefined ? {} : { executionDeadline: deadline }),
    };
  }

  /** @param event closes the run */
  #follow(run: Run, event: WorkflowEvent, left: LeftOver, next: Following): void {
    const { starts, closing, readmit } = this.deps;
    const { ids } = run.live!;
    const { group, asking } = this.#takeWaiting(run, left, next);
    closing.closed(run, event);
    const known = ids === undefined ? run.hasIds || run.idsIn !== undefined : ids.knowsAny(run.lastTime);
    // What waits ends a delay that the run has asked for, as any message does that comes later.
    const begins = group.length > 0 && next.succession?.initiator === 'CONTINUE_AS_NEW';
    const start = {
      ...next,
      ...(begins && { startDelay: undefined }),
      workflowId: run.workflowId,
      // Of no start: a start that is sent again is recognized by the first run of the chain.
      requestId: next.runId,
      parent: run.parent,
      continues: run,
      idsInRunId: !known ? undefined : run.hasIds ? run.runId : run.idsIn,
    };
    starts.begin(start, group, known && ids !== undefined ? { ids } : {});
    readmit(asking);
  }

  /** Empties the mailbox. What only this run could use, timers and outcomes, ends with it. */
  #takeWaiting(run: Run, { buffered, messages }: LeftOver, next: Following): Moving {
    const { mailbox } = run.live!;
    const moving: Moving = {
      group: buffered.map((signal) => ({
        ...signal,
        kind: 'signal',
        carriedFrom: { runId: run.runId, seq: signal.seq },
      })),
      asking: [],
    };
    // Without a handler for it, the last step would be its rejection.
    for (const message of messages) if (isUnaccepted(run, message)) this.#move(run, message, moving, next);
    mailbox.redeliver();
    for (const message of mailbox.remove(() => true)) this.#move(run, message, moving, next);
    return moving;
  }

  #move(run: Run, message: Message, { group, asking }: Moving, { runId: nextRunId, startDelay = 0 }: Following): void {
    switch (message.kind) {
      case 'signal':
      case 'cancel':
        group.push({ ...message, carriedFrom: { runId: run.runId, seq: message.seq } });
        return;
      case 'update':
        if (isStored(run, message)) group.push(this.#moveStored(run, message, nextRunId));
        else if (startDelay > 0) asking.push(...this.#takeUpdate(run, message));
        else if (this.#moveUpdate(run, message, nextRunId)) group.push(message);
        return;
      case 'query': {
        const caller = run.live!.takeCaller(message.seq);
        if (caller !== undefined) asking.push(...this.#unpinned(run, [caller]));
      }
    }
  }

  /** Whoever waits for it goes on waiting, even if the next run begins later. */
  #moveStored(run: Run, message: MessageOf<'update'>, nextRunId: string): GroupMessage {
    const entry = run.live!.ids?.pending(message.updateId);
    if (entry !== undefined) {
      entry.waiters = this.#unpinned(run, entry.waiters);
      entry.runId = nextRunId;
    }
    return { ...message, stored: true };
  }

  /** Its callers, to be asked for again: a run that begins later has no place for it yet. */
  #takeUpdate(run: Run, { updateId }: MessageOf<'update'>): Waiter[] {
    const ids = run.live!.ids!;
    const { waiters } = ids.pending(updateId)!;
    ids.forgetUpdate(updateId);
    return this.#unpinned(run, waiters);
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

/** The whole chain has had its time. */
function isOver({ lifetime }: Run, now: number): boolean {
  return now >= (lifetime?.executionDeadline ?? Number.POSITIVE_INFINITY);
}

/** A stored update that its last step has not accepted. */
function isUnaccepted({ live }: Run, message: Message): boolean {
  const entry = message.kind === 'update' ? live!.ids!.pending(message.updateId) : undefined;
  return entry?.stored === true && entry.acceptedEventId === 0;
}

/** A run whose ids have not been read back has no others in its mailbox. */
function isStored({ live }: Run, { updateId }: MessageOf<'update'>): boolean {
  return live!.ids === undefined || live!.ids.pending(updateId)?.stored === true;
}
