/**
 * The model of one run: what a script does with its messages, one after the other, without promises, workers, journal or replay.
 * Thread: the test's. In → out: steps of messages → state, outcomes and close.
 *
 * It knows one rule of time within a step: code goes on in the order in which what it awaits was settled.
 */
import { SeededRandom } from '../../actors/random.js';
import { CancelledFailure, isCancellation } from '../../mailbox/failures.js';
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
  | { readonly kind: 'failed' }
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

/** Something awaited, in the order in which it began. */
interface Pending {
  readonly task: Running;
  readonly ended: Ended;
  readonly effect: Effect;
  readonly timer?: { readonly id: string; readonly fireAt: number };
}

export class Model {
  /** Of every step, and within those that take several messages. */
  readonly moments: Moment[] = [];
  /** Tags of signals and updates in the order in which their handlers began. */
  readonly handled: string[] = [];
  /** Of accepted updates, by update id; undefined while they run. */
  readonly outcomes = new Map<string, Outcome | undefined>();
  close: Close | undefined;
  now = 0;
  #pending: Pending[] = [];
  /** Continuations: what they await has been settled. */
  #ready: (() => void)[] = [];
  #buffer: Mail[] = [];
  #open = new Set<string>();
  #inProgress = 0;
  #timers = 0;
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
    };
  }

  /** Tags of signals that no handler has taken. */
  get waiting(): string[] {
    return this.#buffer.map(tagOf);
  }

  /** The earliest time at which a timer that runs is due. */
  get nextTimer(): number {
    return Math.min(...this.#pending.flatMap(({ timer }) => (timer === undefined ? [] : [timer.fireAt])));
  }

  step(messages: readonly Message[]): void {
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
        this.#begin(this.script.main, 'main', (outcome) => this.#mainEnded(outcome));
        break;
      case 'signal':
      case 'update':
        if (this.#open.has(message.name)) this.#handle(message);
        else this.#buffer.push(message);
        break;
      case 'cancel':
        if (this.#cancelled) break;
        this.#cancelled = true;
        for (const pending of this.#pending.splice(0)) this.#throwLater(pending, new CancelledFailure('cancelled'));
        break;
      case 'timerFired': {
        const pending = this.#timer(message);
        if (pending !== undefined) this.#settle(pending, pending.effect.kind === 'wait' ? false : undefined);
        break;
      }
      default:
        throw new Error(`A script has no ${message.kind}`);
    }
  }

  #timer(message: Message): Pending | undefined {
    return this.#pending.find(({ timer }) => message.kind === 'timerFired' && timer?.id === message.timerId);
  }

  #handle(message: Mail): void {
    const tag = tagOf(message);
    this.handled.push(tag);
    if (message.name === 'end') {
      this.state.cells.end++;
      return;
    }
    this.#inProgress++;
    if (message.kind === 'signal') {
      this.#begin(this.script.signals[message.name as SignalName], tag, (outcome) => {
        this.#inProgress--;
        if ('error' in outcome) this.#codeFailed(outcome.error);
      });
      return;
    }
    this.outcomes.set(message.updateId, undefined);
    this.#begin(this.script.updates[message.name as UpdateName].body, tag, (outcome) => {
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
      this.#handle(mail);
      this.#note('within');
    }
  }

  #begin(statements: readonly Statement[], tag: string, ended: Ended): void {
    const task = perform(statements, tag, this.#world);
    this.#advance(task, ended, () => task.next());
  }

  /** Lets a script go on until it waits or ends. */
  #advance(task: Running, ended: Ended, go: () => IteratorResult<Effect, string>): void {
    let next: IteratorResult<Effect, string>;
    try {
      next = go();
    } catch (error) {
      this.#ready.push(() => ended({ error }));
      return;
    }
    if (next.done === true) {
      const { value } = next;
      this.#ready.push(() => ended({ value }));
      return;
    }
    this.#await({ task, ended, effect: next.value });
  }

  #await(pending: Pending): void {
    const { effect } = pending;
    if (effect.kind === 'continueAsNew') {
      this.#throwLater(pending, new Continued(structuredClone(effect.next)));
    } else if (this.#cancelled) {
      this.#throwLater(pending, new CancelledFailure('cancelled'));
    } else if (effect.kind === 'acquire') {
      if (this.#locked) this.#pending.push(pending);
      else {
        this.#locked = true;
        this.#goOnLater(pending, undefined);
      }
    } else if (effect.kind === 'wait' && effect.until()) {
      this.#goOnLater(pending, effect.timeout === undefined ? undefined : true);
    } else {
      const ms = effect.kind === 'sleep' ? Math.max(1, effect.ms) : effect.timeout;
      if (ms === undefined || ms === 0) this.#pending.push(pending);
      else this.#pending.push({ ...pending, timer: { id: String(++this.#timers), fireAt: this.now + ms } });
    }
  }

  #release(): void {
    const next = this.#pending.find(({ effect }) => effect.kind === 'acquire');
    if (next === undefined) this.#locked = false;
    else this.#settle(next, undefined);
  }

  /** Every condition that is true, in the order in which they began; after a whole round those that wait for no more than one. */
  #round(which: 'at once' | 'whole'): boolean {
    let any = false;
    for (const pending of [...this.#pending]) {
      const { effect } = pending;
      if (effect.kind !== 'wait') continue;
      const answer = effect.until();
      if (!answer && !(which === 'whole' && effect.timeout === 0)) continue;
      this.#settle(pending, effect.timeout === undefined ? undefined : answer);
      any = true;
    }
    return any;
  }

  #settle(pending: Pending, answer: unknown): void {
    this.#pending.splice(this.#pending.indexOf(pending), 1);
    this.#goOnLater(pending, answer);
  }

  #goOnLater({ task, ended }: Pending, answer: unknown): void {
    this.#ready.push(() => this.#advance(task, ended, () => task.next(answer)));
  }

  #throwLater({ task, ended }: Pending, error: unknown): void {
    this.#ready.push(() => this.#advance(task, ended, () => task.throw(error)));
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
    else this.close ??= { kind: this.#cancelled && isCancellation(error) ? 'cancelled' : 'failed' };
  }
}

function isMail(message: Message): boolean {
  return message.kind === 'signal' || message.kind === 'update';
}

/** What the senders of scripted signals and updates call them. */
export function tagOf({ input }: { readonly input: readonly Uint8Array[] }): string {
  return decodePayload(input[0]!) as string;
}
