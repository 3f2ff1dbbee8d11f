/**
 * The hostile campaign: healthy callers, beside runs that misbehave one after the other in every way that is known.
 * Thread: main. In → out: settings → what was answered, how late, and what the culprits cost.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostile, hostileKinds } from '../../runtime/fixtures/hostile-values.js';
import { attacks } from '../../runtime/fixtures/hostile-workflows.js';
import { type Client, Runtime } from '../../runtime/index.js';
import { random } from '../soak/random.js';
import {
  account,
  attempt,
  balance,
  breakQuery,
  breakUpdate,
  caller,
  catcher,
  compute,
  culprit,
  deposit,
  double,
  misbehave,
  misbehaveNow,
  patch,
  rejector,
  seen,
  sparse,
  target,
  thrower,
} from './workflows.js';

export interface HostileSettings {
  readonly seed: number;
  /** After this the culprit at hand is the last. */
  readonly ms: number;
  /** Each kind at least once, however long that takes. */
  readonly everyKind: boolean;
  readonly stepLimitMs: number;
  readonly healthyCallers: number;
  readonly progress?: (line: string) => void;
}

export interface Violation {
  readonly kind: string;
  readonly what: string;
}

export interface HostileResult {
  readonly culprits: number;
  readonly healthyCalls: number;
  readonly p99Ms: number;
  readonly workersLost: number;
  readonly violations: readonly Violation[];
}

const WORKERS = 2;
const MOST_RESTARTS = 3;
const MANY = 20;
const FLOOD = 3000;
const POLLUTING = [
  '{"__proto__":{"isAdmin":1}}',
  '{"__proto__":{"get":1,"value":2,"kind":"x","0":1}}',
  '{"constructor":{"prototype":{"isAdmin":1}}}',
  '{"list":{"__proto__":{"isAdmin":1,"length":7}}}',
];

/** Resolves with whatever comes of it: what culprits are told is not what is looked at. */
const settled = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    () => undefined,
  );
/** Of a call that may wait for ever, for its run is left alone. */
const SOON = { timeout: '5 seconds' } as const;

type Act = (client: Client, id: string) => Promise<unknown>;

function misbehaving(how: string, runs: number): Act {
  return async ({ workflow }, id) => {
    const handles = await Promise.all(
      Array.from({ length: runs }, (_, n) => workflow.start(culprit, { workflowId: `${id} ${n}` })),
    );
    await Promise.all(handles.map((handle) => settled(handle.signal(misbehave, how))));
    // Answered, or refused: whatever it is, the run has had its steps by then.
    await Promise.all(
      handles.map((handle) => settled(handle.executeUpdate(misbehaveNow, { args: ['nothing'], ...SOON }))),
    );
    await Promise.all(handles.map((handle) => settled(handle.terminate())));
  };
}

function answering(how: string): Act {
  return async ({ workflow }, id) => {
    const handle = await workflow.start(culprit, { workflowId: id });
    await settled(handle.executeUpdate(misbehaveNow, { args: [how], ...SOON }));
    await handle.terminate();
  };
}

const ACTS: Readonly<Record<string, Act>> = {
  'an endless loop': misbehaving('loop', 1),
  'many endless loops at one place': misbehaving('loop', MANY),
  'endless microtasks': misbehaving('microtasks', 1),
  'memory without end': misbehaving('memory', 1),
  'an endless loop in an update': answering('loop'),
  'a result 100,000 levels deep': answering('deep'),
  'a result of 50 MiB': answering('wide'),
  'an error message of 50 MiB': answering('message'),
  'endless getters': answering('getters'),
  'endless proxies': answering('proxies'),
  'what nothing interrupts': async ({ workflow }, id) => {
    const handle = await workflow.start(sparse, { workflowId: id });
    await settled(handle.executeUpdate(compute, { args: [100_000_000], ...SOON }));
    await handle.terminate();
  },
  'changes of what runs share': async ({ workflow }, id) => {
    const handle = await workflow.start(target, { workflowId: id });
    for (const text of POLLUTING) await settled(handle.executeUpdate(patch, { args: [JSON.parse(text)], ...SOON }));
    for (const name of attacks) await settled(handle.executeUpdate(attempt, { args: [name], ...SOON }));
    await handle.terminate();
  },
  'what is thrown': async ({ workflow }, id) => {
    const handle = await workflow.start(catcher, { workflowId: id });
    for (const kind of hostileKinds) {
      for (const type of [thrower, rejector]) {
        const run = await workflow.start(type, { workflowId: `${id} ${type.name} ${kind}`, args: [kind] });
        await settled(run.query('nothing'));
        await settled(run.terminate());
      }
      await settled(workflow.execute(caller, { workflowId: `${id} calls ${kind}`, args: [kind], ...SOON }));
      await settled(handle.query(breakQuery, kind));
      for (const where of ['validator', 'later'])
        await settled(handle.executeUpdate(breakUpdate, { args: [where, kind], ...SOON }));
    }
    await settled(handle.terminate());
  },
  'a flood of signals and starts': async ({ workflow }, id) => {
    const handle = await workflow.start(culprit, { workflowId: id });
    const signals = Array.from({ length: FLOOD }, () => settled(handle.signal(misbehave, 'nothing')));
    const starts = Array.from({ length: FLOOD }, (_, n) =>
      settled(workflow.start(double, { workflowId: `${id} ${n}`, args: [n] })),
    );
    await Promise.all([...signals, ...starts]);
    await handle.terminate();
  },
};

export const CULPRITS = Object.keys(ACTS);

export async function runHostile(settings: HostileSettings): Promise<HostileResult> {
  const { seed, ms, everyKind, stepLimitMs, healthyCallers, progress } = settings;
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-hostile-'));
  const runtime = await Runtime.create({
    workflows: new URL('../../../bench/hostile/workflows.ts', import.meta.url),
    activities: {
      throws: async (kind: string) => {
        throw hostile(kind);
      },
    },
    sinks: {
      sink: {
        throws: {
          callDuringReplay: false,
          fn: (_info: unknown, kind: string) => {
            throw hostile(kind);
          },
        },
      },
    },
    store: join(directory, 'store'),
    workers: WORKERS,
    stepLimit: stepLimitMs,
    logger: 'silent',
  });
  const violations: Violation[] = [];
  const violate = (kind: string, what: string) => violations.push({ kind, what });
  let workersLost = 0;
  // Beyond those is the thread for runs that may end theirs, where no healthy one is.
  runtime.events.on('workerLost', ({ worker }) => {
    if (worker < WORKERS) workersLost++;
  });
  try {
    const healthy = new Healthy(runtime.client, violate);
    await healthy.begin(healthyCallers);
    const next = random(seed);
    const end = performance.now() + ms;
    let culprits = 0;
    let left = everyKind ? [...CULPRITS] : [];
    while (left.length > 0 || performance.now() < end) {
      if (left.length === 0) left = [...CULPRITS];
      const [kind] = left.splice(Math.floor(next() * left.length), 1) as [string];
      const before = workersLost;
      const began = performance.now();
      await ACTS[kind]!(runtime.client, `culprit ${culprits++}`);
      const lost = workersLost - before;
      progress?.(`${kind}: ${lost} workers lost, ${Math.round(performance.now() - began)} ms`);
      if (lost > MOST_RESTARTS) violate('restarts', `${kind} cost ${lost} restarts of workers`);
    }
    const latencies = await healthy.end();
    await nothingIsLeft(runtime, healthyCallers, violate);
    const p99Ms = latencies[Math.floor(latencies.length * 0.99)] ?? 0;
    if (p99Ms > stepLimitMs + 1000) violate('late', `p99 of healthy calls is ${Math.round(p99Ms)} ms`);
    return { culprits, healthyCalls: latencies.length, p99Ms, workersLost, violations };
  } finally {
    await runtime.shutdown();
    await rm(directory, { recursive: true });
  }
}

/** Callers each with a run of their own, who know what they must be told. */
class Healthy {
  readonly #latencies: number[] = [];
  #callers: Promise<unknown> | undefined;
  #over = false;

  constructor(
    private readonly client: Client,
    private readonly violate: (kind: string, what: string) => void,
  ) {}

  async begin(callers: number): Promise<void> {
    const { workflow } = this.client;
    const ids = Array.from({ length: callers }, (_, n) => `healthy ${n}`);
    await Promise.all(ids.map((workflowId) => workflow.start(account, { workflowId })));
    this.#callers = Promise.all(ids.map((id) => this.#call(id)));
  }

  /** Latencies, shortest first. */
  async end(): Promise<number[]> {
    this.#over = true;
    await this.#callers;
    return this.#latencies.sort((a, b) => a - b);
  }

  async #call(id: string): Promise<void> {
    const { workflow } = this.client;
    const handle = workflow.getHandle(id);
    let sum = 0;
    for (let n = 1; !this.#over; n++) {
      sum += n;
      await this.#expect(sum, `deposit of ${id}`, () => handle.executeUpdate(deposit, { args: [n] }));
      await this.#expect(sum, `balance of ${id}`, () => handle.query(balance));
      const options = { workflowId: `${id} doubles ${n}`, args: [n] as [number] };
      await this.#expect(2 * n, `double of ${id}`, () => workflow.execute(double, options));
    }
  }

  async #expect(expected: number, what: string, call: () => Promise<number>): Promise<void> {
    const began = performance.now();
    try {
      const answer = await call();
      if (answer !== expected) this.violate('wrong', `${what} is ${answer}, and must be ${expected}`);
    } catch (error) {
      this.violate('failed', `${what}: ${String(error)}`);
    }
    this.#latencies.push(performance.now() - began);
  }
}

const UNTOUCHED = JSON.stringify({
  admin: [null, null, null],
  text: ['[object Object]', '[1]', 'Named: x'],
  mapped: [2, 3],
  matched: 'a-c',
  iterated: [1, 2],
});

/** Of the culprits' doing, once they are gone. */
async function nothingIsLeft(
  runtime: Runtime,
  healthyCallers: number,
  violate: (kind: string, what: string) => void,
): Promise<void> {
  const { workflow } = runtime.client;
  const witnesses = await Promise.all(
    Array.from({ length: 8 }, (_, n) => workflow.start(target, { workflowId: `witness ${n}` })),
  );
  for (const witness of witnesses) {
    const text = JSON.stringify(await witness.query(seen));
    if (text !== UNTOUCHED) violate('left', `a run sees ${text}`);
    await witness.terminate();
  }
  const open = await workflow.count(`ExecutionStatus = 'Running'`);
  if (open.count !== healthyCallers) violate('left', `${open.count} runs are open, and ${healthyCallers} must be`);
  const { suspendedRuns, quarantinedRuns } = await runtime.stats();
  if (suspendedRuns + quarantinedRuns > 0)
    violate('left', `${suspendedRuns} suspended, ${quarantinedRuns} quarantined runs`);
}
