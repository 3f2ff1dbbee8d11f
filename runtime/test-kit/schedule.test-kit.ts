/**
 * Schedules: what clients, clocks and misfortune do to one workflow, as data; and the player that does it.
 * Thread: the test's. In → out: actions → calls with what was sent and what was known when it was.
 */
import type { RetryPolicyRecord } from '../../mailbox/events.js';
import { decodePayload, decodePayloads, encodePayloads } from '../../mailbox/payload.js';
import type { UpdateStage } from '../client/protocol.js';
import type { ActivityTask } from '../host/protocol.js';
import type { SignalName, UpdateName } from './script.test-kit.js';
import type { Version } from './script-interpreter.test-kit.js';
import type { Call, System, Workflows } from './system.test-kit.js';

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
  /** The host ends attempts, the oldest first. */
  | { readonly do: 'work'; readonly attempts: number }
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
  | { readonly do: 'restart' }
  /** With the next thing that moves. */
  | { readonly do: 'checkpoint' }
  /** Another process begins, with the next version of the code. */
  | { readonly do: 'deploy' };

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

export interface Deployment {
  readonly version: Version;
  /** Messages of that time and later are processed for the first time by code with the changes. */
  readonly at: number;
  /** The first one with this version. */
  readonly life: number;
}

/** An attempt that the host was told to run. */
export interface Attempt {
  readonly runId: string;
  readonly activityId: string;
  readonly attempt: number;
}

export class Player {
  readonly sent: Sent[] = [];
  /** In the order in which they began. */
  readonly attempts: Attempt[] = [];
  life = 0;
  deployed: Deployment;
  /** Messages to the host of this life that have been looked at. */
  #heard = 0;
  /** Attempts among them, in all lives. */
  #heardNew = 0;
  #waiting: ActivityTask[] = [];

  constructor(
    private readonly system: System,
    private readonly workflowsAt: (version: Version) => Workflows,
    /** That with which the system was opened. */
    version: Version,
  ) {
    this.deployed = { version, at: version === 'old' ? Number.POSITIVE_INFINITY : 0, life: 0 };
  }

  begin(beginning: Beginning, retry: RetryPolicyRecord | undefined): void {
    const target = { workflowId: 'w', workflowType: 'scripted', ...(retry !== undefined && { options: { retry } }) };
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
    await this.letGo();
    const { frames } = this.system.disk;
    for (let before = -1; before !== frames.length + this.#heardNew; ) {
      before = frames.length + this.#heardNew;
      this.#work(Number.POSITIVE_INFINITY);
      await this.system.pass(5000);
      this.#hear();
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
    work: ({ attempts }) => this.#work(attempts),
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
      this.#dies();
      await this.system.crash(flush);
    },
    restart: async () => {
      await this.letGo();
      this.#dies();
      await this.system.restart();
    },
    checkpoint: () => {
      this.system.store.checkpointDue = true;
    },
    deploy: async () => {
      const { version, at } = this.deployed;
      // The way back would not fit the histories.
      if (version === 'deprecated' || (version === 'patched' && at > 0)) return;
      this.#dies();
      // What comes from now on is later than anything before.
      this.system.clock.advance(1);
      this.deployed =
        version === 'old'
          ? { version: 'patched', at: this.system.clock.now(), life: this.life }
          : { version: 'deprecated', at: 0, life: this.life };
      this.system.deploy(this.workflowsAt(this.deployed.version));
      await this.system.crash('lost');
    },
  };

  #work(attempts: number): void {
    this.#hear();
    for (const task of this.#waiting.splice(0, attempts)) {
      const [tag, fails] = decodePayloads(task.input) as [string, number];
      this.system.activityStarts(task);
      if (task.attempt > fails) this.system.activityReturns(task, `work of ${tag}`);
      else this.system.activityThrows(task, { kind: 'application', type: 'NotYet', message: tag });
    }
  }

  #hear(): void {
    const { toHost } = this.system;
    for (; this.#heard < toHost.length; this.#heard++) {
      const message = toHost[this.#heard]!;
      if (message.kind === 'cancelActivity')
        this.#waiting = this.#waiting.filter(({ token }) => token !== message.token);
      if (message.kind !== 'runActivity') continue;
      const { runId, activityId, attempt, isLocal } = message;
      // One that is local begins anew in each process.
      if (isLocal !== true) this.attempts.push({ runId, activityId, attempt });
      this.#heardNew++;
      this.#waiting.push(message);
    }
  }

  #tag(kind: string): string {
    return `${kind} ${this.sent.length}`;
  }

  #note(kind: Sent['kind'], name: string, tag: string, id: string | undefined, call: Call): void {
    const known = new Set<string>();
    for (const earlier of this.sent) if (isKnown(earlier)) known.add(earlier.tag);
    this.sent.push({ kind, name, tag, id, call, life: this.life, known });
  }

  /** What its host was at work on dies with it. */
  #dies(): void {
    this.#hear();
    this.#waiting = [];
    this.life++;
  }

  /** Nothing is held any more. */
  async letGo(): Promise<void> {
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
