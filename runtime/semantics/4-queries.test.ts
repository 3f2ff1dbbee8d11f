/**
 * Semantics, section 4: queries, which only read.
 */
import { expect } from 'vitest';
import { currentExecution } from '../../actors/current.js';
import {
  condition,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
  sleep,
  uuid4,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { running } from '../test-kit/running.test-kit.js';
import { ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const { charge } = proxyActivities<{ charge(): Promise<void> }>({ startToCloseTimeout: 1000 });
const add = defineSignal<[entry: string]>('add');
const state = defineQuery<unknown>('state');
const ask = defineQuery<unknown, [how: string]>('ask');
const forEver = () => condition(() => false);

row('queries/synchronous', 'also if its promise rejects', async () => {
  const system = await running(async () => {
    setHandler(ask, async (how) => {
      if (how === 'rejects') throw new Error('inside');
      return 1;
    });
    await forEver();
  });
  for (const how of ['resolves', 'rejects']) {
    expect(await system.query('w', 'ask', how).error()).toMatchObject({
      code: 'QUERY_FAILED',
      fields: { reason: 'Query handlers should not return a Promise' },
    });
  }
  expect((await system.describe('w')).suspended).toBeUndefined();
  await expectInvariants(system);
});

row('queries/closed-runs', 'completed, failed or terminated, evicted or read back from the disk', async () => {
  const system = await running(ledger);
  await system.signal('w', 'add', 'a').value();
  await system.signal('w', 'finish').value();
  await system.start('t', 'main').value();
  await system.signal('t', 'add', 'b').value();
  await system.terminate('t').value();
  for (const pass of [() => system.settle(), () => system.evictAll(), () => system.restart(), () => system.crash()]) {
    await pass();
    expect(await system.query('w', 'entries').value()).toEqual(['a']);
    expect(await system.query('t', 'entries').value()).toEqual(['b']);
  }
  await expectInvariants(system);
});

row('queries/no-event', 'whether it succeeds or fails', async () => {
  const system = await running(async () => {
    setHandler(state, () => 'fine');
    setHandler(ask, () => {
      throw new Error('no');
    });
    await sleep('1 day');
  });
  await system.query('w', 'state').value();
  await system.query('w', 'ask', 'a').error();
  await system.query('w', 'unheard of').error();
  await system.restart();
  await system.query('w', 'state').value();
  await system.restart();
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'TimerStarted']);
  await expectInvariants(system);
});

row('queries/read-your-writes', 'however many turns and rounds of conditions the signals take', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    const noticed: string[] = [];
    setHandler(state, () => noticed);
    setHandler(add, async (entry) => {
      for (let i = 0; i < 10; i++) await null;
      seen.push(entry);
    });
    for (;;) {
      await condition(() => seen.length > noticed.length);
      noticed.push(seen[noticed.length]!);
    }
  });
  // Every turn does one step and hands the rest back.
  let now = 0;
  system.workers.monotonic = () => (now += 10);
  const sent = Array.from({ length: 20 }, (_, index) => `entry ${index}`);
  for (const entry of sent) await system.signal('w', 'add', entry).value();
  expect(await system.query('w', 'state').value()).toEqual(sent);
  await expectInvariants(system);
});

const trespasses: [string, () => unknown][] = [
  ['a timer', () => sleep(1).catch(() => undefined)],
  ['an activity', () => charge().catch(() => undefined)],
  ['a handler', () => setHandler(add, undefined)],
  ['a draw of Math.random', () => currentExecution().random()],
  ['a draw of uuid4', () => uuid4()],
  ['a timer in a microtask', () => void Promise.resolve().then(() => sleep(1).catch(() => undefined))],
];

for (const [what, trespass] of trespasses) {
  row('queries/reads-only', what, async () => {
    const system = await running(async () => {
      let count = 0;
      setHandler(state, () => count);
      setHandler(add, () => {
        count++;
      });
      setHandler(ask, () => {
        count += 100;
        trespass();
        return 'unharmed';
      });
      await forEver();
    });
    await system.signal('w', 'add', 'a').value();
    const error = await system.query('w', 'ask', '').error();
    expect(error).toMatchObject({ code: 'QUERY_FAILED' });
    expect(error.message).toContain("not allowed in the handler of query 'ask'");
    expect(await system.query('w', 'state').value()).toBe(1);
    await system.signal('w', 'add', 'b').value();
    expect(await system.query('w', 'state').value()).toBe(2);
    await expectInvariants(system);
  });
}

row('queries/thrown-error', 'and its type and cause', async () => {
  const system = await running(async () => {
    setHandler(ask, () => {
      throw new RangeError('no such page', { cause: new Error('only two pages') });
    });
    await forEver();
  });
  const error = await system.query('w', 'ask', '').error();
  expect(error).toMatchObject({
    code: 'QUERY_FAILED',
    cause: { type: 'RangeError', message: 'no such page', cause: { message: 'only two pages' } },
  });
  expect(error.message).toContain('no such page');
  await expectInvariants(system);
});

row('queries/only-unknown-unregistered', 'an error that resembles it, thrown by a handler, is not', async () => {
  const system = await running(async () => {
    setHandler(ask, () => {
      throw Object.assign(new Error('not registered'), { name: 'QueryNotRegisteredError' });
    });
    await forEver();
  });
  expect(await system.query('w', 'unheard of').error()).toMatchObject({ code: 'QUERY_NOT_REGISTERED' });
  expect(await system.query('w', 'ask', '').error()).toMatchObject({ code: 'QUERY_FAILED' });
  await expectInvariants(system);
});

row('queries/no-condition-fires', 'though its handler makes one true, by what should not be done', async () => {
  const system = await running(async () => {
    const touched: string[] = [];
    setHandler(ask, (how) => touched.push(how));
    setHandler(state, () => 'waiting');
    await condition(() => touched.length > 0);
  });
  expect(await system.query('w', 'ask', 'a').value()).toBe(1);
  expect(await system.query('w', 'state').value()).toBe('waiting');
  expect((await system.describe('w')).status).toBe('RUNNING');
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});
