/**
 * Reports: what a worker says its steps made, turned into events and answers. Commands have effects only once their events are durable.
 * Thread: supervisor. In → out: slice report → events, replies, closes, void closes, suspensions.
 */
import { type Command, type CommandKind, type CommandOf, isClosing } from '../../mailbox/commands.js';
import type { EventBody, EventOf, ExternalInitiated, Ran, WorkflowEvent } from '../../mailbox/events.js';
import type { Message, MessageOf } from '../../mailbox/messages.js';
import type { Answer, SliceReport, StepReport, SuspendReason } from '../../mailbox/turn.js';
import { QueryFailedError, QueryNotRegisteredError, WorkflowUpdateFailedError } from '../errors.js';
import type { Activities } from './activities.js';
import type { Chains } from './chains.js';
import type { Children } from './children.js';
import type { Closing } from './closing.js';
import type { Core } from './core.js';
import type { Dispatcher } from './dispatcher.js';
import { INITIATED, type Outgoing } from './outgoing.js';
import { errorRecord } from './replies.js';
import { EVERYTHING, type Live, type Run, type Waiter } from './run.js';
import type { Suspensions } from './suspensions.js';
import type { Timers } from './timers.js';
import { replyOutcome } from './updates.js';
import type { WorkflowTypes } from './workflow-types.js';

export interface ReportsDeps {
  readonly core: Core;
  readonly dispatcher: Dispatcher;
  readonly timers: Timers;
  readonly activities: Activities;
  readonly children: Children;
  readonly outgoing: Outgoing;
  readonly closing: Closing;
  readonly suspensions: Suspensions;
  readonly chains: Chains;
  readonly workflowTypes: () => WorkflowTypes;
  /** Admits requests that were held. */
  readonly readmit: (waiters: Waiter[]) => void;
}

/** Where a step's events go: the first carries `ran`, all carry `cause`. */
interface StepContext {
  readonly run: Run;
  readonly live: Live;
  readonly cause: number;
  readonly time: number;
  /** The step's messages, to find an accepted update. */
  readonly messages: readonly Message[];
  readonly commands: readonly Command[];
  ran: Ran | undefined;
}

export class Reports {
  constructor(private readonly deps: ReportsDeps) {}

  handle(run: Run, report: SliceReport): void {
    const live = run.live!;
    const steps = report.steps;
    // Queries may have been answered after the close; if that is void, so are they.
    const closing = steps.findIndex(({ commands }) => commands.length > 0 && isClosing(commands[commands.length - 1]!));
    const close = steps[closing];
    if (run.open && close !== undefined && this.#isVoid(live, close)) {
      this.#apply(run, live, steps.slice(0, closing), firstOf(close) - 1);
      this.#startMergedStep(run, live);
      return;
    }
    const unknownType = run.open ? this.#unknownNextType(close) : undefined;
    if (unknownType !== undefined) {
      this.#apply(run, live, steps.slice(0, closing), firstOf(close!) - 1);
      this.deps.dispatcher.discard(run);
      this.deps.suspensions.suspend(run, unknownType);
      return;
    }
    const merged = report.processed > 0 ? live.mergeThrough : 0;
    if (report.processed > 0) {
      this.deps.suspensions.resumed(run);
      this.#apply(run, live, steps, report.processed);
    }
    if (report.end.kind === 'suspended') this.deps.suspensions.suspend(run, report.end.error);
    if (merged === EVERYTHING) this.#releaseHeld(run, live);
  }

  /**
   * A close computed while admitted signals wait: an acknowledged signal is always seen before its run closes. The step that follows a
   * void close is never void itself.
   */
  #isVoid(live: Live, step: StepReport): boolean {
    // What waits when a run continues as new moves on with it.
    if (live.mergeThrough === EVERYTHING || step.commands.at(-1)?.kind === 'continueAsNew') return false;
    return live.mailbox.some((message) => message.kind === 'signal' && message.seq > step.cause);
  }

  /**
   * A run that continued as a type that nobody has would be lost, closed and never to be stepped again. So nothing of that step is recorded and
   * the run is suspended, to be tried again until code is deployed that has the type, or names another.
   */
  #unknownNextType(close: StepReport | undefined): SuspendReason | undefined {
    const command = close?.commands.at(-1);
    const types = this.deps.workflowTypes();
    if (command?.kind !== 'continueAsNew' || types.has(command.workflowType)) return undefined;
    return { kind: 'unknownType', workflowType: command.workflowType, registered: [...types] };
  }

  #startMergedStep(run: Run, live: Live): void {
    this.deps.dispatcher.discard(run);
    live.mergeThrough = EVERYTHING;
    live.held ??= [];
    for (const query of live.mailbox.remove((message) => message.kind === 'query')) {
      const caller = live.takeCaller(query.seq);
      if (caller !== undefined) live.held.push(caller);
    }
  }

  #releaseHeld(run: Run, live: Live): void {
    const held = live.held ?? [];
    live.held = undefined;
    if (held.length > 0) this.deps.readmit(held);
    if (run.open) this.deps.dispatcher.schedule(run);
  }

  #apply(run: Run, live: Live, steps: readonly StepReport[], processed: number): void {
    const messages = live.mailbox.confirm(processed);
    // A merged step is the first of its turn: what has processed anything has processed it.
    if (messages.length > 0) live.mergeThrough = 0;
    // Queries of a closed run move nothing: replay must end where the run did.
    const { open } = run;
    let next = 0;
    for (const step of steps) {
      const first = firstOf(step);
      while (next < messages.length && messages[next]!.seq < first) this.#silentStep(run, live, messages[next++]!);
      const from = next;
      while (next < messages.length && messages[next]!.seq <= step.cause) next++;
      this.#step(run, live, step, messages.slice(from, next));
    }
    while (next < messages.length) this.#silentStep(run, live, messages[next++]!);
    if (open && processed > run.ranThrough) {
      pushRan(live, processed);
      run.ranThrough = processed;
    }
    this.deps.core.index.changed(run);
  }

  /** A step that made nothing; the firing of a timer is still recorded with it. */
  #silentStep(run: Run, live: Live, message: Message): void {
    if (message.kind !== 'timerFired') return;
    pushRan(live, message.seq);
    const context: StepContext = {
      run,
      live,
      cause: message.seq,
      time: message.time,
      messages: [message],
      commands: [],
      ran: takeRan(live),
    };
    this.#timerFired(context, message);
    if (context.ran !== undefined) live.ran = [...context.ran];
  }

  #step(run: Run, live: Live, step: StepReport, messages: readonly Message[]): void {
    pushRan(live, step.merged ?? step.cause);
    const { cause, time, commands } = step;
    const context: StepContext = { run, live, cause, time, messages, commands, ran: takeRan(live) };
    for (const message of messages) {
      if (message.kind === 'timerFired' && !cancels(step, message.timerId)) this.#timerFired(context, message);
    }
    for (const command of commands) this.#command(context, command);
    if (context.ran !== undefined && step.merged !== undefined)
      this.#write(context, { eventType: 'WorkflowTaskCompleted' });
    if (context.ran !== undefined) live.ran = [...context.ran];
    for (const answer of step.answers) this.#answer(run, live, answer, messages);
  }

  /** The event of a message that is written with its step carries its own seq besides. */
  #write<T extends EventBody>(context: StepContext, body: T, own?: { seq: number; time: number }): WorkflowEvent {
    // The literal that the caller made for this becomes the event itself: copying it would cost more than writing it.
    const event = body as WorkflowEvent;
    event.eventTime = own?.time ?? context.time;
    event.cause = context.cause;
    if (own !== undefined) event.seq = own.seq;
    if (context.ran !== undefined) event.ran = context.ran;
    context.ran = undefined;
    return this.deps.core.committer.append(context.run, event);
  }

  #timerFired(context: StepContext, message: MessageOf<'timerFired'>): void {
    const timer = context.run.timers?.get(message.timerId);
    // Cancelled by an earlier step: the workflow ignored it too.
    if (timer === undefined) return;
    const { timerId } = message;
    this.#write(context, { eventType: 'TimerFired', timerId, startedEventId: timer.startedEventId }, message);
  }

  #command(context: StepContext, command: Command): void {
    (this.#byKind[command.kind] as (context: StepContext, command: Command) => void)(context, command);
  }

  readonly #byKind: { readonly [K in CommandKind]: (context: StepContext, command: CommandOf<K>) => void } = {
    startTimer: (context, { timerId, fireAt, summary }) => {
      this.#write(context, { eventType: 'TimerStarted', timerId, fireAt, ...(summary !== undefined && { summary }) });
      const { run } = context;
      this.deps.core.committer.after(run, () => this.deps.timers.arm(run, timerId, fireAt));
    },
    cancelTimer: (context, { timerId }) => {
      const startedEventId = context.run.timers?.get(timerId)?.startedEventId ?? 0;
      this.#write(context, { eventType: 'TimerCanceled', timerId, startedEventId });
    },
    scheduleActivity: (context, { kind: _, ...activity }) => {
      const event = this.#write(context, { eventType: 'ActivityTaskScheduled', ...activity });
      const { run } = context;
      this.deps.core.committer.after(run, () =>
        this.deps.activities.schedule(run, event as EventOf<'ActivityTaskScheduled'>),
      );
    },
    cancelActivity: (context, { activityId }) => {
      const { run } = context;
      const scheduledEventId = run.activities?.get(activityId)?.scheduledEventId ?? 0;
      this.#write(context, { eventType: 'ActivityTaskCancelRequested', activityId, scheduledEventId });
      this.deps.core.committer.after(run, () => this.deps.activities.cancel(run, activityId));
    },
    acceptUpdate: (context, { updateId, seq }) => this.#acceptUpdate(context, updateId, seq),
    completeUpdate: (context, command) => this.#completeUpdate(context, command),
    completeWorkflow: (context, { result }) =>
      this.#close(context, { eventType: 'WorkflowExecutionCompleted', result }),
    failWorkflow: (context, { failure }) => this.#close(context, { eventType: 'WorkflowExecutionFailed', failure }),
    continueAsNew: (context, command) =>
      this.deps.chains.continueAsNew(context.run, command, (body) => this.#write(context, body)),
    startChild: (context, { kind: _, ...child }) => {
      const event = this.#write(context, { eventType: 'StartChildWorkflowExecutionInitiated', ...child });
      const { run } = context;
      this.deps.core.committer.after(run, () =>
        this.deps.children.start(run, event as EventOf<'StartChildWorkflowExecutionInitiated'>),
      );
    },
    requestExternal: (context, { externalId, request }) => {
      const event = this.#write(context, { eventType: INITIATED[request.kind], externalId, request });
      const { run } = context;
      this.deps.core.committer.after(run, () => this.deps.outgoing.carryOut(run, event as ExternalInitiated));
    },
    cancelWorkflow: (context) => this.#close(context, { eventType: 'WorkflowExecutionCanceled' }),
  };

  #close(context: StepContext, body: EventBody): void {
    this.deps.closing.closed(context.run, this.#write(context, body));
  }

  #acceptUpdate(context: StepContext, updateId: string, seq: number): void {
    const { core } = this.deps;
    const { run, live } = context;
    const message = context.messages.find((candidate) => candidate.seq === seq) as MessageOf<'update'>;
    const event = this.#write(
      context,
      { eventType: 'WorkflowExecutionUpdateAccepted', updateId, updateName: message.name, input: message.input },
      message,
    );
    const entry = live.ids!.pending(updateId)!;
    entry.acceptedEventId = event.eventId;
    const { workflowId, runId } = run;
    if (core.tells('updateAccepted')) {
      core.tell(run, { name: 'updateAccepted', workflowId, runId, updateId, updateName: message.name });
    }
    // One that is completed by the same step is told as completed to whoever waits, in the same flush.
    if (context.commands.some((command) => command.kind === 'completeUpdate' && command.updateId === updateId)) return;
    core.committer.after(run, () => {
      entry.waiters = entry.waiters.filter((waiter) => {
        core.uncount(waiter);
        if ((waiter.request as { stage?: string }).stage !== 'ACCEPTED') return true;
        core.reply(waiter, { kind: 'updateAccepted', runId });
        return false;
      });
    });
  }

  #completeUpdate(context: StepContext, { updateId, result, failure }: CommandOf<'completeUpdate'>): void {
    const { core } = this.deps;
    const { run, live } = context;
    const ids = live.ids!;
    const entry = ids.pending(updateId)!;
    this.#write(context, {
      eventType: 'WorkflowExecutionUpdateCompleted',
      updateId,
      acceptedEventId: entry.acceptedEventId,
      ...(result === undefined ? {} : { result }),
      ...(failure === undefined ? {} : { failure }),
    });
    const outcome = { result, failure };
    entry.outcome = outcome;
    core.committer.after(run, () => {
      // Within this callback the run's newest frame is the one that holds the event.
      ids.completed(entry, run.head);
      const { waiters } = entry;
      for (const waiter of waiters) replyOutcome(core, waiter, run.workflowId, entry, outcome);
    });
  }

  #answer(run: Run, live: Live, answer: Answer, messages: readonly Message[]): void {
    const message = messages.find((candidate) => candidate.seq === answer.seq);
    if (message?.kind === 'update') {
      this.#rejected(run, live, answer, message);
      return;
    }
    const caller = live.takeCaller(answer.seq);
    if (caller === undefined || message?.kind !== 'query') return;
    const { core } = this.deps;
    if (answer.failure === undefined) {
      const result = answer.result!;
      core.committer.after(run, () => core.reply(caller, { kind: 'queryResult', result }));
    } else if (answer.failure.kind === 'queryNotRegistered') {
      core.refuse(
        caller,
        run,
        new QueryNotRegisteredError({ queryName: message.name, registered: answer.failure.registered }),
      );
    } else if (answer.failure.kind === 'queryFailed') {
      const { reason, failure } = answer.failure;
      core.refuse(caller, run, new QueryFailedError({ queryName: message.name, reason }), failure);
    }
  }

  #rejected(run: Run, live: Live, answer: Answer, { updateId, name }: MessageOf<'update'>): void {
    const { core } = this.deps;
    const failure = answer.failure;
    if (failure === undefined || !('failure' in failure)) return;
    const entry = live.ids!.pending(updateId)!;
    live.ids!.forgetUpdate(updateId);
    const { workflowId, runId } = run;
    const error = errorRecord(
      new WorkflowUpdateFailedError({ workflowId, updateId, updateName: name }),
      failure.failure,
    );
    core.tell(run, {
      name: 'updateRejected',
      workflowId,
      runId,
      updateId,
      updateName: name,
      reason: failure.failure.message,
    });
    core.committer.after(run, () => {
      for (const waiter of entry.waiters) core.reply(waiter, { kind: 'error', error });
      entry.waiters = [];
    });
  }
}

/** The seq of the step's first message. */
function firstOf({ merged, cause }: StepReport): number {
  return merged?.[0] ?? cause;
}

/** In a merged step a cancellation may come before the firing, which the workflow then ignored. */
function cancels(step: StepReport, timerId: string): boolean {
  return step.merged !== undefined && step.commands.some((c) => c.kind === 'cancelTimer' && c.timerId === timerId);
}

function pushRan(live: Live, entry: Ran[number]): void {
  const last = live.ran[live.ran.length - 1];
  if (typeof entry !== 'number') live.ran.push(entry);
  else if (last === undefined) live.ran.push(entry);
  else if (typeof last !== 'number') {
    if (entry > last[last.length - 1]!) live.ran.push(entry);
  } else if (entry > last) live.ran[live.ran.length - 1] = entry;
}

function takeRan(live: Live): Ran {
  const { ran } = live;
  live.ran = [];
  return ran;
}
