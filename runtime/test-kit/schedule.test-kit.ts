/**
 * Schedules: what clients, clocks and misfortune do to one workflow, as data; and the player that does it.
 * Thread: the test's. In → out: actions → calls with what was sent and what was known when it was.
 */
import { decodePayload, encodePayloads } from '../../mailbox/payload.js';
import type { UpdateStage } from '../client/protocol.js';
import type { SignalName, UpdateName } from './script.test-kit.js';
import type { Call, System } from './system.test-kit.js';

/** What comes with the start of the run. */
export type Beginning =
  | { readonly with: 'nothing' }
  | { readonly with: 'signal'; readonly name: SignalName }
  | { readonly with: 'update'; readonly name: UpdateName };

type Gate = 'shut' | 'letThrough' | 'open';

export type Action =
  | { readonly do: 'signal'; readonly name: SignalName | 'end' }
  | { readonly do: 'signalOnce'; readonly name: SignalName; readonly id: number }
  | { readonly do: 'update'; readonly name: UpdateName; readonly stage: UpdateStage }
  | { readonly do: 'updateOnce'; readonly name: UpdateName; readonly id: number }
  | { readonly do: 'query' }
  | { readonly do: 'cancel' }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'ticks'; readonly count: number }
  | { readonly do: 'settle' }
  | { readonly do: 'keep'; readonly actors: number }
  | { readonly do: 'flushes'; readonly gate: Gate }
  | { readonly do: 'returns'; readonly gate: Gate }
  | { readonly do: 'reads'; readonly gate: Gate }
  | { readonly do: 'loseTurns'; readonly turns: number }
  | { readonly do: 'shortTurns' }
  | { readonly do: 'longTurns' }
  | { readonly do: 'crash'; readonly flush: 'lost' | 'kept' }
  | { readonly do: 'restart' };

/** One request and what was known when it was sent. */
export interface Sent {
  readonly kind: 'signal' | 'update' | 'query' | 'cancel';
  readonly name: string;
  readonly tag: string;
  /** The same as that of another one, perhaps. */
  readonly id: string | undefined;
  readonly call: Call;
  /** It dies with its process. */
  readonly life: number;
  /** Tags of what had been acknowledged or completed. */
  readonly known: ReadonlySet<string>;
}

export class Player {
  readonly sent: Sent[] = [];
  life = 0;

  constructor(private readonly system: System) {}

  begin(beginning: Beginning): void {
    const target = { workflowId: 'w', workflowType: 'scripted' };
    const tag = this.#tag(beginning.with);
    switch (beginning.with) {
      case 'nothing':
        this.system.startWith(target);
        break;
      case 'signal': {
        const { name } = beginning;
        const brings = { kind: 'signal' as const, name, input: encodePayloads([tag]) };
        this.#note('signal', name, tag, undefined, this.system.startWith({ ...target, brings }));
        break;
      }
      case 'update': {
        const { name } = beginning;
        const { update } = this.system.updateWithStart(target, { name, updateId: tag, args: [tag] });
        this.#note('update', name, tag, undefined, update);
      }
    }
  }

  async play(actions: readonly Action[]): Promise<void> {
    for (const action of actions) await (this.#byName[action.do] as (action: Action) => Promise<void> | void)(action);
  }

  /** Everything held is let go, and time passes until nothing happens any more. */
  async end(): Promise<void> {
    await this.#letGo();
    const { frames } = this.system.disk;
    for (let before = -1; before !== frames.length; ) {
      before = frames.length;
      await this.system.pass(5000);
    }
  }

  readonly #byName: {
    readonly [K in Action['do']]: (action: Extract<Action, { readonly do: K }>) => Promise<void> | void;
  } = {
    signal: ({ name }) => {
      const tag = this.#tag('signal');
      this.#note('signal', name, tag, undefined, this.system.signal('w', name, tag));
    },
    signalOnce: ({ name, id }) => {
      const request = `request ${id}`;
      this.#note('signal', name, request, request, this.system.signalOnce(request, 'w', name, request));
    },
    update: ({ name, stage }) => {
      const tag = this.#tag('update');
      const call = this.system.updateWith({ workflowId: 'w', name, updateId: tag, stage }, tag);
      this.#note('update', name, tag, undefined, call);
    },
    updateOnce: ({ name, id }) => {
      // One id is one update: under another name it would get this one's outcome.
      const updateId = `${name} by id ${id}`;
      const call = this.system.updateWith({ workflowId: 'w', name, updateId }, updateId);
      this.#note('update', name, updateId, updateId, call);
    },
    query: () => this.#note('query', 'state', this.#tag('query'), undefined, this.system.query('w', 'state')),
    cancel: () => this.#note('cancel', '', this.#tag('cancel'), undefined, this.system.cancel('w')),
    pass: ({ ms }) => this.system.pass(ms),
    ticks: async ({ count }) => {
      for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
    },
    settle: () => this.system.settle(),
    keep: ({ actors }) => {
      this.system.config.maxResident = actors;
    },
    flushes: ({ gate }) => this.system.store.flushes[gate](),
    returns: ({ gate }) => this.system.workers.returns[gate](),
    reads: ({ gate }) => this.system.store.reads[gate](),
    loseTurns: ({ turns }) => {
      let left = turns;
      this.system.workers.fate = () => (left-- > 0 ? 'between' : undefined);
    },
    shortTurns: () => {
      let now = 0;
      this.system.workers.monotonic = () => (now += 2);
    },
    longTurns: () => {
      this.system.workers.monotonic = () => 0;
    },
    crash: async ({ flush }) => {
      this.life++;
      await this.system.crash(flush);
    },
    restart: async () => {
      await this.#letGo();
      this.life++;
      await this.system.restart();
    },
  };

  #tag(kind: string): string {
    return `${kind} ${this.sent.length}`;
  }

  #note(kind: Sent['kind'], name: string, tag: string, id: string | undefined, call: Call): void {
    const known = new Set<string>();
    for (const earlier of this.sent) if (isKnown(earlier)) known.add(earlier.tag);
    this.sent.push({ kind, name, tag, id, call, life: this.life, known });
  }

  async #letGo(): Promise<void> {
    const { store, workers } = this.system;
    workers.fate = () => undefined;
    for (const gate of [store.flushes, store.reads, workers.returns]) gate.open();
    await this.system.settle();
  }
}

/** Its caller has been told that it is in the history. */
export function isKnown({ kind, call }: Sent): boolean {
  const reply = call.reply?.kind;
  return (
    (kind === 'signal' && (reply === 'done' || reply === 'started')) ||
    reply === 'updateAccepted' ||
    reply === 'updateCompleted'
  );
}

export function resultOf({ reply }: Call): unknown {
  return reply !== undefined && 'result' in reply ? decodePayload(reply.result) : undefined;
}
