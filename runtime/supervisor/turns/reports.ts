/**
 * Reports: what a worker says its steps made, turned into events and answers. Commands have effects only once their events are durable.
 * Thread: supervisor. In → out: slice report → events, replies, closes, void closes, suspensions.
 */
import { isClosing } from '../../../mailbox/commands.js';
import type { FailureRecord } from '../../../mailbox/failures.js';
import type { Message } from '../../../mailbox/messages.js';
import type { Answer, SliceReport, StepReport, SuspendReason } from '../../../mailbox/turn.js';
import type { LocalActivities } from '../activities/local-activities.js';
import { forgetOutcomes } from '../activities/local-outcomes.js';
import { refusedStep } from '../admission/attribute-checks.js';
import type { Core } from '../core.js';
import { EVERYTHING, type Live, type Run, type Waiter } from '../runs/run.js';
import type { WorkflowTypes } from '../workflow-types.js';
import { answer } from './answers.js';
import type { Dispatcher } from './dispatcher.js';
import type { Effects, StepContext } from './effects.js';
import type { Suspensions } from './suspensions.js';

export interface ReportsDeps {
  readonly core: Core;
  readonly dispatcher: Dispatcher;
  readonly effects: Effects;
  readonly localActivities: LocalActivities;
  readonly suspensions: Suspensions;
  readonly workflowTypes: () => WorkflowTypes;
  /** Admits requests that were held. */
  readonly readmit: (waiters: Waiter[]) => void;
}

export class Reports {
  constructor(private readonly deps: ReportsDeps) {}

  handle(run: Run, report: SliceReport): void {
    const live = run.live!;
    const { steps, underWay } = report;
    const knows = underWay !== undefined || (run.localActivitiesNow !== undefined && report.end.kind === 'resident');
    if (run.open && knows) this.deps.localActivities.rebuilt(run, underWay ?? []);
    const refused = run.open ? refusedStep(steps, this.deps.core.index.table.attributes) : undefined;
    if (refused !== undefined) {
      const { name: type, message } = refused.error;
      const failure: FailureRecord = { kind: 'application', type, message };
      this.#suspendAt(run, live, steps, refused.index, { kind: 'threw', failure });
      return;
    }
    // Queries may have been answered after the close; if that is void, so are they.
    const closing = steps.findIndex(({ commands }) => commands.length > 0 && isClosing(commands[commands.length - 1]!));
    const close = steps[closing];
    if (run.open && close !== undefined && this.#isVoid(live, close)) {
      this.#apply(run, live, steps.slice(0, closing), firstOf(close) - 1);
      this.#startMergedStep(run, live, close);
      return;
    }
    const unknownType = run.open ? this.#unknownNextType(close) : undefined;
    if (unknownType !== undefined) {
      this.#suspendAt(run, live, steps, closing, unknownType);
      return;
    }
    const merged = report.processed > 0 ? live.mergeThrough : 0;
    if (report.processed > 0) {
      this.deps.suspensions.resumed(run);
      this.#apply(run, live, steps, report.processed);
    }
    if (report.end.kind === 'suspended') this.deps.suspensions.suspend(run, report.end.error);
    // It was suspended while it was rebuilt, with nothing to process.
    else if (live.suspension !== undefined && live.mailbox.size === 0) this.deps.suspensions.resumed(run);
    if (merged === EVERYTHING) this.#releaseHeld(run, live);
    if (report.end.kind === 'discarded' && report.end.apart !== undefined) this.#setApart(run, live, report.end.apart);
  }

  /** Updates that cannot be in a merged step: it is made again without them, and they come after it, one by one. */
  #setApart(run: Run, live: Live, answers: readonly Answer[]): void {
    const { core } = this.deps;
    live.mailbox.redeliver();
    for (const given of answers) {
      const [message] = live.mailbox.remove(({ seq }) => seq === given.seq);
      if (message?.kind !== 'update') continue;
      // The place of one that is stored stands in the history.
      if (live.ids?.pending(message.updateId)?.stored === true) answer(core, run, live, given, [message]);
      else {
        const at = core.stamp(run);
        live.apart ??= new Set();
        live.apart.add(at.seq);
        core.deliver(run, { ...message, ...at });
      }
    }
  }

  /** Nothing is recorded of the step at `index`, and nothing of what came after it. */
  #suspendAt(run: Run, live: Live, steps: readonly StepReport[], index: number, reason: SuspendReason): void {
    this.#apply(run, live, steps.slice(0, index), firstOf(steps[index]!) - 1);
    this.deps.dispatcher.discard(run);
    this.deps.suspensions.suspend(run, reason);
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

  #startMergedStep(run: Run, live: Live, { cause, merged, commands }: StepReport): void {
    this.deps.dispatcher.discard(run);
    live.endMerge();
    live.mergeThrough = EVERYTHING;
    // An update that closed the run by itself is the first again, in the same state: its validator has let it in.
    if (merged === undefined && commands.some((command) => command.kind === 'acceptUpdate' && command.seq === cause)) {
      live.mailbox.replace(cause, (message) => ({ ...message, passed: true }) as Message);
    }
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
    if (messages.length > 0) live.endMerge();
    let next = 0;
    for (const step of steps) {
      const first = firstOf(step);
      while (next < messages.length && messages[next]!.seq < first) this.#silentStep(run, live, messages[next++]!);
      const from = next;
      while (next < messages.length && messages[next]!.seq <= step.cause) next++;
      this.#step(run, live, step, messages.slice(from, next));
    }
    while (next < messages.length) this.#silentStep(run, live, messages[next++]!);
    if (live.localOutcomes !== undefined) forgetOutcomes(live, messages);
    stepped(run, processed);
    this.deps.core.index.changed(run);
  }

  /** A step that made nothing; the firing of a timer is still recorded with it. */
  #silentStep(run: Run, live: Live, message: Message): void {
    if (message.kind !== 'timerFired') return;
    const context: StepContext = {
      run,
      live,
      cause: message.seq,
      time: message.time,
      messages: [message],
      commands: [],
      ran: [message.seq],
    };
    this.deps.effects.timerFired(context, message);
    if (run.localActivitiesNow !== undefined) this.deps.effects.localActivities(context);
  }

  #step(run: Run, live: Live, step: StepReport, messages: readonly Message[]): void {
    const { cause, time, commands } = step;
    const ran = step.merged === undefined ? [cause] : [...run.untold, step.merged];
    const context: StepContext = { run, live, cause, time, messages, commands, ran };
    for (const message of messages) {
      if (message.kind === 'timerFired' && !cancels(step, message.timerId))
        this.deps.effects.timerFired(context, message);
    }
    // Before the commands: one of them may close the run.
    if (step.engineFlags !== undefined) {
      this.deps.effects.write(context, { eventType: 'WorkflowTaskCompleted', engineFlags: step.engineFlags });
    }
    for (const command of commands) this.deps.effects.command(context, command);
    if (context.ran !== undefined && step.merged !== undefined)
      this.deps.effects.write(context, { eventType: 'WorkflowTaskCompleted' });
    if (run.localActivitiesNow !== undefined) this.deps.effects.localActivities(context);
    stepped(run, cause);
    for (const given of step.answers) answer(this.deps.core, run, live, given, messages);
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

/** Queries of a closed run move nothing: replay must end where the run did. */
function stepped(run: Run, through: number): void {
  if (run.open) run.steppedThrough = Math.max(run.steppedThrough, through);
}
