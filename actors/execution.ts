/**
 * The execution: the live object of one run, a state machine that takes messages and returns commands. It knows no threads.
 * Thread: worker. In → out: step of messages → begin (synchronous part), settle (after each drain), finish (commands and answers).
 */

import type { Command } from '../mailbox/commands.js';
import type { CustomPayloadConverter } from '../mailbox/converter-scope.js';
import type { WorkflowEvent } from '../mailbox/events.js';
import { ApplicationFailure, type FailureRecord, toFailureRecord } from '../mailbox/failures.js';
import type { Message, MessageKind, MessageOf } from '../mailbox/messages.js';
import type { Payload } from '../mailbox/payload.js';
import type { Answer, LocalActivityCommand, LogEntry, SinkCallRecord } from '../mailbox/turn.js';
import { AtRest } from './at-rest.js';
import { Chance } from './chance.js';
import { Children } from './children.js';
import { startMain, warnOfUnfinished } from './closing.js';
import { Conditions } from './conditions.js';
import { ENGINE_FLAGS, EngineFlag, EngineRules } from './engine-flags.js';
import { ExternalRequests } from './external-requests.js';
import type { ErrorClass } from './failure-types.js';
import { Handlers, type Setting } from './handlers.js';
import { HistorySize } from './history-size.js';
import type { Interceptors } from './interceptors.js';
import { LocalActivities } from './local-activities.js';
import { Outbox } from './outbox.js';
import { assertStepping, Patches, recordsPatch } from './patches.js';
import { PendingWork } from './pending-work.js';
import { queryFailure } from './queries.js';
import type { SeededRandom } from './random.js';
import { beginQuery, beginValidator, endReadOnly, type ReadOnlyPhase } from './read-only.js';
import type { Scope } from './scopes.js';
import { receiveSignal } from './signals.js';
import { SinkCalls } from './sink-calls.js';
import { inStepOrder, moveOn } from './step-order.js';
import type { ExecutionHost, Origin, RunInfo, StepOutcome, WorkflowMain } from './surroundings.js';
import { receiveUpdate, rejectUpdate, runUpdate } from './updates.js';

/** More of them are of no use to anybody, and would fill the way of what is. */
const MAX_LINES = 10_000;

/** Is its own root scope, so that a run which opens no other has no scope objects. */
export class Execution implements Scope {
  readonly outbox = new Outbox();
  readonly conditions = new Conditions(this);
  readonly handlers = new Handlers();
  readonly pending = new PendingWork(this);
  readonly history = new HistorySize();
  readonly #rules: EngineRules;
  #atRest: AtRest | undefined;
  /** The workflow's clock: admission time of the message being processed, in epoch milliseconds. */
  now: number;
  /** The bundle's own, as this execution sees it; set once its modules are evaluated. */
  converter: CustomPayloadConverter | undefined;
  /** Undefined if the bundle has none, or they intercept nothing. */
  interceptors: Interceptors | undefined;
  replaying: boolean;
  /** Somebody outside asked the run to cancel; how it ends depends on it. */
  cancelRequested = false;
  /** Of the root scope. */
  cancellation: string | undefined;
  /** Classes of errors that fail what they are thrown in: the workflow's own list. */
  failureTypes: readonly ErrorClass[] | undefined;
  /** Set once the run has computed its end; only queries are processed afterwards. */
  closed = false;
  /** Where the run comes from and what was noted with it; undefined for most. */
  origin: Origin | undefined;

  /** Logged in the step under way. */
  #lines = 0;
  #sinks: SinkCalls | undefined;
  #children: Children | undefined;
  #externalRequests: ExternalRequests | undefined;
  #localActivities: LocalActivities | undefined;
  /** Made by the first draw. */
  #chance: Chance | undefined;
  /** Made by the first call of `patched`, or the first marker in a replay. */
  #patches: Patches | undefined;
  /** Something of the step under way goes on that no replay would know of: the actor ends with the step. */
  mustGo = false;
  #answers: Answer[] = [];
  #apart: Answer[] | undefined;
  #messages: readonly Message[] = [];
  #phase: ReadOnlyPhase | undefined;
  #fatal: { readonly error: unknown } | undefined;
  /** Promise → reason; made when first needed, for most runs never do. */
  #rejections: Map<unknown, unknown> | undefined;

  constructor(
    readonly info: RunInfo,
    readonly main: WorkflowMain,
    readonly host: ExecutionHost,
  ) {
    this.now = info.startTime;
    this.replaying = info.replaying === true;
    this.#rules = new EngineRules(host.engineFlags ?? ENGINE_FLAGS);
  }

  /** Whether the run goes by a rule of the engine: what is not recorded is taken up where code runs for the first time, in a step that is recorded. */
  follows(flag: EngineFlag): boolean {
    return this.#rules.has(flag, !this.replaying && !this.outbox.guarded && this.#messages.length > 0);
  }

  log(level: LogEntry['level'], message: string, meta?: object): void {
    if (this.#lines++ < MAX_LINES) this.host.log(level, message, meta);
    else if (this.#lines === MAX_LINES + 1) {
      this.host.log('warn', `A step logs more than ${MAX_LINES} lines: the others are dropped`);
    }
  }

  /** @throws PayloadConverterError, PayloadTooLargeError */
  encode(value: unknown, name: string): Payload {
    return this.host.encode(value, name);
  }

  get sinks(): SinkCalls {
    this.#sinks ??= new SinkCalls(this);
    return this.#sinks;
  }

  /** Of the step that has just ended; undefined for nearly all. */
  takeSinkCalls(): SinkCallRecord[] | undefined {
    return this.#sinks?.take();
  }

  /** Made when first needed, as most runs never do. */
  get children(): Children {
    this.#children ??= new Children(this);
    return this.#children;
  }

  get externalRequests(): ExternalRequests {
    this.#externalRequests ??= new ExternalRequests(this);
    return this.#externalRequests;
  }

  get localActivities(): LocalActivities {
    this.#localActivities ??= new LocalActivities(this);
    return this.#localActivities;
  }

  /** What would have to be asked for again if whoever runs it were gone. */
  get localActivitiesUnderWay(): readonly LocalActivityCommand[] | undefined {
    return this.closed ? undefined : this.#localActivities?.underWay;
  }

  /** The run id from which random numbers and ids are made. */
  get seed(): string {
    this.#chance ??= new Chance(this.info);
    return this.#chance.seed;
  }

  random(): number {
    return this.#seeded().number();
  }

  uuid4(): string {
    return this.#seeded().uuid4();
  }

  #seeded(): SeededRandom {
    this.outbox.assertWritable('a random draw');
    this.#chance ??= new Chance(this.info);
    return this.#chance.random;
  }

  /** Whether the run goes the new way of a change; the first time that it does, a marker is recorded. */
  patched(patchId: string, deprecated: boolean): boolean {
    assertStepping(this.#messages.length > 0);
    this.#patches ??= new Patches();
    const reading = this.#messages[0]?.kind === 'query' ? 'query' : 'validator';
    const asking = this.outbox.guarded ? reading : this.replaying ? 'replaying' : 'live';
    return this.#patches.has(patchId, asking, this.outbox, deprecated);
  }

  /**
   * The synchronous part of a step. Microtasks must drain before `settle`.
   * @param recorded what the step made when it ran, if this is its replay
   * @param engineFlags the rules that it was the first to go by then
   */
  begin(messages: readonly Message[], recorded: readonly WorkflowEvent[] | undefined, engineFlags?: number): void {
    const replaying = recorded !== undefined;
    this.#messages = messages;
    this.#rules.record(engineFlags);
    for (const message of messages) if (message.kind === 'start') this.#rules.record(message.engineFlags);
    this.#lines = 0;
    this.replaying = replaying;
    if (replaying && (this.#patches !== undefined || recordsPatch(recorded))) {
      this.#patches ??= new Patches();
      this.#patches.recorded(recorded);
    }
    const only = messages.length === 1 ? messages[0] : undefined;
    if (only?.kind === 'query') {
      this.#phase = beginQuery(this, only);
      return;
    }
    if (this.info.copied !== undefined) {
      this.#chance ??= new Chance(this.info);
      this.#chance.nextStep();
    }
    if (only?.kind === 'update' && !replaying && !this.closed) {
      // Its validator's microtasks must drain under guard before its handler runs.
      this.#phase = beginValidator(this, only);
      return;
    }
    // It leaves no event, so it must not move the clock either.
    if (only?.kind === 'timerFired' && !this.pending.hasTimer(only.timerId)) return;
    this.#advance(messages);
    if (messages.length > 1) this.#processAll(messages);
    else {
      this.#process(messages[0]!);
      this.conditions.round(false);
    }
  }

  /** A merged step: conditions are examined after each message, and no microtask runs between two. */
  #processAll(messages: readonly Message[]): void {
    const asInTemporal = this.follows(EngineFlag.TemporalActivations);
    for (const message of inStepOrder(messages, asInTemporal)) {
      this.#process(message);
      if (asInTemporal) this.conditions.round(false);
    }
    if (!asInTemporal) this.conditions.round(false);
  }

  /** After each drain. True if more microtasks may be waiting: drain again, then call again. */
  settle(): boolean {
    this.handlers.drained();
    if (this.#phase !== undefined) {
      const admitted = endReadOnly(this, this.#phase);
      this.#phase = undefined;
      if (admitted === undefined) return false;
      this.#advance(this.#messages);
      runUpdate(this, admitted.message, admitted.handler);
      this.conditions.round(false);
      return true;
    }
    if (this.#apart !== undefined || this.#fatal !== undefined || this.#messages[0]?.kind === 'query') return false;
    if (this.conditions.round(true)) return true;
    // Temporal's core has nothing more to say to a run that has computed its end.
    return !this.closed && this.#atRest?.act(() => this.conditions.round(false)) === true;
  }

  /** Once everything else of the step has come to rest. */
  onceAtRest(act: () => void): void {
    this.#atRest ??= new AtRest();
    if (this.follows(EngineFlag.TemporalActivations)) this.#atRest.add(act);
    else act();
  }

  /** Once `settle` said that the run is quiescent. */
  finish(): StepOutcome {
    const only = this.#messages.length === 1 ? this.#messages[0] : undefined;
    for (const update of this.handlers.rejectWaitingUpdates()) {
      const none = `No registered handler for update: ${update.name}`;
      rejectUpdate(this, update, ApplicationFailure.nonRetryable(none, 'Error'));
    }
    if (this.#apart !== undefined) return { kind: 'apart', answers: this.#apart };
    const answers = this.#answers;
    this.#answers = [];
    if (this.#fatal === undefined && this.#rejections !== undefined && this.#rejections.size > 0) {
      this.#fatal = { error: [...this.#rejections.values()][0] };
    }
    if (this.#fatal !== undefined) {
      const failure = this.record(this.#fatal.error);
      if (only?.kind === 'query') return { kind: 'discard', answers: [queryFailure(this, only, this.#fatal.error)] };
      if (only?.kind === 'update' && !this.replaying) {
        return { kind: 'discard', answers: [{ seq: only.seq, failure: { kind: 'updateBroke', failure } }] };
      }
      return { kind: 'suspend', failure };
    }
    if (this.mustGo) return { kind: 'discard', answers };
    const commands = this.outbox.take();
    if (this.closed) {
      moveOn(commands, this.handlers, this.origin?.options);
      if (this.#closedAt === this.#messages && commands.at(-1)?.kind !== 'failWorkflow') warnOfUnfinished(this);
    }
    this.history.end(this.#messages, commands, this.replaying ? (this.#patches?.unasked ?? 0) : 0);
    return { kind: 'done', commands, answers, engineFlags: this.#rules.take() };
  }

  /** A promise of this step was rejected and nobody handles it (yet). */
  unhandledRejection(promise: unknown, reason: unknown): void {
    this.#rejections ??= new Map();
    this.#rejections.set(promise, reason);
  }

  rejectionHandled(promise: unknown): void {
    this.#rejections?.delete(promise);
  }

  /** Sets or removes handlers, and hands over, before returning, what waited for any of them, in the order in which it came. */
  setHandlers(...settings: readonly Setting[]): void {
    this.outbox.assertWritable('setHandler');
    for (const { kind, name, handler } of settings) this.handlers.set(kind, name, handler);
    this.handlers.handOver((message) => this.#process(message), this.follows(EngineFlag.TemporalActivations));
  }

  /** The update cannot be in the step of others: that is made again without it, and it comes after. */
  setApart({ seq }: MessageOf<'update'>): void {
    const error = new TypeError('Update validators must be synchronous');
    if (this.#messages.length === 1) {
      // It is by itself, and its handler came too late.
      this.fail(error);
      return;
    }
    this.#apart ??= [];
    this.#apart.push({ seq, failure: { kind: 'rejected', failure: this.record(error) } });
  }

  /** What the code threw beyond repair: the step counts as never begun. */
  fail(error: unknown): void {
    this.#fatal ??= { error };
  }

  /**
   * A merged step takes its time from what is in the history whatever the step decides; the last signal always is. An update may yet be
   * rejected and a timer be cancelled, and a replay would then know nothing of their times.
   */
  #advance(messages: readonly Message[]): void {
    this.history.begin(messages);
    const merged = messages.length > 1;
    for (const { kind, time } of messages) {
      if (merged && (kind === 'update' || kind === 'timerFired')) continue;
      if (time > this.now) this.now = time;
    }
  }

  #process(message: Message): void {
    if (this.closed && this.#closedBeforeThisStep) return;
    try {
      (Execution.#byKind[message.kind] as (execution: Execution, message: Message) => void)(this, message);
    } catch (error) {
      this.fail(error);
    }
  }

  /** A close computed earlier in the same merged step does not keep the step's other messages from being seen. */
  get #closedBeforeThisStep(): boolean {
    return this.#closedAt !== undefined && this.#closedAt !== this.#messages;
  }
  #closedAt: readonly Message[] | undefined;

  /** One table for all executions: there may be a hundred thousand. */
  static readonly #byKind: { readonly [K in MessageKind]: (execution: Execution, message: MessageOf<K>) => void } = {
    start: startMain,
    signal: receiveSignal,
    update: receiveUpdate,
    query: (execution, message) => {
      execution.#phase = beginQuery(execution, message);
    },
    cancel: (execution, message) => execution.#cancel(message),
    timerFired: (execution, message) => {
      if (execution.pending.timerFired(message.timerId)) execution.history.timerFired();
    },
    activityResolved: (execution, message) => execution.pending.activityResolved(message),
    localActivityResolved: (execution, message) => execution.localActivities.resolved(message),
    childStarted: (execution, message) => execution.children.started(message),
    childResolved: (execution, message) => execution.children.resolved(message),
    externalResolved: (execution, message) => execution.externalRequests.resolved(message),
  };

  #cancel(message: MessageOf<'cancel'>): void {
    this.cancelRequested = true;
    this.cancelRoot(message.reason ?? 'Workflow cancelled');
  }

  /** Once: what the code awaits afterwards, in scopes that shield it, is not reached by another. */
  cancelRoot(cancellation: string): void {
    this.outbox.assertWritable('cancelling a scope');
    if (this.cancellation !== undefined) return;
    this.cancellation = cancellation;
    this.pending.cancelled(this);
  }

  /** The first close that a run computes is its end. */
  close(command: Command): void {
    if (this.closed) return;
    this.outbox.push(command);
    this.outbox.keepsAll = this.follows(EngineFlag.TemporalActivations);
    this.closed = true;
    this.#closedAt = this.#messages;
  }

  answer(answer: Answer): void {
    this.#answers.push(answer);
  }

  /** A thrown value as it is told. */
  record(error: unknown): FailureRecord {
    let explained = error;
    try {
      explained = this.host.explain(error);
    } catch {
      // A value whose getters throw explains nothing.
    }
    return toFailureRecord(explained);
  }
}
