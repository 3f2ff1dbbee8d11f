/**
 * The model of one run: what a script does with its messages, one after the other, without promises, workers, journal or replay.
 * Thread: the test's. In → out: steps of messages → state, outcomes and close.
 *
 * It knows one rule of time within a step: code goes on in the order in which what it awaits was settled, so many microtasks later as the kind of
 * what is awaited takes.
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

type Waiting = Extract<Effect, { readonly kind: 'wait' }>;
type Waited = Exclude<Effect, { readonly kind: 'continueAsNew' | 'scope' | 'awaitChild' }>;

class Continued {
  constructor(readonly next: State) {}
}

const UPDATES: readonly UpdateName[] = ['u', 'v', 'lateUpdate'];

interface Scope {
  readonly parent: Scope | undefined;
  readonly cancellable: boolean;
  cancelled: boolean;
  /** Its place among all that began in the run. */
  readonly order: number;
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
  /** As for a scope. */
  readonly order: number;
  /** Undefined: the timer of a scope or of a condition. */
  readonly effect: Effect | undefined;
  /** Microtasks from its being settled until its task goes on. */
  readonly hops: number;
  /** Instead of its task's going on. */
  readonly fired?: () => void;
  readonly settled?: ((outcome: Settled) => void) | undefined;
  /** Its cancellation has reached it. */
  told?: true;
  /** Who goes on when it is settled; of a child that has started and is not asked for: nobody. */
  task: Task | undefined;
  readonly timer?: { readonly id: string; readonly fireAt: number };
  /** Of an activity or a child. */
  readonly id?: string;
  /** Of a child that nobody asked for when it ended. */
  outcome?: Settled;
}

type Began = Omit<Pending, 'order'>;
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
  readonly #root: Scope = { parent: undefined, cancellable: true, cancelled: false, order: 0 };
  /** Of the code that runs. */
  #scope = this.#root;
  #pending: Pending[] = [];
  /** Continuations: what they await has been settled. */
  #ready: (() => void)[] = [];
  #buffer: Mail[] = [];
  #open = new Set<string>();
  #inProgress = 0;
  /** A signal's handler has been called, or a handler has ended, and the microtasks have not drained since. */
  #called = false;
  /** What comes once all else in the step has come to rest. */
  #atRest: (() => void)[] = [];
  #order = 0;
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
      allFinished: () => this.#inProgress === 0 && !this.#called,
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
    const ordered = [0, 1, 2].flatMap((rank) => messages.filter((message) => rankOf(message) === rank));
    if (!merged && messages[0]!.kind === 'timerFired' && this.#timer(messages[0]!) === undefined) return;
    for (const { kind, time } of messages) {
      if (!merged || (kind !== 'update' && kind !== 'timerFired')) this.now = Math.max(this.now, time);
    }
    for (const message of ordered) {
      this.#receive(message);
      if (merged) this.#note('within');
      this.#round('at once');
    }
    do {
      this.#drain();
      this.#called = false;
    } while (this.#round('whole') || (this.close === undefined && this.#actAtRest()));
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
        this.#begin(this.script.main, 'main', this.#root, (outcome) => this.#later(3, () => this.#mainEnded(outcome)));
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
        this.#remove(pending);
        if (pending.fired !== undefined) pending.fired();
        else this.#tell(pending.task!, { answer: undefined }, pending.hops);
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
    const reached = this.#pending.filter(({ scope: of }) => isCancelled(of) && isWithin(of, scope));
    this.#later(1, () => this.#tellAll(scope, reached));
  }

  /** What began in the scope itself, and, each a microtask later, what began in the scopes inside it. */
  #tellAll(scope: Scope, reached: readonly Pending[]): void {
    const inside = new Set<Scope>();
    for (const pending of reached) {
      let at = pending.scope;
      if (at === scope) continue;
      while (at.parent !== scope) at = at.parent!;
      inside.add(at);
    }
    const direct = reached.filter((pending) => pending.scope === scope);
    for (const each of [...direct, ...inside].sort((a, b) => a.order - b.order)) {
      if ('hops' in each) this.#cancelOne(each);
      else {
        const within = reached.filter((pending) => isWithin(pending.scope, each));
        this.#later(1, () => this.#tellAll(each, within));
      }
    }
  }

  #cancelOne(pending: Pending): void {
    if (pending.told === true || !this.#pending.includes(pending)) return;
    pending.told = true;
    const end = () => {
      if (this.#pending.includes(pending)) this.#end(pending, { error: new CancelledFailure('cancelled') });
    };
    const kind = pending.effect?.kind;
    if (kind === 'activity' || kind === 'startChild') this.#atRest.push(end);
    else end();
  }

  #actAtRest(): boolean {
    const acts = this.#atRest;
    this.#atRest = [];
    for (const act of acts) {
      act();
      this.#round('at once');
    }
    return acts.length > 0;
  }

  #handle(message: Mail, scope = this.#root): void {
    const tag = tagOf(message);
    this.handled.push(tag);
    if (message.kind === 'signal') this.#called = true;
    if (message.name === 'end') {
      this.state.cells.end++;
      return;
    }
    this.#inProgress++;
    if (message.kind === 'signal') {
      this.#begin(this.script.signals[message.name as SignalName], tag, scope, (outcome) => {
        this.#later(2, () => {
          this.#handlerEnded();
          if ('error' in outcome) this.#codeFailed(outcome.error);
        });
      });
      return;
    }
    this.outcomes.set(message.updateId, undefined);
    this.#begin(this.script.updates[message.name as UpdateName].body, tag, scope, (outcome) => {
      const told: Outcome =
        'value' in outcome
          ? { result: outcome.value }
          : { failed: isCancellation(outcome.error) ? 'cancelled' : 'OnPurpose' };
      this.#later('value' in outcome ? 2 : 3, () => {
        this.#handlerEnded();
        this.outcomes.set(message.updateId, told);
      });
    });
  }

  /** Until the microtasks have drained it counts as in progress. */
  #handlerEnded(): void {
    this.#inProgress--;
    this.#called = true;
  }

  #openLate(): void {
    for (const name of ['late', 'lateUpdate']) this.#openOne(name);
  }

  #openOne(name: string): void {
    this.#open.add(name);
    this.#note('within');
    // One at a time: a handler that opens others takes what still waits.
    for (;;) {
      const next = this.#buffer.findIndex((mail) => this.#open.has(mail.name));
      if (next < 0) return;
      const [mail] = this.#buffer.splice(next, 1);
      this.#handle(mail!, this.#scope);
      this.#note('within');
    }
  }

  /** The handler of a message, or main. */
  #begin(statements: readonly Statement[], tag: string, scope: Scope, ended: Ended): void {
    const running = perform(statements, tag, this.#world);
    this.#advance({ running, scope, ended }, () => running.next());
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
    else if (isCancelled(task.scope)) this.#refuse(task, effect);
    else this.#wait(task, effect);
  }

  /** In a cancelled scope: numbers of timers and activities are used up all the same. */
  #refuse(task: Task, effect: Waited): void {
    const isTimed = effect.kind === 'wait' && effect.timeout !== undefined && effect.timeout !== 0;
    if (isTimed || effect.kind === 'sleep') this.#timers++;
    if (effect.kind === 'activity') this.#activities++;
    const atOnce = effect.kind === 'acquire' || (effect.kind === 'wait' && effect.timeout === 0);
    this.#throwLater(task, new CancelledFailure('cancelled'), atOnce ? 1 : isTimed ? 8 : hopsOf(effect) + 1);
  }

  #wait(task: Task, effect: Waited): void {
    const pending: Began = { scope: task.scope, effect, task, hops: hopsOf(effect) };
    switch (effect.kind) {
      case 'acquire':
        if (this.#locked) this.#push(pending);
        else {
          this.#locked = true;
          this.#goOnLater(task, undefined);
        }
        break;
      case 'wait': {
        const { until, timeout } = effect;
        if (timeout !== undefined && timeout !== 0) this.#race(task, effect, timeout);
        else if (!until()) this.#push({ ...pending, settled: timeout === 0 ? undefined : this.#adopting(task) });
        // A promise that adopts one which is settled already takes a microtask more.
        else if (timeout === 0) this.#goOnLater(task, true);
        else this.#goOnLater(task, undefined, 3);
        break;
      }
      case 'sleep':
        this.#push(this.#timed(pending, effect.ms));
        break;
      case 'activity':
        this.#push({ ...pending, id: String(++this.#activities) });
        break;
      case 'startChild':
        this.#push({ ...pending, id: String(++this.#children) });
        break;
      case 'tell':
        throw new Error('The model knows no other workflows');
    }
  }

  /** Of an async function that returns a promise, which it adopts a microtask later, whether it is settled by then or not. */
  #adopting(task: Task): (outcome: Settled) => void {
    let adopted = false;
    let early: Settled | undefined;
    this.#later(1, () => {
      adopted = true;
      if (early !== undefined) this.#tell(task, early, 2);
    });
    return (outcome) => {
      if (adopted) this.#tell(task, outcome, 2);
      else early = outcome;
    };
  }

  #push(began: Began): Pending {
    const pending = { ...began, order: ++this.#order };
    this.#pending.push(pending);
    return pending;
  }

  #scopeIn(parent: Scope, cancellable: boolean): Scope {
    return { parent, cancellable, cancelled: false, order: ++this.#order };
  }

  /** A condition and its timer are in a scope of their own, which is cancelled once one of them has won. */
  #race(outer: Task, effect: Waiting, timeout: number): void {
    const scope = this.#scopeIn(outer.scope, true);
    let won = false;
    const win = (outcome: Settled) => {
      if (won) return;
      won = true;
      this.#later(3, () => {
        scope.cancelled = true;
        this.#later(1, () => {
          this.#pending = this.#pending.filter((pending) => pending.scope !== scope);
        });
      });
      this.#tell(outer, outcome, 6);
    };
    const settled = (outcome: Settled): void => win('error' in outcome ? outcome : { answer: true });
    const timer = { scope, effect: undefined, task: undefined, hops: 0, settled, fired: () => win({ answer: false }) };
    this.#push(this.#timed(timer, timeout));
    if (effect.until()) settled({ answer: true });
    else this.#push({ scope, effect, task: undefined, hops: 0, settled });
  }

  #timed(pending: Began, ms: number): Began {
    return { ...pending, timer: { id: String(++this.#timers), fireAt: this.now + Math.max(1, ms) } };
  }

  #awaitChild(task: Task, child: Pending): void {
    if (child.outcome === undefined) child.task = task;
    else this.#tell(task, child.outcome);
  }

  /** A scope's promise follows that of the function in it through an await. */
  #openScope(outer: Task, { scope: kind, ms, body }: Extract<Effect, { readonly kind: 'scope' }>): void {
    const scope = this.#scopeIn(outer.scope, kind !== 'nonCancellable');
    const fired = () => this.#later(2, () => this.#cancel(scope));
    const timer =
      kind === 'timeout' ? this.#timed({ scope, effect: undefined, task: undefined, hops: 0, fired }, ms) : undefined;
    const started = timer !== undefined && !isCancelled(scope) ? this.#push(timer) : undefined;
    const running = body();
    const ended: Ended = (end) => {
      const outcome = 'error' in end ? end : { answer: end.value };
      this.#later(1, () => {
        if (started !== undefined) this.#later(1, () => this.#remove(started));
        this.#tell(outer, outcome);
      });
    };
    this.#advance({ running, scope, ended }, () => running.next());
  }

  #release(): void {
    // Whoever is cancelled is about to leave the queue.
    const next = this.#pending.find(({ effect, scope }) => effect?.kind === 'acquire' && !isCancelled(scope));
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
    if (pending.settled !== undefined) pending.settled(outcome);
    else if (pending.task !== undefined) this.#tell(pending.task, outcome, pending.hops);
  }

  #remove(pending: Pending): void {
    this.#pending = this.#pending.filter((each) => each !== pending);
  }

  #tell(task: Task, outcome: Settled, hops = 1): void {
    if ('error' in outcome) this.#throwLater(task, outcome.error, hops);
    else this.#goOnLater(task, outcome.answer, hops);
  }

  #goOnLater(task: Task, answer: unknown, hops = 1): void {
    this.#later(hops, () => this.#advance(task, () => task.running.next(answer)));
  }

  #throwLater(task: Task, error: unknown, hops = 1): void {
    this.#later(hops, () => this.#advance(task, () => task.running.throw(error)));
  }

  /** So many microtasks from now. */
  #later(hops: number, act: () => void): void {
    this.#ready.push(hops === 1 ? act : () => this.#later(hops - 1, act));
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
    else
      this.close ??= { kind: 'failed', final: !(error instanceof ApplicationFailure) || error.nonRetryable === true };
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

function isWithin(scope: Scope, outer: Scope): boolean {
  return scope === outer || (scope.parent !== undefined && isWithin(scope.parent, outer));
}

/** Microtasks from what settles it until its task goes on. */
function hopsOf(effect: Waited): number {
  if (effect.kind === 'wait') return effect.timeout === 0 ? 1 : 2;
  return effect.kind === 'activity' && effect.host === 'local' ? 3 : 1;
}

/** Of the messages of one step signals and updates come first, and the start last. */
function rankOf({ kind }: Message): number {
  if (kind === 'signal' || kind === 'update') return 0;
  return kind === 'start' ? 2 : 1;
}

/** What the senders of scripted signals and updates call them. */
export function tagOf({ input }: { readonly input: readonly Uint8Array[] }): string {
  return decodePayload(input[0]!) as string;
}
