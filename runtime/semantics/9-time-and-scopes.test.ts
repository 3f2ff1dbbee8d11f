/**
 * Semantics, section 9: timers, cancellation, the clock, chance, and which globals there are.
 */

import { afterAll, beforeAll, expect } from 'vitest';
import { currentExecution } from '../../actors/current.js';
import type { SandboxHost } from '../../actors/sandbox/sandbox-host.js';
import { createTimers } from '../../actors/sandbox/timers.js';
import {
  CancelledFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  log,
  setHandler,
  sleep,
  uuid4,
} from '../../actors/workflow/index.js';
import { evaluate, refusalOf } from '../bundler/fixtures/project.js';
import type { Runtime } from '../runtime.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { running } from '../test-kit/running.test-kit.js';
import { START_OF_TIME, type System } from '../test-kit/system.test-kit.js';
import { workflowTime } from '../test-kit/workflows.test-kit.js';
import { createTestRuntime } from '../testing/index.js';
import { allowed, counting, reach, reaching, state, stop, tick, timeouts } from './fixtures/world.js';

routeRejections();

const add = defineSignal<[entry: string]>('add');
const go = defineSignal('go');
const entries = defineQuery<unknown[]>('entries');
const now = defineQuery<number>('now');
const update = defineUpdate<number, [entry: string]>('update');
const forEver = () => condition(() => false);
const seenBy = (system: System) => system.query('w', 'entries').value() as Promise<unknown[]>;

row('time/set-timeout-durations', 'to the millisecond', () => {
  const started: number[] = [];
  const startTimer = (ms: number) => started.push(ms);
  const { setTimeout, setInterval } = createTimers(() => ({ startTimer }) as unknown as SandboxHost); // All that timers begin with.
  const given = ['25 days', '1.5s', Number.POSITIVE_INFINITY, 2 ** 40, '250', 1.9, 0, -1, undefined, 'soon'];
  for (const ms of given) setTimeout(() => {}, ms);
  setInterval(() => {}, '2 hours');
  expect(started).toEqual([25 * 86_400_000, 1500, 1e15, 2 ** 40, 250, 1, 1, 1, 1, 1, 7_200_000]);
});

row('time/condition-zero', 'without a timer', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    let ready = false;
    setHandler(entries, () => seen);
    seen.push(await condition(() => false, 0));
    void Promise.resolve().then(() => {
      ready = true;
    });
    seen.push(await condition(() => ready, 0));
    seen.push(await condition(() => true, 0));
    await forEver();
  });
  expect(await seenBy(system)).toEqual([false, true, true]);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});

row(
  'time/sleep-at-least-one',
  'of nothing, a part of one, or less than nothing; longer ones as long as they say',
  async () => {
    const system = await running(async () => {
      const seen: string[] = [];
      setHandler(entries, () => seen);
      const nap = async (name: string, ms: number) => {
        await sleep(ms);
        seen.push(name);
      };
      await Promise.all([nap('long', 30), nap('short', 10), nap('none', 0), nap('negative', -5), nap('part', 0.2)]);
      seen.push('all');
      await forEver();
    });
    const fires = system.history('w').flatMap((e) => (e.eventType === 'TimerStarted' ? [e.fireAt - e.eventTime] : []));
    expect(fires).toEqual([30, 10, 1, 1, 1]);
    expect(await seenBy(system)).toEqual([]);
    await system.pass(1);
    expect(await seenBy(system)).toEqual(['none', 'negative', 'part']);
    await system.pass(1000);
    expect(await seenBy(system)).toEqual(['none', 'negative', 'part', 'short', 'long', 'all']);
    await expectInvariants(system);
  },
);

row('time/timer-in-one-step', 'and fires never', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    let ready = false;
    setHandler(entries, () => seen);
    const waiting = condition(() => ready, 1000);
    await null;
    ready = true;
    seen.push(await waiting);
    await forEver();
  });
  await system.pass(2000);
  expect(await seenBy(system)).toEqual([true]);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});

row('time/condition-timeout', 'in the steps in which that happens', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    let ready = false;
    setHandler(entries, () => seen);
    setHandler(go, () => {
      ready = true;
    });
    seen.push(await condition(() => ready, '10s'));
    seen.push(await condition(() => !ready, 5000));
    await forEver();
  });
  await system.signal('w', 'go').value();
  await system.pass(4999);
  expect(await seenBy(system)).toEqual([true]);
  await system.pass(1);
  expect(await seenBy(system)).toEqual([true, false]);
  expect(system.types('w').slice(1)).toEqual([
    'TimerStarted',
    'WorkflowExecutionSignaled',
    'TimerCanceled',
    'TimerStarted',
    'TimerFired',
  ]);
  await expectInvariants(system);
});

row('time/cancellation', 'a timer and a condition alike, and what is awaited afterwards', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    const note = async (name: string, promise: Promise<unknown>) => {
      await promise.catch((error) => seen.push(`${name} ${(error as Error).name}`));
    };
    await Promise.all([note('timer', sleep(60_000)), note('condition', forEver())]);
    await sleep(60_000);
  });
  expect(await system.cancel('w', 'changed my mind').value()).toBe('done');
  const error = await system.result('w').error();
  expect(error).toMatchObject({ code: 'WORKFLOW_FAILED', fields: { status: 'CANCELLED' } });
  expect(error.cause).toBeInstanceOf(CancelledFailure);
  expect(await seenBy(system)).toEqual(['timer CancelledFailure', 'condition CancelledFailure']);
  expect(system.types('w').slice(1)).toEqual([
    'TimerStarted',
    'WorkflowExecutionCancelRequested',
    'TimerCanceled',
    'WorkflowExecutionCanceled',
  ]);
  expect(await system.cancel('w').error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
  await expectInvariants(system);
});

row('time/cancellation-caught', 'by a return', async () => {
  const system = await running(async () => {
    try {
      await sleep(60_000);
    } catch (error) {
      if (!isCancellation(error)) throw error;
      return 'cleaned up';
    }
    return 'slept';
  });
  await system.cancel('w').value();
  expect(await system.result('w').value()).toBe('cleaned up');
  expect(system.types('w').at(-1)).toBe('WorkflowExecutionCompleted');
  await expectInvariants(system);
});

/** Writes down its clock at every message. */
async function watch(): Promise<void> {
  const seen: number[] = [workflowTime() - START_OF_TIME];
  const look = () => seen.push(workflowTime() - START_OF_TIME);
  let over = false;
  setHandler(entries, () => seen);
  setHandler(now, () => workflowTime() - START_OF_TIME);
  setHandler(add, () => void look());
  setHandler(go, () => {
    look();
    over = true;
  });
  setHandler(update, look, {
    validator: (entry) => {
      if (entry === 'time') throw new Error(`it is ${workflowTime() - START_OF_TIME}`);
    },
  });
  await condition(() => over && seen.length > 3);
}

row('time/date-of-admission', 'however late its step is, and never before the message in front', async () => {
  const system = await running(watch);
  system.clock.advance(100);
  system.workers.returns.shut();
  system.signal('w', 'add', 'a');
  await system.settle();
  system.clock.advance(50);
  system.signal('w', 'add', 'b');
  await system.settle();
  system.clock.jump(-10_000);
  system.signal('w', 'add', 'c');
  await system.settle();
  system.clock.advance(5000);
  system.workers.returns.open();
  expect(await seenBy(system)).toEqual([0, 100, 150, 150]);
  await system.restart();
  expect(await seenBy(system)).toEqual([0, 100, 150, 150]);
  await expectInvariants(system);
});

row('time/date-of-merged-step', 'the same for all of it, and in replay', async () => {
  const system = await running(watch);
  await system.signal('w', 'add', 'a').value();
  await system.signal('w', 'add', 'b').value();
  system.clock.advance(100);
  system.workers.returns.shut();
  system.signal('w', 'go');
  await system.settle();
  system.clock.advance(10);
  system.signal('w', 'add', 'c');
  await system.settle();
  system.clock.advance(10);
  const call = system.update('w', 'update', 'd');
  await system.settle();
  system.workers.returns.open();
  await call.value();
  expect(await seenBy(system)).toEqual([0, 0, 0, 110, 110, 110]);
  await system.evictAll();
  expect(await seenBy(system)).toEqual([0, 0, 0, 110, 110, 110]);
  await expectInvariants(system);
});

row('time/date-in-queries', 'which neither moves', async () => {
  const system = await running(watch);
  await system.pass(100);
  await system.signal('w', 'add', 'a').value();
  await system.pass(100);
  expect(await system.query('w', 'now').value()).toBe(100);
  expect(await system.update('w', 'update', 'time').error()).toMatchObject({ cause: { message: 'it is 100' } });
  expect(await system.query('w', 'now').value()).toBe(100);
  await system.evictAll();
  expect(await system.query('w', 'now').value()).toBe(100);
  await expectInvariants(system);
});

row('time/random-seeded', 'also what is drawn after a restart', async () => {
  const system = await running(async () => {
    const drawn: unknown[] = [uuid4(), currentExecution().random()];
    setHandler(entries, () => drawn);
    setHandler(go, () => void drawn.push(uuid4(), currentExecution().random()));
    await forEver();
  });
  await system.signal('w', 'go').value();
  const before = await seenBy(system);
  await system.restart();
  expect(await seenBy(system)).toEqual(before);
  await system.signal('w', 'go').value();
  const after = await seenBy(system);
  expect(after.slice(0, 4)).toEqual(before);
  await system.start('v', 'main').value();
  for (let i = 0; i < 2; i++) await system.signal('v', 'go').value();
  const other = (await system.query('v', 'entries').value()) as unknown[];
  expect(new Set([...after, ...other]).size).toBe(12);
  await expectInvariants(system);
});

row('globals/console-replay-aware', 'each message once, whatever happens to the actor', async () => {
  const world = { broken: false };
  const system = await running(async () => {
    log.info('began');
    setHandler(add, (entry) => {
      log.info(entry);
      if (world.broken) throw new Error('not yet');
    });
    await forEver();
  });
  await system.signal('w', 'add', 'a').value();
  await system.evictAll();
  await system.signal('w', 'add', 'b').value();
  await system.restart();
  world.broken = true;
  await system.signal('w', 'add', 'c').value();
  world.broken = false;
  await system.pass(1000);
  const told = system.lifecycle.flatMap((event) => (event.name === 'log' ? [event.message] : []));
  expect(told).toEqual(['began', 'a', 'b', 'c']);
  await expectInvariants(system);
});

let runtime: Runtime;
const logged: unknown[] = [];
beforeAll(async () => {
  runtime = await createTestRuntime({ workflows: new URL('./fixtures/world.js', import.meta.url), workers: 1 });
  runtime.events.on('log', ({ message }) => logged.push(message));
});
afterAll(() => runtime.shutdown());

row('time/scope-set-timeout', 'without a word, and are not begun in one that has been cancelled', async () => {
  const handle = await runtime.client.workflow.start(timeouts, { workflowId: 'timeouts' });
  expect(await handle.result()).toEqual(['beside']);
  const types = (await handle.fetchHistory()).events.map(({ eventType }) => eventType);
  expect(types.filter((type) => type === 'TimerStarted')).toHaveLength(2);
});

row('globals/allowed', 'and do what they say', async () => {
  const told = await runtime.client.workflow.execute(allowed, { workflowId: 'allowed' });
  expect(told).toEqual({
    timer: 'rang',
    aborted: false,
    encoded: [0xc3, 0xa4],
    url: 'https://a.example/b?c=d',
    cloned: new Map([['a', new Date(0)]]),
    stored: 'stored',
    date: true,
    random: true,
    uuid: 36,
  });
  expect(logged).toEqual(['from the console']);
});

const DENIED = [
  ...['WebAssembly', 'crypto.subtle', 'MessageChannel', 'Atomics'],
  ...['AbortSignal.timeout', 'process', 'fetch', 'require'],
];

row('globals/denied', 'refused where they are named, with what to do instead', async () => {
  for (const name of DENIED) {
    const message = await refusalOf(`export async function a() {\n  return [1, ${name}];\n}`);
    expect(message).toMatch(/workflows\.ts:2:/);
    expect(message).toContain(`${name} is not available in workflow code: `);
  }
  const builtin = "import { readFileSync } from 'node:fs';\nexport async function a() { readFileSync('x'); }";
  expect(await refusalOf(builtin)).toContain('node:fs');
});

row('globals/denied', 'missing for code that finds a way around that, and named by its errors', async () => {
  const handle = await runtime.client.workflow.start(reaching, { workflowId: 'reaching' });
  const told = async (name: string) =>
    (name === 'subtle' ? handle.query(state) : handle.query(reach, name)).then(
      (type) => type as string,
      (error: Error) => error.message,
    );
  expect(await told('crypto.randomUUID')).toBe('function');
  for (const name of [...DENIED, 'WeakRef', 'FinalizationRegistry', 'eval']) {
    if (name.includes('.')) expect(await told(name)).toBe('undefined');
    else expect(await told(name)).toContain(`${name} is not available in workflow code`);
  }
  expect(await told('subtle')).toContain('crypto.subtle is not available in workflow code');
});

row('globals/module-state', 'though they run on one thread, one after the other and at once', async () => {
  const { workflow } = runtime.client;
  const a = await workflow.start(counting, { workflowId: 'a', args: ['a'] });
  const b = await workflow.start(counting, { workflowId: 'b', args: ['b'] });
  await a.signal(tick);
  await b.signal(tick);
  await b.signal(tick);
  expect(await a.query(state)).toEqual({ count: 1, list: ['a'] });
  expect(await b.query(state)).toEqual({ count: 2, list: ['b', 'b'] });
  for (const handle of [a, b]) await handle.signal(stop);
  await Promise.all([a.result(), b.result()]);
  const c = await workflow.start(counting, { workflowId: 'c', args: ['c'] });
  expect(await c.query(state)).toEqual({ count: 0, list: [] });
});

row('globals/libraries-shared', 'unlike the file that imports it', async () => {
  const evaluated = await evaluate({
    'workflows.ts':
      "import { count } from 'tiny';\nlet own = 0;\nexport async function a() { return [++own, count()]; }",
    'node_modules/tiny/package.json': '{"name":"tiny","main":"index.js"}',
    'node_modules/tiny/index.js': 'let calls = 0; exports.count = () => ++calls;',
  });
  expect(await evaluated.execution()('a')).toEqual([1, 1]);
  expect(await evaluated.execution()('a')).toEqual([1, 2]);
});
