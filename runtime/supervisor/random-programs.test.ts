/**
 * Random programs of clients, clocks, evictions, lost workers, held flushes and crashes, against the plainest model: a list to which
 * whatever was acknowledged has been appended once, in order. A failing program is printed, shrunk, with the seed that reproduces it.
 */
import { array, assert, asyncProperty, boolean, constant, constantFrom, integer, oneof, record } from 'fast-check';
import { expect, test } from 'vitest';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
  sleep,
  uuid4,
} from '../../actors/workflow/index.js';
import { decodePayload } from '../../mailbox/payload.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { type Call, System } from '../test-kit/system.test-kit.js';

routeRejections();

const { charge } = proxyActivities<{ charge(entry: string): Promise<string> }>({ startToCloseTimeout: 3_600_000 });

/** While it is broken, what is told to break does. */
const world = { broken: false };

/** Appends what comes; the entries that need a timer or an activity follow when those are done. Ends only with an even number. */
async function list(): Promise<string[]> {
  const entries: string[] = [];
  let finished = false;
  setHandler(defineQuery<string[]>('entries'), () => entries);
  setHandler(defineSignal<[string]>('add'), async (entry) => {
    entries.push(entry);
    await null;
    if (entry.length % 5 === 0) uuid4();
  });
  setHandler(defineSignal<[string]>('pay'), async (entry) => {
    entries.push(await charge(entry));
  });
  setHandler(defineSignal('finish'), () => {
    finished = true;
  });
  setHandler(defineUpdate<number, [string]>('append'), (entry) => entries.push(entry), {
    validator: (entry) => {
      if (entry.startsWith('no')) throw new Error('refused');
    },
  });
  setHandler(defineUpdate<number, [string, number]>('appendLater'), async (entry, ms) => {
    await sleep(ms);
    return entries.push(entry);
  });
  setHandler(defineSignal<[string]>('break'), async (entry) => {
    entries.push(entry);
    await null;
    if (world.broken) throw new TypeError('broken');
  });
  for (;;) {
    await condition(() => finished);
    // A close that is void because another signal came may turn out to be none.
    if (entries.length % 2 === 0) break;
    finished = false;
  }
  if (entries.length % 4 === 0) await charge('the last');
  return entries;
}

const run = constantFrom('v', 'w');
const id = integer({ min: 0, max: 2 });
const operation = oneof(
  { weight: 6, arbitrary: record({ do: constant('signal' as const), run }) },
  { weight: 3, arbitrary: record({ do: constant('signalOnce' as const), run, id }) },
  { weight: 5, arbitrary: record({ do: constant('update' as const), run, refused: boolean() }) },
  {
    weight: 3,
    arbitrary: record({
      do: constant('updateOnce' as const),
      run,
      id,
      stage: constantFrom('ACCEPTED' as const, 'COMPLETED' as const),
    }),
  },
  { weight: 2, arbitrary: record({ do: constant('updateLater' as const), run, ms: integer({ min: 0, max: 2000 }) }) },
  { weight: 2, arbitrary: record({ do: constant('pay' as const), run }) },
  { weight: 1, arbitrary: record({ do: constant('break' as const), run }) },
  { weight: 2, arbitrary: record({ do: constant('world' as const), broken: boolean() }) },
  { weight: 5, arbitrary: record({ do: constant('query' as const), run }) },
  { weight: 2, arbitrary: record({ do: constant('describe' as const), run }) },
  { weight: 1, arbitrary: record({ do: constant('finish' as const), run }) },
  { weight: 1, arbitrary: record({ do: constant('start' as const), run }) },
  { weight: 1, arbitrary: record({ do: constant('terminate' as const), run: constant('v') }) },
  { weight: 6, arbitrary: record({ do: constant('ticks' as const), count: integer({ min: 1, max: 8 }) }) },
  { weight: 3, arbitrary: record({ do: constant('settle' as const) }) },
  { weight: 2, arbitrary: record({ do: constant('pass' as const), ms: integer({ min: 1, max: 3000 }) }) },
  { weight: 1, arbitrary: record({ do: constant('setClock' as const), ms: integer({ min: -10_000, max: 10_000 }) }) },
  { weight: 2, arbitrary: record({ do: constant('activity' as const) }) },
  { weight: 2, arbitrary: record({ do: constant('keep' as const), actors: integer({ min: 0, max: 2 }) }) },
  {
    weight: 3,
    arbitrary: record({
      do: constant('flushes' as const),
      gate: constantFrom('shut' as const, 'letThrough' as const, 'open' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: record({
      do: constant('returns' as const),
      gate: constantFrom('shut' as const, 'letThrough' as const, 'open' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: record({
      do: constant('reads' as const),
      gate: constantFrom('shut' as const, 'letThrough' as const, 'open' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: record({ do: constant('loseTurns' as const), turns: integer({ min: 1, max: 4 }), blame: boolean() }),
  },
  { weight: 1, arbitrary: record({ do: constant('shortTurns' as const), on: boolean() }) },
  {
    weight: 2,
    arbitrary: record({ do: constant('crash' as const), flush: constantFrom('lost' as const, 'kept' as const) }),
  },
  { weight: 1, arbitrary: record({ do: constant('restart' as const) }) },
);
type Operation = Parameters<Parameters<typeof operation.map>[0]>[0];

interface Made {
  readonly run: string;
  /** Undefined for those that append nothing. */
  readonly entry: string | undefined;
  readonly call: Call;
  /** Its place in the order is known: no other request may have had its effect. */
  readonly ordered: boolean;
  readonly kind: Operation['do'];
  /** Entries of that run acknowledged when this was asked. */
  readonly acknowledged: readonly string[];
}

class Program {
  readonly made: Made[] = [];
  readonly described: { run: string; historyLength: number; closed: boolean }[] = [];
  #done = 0;

  constructor(readonly system: System) {}

  async run(operations: readonly Operation[]): Promise<void> {
    world.broken = false;
    for (const name of ['v', 'w']) this.#start(name);
    for (const operation of operations) await this.#byName[operation.do](operation as never); // One entry for each name.
  }

  /** Everything held is let go and everything due happens. */
  async end(): Promise<void> {
    world.broken = false;
    await this.#letGo();
    await this.#settled();
    // Whatever was quarantined is tried again.
    await this.#byName.restart({ do: 'restart' });
    for (const name of ['v', 'w']) this.system.resume(name);
    for (let i = 0; i < 3; i++) {
      await this.#settled();
      await this.system.pass(20_000);
    }
  }

  async check(): Promise<void> {
    const { system } = this;
    expect(system.unanswered).toBe(0);
    for (const name of ['v', 'w']) {
      const history = system.history(name);
      const answer = system.query(name, 'entries');
      await system.settle();
      const last = history.at(-1)?.eventType;
      const terminated = last === 'WorkflowExecutionTerminated';
      // One that was terminated before its first step has no handlers.
      if (answer.reply?.kind === 'error') expect(history.length === 0 || terminated).toBe(true);
      const entries = answer.reply?.kind === 'queryResult' ? (resultOf(answer) as string[]) : [];
      const own = this.made.filter((made) => made.run === name);
      this.#checkEffects(own, entries, terminated);
      for (const { historyLength, closed } of this.described.filter((description) => description.run === name)) {
        expect(historyLength).toBeLessThanOrEqual(history.length);
        if (closed) expect(last).toBe('WorkflowExecutionCompleted');
      }
      const closed = last === 'WorkflowExecutionCompleted';
      if (closed) expect(await system.result(name).value()).toEqual(entries);
      const paid = own.filter((made) => made.kind === 'pay' && made.call.reply?.kind === 'done');
      if (!closed && !terminated)
        expect(entries.filter((entry) => entry.startsWith('paid')).length).toBeGreaterThanOrEqual(paid.length);
    }
    await expectInvariants(system);
  }

  #checkEffects(own: readonly Made[], entries: readonly string[], terminated: boolean): void {
    expect(new Set(entries).size, 'each entry once').toBe(entries.length);
    for (const { call, entry, kind, acknowledged } of own) {
      const { reply } = call;
      if (kind === 'query' && reply?.kind === 'queryResult') {
        const told = resultOf(call) as string[];
        // A termination right after a crash ends the run before its messages have been stepped again.
        if (!terminated) {
          expect(entries.slice(0, told.length), 'no query told of what then was not so').toEqual(told);
          expect(told, 'a query sees what was acknowledged before').toEqual(expect.arrayContaining([...acknowledged]));
        }
      }
      if (entry === undefined || reply === undefined) continue;
      if (reply.kind === 'done' && kind !== 'pay' && !terminated) expect(entries).toContain(entry);
      if (reply.kind === 'updateCompleted') expect(entries[(resultOf(call) as number) - 1]).toBe(entry);
      if (reply.kind === 'updateAccepted' && kind === 'updateOnce') expect(entries).toContain(entry);
      if (reply.kind === 'error' && (kind === 'signal' || kind === 'break')) expect(entries).not.toContain(entry);
      if (reply.kind === 'error' && reply.error.name === 'WorkflowUpdateFailedError' && kind === 'update') {
        expect(entries).not.toContain(entry);
      }
    }
    const ordered = own.flatMap(({ entry, ordered: known }) => (known && entry !== undefined ? [entry] : []));
    expect(entries.filter((entry) => ordered.includes(entry))).toEqual(
      ordered.filter((entry) => entries.includes(entry)),
    );
  }

  #note(kind: Operation['do'], name: string, entry: string | undefined, ordered: boolean, call: Call): void {
    const acknowledged = this.made.flatMap((made) =>
      made.run === name && made.entry !== undefined && made.kind === 'signal' && made.call.reply?.kind === 'done'
        ? [made.entry]
        : [],
    );
    this.made.push({ kind, run: name, entry, ordered, call, acknowledged });
  }

  #start(name: string): void {
    const call = this.system.startWith({
      workflowId: name,
      workflowType: 'list',
      requestId: `start ${name}`,
      reusePolicy: 'REJECT_DUPLICATE',
    });
    this.#note('start', name, undefined, false, call);
  }

  get #next(): number {
    return this.made.length;
  }

  readonly #byName: {
    readonly [K in Operation['do']]: (operation: Extract<Operation, { do: K }>) => Promise<void> | void;
  } = {
    start: ({ run: name }) => this.#start(name),
    terminate: ({ run: name }) => this.#note('terminate', name, undefined, false, this.system.terminate(name)),
    signal: ({ run: name }) => {
      const entry = `signal ${this.#next}`;
      this.#note('signal', name, entry, true, this.system.signal(name, 'add', entry));
    },
    signalOnce: ({ run: name, id: request }) => {
      const entry = `request ${request}`;
      this.#note('signalOnce', name, entry, false, this.system.signalOnce(entry, name, 'add', entry));
    },
    update: ({ run: name, refused }) => {
      const entry = `${refused ? 'no ' : ''}update ${this.#next}`;
      this.#note('update', name, entry, true, this.system.update(name, 'append', entry));
    },
    updateOnce: ({ run: name, id: update, stage }) => {
      const entry = `update by id ${update}`;
      const call = this.system.updateWith({ workflowId: name, name: 'append', updateId: entry, stage }, entry);
      this.#note('updateOnce', name, entry, false, call);
    },
    updateLater: ({ run: name, ms }) => {
      const entry = `later ${this.#next}`;
      this.#note('updateLater', name, entry, false, this.system.update(name, 'appendLater', entry, ms));
    },
    pay: ({ run: name }) => {
      const entry = `pay ${this.#next}`;
      this.#note('pay', name, entry, false, this.system.signal(name, 'pay', entry));
    },
    break: ({ run: name }) => {
      const entry = `break ${this.#next}`;
      this.#note('break', name, entry, true, this.system.signal(name, 'break', entry));
    },
    world: ({ broken }) => {
      world.broken = broken;
    },
    query: ({ run: name }) => this.#note('query', name, undefined, false, this.system.query(name, 'entries')),
    describe: ({ run: name }) => {
      void this.system.supervisor.controlPlane.describe(name).then((outcome) => {
        if (!outcome.ok) return;
        const { historyLength, status } = outcome.value;
        this.described.push({ run: name, historyLength, closed: status === 'COMPLETED' });
      });
    },
    finish: ({ run: name }) => this.#note('finish', name, undefined, false, this.system.signal(name, 'finish')),
    ticks: async ({ count }) => {
      for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
    },
    settle: () => this.system.settle(),
    pass: ({ ms }) => this.system.pass(ms),
    setClock: ({ ms }) => this.system.clock.jump(ms),
    activity: () => this.#activities(1),
    keep: ({ actors }) => {
      this.system.config.maxResident = actors;
    },
    flushes: ({ gate }) => this.system.store.flushes[gate](),
    returns: ({ gate }) => this.system.workers.returns[gate](),
    reads: ({ gate }) => this.system.store.reads[gate](),
    loseTurns: ({ turns, blame }) => {
      let left = turns;
      this.system.workers.fate = (slices) => {
        if (left-- <= 0) return undefined;
        return blame ? (slices.find(({ steps }) => steps.length > 0)?.run ?? 'between') : 'between';
      };
    },
    shortTurns: ({ on }) => {
      let now = 0;
      this.system.workers.monotonic = on ? () => (now += 2) : () => 0;
    },
    crash: async ({ flush }) => {
      this.#done = 0;
      this.system.toHost.length = 0;
      await this.system.crash(flush);
    },
    restart: async () => {
      await this.#letGo();
      this.#done = 0;
      this.system.toHost.length = 0;
      await this.system.restart();
    },
  };

  async #letGo(): Promise<void> {
    const { store, workers } = this.system;
    workers.fate = () => undefined;
    for (const gate of [store.flushes, store.reads, workers.returns]) gate.open();
    await this.system.settle();
  }

  /** Attempts return in the order in which they were started. */
  #activities(count: number): void {
    for (const attempt of this.system.attempts.slice(this.#done, this.#done + count)) {
      this.#done++;
      this.system.activityReturns(attempt, `paid ${attempt.activityId}`);
    }
  }

  async #settled(): Promise<void> {
    await this.system.settle();
    this.#activities(Number.POSITIVE_INFINITY);
    await this.system.settle();
  }
}

function resultOf({ reply }: Call): unknown {
  return reply !== undefined && 'result' in reply ? decodePayload(reply.result) : undefined;
}

test('whatever happens, what was acknowledged is there, once and in order, and nobody was told what then was not so', {
  timeout: 120_000,
}, async () => {
  await assert(
    asyncProperty(
      array(operation, { maxLength: 80, size: 'max' }),
      integer({ min: 1, max: 2 }),
      integer({ min: 0, max: 2 }),
      async (operations, slots, maxResident) => {
        const system = await System.open({ workflows: { list }, slots, maxResident });
        const program = new Program(system);
        await program.run(operations);
        await program.end();
        await program.check();
      },
    ),
    { numRuns: 200, endOnFailure: false },
  );
});
