/**
 * The model of one run: what a script does with its messages, one after the other, without promises, workers, journal or replay.
 * Thread: the test's. In → out: steps of messages → state, outcomes and close.
 *
 * It knows one rule of time within a step: code goes on in the order in which what it awaits was settled.
 */
import { expect } from 'vitest';
import { SeededRandom } from '../../actors/random.js';
import { ApplicationFailure, CancelledFailure, fromFailureRecord, isCancellation } from '../../mailbox/failures.js';
import type { Message, MessageOf } from '../../mailbox/messages.js';
import { decodePayload } from '../../mailbox/payload.js';
import {
  type Effect,
  freshState,
  perform,
  type Running,
  refuses,
  type Script,
  type SignalName,
  type State,
  type Statement,
  type UpdateName,
  type World,
} from './script.test-kit.js';

export type Outcome = { readonly result: string } | { readonly failed: 'OnPurpose' | 'cancelled' };
export type Close =
  | { readonly kind: 'completed'; readonly state: State }
  | { readonly kind: 'continued'; readonly next: State }
  | { readonly kind: 'failed'; readonly final: boolean }
  | { readonly kind: 'cancelled' };

type Mail = MessageOf<'signal'> | MessageOf<'update'>;
type Ended = (outcome: { readonly value: string } | { readonly error: unknown }) => void;

/** What a query could have been told, and what an update could have been refused for. */
export interface Moment {
  readonly state: string;
  /** By their validators. */
  readonly refused: ReadonlySet<UpdateName>;
  readonly unopened: ReadonlySet<UpdateName>;
  /** In the middle of a step, where no query comes. */
  readonly within: boolean;
}

class Continued {
  constructor(readonly next: State) {}
}

const UPDATES: readonly UpdateName[] = ['u', 'v', 'lateUpdate'];

interface Scope {
  readonly parent: Scope | undefined;
  readonly cancellable: boolean;
  cancelled: boolean;
}

/** A script under way. `ended` is called as it ends. */
interface Task {
  readonly running: Running;
  readonly scope: Scope;
  readonly ended: Ended;
}

/** Something awaited, in the order in which it began. */
interface Pending {
  readonly scope: Scope;
  /** Undefined: a scope's own time-out. */
  readonly effect: Effect | undefined;
  /** Who goes on when it is settled; of a child that has started and is not asked for: nobody. */
  task: Task | undefined;
  readonly timer?: { readonly id: string; readonly fireAt: number };
  /** Of an activity or a child. */
  readonly id?: string;
  /** Of a child that nobody asked for when it ended. */
  outcome?: Settled;
}

type Settled = { readonly answer: unknown } | { readonly error: unknown };

export class Model {
  /** Of every step, and within those that take several messages. */
  readonly moments: Moment[] = [];
  /** Tags of signals and updates in the order in which their handlers began. */
  readonly handled: string[] = [];
  /** Of accepted updates, by update id; undefined while they run. */
  readonly outcomes = new Map<string, Outcome | undefined>();
  close: Close | undefined;
  now = 0;
  readonly #root: Scope = { parent: undefined, cancellable: true, cancelled: false };
  /** Of the code that runs. */
  #scope = this.#root;
  #pending: Pending[] = [];
  /** Continuations: what they await has been settled. */
  #ready: (() => void)[] = [];
  #buffer: Mail[] = [];
  #open = new Set<string>();
  #inProgress = 0;
  /** With a marker so far. */
  readonly #patches = new Set<string>();
  #isNew = false;
  #timers = 0;
  #activities = 0;
  #children = 0;
  #locked = false;
  #cancelled = false;
  readonly #random: SeededRandom;
  readonly #world: World;

  constructor(
    private readonly script: Script,
    runId: string,
    readonly state: State = freshState(),
  ) {
    this.#random = new SeededRandom(runId);
    this.#world = {
      state: this.state,
      draw: () => Math.floor(this.#random.number() * 1000),
      open: () => this.#openLate(),
      release: () => this.#release(),
      allFinished: () => this.#inProgress === 0,
      patched: (id) => {
        if (this.#isNew) expect(this.#patches, 'code that runs for the first time goes the new way').toContain(id);
        return this.#patches.has(id);
      },
      cancelScope: () => {
        if (this.#scope !== this.#root) this.#cancel(this.#scope);
      },
      show: () => undefined,
    };
  }

  /** Tags of signals that no handler has taken. */
  get waiting(): string[] {
    return this.#buffer.map(tagOf);
  }

  /** Ids of the activities that it waits for, local ones too. */
  get activities(): string[] {
    return this.#pending.flatMap(({ effect, id }) => (effect?.kind === 'activity' && id !== undefined ? [id] : []));
  }

  /** The earliest time at which a timer that runs is due. */
  get nextTimer(): number {
    return Math.min(...this.#pending.flatMap(({ timer }) => (timer === undefined ? [] : [timer.fireAt])));
  }

  /**
   * @param patches those of which the step records a marker
   * @param isNew the step ran for the first time with the new code
   */
  step(messages: readonly Message[], patches: readonly string[], isNew: boolean): void {
    for (const id of patches) this.#patches.add(id);
    this.#isNew = isNew;
    const merged = messages.length > 1;
    const ordered = merged ? [...messages.filter(isMail), ...messages.filter((message) => !isMail(message))] : messages;
    if (!merged && messages[0]!.kind === 'timerFired' && this.#timer(messages[0]!) === undefined) return;
    for (const { kind, time } of messages) {
      if (!merged || (kind !== 'update' && kind !== 'timerFired')) this.now = Math.max(this.now, time);
    }
    for (const message of ordered) {
      this.#receive(message);
      if (merged) this.#note('within');
    }
    this.#round('at once');
    do this.#drain();
    while (this.#round('whole'));
    this.#buffer = this.#buffer.filter(({ kind }) => kind === 'signal');
    this.#note('after');
  }

  #note(when: 'within' | 'after'): void {
    this.moments.push({
      state: JSON.stringify(this.state),
      refused: new Set(UPDATES.filter((name) => refuses(this.state, this.script.updates[name].refused))),
      unopened: new Set(UPDATES.filter((name) => !this.#open.has(name))),
      within: when === 'within',
    });
  }

  #receive(message: Message): void {
    switch (message.kind) {
      case 'start':
        for (const name of ['end', 'a', 'b', 'u', 'v']) this.#openOne(name);
        this.#begin(this.script.main, 'main', this.#root, (outcome) => this.#mainEnded(outcome));
        break;
      case 'signal':
      case 'update':
        if (this.#open.has(message.name)) this.#handle(message);
        else this.#buffer.push(message);
        break;
      case 'cancel':
        this.#cancelled = true;
        this.#cancel(this.#root);
        break;
      case 'timerFired': {
        const pending = this.#timer(message);
        if (pending === undefined) break;
        if (pending.effect !== undefined) this.#settle(pending, pending.effect.kind === 'wait' ? false : undefined);
        else {
          this.#remove(pending);
          this.#cancel(pending.scope);
        }
        break;
      }
      case 'localActivityResolved':
      case 'activityResolved': {
        const pending = this.#byId('activity', message.activityId);
        if (pending !== undefined) this.#end(pending, outcomeOf(message));
        break;
      }
      case 'childStarted': {
        const child = this.#byId('startChild', message.childId);
        if (child?.task === undefined) break;
        this.#goOnLater(child.task, child);
        child.task = undefined;
        break;
      }
      case 'childResolved': {
        const child = this.#byId('startChild', message.childId);
        if (child !== undefined) this.#end(child, outcomeOf(message));
        break;
      }
      // Of the request that a child be cancelled, which nobody waits for.
      case 'externalResolved':
        break;
      default:
        throw new Error(`A script has no ${message.kind}`);
    }
  }

  #timer(message: Message): Pending | undefined {
    return this.#pending.find(({ timer }) => message.kind === 'timerFired' && timer?.id === message.timerId);
  }

  #byId(kind: 'activity' | 'startChild', id: string): Pending | undefined {
    return this.#pending.find((pending) => pending.effect?.kind === kind && pending.id === id);
  }

  #cancel(scope: Scope): void {
    if (scope.cancelled) return;
    scope.cancelled = true;
    const error = new CancelledFailure('cancelled');
    for (const pending of this.#pending.filter(({ scope: of }) => isCancelled(of))) this.#end(pending, { error });
  }

  #handle(message: Mail, scope = this.#root): void {
    const tag = tagOf(message);
    this.handled.push(tag);
    if (message.name === 'end') {
      this.state.cells.end++;
      return;
    }
    this.#inProgress++;
    if (message.kind === 'signal') {
      this.#begin(this.script.signals[message.name as SignalName], tag, scope, (outcome) => {
        this.#inProgress--;
        if ('error' in outcome) this.#codeFailed(outcome.error);
      });
      return;
    }
    this.outcomes.set(message.updateId, undefined);
    this.#begin(this.script.updates[message.name as UpdateName].body, tag, scope, (outcome) => {
      this.#inProgress--;
      this.outcomes.set(
        message.updateId,
        'value' in outcome
          ? { result: outcome.value }
          : { failed: isCancellation(outcome.error) ? 'cancelled' : 'OnPurpose' },
      );
    });
  }

  #openLate(): void {
    for (const name of ['late', 'lateUpdate']) this.#openOne(name);
  }

  #openOne(name: string): void {
    this.#open.add(name);
    const released = this.#buffer.filter((mail) => mail.name === name);
    this.#buffer = this.#buffer.filter((mail) => mail.name !== name);
    this.#note('within');
    for (const mail of released) {
      this.#handle(mail, this.#scope);
      this.#note('within');
    }
  }

  /** The handler of a message, or main. */
  #begin(statements: readonly Statement[], tag: string, scope: Scope, ended: Ended): void {
    const running = perform(statements, tag, this.#world);
    const task = { running, scope, ended: (outcome: Parameters<Ended>[0]) => this.#ready.push(() => ended(outcome)) };
    this.#advance(task, () => running.next());
  }

  /** Lets a script go on until it waits or ends. */
  #advance(task: Task, go: () => IteratorResult<Effect, string>): void {
    const outside = this.#scope;
    this.#scope = task.scope;
    try {
      const next = go();
      if (next.done === true) task.ended({ value: next.value });
      else this.#await(task, next.value);
    } catch (error) {
      task.ended({ error });
    } finally {
      this.#scope = outside;
    }
  }

  #await(task: Task, effect: Effect): void {
    if (effect.kind === 'continueAsNew') this.#throwLater(task, new Continued(structuredClone(effect.next)));
    else if (effect.kind === 'scope') this.#openScope(task, effect);
    else if (effect.kind === 'awaitChild') this.#awaitChild(task, effect.child as Pending);
    else if (isCancelled(task.scope)) this.#throwLater(task, new CancelledFailure('cancelled'));
    else this.#wait(task, effect);
  }

  #wait(task: Task, effect: Exclude<Effect, { readonly kind: 'continueAsNew' | 'scope' | 'awaitChild' }>): void {
    const pending: Pending = { scope: task.scope, effect, task };
    switch (effect.kind) {
      case 'acquire':
        if (this.#locked) this.#pending.push(pending);
        else {
          this.#locked = true;
          this.#goOnLater(task, undefined);
        }
        break;
      case 'wait': {
        const { until, timeout } = effect;
        if (until()) this.#goOnLater(task, timeout === undefined ? undefined : true);
        else this.#pending.push(timeout === undefined || timeout === 0 ? pending : this.#timed(pending, timeout));
        break;
      }
      case 'sleep':
        this.#pending.push(this.#timed(pending, effect.ms));
        break;
      case 'activity':
        this.#pending.push({ ...pending, id: String(++this.#activities) });
        break;
      case 'startChild':
        this.#pending.push({ ...pending, id: String(++this.#children) });
        break;
      case 'tell':
        throw new Error('The model knows no other workflows');
    }
  }

  #timed(pending: Pending, ms: number): Pending {
    return { ...pending, timer: { id: String(++this.#timers), fireAt: this.now + Math.max(1, ms) } };
  }

  #awaitChild(task: Task, child: Pending): void {
    if (child.outcome === undefined) child.task = task;
    else this.#tell(task, child.outcome);
  }

  /** A scope's promise follows that of the function in it: with a time-out through an await, without through a promise that adopts it. */
  #openScope(outer: Task, { scope: kind, ms, body }: Extract<Effect, { readonly kind: 'scope' }>): void {
    const scope: Scope = { parent: outer.scope, cancellable: kind !== 'nonCancellable', cancelled: false };
    const timer =
      kind === 'timeout' && !isCancelled(outer.scope)
        ? this.#timed({ scope, effect: undefined, task: undefined }, ms)
        : undefined;
    if (timer !== undefined) this.#pending.push(timer);
    let outcome: Settled | undefined;
    let adopted = timer !== undefined;
    const finish = () => {
      if (timer !== undefined) this.#remove(timer);
      this.#tell(outer, outcome!);
    };
    const running = body();
    const ended: Ended = (end) => {
      outcome = 'error' in end ? end : { answer: end.value };
      if (adopted) this.#ready.push(finish);
    };
    this.#advance({ running, scope, ended }, () => running.next());
    if (timer !== undefined) return;
    this.#ready.push(() => {
      adopted = true;
      if (outcome !== undefined) this.#ready.push(finish);
    });
  }

  #release(): void {
    const next = this.#pending.find(({ effect }) => effect?.kind === 'acquire');
    if (next === undefined) this.#locked = false;
    else this.#settle(next, undefined);
  }

  /** Every condition that is true, in the order in which they began; after a whole round those that wait for no more than one. */
  #round(which: 'at once' | 'whole'): boolean {
    let any = false;
    for (const pending of [...this.#pending]) {
      const { effect } = pending;
      if (effect?.kind !== 'wait') continue;
      const answer = effect.until();
      if (!answer && !(which === 'whole' && effect.timeout === 0)) continue;
      this.#settle(pending, effect.timeout === undefined ? undefined : answer);
      any = true;
    }
    return any;
  }

  #settle(pending: Pending, answer: unknown): void {
    this.#end(pending, { answer });
  }

  #end(pending: Pending, outcome: Settled): void {
    this.#remove(pending);
    pending.outcome = outcome;
    if (pending.task !== undefined) this.#tell(pending.task, outcome);
  }

  #remove(pending: Pending): void {
    this.#pending = this.#pending.filter((each) => each !== pending);
  }

  #tell(task: Task, outcome: Settled): void {
    if ('error' in outcome) this.#throwLater(task, outcome.error);
    else this.#goOnLater(task, outcome.answer);
  }

  #goOnLater(task: Task, answer: unknown): void {
    this.#ready.push(() => this.#advance(task, () => task.running.next(answer)));
  }

  #throwLater(task: Task, error: unknown): void {
    this.#ready.push(() => this.#advance(task, () => task.running.throw(error)));
  }

  #drain(): void {
    for (let go = this.#ready.shift(); go !== undefined; go = this.#ready.shift()) go();
  }

  #mainEnded(outcome: Parameters<Ended>[0]): void {
    if ('error' in outcome) this.#codeFailed(outcome.error);
    else this.close ??= { kind: 'completed', state: structuredClone(this.state) };
  }

  #codeFailed(error: unknown): void {
    if (error instanceof Continued) this.close ??= { kind: 'continued', next: error.next };
    else if (this.#cancelled && isCancellation(error)) this.close ??= { kind: 'cancelled' };
    else this.close ??= { kind: 'failed', final: !(error instanceof ApplicationFailure) || error.nonRetryable };
  }
}

function isCancelled({ parent, cancellable, cancelled }: Scope): boolean {
  return cancellable && (cancelled || (parent !== undefined && isCancelled(parent)));
}

function outcomeOf({
  result,
  failure,
}: MessageOf<'activityResolved' | 'localActivityResolved' | 'childResolved'>): Settled {
  if (failure !== undefined) return { error: fromFailureRecord(failure) };
  return { answer: result === undefined ? undefined : decodePayload(result) };
}

function isMail(message: Message): boolean {
  return message.kind === 'signal' || message.kind === 'update';
}

/** What the senders of scripted signals and updates call them. */
export function tagOf({ input }: { readonly input: readonly Uint8Array[] }): string {
  return decodePayload(input[0]!) as string;
}
