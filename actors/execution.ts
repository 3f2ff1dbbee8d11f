/**
 * The execution: the live object of one run, a state machine that takes messages and returns commands. It knows no threads.
 * Thread: worker. In → out: step of messages → begin (synchronous part), settle (after each drain), finish (commands and answers).
 */

import type { Command } from '../mailbox/commands.js';
import { type FailureRecord, isCancellation, TemporalFailure, toFailureRecord } from '../mailbox/failures.js';
import { isThenable, type Verdict } from '../mailbox/gate.js';
import type { Message, MessageKind, MessageOf } from '../mailbox/messages.js';
import { decodePayloads, type Payload } from '../mailbox/payload.js';
import type { Answer, LogEntry } from '../mailbox/turn.js';
import { Conditions } from './conditions.js';
import { type Handler, Handlers } from './handlers.js';
import { Outbox } from './outbox.js';
import { PendingWork } from './pending-work.js';
import { answerQuery, queryFailure } from './queries.js';
import { SeededRandom } from './random.js';
import { receiveUpdate, rejectUpdate, runUpdate, validateUpdate } from './updates.js';

export interface RunInfo {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
  readonly firstRunId: string;
  readonly startTime: number;
}

export type WorkflowMain = (...args: unknown[]) => unknown;
export type Log = (level: LogEntry['level'], message: string, meta?: object) => void;

/** What an execution asks of its thread. */
export interface ExecutionHost {
  readonly log: Log;
  /** Runs an update handler so that `currentUpdateInfo` works beyond its first await. */
  inUpdate<T>(info: { id: string; name: string }, run: () => T): T;
  /** @throws PayloadConverterError, PayloadTooLargeError */
  encode(value: unknown, name: string): Payload;
  /** Makes clear what an error means that comes of the sandbox's missing globals. */
  explain<T>(thrown: T): T;
}

export type StepOutcome =
  | { readonly kind: 'done'; readonly commands: readonly Command[]; readonly answers: readonly Answer[] }
  /** The answers stand, but the actor can no longer be trusted: rebuild it. */
  | { readonly kind: 'discard'; readonly answers: readonly Answer[] }
  | { readonly kind: 'suspend'; readonly failure: FailureRecord };

/** Messages that are always stored as events of their own, so that counting them is the same live and in replay. */
const COUNTED: ReadonlySet<MessageKind> = new Set<MessageKind>([
  'start',
  'signal',
  'cancel',
  'activityResolved',
  'childStarted',
  'childResolved',
  'externalResolved',
]);

type ReadOnlyPhase =
  | { readonly kind: 'query'; readonly message: MessageOf<'query'>; readonly answer: Answer }
  | {
      readonly kind: 'validator';
      readonly message: MessageOf<'update'>;
      readonly handler: Handler;
      readonly verdict: Verdict;
    };

export class Execution {
  readonly outbox = new Outbox();
  readonly conditions = new Conditions();
  readonly handlers = new Handlers();
  readonly pending = new PendingWork(this);
  /** The workflow's clock: admission time of the message being processed, in epoch milliseconds. */
  now: number;
  replaying = false;
  cancelRequested = false;
  /** Set once the run has computed its end; only queries are processed afterwards. */
  closed = false;
  /** Messages processed and commands made: the same live and in replay, unlike the journal's count. */
  historyLength = 0;

  /** Made by the first draw. */
  #random: SeededRandom | undefined;
  #answers: Answer[] = [];
  #messages: readonly Message[] = [];
  #phase: ReadOnlyPhase | undefined;
  #fatal: { readonly error: unknown } | undefined;
  /** Promise → reason; made when first needed, for most runs never do. */
  #rejections: Map<unknown, unknown> | undefined;

  constructor(
    readonly info: RunInfo,
    private readonly main: WorkflowMain,
    readonly host: ExecutionHost,
  ) {
    this.now = info.startTime;
  }

  log(level: LogEntry['level'], message: string, meta?: object): void {
    this.host.log(level, message, meta);
  }

  /** @throws PayloadConverterError, PayloadTooLargeError */
  encode(value: unknown, name: string): Payload {
    return this.host.encode(value, name);
  }

  random(): number {
    return this.#seeded().number();
  }

  uuid4(): string {
    return this.#seeded().uuid4();
  }

  #seeded(): SeededRandom {
    this.outbox.assertWritable('a random draw');
    this.#random ??= new SeededRandom(this.info.runId);
    return this.#random;
  }

  /** The synchronous part of a step. Microtasks must drain before `settle`. */
  begin(messages: readonly Message[], replaying: boolean): void {
    this.#messages = messages;
    this.replaying = replaying;
    const only = messages.length === 1 ? messages[0] : undefined;
    if (only?.kind === 'query') {
      this.#beginQuery(only);
      return;
    }
    if (only?.kind === 'update' && !replaying && this.#beginGate(only)) return;
    // It leaves no event, so it must not move the clock either.
    if (only?.kind === 'timerFired' && !this.pending.hasTimer(only.timerId)) return;
    this.#advance(messages);
    for (const message of inStepOrder(messages)) this.#process(message);
    this.conditions.round(false);
  }

  /** After each drain. True if more microtasks may be waiting: drain again, then call again. */
  settle(): boolean {
    if (this.#phase !== undefined) return this.#endReadOnly(this.#phase);
    if (this.#fatal !== undefined || this.#messages[0]?.kind === 'query') return false;
    return this.conditions.round(true);
  }

  /** Once `settle` said that the run is quiescent. */
  finish(): StepOutcome {
    const only = this.#messages.length === 1 ? this.#messages[0] : undefined;
    for (const update of this.handlers.rejectWaitingUpdates()) {
      rejectUpdate(this, update, new Error(`No registered handler for update: ${update.name}`));
    }
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
    const commands = this.outbox.take();
    this.historyLength += commands.length;
    for (const { kind } of this.#messages) if (COUNTED.has(kind)) this.historyLength++;
    return { kind: 'done', commands, answers };
  }

  /** A promise of this step was rejected and nobody handles it (yet). */
  unhandledRejection(promise: unknown, reason: unknown): void {
    this.#rejections ??= new Map();
    this.#rejections.set(promise, reason);
  }

  rejectionHandled(promise: unknown): void {
    this.#rejections?.delete(promise);
  }

  /** Sets (or with undefined removes) a handler and gives it, before returning, what waited for it. */
  setHandler(kind: 'signal' | 'update' | 'query', name: string | undefined, handler: Handler | undefined): void {
    this.outbox.assertWritable('setHandler');
    this.handlers.set(kind, name, handler);
    if (kind === 'query' || handler === undefined) return;
    for (const message of this.handlers.release(kind, name)) this.#process(message);
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
    start: (execution, message) => execution.#start(message),
    signal: (execution, message) => execution.#signal(message),
    update: (execution, message) => receiveUpdate(execution, message),
    query: (execution, message) => execution.#beginQuery(message),
    cancel: (execution, message) => execution.#cancel(message),
    timerFired: (execution, message) => {
      if (execution.pending.timerFired(message.timerId)) execution.historyLength++;
    },
    activityResolved: (execution, message) => execution.pending.activityResolved(message),
    childStarted: () => undefined,
    childResolved: () => undefined,
    externalResolved: () => undefined,
  };

  #cancel(message: MessageOf<'cancel'>): void {
    this.cancelRequested = true;
    this.pending.cancelAll(message.reason);
  }

  #start(message: MessageOf<'start'>): void {
    const args = decodePayloads(message.input);
    let outcome: unknown;
    try {
      outcome = this.main(...args);
    } catch (error) {
      this.#mainFailed(error);
      return;
    }
    Promise.resolve(outcome).then(
      (result) => this.#mainReturned(result),
      (error) => this.#mainFailed(error),
    );
  }

  #mainReturned(result: unknown): void {
    let payload: Payload;
    try {
      payload = this.encode(result, 'result');
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#warnOfUnfinished();
    this.#close({ kind: 'completeWorkflow', result: payload });
  }

  /** A failure thrown by main or by a signal handler fails the run; anything else breaks the step. */
  #mainFailed(error: unknown): void {
    if (this.cancelRequested && isCancellation(error)) {
      this.#warnOfUnfinished();
      this.#close({ kind: 'cancelWorkflow' });
    } else if (error instanceof TemporalFailure) {
      this.#close({ kind: 'failWorkflow', failure: toFailureRecord(error) });
    } else {
      this.fail(error);
    }
  }

  #close(command: Command): void {
    if (this.closed) return;
    this.outbox.push(command);
    this.closed = true;
    this.#closedAt = this.#messages;
  }

  #warnOfUnfinished(): void {
    const unfinished = this.handlers.unfinished();
    if (unfinished.length === 0 || this.closed) return;
    const names = unfinished.map(({ kind, name, id }) => `${kind} ${name}${id === undefined ? '' : ` (${id})`}`);
    this.log(
      'warn',
      `Workflow finished while handlers are still running: ${names.join(', ')}. Their work is cut off and senders of these updates get an ` +
        'error. Wait with condition(allHandlersFinished) before returning, or set unfinishedPolicy to ABANDON',
    );
  }

  #signal(message: MessageOf<'signal'>): void {
    const handler = this.handlers.find('signal', message.name);
    if (handler === undefined) {
      this.handlers.hold(message);
      return;
    }
    let outcome: unknown;
    try {
      outcome = handler.run(message.name, decodePayloads(message.input));
    } catch (error) {
      this.#mainFailed(error);
      return;
    }
    if (!isThenable(outcome)) return;
    const entry = this.handlers.began({ kind: 'signal', name: message.name, abandon: handler.abandon });
    outcome.then(
      () => this.handlers.ended(entry),
      (error) => {
        this.handlers.ended(entry);
        this.#mainFailed(error);
      },
    );
  }

  /** True if the update is not to be processed now: it has no handler, or its validator's microtasks must drain under guard first. */
  #beginGate(message: MessageOf<'update'>): boolean {
    if (this.closed) return false;
    const handler = this.handlers.find('update', message.name);
    if (handler === undefined) {
      this.handlers.hold(message);
      return true;
    }
    this.#phase = { kind: 'validator', message, handler, verdict: validateUpdate(this, message, handler) };
    return true;
  }

  #beginQuery(message: MessageOf<'query'>): void {
    this.outbox.guard(`the handler of query '${message.name}'`);
    this.#phase = { kind: 'query', message, answer: answerQuery(this, message) };
  }

  /** The microtasks of a query or validator have drained: whatever they did is known. */
  #endReadOnly(phase: ReadOnlyPhase): boolean {
    this.#phase = undefined;
    const violation = this.outbox.unguard();
    if (violation !== undefined) this.fail(violation);
    if (phase.kind === 'query') {
      this.#answers.push(phase.answer);
      return false;
    }
    const { message, handler, verdict } = phase;
    if (violation !== undefined) return false;
    if (!verdict.pass) {
      rejectUpdate(this, message, verdict.error);
      return false;
    }
    this.#advance(this.#messages);
    runUpdate(this, message, handler);
    this.conditions.round(false);
    return true;
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

/** Signals and updates in seq order, then the rest, so that `main` sees what they changed. */
function inStepOrder(messages: readonly Message[]): readonly Message[] {
  if (messages.length < 2) return messages;
  const isMail = (message: Message) => message.kind === 'signal' || message.kind === 'update';
  return [...messages.filter(isMail), ...messages.filter((message) => !isMail(message))];
}
