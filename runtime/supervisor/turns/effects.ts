/**
 * Effects: what the commands of a step write, and what each does once that is durable.
 * Thread: supervisor. In → out: command → event → timer, activity, child, request, answer, close.
 */
import type { BufferedSignal, Command, CommandKind, CommandOf } from '../../../mailbox/commands.js';
import type { EventBody, EventOf, ExternalInitiated, Ran, WorkflowEvent } from '../../../mailbox/events.js';
import type { Message, MessageOf } from '../../../mailbox/messages.js';
import type { Activities } from '../activities/activities.js';
import type { LocalActivities } from '../activities/local-activities.js';
import type { Core } from '../core.js';
import type { Children } from '../outgoing/children.js';
import { INITIATED, type Outgoing } from '../outgoing/outgoing.js';
import type { Chains } from '../runs/chains.js';
import type { Closing } from '../runs/closing.js';
import type { Ending } from '../runs/lifetime.js';
import type { Live, Run } from '../runs/run.js';
import { replyOutcome } from '../runs/updates.js';
import { timerOf } from '../time/pending-timers.js';
import type { Timers } from '../time/timers.js';

export interface EffectsDeps {
  readonly core: Core;
  readonly timers: Timers;
  readonly activities: Activities;
  readonly localActivities: LocalActivities;
  readonly children: Children;
  readonly outgoing: Outgoing;
  readonly closing: Closing;
  readonly chains: Chains;
}

/** Where a step's events go: the first carries `ran`, all carry `cause`. */
export interface StepContext {
  readonly run: Run;
  readonly live: Live;
  readonly cause: number;
  readonly time: number;
  /** The step's messages, to find an accepted update. */
  readonly messages: readonly Message[];
  readonly commands: readonly Command[];
  ran: Ran | undefined;
}

export class Effects {
  constructor(private readonly deps: EffectsDeps) {}

  /** The event of a message that is written with its step carries its own seq besides. */
  write<T extends EventBody>(context: StepContext, body: T, own?: { seq: number; time: number }): WorkflowEvent {
    // The literal that the caller made for this becomes the event itself: copying it would cost more than writing it.
    const event = body as WorkflowEvent;
    event.eventTime = own?.time ?? context.time;
    event.cause = context.cause;
    if (own !== undefined) event.seq = own.seq;
    if (context.ran !== undefined) event.ran = context.ran;
    context.ran = undefined;
    return this.deps.core.committer.append(context.run, event);
  }

  timerFired(context: StepContext, message: MessageOf<'timerFired'>): void {
    const timer = timerOf(context.run, message.timerId);
    // Cancelled by an earlier step: the workflow ignored it too.
    if (timer === undefined) return;
    const { timerId } = message;
    this.write(context, { eventType: 'TimerFired', timerId, startedEventId: timer.startedEventId }, message);
  }

  /**
   * Once all of a step is written, of a run that has local activities. What only this process knows to be under way is written down with the
   * first event that tells that the step which asked for it has run. Before that a restart makes the step again, which asks again.
   */
  localActivities(context: StepContext): void {
    const { localActivities } = this.deps;
    const unwritten = context.ran === undefined ? localActivities.unwritten(context.run) : undefined;
    if (unwritten !== undefined)
      this.write(context, { eventType: 'WorkflowTaskCompleted', localActivities: unwritten });
    localActivities.begin(context.run);
  }

  command(context: StepContext, command: Command): void {
    (this.#byKind[command.kind] as (context: StepContext, command: Command) => void)(context, command);
  }

  readonly #byKind: { readonly [K in CommandKind]: (context: StepContext, command: CommandOf<K>) => void } = {
    startTimer: (context, { timerId, fireAt, summary }) => {
      this.write(context, { eventType: 'TimerStarted', timerId, fireAt, ...(summary !== undefined && { summary }) });
      const { run } = context;
      this.deps.core.committer.after(run, () => this.deps.timers.arm(run, timerId));
    },
    cancelTimer: (context, { timerId }) => {
      const startedEventId = timerOf(context.run, timerId)?.startedEventId ?? 0;
      this.write(context, { eventType: 'TimerCanceled', timerId, startedEventId });
    },
    scheduleActivity: (context, { kind: _, ...activity }) => {
      const event = this.write(context, { eventType: 'ActivityTaskScheduled', ...activity });
      const { run } = context;
      this.deps.core.committer.after(run, () =>
        this.deps.activities.schedule(run, event as EventOf<'ActivityTaskScheduled'>),
      );
    },
    cancelActivity: (context, { activityId, awaited }) => {
      const { run } = context;
      const scheduledEventId = run.activities?.get(activityId)?.scheduledEventId ?? 0;
      this.write(context, {
        eventType: 'ActivityTaskCancelRequested',
        activityId,
        scheduledEventId,
        ...(awaited === true && { awaited }),
      });
      this.deps.core.committer.after(run, () => this.deps.activities.cancel(run, activityId, awaited === true));
    },
    acceptUpdate: (context, { updateId, seq }) => this.#acceptUpdate(context, updateId, seq),
    completeUpdate: (context, command) => this.#completeUpdate(context, command),
    completeWorkflow: (context, { result, buffered }) =>
      this.#end(context, { eventType: 'WorkflowExecutionCompleted', result }, buffered),
    failWorkflow: (context, { failure, buffered }) =>
      this.#end(context, { eventType: 'WorkflowExecutionFailed', failure }, buffered),
    continueAsNew: (context, command) =>
      this.deps.chains.continueAsNew(context, command, (body) => this.write(context, body)),
    startChild: (context, { kind: _, ...child }) => {
      const event = this.write(context, { eventType: 'StartChildWorkflowExecutionInitiated', ...child });
      const { run } = context;
      this.deps.core.committer.after(run, () =>
        this.deps.children.start(run, event as EventOf<'StartChildWorkflowExecutionInitiated'>),
      );
    },
    recordPatch: (context, { kind: _, ...patch }) => {
      this.write(context, { eventType: 'MarkerRecorded', marker: { kind: 'patch', ...patch } });
    },
    recordLocalCancellation: (context, { kind: _, ...cancelled }) => {
      this.write(context, { eventType: 'MarkerRecorded', marker: { kind: 'localActivity', ...cancelled } });
      this.deps.localActivities.forget(context.run, cancelled.activityId);
    },
    upsertSearchAttributes: (context, { searchAttributes }) => {
      this.write(context, { eventType: 'UpsertWorkflowSearchAttributes', searchAttributes });
    },
    modifyProperties: (context, { memo }) => {
      this.write(context, { eventType: 'WorkflowPropertiesModified', memo });
    },
    runLocalActivity: ({ run }, command) => this.deps.localActivities.ask(run, command),
    cancelLocalActivity: ({ run }, command) => this.deps.localActivities.cancel(run, command),
    requestExternal: (context, { externalId, request }) => {
      const event = this.write(context, { eventType: INITIATED[request.kind], externalId, request });
      const { run } = context;
      this.deps.core.committer.after(run, () => this.deps.outgoing.carryOut(run, event as ExternalInitiated));
    },
    cancelWorkflow: (context) => this.#close(context, { eventType: 'WorkflowExecutionCanceled' }),
  };

  #end(context: StepContext, ending: Ending, buffered: BufferedSignal[] = []): void {
    const { run } = context;
    if (run.lifetime === undefined) this.#close(context, ending);
    else this.deps.chains.end(context, ending, buffered, (body) => this.write(context, body));
  }

  #close(context: StepContext, body: EventBody): void {
    this.deps.closing.closed(context.run, this.write(context, body));
  }

  #acceptUpdate(context: StepContext, updateId: string, seq: number): void {
    const { core } = this.deps;
    const { run, live } = context;
    const message = context.messages.find((candidate) => candidate.seq === seq) as MessageOf<'update'>;
    const { name: updateName, input, headers } = message;
    const entry = live.ids!.pending(updateId)!;
    const accepted: EventBody = { eventType: 'WorkflowExecutionUpdateAccepted', updateId, updateName, input };
    if (headers !== undefined) accepted.headers = headers;
    if (entry.anonymous) accepted.anonymous = true;
    if (entry.requestId !== undefined) accepted.requestId = entry.requestId;
    const event = this.write(context, accepted, message);
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
    this.write(context, {
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
}
