/**
 * The turn runner: works through one turn's slices, one step after the other, each drained before the next begins.
 * Thread: worker. In → out: slices → report. Steps run in `setImmediate` callbacks, between any two of which Node drains all microtasks.
 */

import type { Command } from '../mailbox/commands.js';
import type { WorkflowEvent } from '../mailbox/events.js';
import { toFailureRecord } from '../mailbox/failures.js';
import type { Message } from '../mailbox/messages.js';
import { encodePlain } from '../mailbox/payload.js';
import {
  decodeEvents,
  type Load,
  type LocalActivityCommand,
  type LogEntry,
  type Slice,
  type SliceEnd,
  type SliceReport,
  type SlowStep,
  type StepReport,
  type StepSinks,
  type SuspendReason,
  type TurnReport,
} from '../mailbox/turn.js';
import { SharedObjectChangedError } from '../runtime/errors.js';
import { ActorTable } from './actor-table.js';
import { setCurrent } from './current.js';
import { newerFlags } from './engine-flags.js';
import type { Execution } from './execution.js';
import { compare, copiedParts, replaySteps } from './replay.js';
import { SlowStepMeter, type StepWatch } from './step-watch.js';
import type { Log, RunInfo } from './surroundings.js';

interface Step {
  readonly messages: readonly Message[];
  /** Set for a step of a replay. */
  readonly expected?: readonly WorkflowEvent[];
  readonly engineFlags?: number | undefined;
}

/** Each says what workflow code has changed of them; it is as before again. @throws Error if it cannot be put back: the thread must end */
export interface SharedObjects {
  /** After each step. */
  check(): string | undefined;
  /** After each turn: thorough. */
  restore(): string | undefined;
}

export interface TurnRunnerOptions {
  /** Makes the actor of a run, or says why it cannot be. */
  readonly create: (load: Load & RunInfo, log: Log) => Execution | SuspendReason;
  /** The first place of workflow code in a stack. */
  readonly place: (stack: string) => string | undefined;
  readonly watch: StepWatch;
  /** What executions share and nothing can lock. Without it nobody looks. */
  readonly shared?: SharedObjects | undefined;
  /** Monotonic milliseconds, for the turn's length only. */
  readonly monotonic: () => number;
  /** Milliseconds of CPU time that the thread has had, or more. Called rarely. */
  readonly cpu: () => number;
  /** Calls back after all microtasks have drained. */
  readonly afterDrain: (callback: () => void) => void;
}

/** A turn hands back what it has not begun after this long, so that no run waits long for its neighbours. */
const TURN_BUDGET_MS = 5;
/** Callbacks queued ahead: those queued together run in one phase of the event loop. */
const MAX_AHEAD = 1024;

export class TurnRunner {
  readonly #runs = new ActorTable();
  #turn: Turn | undefined;
  #logs: LogEntry[] = [];
  readonly #meter: SlowStepMeter;

  constructor(private readonly options: TurnRunnerOptions) {
    this.#meter = new SlowStepMeter(options.cpu);
  }

  /** One turn at a time. Never rejects over workflow code. */
  run(slices: readonly Slice[]): Promise<TurnReport> {
    return new Promise((resolve, reject) => {
      const done = (turn: Turn) => {
        this.#turn = undefined;
        const logs = this.#logs;
        this.#logs = [];
        resolve({ slices: turn.reports, logs, slow: turn.slow, sinks: turn.sinks });
      };
      this.#turn = new Turn(slices, this.#runs, this.options, this.#meter, done, reject, this.#log, this.#logs);
      this.#turn.start();
    });
  }

  readonly #log = (run: number, level: LogEntry['level'], message: string, meta: object | undefined): void => {
    this.#logs.push({ run, level, message, ...(meta === undefined ? {} : { meta: encodeMeta(meta) }) });
  };

  unhandledRejection(promise: unknown, reason: unknown): void {
    this.#turn?.execution?.unhandledRejection(promise, reason);
  }

  /** Thrown where no caller is: by a listener of an event target. It counts as thrown by the step. */
  uncaughtException(error: unknown): void {
    this.#turn?.execution?.fail(error);
  }

  rejectionHandled(promise: unknown): void {
    this.#turn?.execution?.rejectionHandled(promise);
  }
}

class Turn {
  /** The execution being stepped. */
  execution: Execution | undefined;

  readonly reports: SliceReport[] = [];
  readonly slow: SlowStep[] = [];
  sinks: StepSinks[] = [];

  readonly #deadline: number;
  #ahead = 0;
  /** In slices not yet begun. */
  #laterSteps = 0;
  #nextSlice = 0;
  #slice: Slice | undefined;
  #steps: Step[] = [];
  #nextStep = 0;
  #stepReports: StepReport[] = [];
  #processed = 0;
  /** The slice's actor is being rebuilt. */
  #rebuilding = false;
  #underWay: readonly LocalActivityCommand[] | undefined;
  #expected: readonly WorkflowEvent[] | undefined;
  /** The replay under way is made a second time, to find where its commands are made. */
  #tracing = false;
  #messages: readonly Message[] | undefined;
  #loggedBefore = 0;

  constructor(
    private readonly slices: readonly Slice[],
    private readonly runs: ActorTable,
    private readonly options: TurnRunnerOptions,
    private readonly meter: SlowStepMeter,
    private readonly done: (turn: Turn) => void,
    private readonly broke: (error: unknown) => void,
    private readonly log: (run: number, level: LogEntry['level'], message: string, meta: object | undefined) => void,
    /** What has been logged in this turn. */
    private readonly logged: LogEntry[],
  ) {
    this.#deadline = options.monotonic() + TURN_BUDGET_MS;
  }

  start(): void {
    for (const slice of this.slices) this.#laterSteps += slice.steps.length;
    this.#queueAhead(this.#laterSteps + 2);
  }

  #queueAhead(count: number): void {
    const limited = Math.min(Math.max(1, count), MAX_AHEAD);
    for (let i = 0; i < limited; i++) this.options.afterDrain(this.#pump);
    this.#ahead += limited;
  }

  /** Runs with no microtask waiting; never throws, for a throw would let the next callback run before the drain. */
  readonly #pump = (): void => {
    this.#ahead--;
    if (this.#finished) return;
    try {
      if (this.#advance()) {
        // Some steps take several drains: for all that is left, or each further one would cost a whole turn of the event loop.
        if (this.#ahead === 0) this.#queueAhead(2 * (this.#steps.length - this.#nextStep + this.#laterSteps) + 2);
        return;
      }
      this.#finished = true;
      setCurrent(undefined);
      this.options.shared?.restore();
      this.done(this);
    } catch (error) {
      this.#finished = true;
      setCurrent(undefined);
      this.broke(error);
    }
  };
  #finished = false;

  /** Goes on until something needs a drain; false once all is done. */
  #advance(): boolean {
    if (this.#messages !== undefined) {
      if (this.execution!.settle()) return true;
      this.#endStep();
    }
    for (;;) {
      if (this.#slice !== undefined && this.#nextStep < this.#steps.length) {
        if (this.#beginStep()) return true;
        continue;
      }
      if (this.#slice !== undefined) this.#endSlice({ kind: 'resident' });
      if (!this.#beginSlice()) return false;
    }
  }

  #beginSlice(): boolean {
    const slice = this.slices[this.#nextSlice++];
    if (slice === undefined) return false;
    if (slice.evict === true) {
      this.runs.delete(slice.run);
      return true;
    }
    this.#laterSteps -= slice.steps.length;
    this.#slice = slice;
    this.#tracing = false;
    this.#nextStep = 0;
    this.#stepReports = [];
    this.#processed = 0;
    this.#rebuilding = false;
    this.#underWay = undefined;
    this.#steps = slice.steps.map((messages) => ({ messages }));
    if (slice.load !== undefined) {
      if (this.#begunLive && this.options.monotonic() > this.#deadline) {
        // Not loaded now only to be handed back with nothing done.
        this.#endSlice({ kind: 'discarded' });
        return true;
      }
      this.#load(slice, slice.load);
    }
    this.execution = this.runs.get(slice.run);
    if (this.#slice !== undefined && this.execution === undefined) this.#endSlice({ kind: 'discarded' });
    else setCurrent(this.execution);
    return true;
  }

  #load(slice: Slice, load: Load): void {
    let firstEventId = 1;
    const events: WorkflowEvent[] = [];
    for (const frame of load.frames) {
      const decoded = decodeEvents(frame, firstEventId);
      firstEventId += decoded.length;
      for (const event of decoded) events.push(event);
    }
    const tooNew = newerFlags(events);
    if (tooNew !== undefined) {
      this.#endSlice({ kind: 'suspended', error: { kind: 'threw', failure: toFailureRecord(tooNew) } });
      return;
    }
    const copied = copiedParts(events);
    const replayed = replaySteps(events, load.ran);
    const replaying = replayed.length > 0;
    const log: Log = (level, message, meta) => {
      // Whichever turn it is then: an actor outlives the turn that made it. While it is made it is not there yet.
      const silent = this.runs.get(slice.run)?.replaying ?? replaying;
      if (!silent) this.log(slice.run, level, message, meta);
    };
    // Evaluating the user's modules may take for ever, as a step may.
    this.options.watch.evaluates(slice.run);
    const made = this.options.create(replaying ? { ...load, replaying, ...(copied && { copied }) } : load, log);
    this.options.watch.ended();
    if ('kind' in made) {
      this.#endSlice({ kind: 'suspended', error: made });
      return;
    }
    this.runs.set(slice.run, made);
    if (this.#tracing) made.outbox.trace();
    this.#steps = [...replayed, ...this.#steps];
    this.#rebuilding = true;
  }

  /** Once it has replayed all that it had done. */
  #rebuilt(): void {
    if (!this.#rebuilding) return;
    this.#rebuilding = false;
    this.#underWay = this.execution!.localActivitiesUnderWay;
  }

  /** False if the step was not begun because the turn's time is up or the run has closed. */
  #beginStep(): boolean {
    const step = this.#steps[this.#nextStep]!;
    const isQuery = step.messages[0]!.kind === 'query';
    const live = step.expected === undefined;
    const now = this.options.monotonic();
    // What follows a computed close is for the supervisor to decide on; a replay is never left half done.
    if (live && ((this.execution!.closed && !isQuery) || (now > this.#deadline && this.#begunLive))) {
      this.#steps = [];
      return false;
    }
    if (live) {
      this.#begunLive = true;
      this.#rebuilt();
    }
    this.meter.began(now);
    this.#nextStep++;
    this.#messages = step.messages;
    this.#expected = step.expected;
    this.#loggedBefore = this.logged.length;
    this.options.watch.began(this.#slice!.run, live ? step.messages[0]!.seq : 0);
    this.execution!.begin(step.messages, step.expected, step.engineFlags);
    return true;
  }
  /** Every turn processes at least one message, or a slow replay would hand everything back for ever. */
  #begunLive = false;

  #endStep(): void {
    const ms = this.meter.ended(this.options.monotonic());
    if (ms !== undefined) this.slow.push({ run: this.#slice!.run, ms });
    const messages = this.#messages!;
    const expected = this.#expected;
    this.#messages = undefined;
    const last = messages[messages.length - 1]!.seq;
    const outcome = this.execution!.finish();
    const changed = this.options.shared?.check();
    // Not before: where the check throws, it is known whose step it was.
    this.options.watch.ended();
    if (changed !== undefined) {
      const failure = toFailureRecord(new SharedObjectChangedError({ name: changed }));
      this.#discard({ kind: 'suspended', error: { kind: 'threw', failure } });
      return;
    }
    if (outcome.kind === 'suspend') {
      this.#discard({ kind: 'suspended', error: { kind: 'threw', failure: outcome.failure } });
      return;
    }
    if (outcome.kind === 'apart') {
      this.logged.length = this.#loggedBefore;
      this.#discard({ kind: 'discarded', apart: outcome.answers });
      return;
    }
    const calls = outcome.kind === 'done' ? this.execution!.takeSinkCalls() : undefined;
    if (calls !== undefined && calls.length > 0) {
      this.sinks.push({ run: this.#slice!.run, cause: expected === undefined ? last : 0, calls });
    }
    if (expected !== undefined) {
      if (outcome.kind === 'done') this.#compare(outcome.commands, expected);
      return;
    }
    this.#processed = last;
    const commands = outcome.kind === 'done' ? outcome.commands : [];
    const engineFlags = outcome.kind === 'done' && outcome.engineFlags !== 0 ? outcome.engineFlags : undefined;
    const merged = messages.length > 1 ? messages.map(({ seq }) => seq) : undefined;
    if (commands.length > 0 || outcome.answers.length > 0 || merged !== undefined || engineFlags !== undefined) {
      const { answers } = outcome;
      this.#stepReports.push({ cause: last, merged, time: this.execution!.now, commands, answers, engineFlags });
    }
    if (outcome.kind === 'discard') this.#discard({ kind: 'discarded' });
  }

  #compare(commands: readonly Command[], expected: readonly WorkflowEvent[]): void {
    const { outbox } = this.execution!;
    const placeOf = (command: Command): string | undefined => {
      const stack = outbox.madeAt(command);
      return stack === undefined ? undefined : this.options.place(stack);
    };
    const difference = compare(commands, expected, this.#tracing ? placeOf : undefined);
    if (difference === undefined) return;
    if (this.#tracing) this.#discard({ kind: 'suspended', error: { kind: 'nondeterminism', ...difference } });
    else this.#replayAgain();
  }

  /** From the beginning, this time with the place of each command: to keep those of every replay would cost far more. */
  #replayAgain(): void {
    const slice = this.#slice!;
    this.runs.delete(slice.run);
    this.#tracing = true;
    this.sinks = this.sinks.filter(({ run }) => run !== slice.run);
    this.#nextStep = 0;
    this.#steps = slice.steps.map((messages) => ({ messages }));
    this.#load(slice, slice.load!);
    this.execution = this.runs.get(slice.run);
    setCurrent(this.execution);
  }

  #discard(end: SliceEnd): void {
    this.runs.delete(this.#slice!.run);
    this.#endSlice(end);
  }

  #endSlice(end: SliceEnd): void {
    if (end.kind === 'resident') this.#rebuilt();
    this.reports.push({
      run: this.#slice!.run,
      processed: this.#processed,
      steps: this.#stepReports,
      end,
      underWay: this.#underWay,
    });
    this.#slice = undefined;
    this.#steps = [];
    this.#nextStep = 0;
    this.execution = undefined;
    setCurrent(undefined);
  }
}

function encodeMeta(meta: object): Uint8Array {
  try {
    return encodePlain(meta, 'attributes');
  } catch (error) {
    return encodePlain({ notSerializable: toFailureRecord(error).message });
  }
}
