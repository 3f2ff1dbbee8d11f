/**
 * Interceptors and sinks that do what they should not: who hears of it, and that nothing else is hurt.
 * Thread: the test’s. In → out: faulty interceptors → answers, histories, logs.
 */
import { expect, test } from 'vitest';
import {
  condition,
  defineQuery,
  log,
  proxyActivities,
  proxySinks,
  setHandler,
  sleep,
  uuid4,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptorsFactory,
  type WorkflowOutboundCallsInterceptor,
  workflowInfo,
} from '../../actors/workflow/index.js';
import type { HeadersRecord } from '../../mailbox/events.js';
import { decodePayload, encodePayload } from '../../mailbox/payload.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System, type SystemOptions } from '../test-kit/system.test-kit.js';
import { append, entries, finish, ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

async function intercepted(factory: WorkflowInterceptorsFactory, options: SystemOptions): Promise<System> {
  const system = await System.open(options);
  system.deployed.interceptors = [factory];
  return system;
}
const inboundOnly = (inbound: WorkflowInboundCallsInterceptor, options: SystemOptions = { workflows: { ledger } }) =>
  intercepted(() => ({ inbound: [inbound] }), options);
const outboundOnly = (outbound: WorkflowOutboundCallsInterceptor, options: SystemOptions) =>
  intercepted(() => ({ outbound: [outbound] }), options);

const other = defineQuery<number>('other');
const { charge } = proxyActivities<{ charge(...args: unknown[]): Promise<string> }>({ startToCloseTimeout: 1000 });
const { audit } = proxySinks<{ audit: { note(text: unknown): void } }>();

const sinkCalls = (system: System) => system.toHost.filter(({ kind }) => kind === 'sinkCalls').length;
const logged = (system: System) => system.lifecycle.flatMap((event) => (event.name === 'log' ? [event.message] : []));

test.each([
  ['draws a random number', () => void Math.random()],
  ['draws a random number of the run', () => void uuid4()],
  ['begins an activity', () => void charge().catch(() => undefined)],
  ['sets a handler', () => setHandler(other, () => 1)],
  [
    'hides that it tried to',
    () => {
      try {
        uuid4();
      } catch {
        // Nobody is to know.
      }
    },
  ],
])('an interceptor of queries that %s, later too, fails its query and changes nothing', async (what, act) => {
  for (const when of ['before', 'after']) {
    const system = await inboundOnly({
      async handleQuery(input, next) {
        if (when === 'before') act();
        const answer = await next(input);
        await Promise.resolve();
        if (when === 'after') act();
        return answer;
      },
    });
    await system.start('w', 'ledger').value();
    const asked = system.query('w', entries.name);
    if (what === 'draws a random number')
      expect(await asked.value()).toEqual([]); // The machine's, outside of the sandbox.
    else expect(await asked.error()).toMatchObject({ code: 'QUERY_FAILED' });
    await system.signal('w', finish.name).value();
    expect(await system.result('w').value()).toEqual([]);
    await expectInvariants(system);
  }
});

test('an interceptor of updates that throws before or after its handler fails the update', async () => {
  for (const when of ['before', 'after']) {
    const system = await inboundOnly({
      async handleUpdate(input, next) {
        if (when === 'before') throw new TypeError('mine');
        await next(input);
        throw new TypeError('mine');
      },
    });
    system.deployed.failureTypeNames = ['TypeError'];
    await system.start('w', 'ledger').value();
    expect((await system.update('w', append.name, 'x').error()).cause).toMatchObject({ message: 'mine' });
    expect(await system.query('w', entries.name).value()).toEqual(when === 'before' ? [] : ['x']);
    await system.evictAll();
    expect(await system.query('w', entries.name).value()).toEqual(when === 'before' ? [] : ['x']);
    await expectInvariants(system);
  }
});

test('an interceptor that calls next twice has it done twice, in the replay too', async () => {
  const system = await outboundOnly(
    {
      async scheduleActivity(input, next) {
        await next(input);
        return next(input);
      },
    },
    { workflows: { w: async () => charge() } },
  );
  await system.start('w', 'w').value();
  system.activityReturns(system.attempts[0]!, 'first');
  await system.settle();
  await system.evictAll();
  system.activityReturns(system.attempts[1]!, 'second');
  expect(await system.result('w').value()).toBe('second');
  await expectInvariants(system);
});

test('interceptors that call nothing on keep signals and runs from their code', async () => {
  const system = await inboundOnly({ handleSignal: async () => undefined });
  await system.start('w', 'ledger').value();
  await system.signal('w', 'add', 'x').value();
  expect(await system.query('w', entries.name).value()).toEqual([]);
  const other = await inboundOnly({ execute: async () => 'instead' });
  await other.start('w', 'ledger').value();
  expect(await other.result('w').value()).toBe('instead');
  await expectInvariants(other);
});

test('a factory that throws suspends the run, and it goes on once that is mended', async () => {
  const system = await intercepted(
    () => {
      throw new Error('no tracer');
    },
    { workflows: { w: async () => 'done' } },
  );
  await system.start('w', 'w').value();
  await system.settle();
  expect((await system.query('w', 'any').error()).message).toMatch(/suspended: no tracer/);
  system.deployed.interceptors = [];
  await system.pass(60_000);
  expect(await system.result('w').value()).toBe('done');
});

test('a factory logs and calls sinks for a new run, and not again when the run is rebuilt', async () => {
  const replaying: boolean[] = [];
  const system = await intercepted(
    () => {
      if (workflowInfo().workflowId !== 'w') return {};
      replaying.push(workflowInfo().unsafe.isReplaying);
      log.info('made');
      audit.note('made');
      return {};
    },
    { workflows: { w: async () => sleep(1000) } },
  );
  await system.start('w', 'w').value();
  await system.settle();
  await system.evictAll();
  await system.pass(1000);
  await system.settle();
  expect(replaying).toEqual([false, true]);
  expect(logged(system)).toEqual(['made']);
  expect(sinkCalls(system)).toBe(1);
});

test('two promises of one validation reject the update, and hurt nothing else', async () => {
  const inbound = {
    async validateUpdate(input: never, next: (input: never) => void) {
      next(input);
      next(input);
      throw new Error('too late');
    },
  } as unknown as WorkflowInboundCallsInterceptor;
  const workflows = {
    async w() {
      setHandler({ type: 'update', name: 'u' } as never, (() => 'handled') as never, {
        validator: (async () => {
          throw new Error('refused');
        }) as never,
      });
      await condition(() => false);
    },
  };
  const system = await inboundOnly(inbound, { workflows });
  await system.start('w', 'w').value();
  expect((await system.update('w', 'u').error()).cause).toMatchObject({ message: 'too late' });
  expect((await system.query('w', 'any').error()).code).toBe('QUERY_NOT_REGISTERED');
});

test.each([
  ['is asynchronous', 'must be synchronous', async () => Promise.reject(new Error('no attributes'))],
  [
    'throws',
    'no attributes',
    () => {
      throw new Error('no attributes');
    },
  ],
])('getLogAttributes that %s suspends its run, which says why', async (_, why, getLogAttributes) => {
  const w = async () => {
    log.info('line', { own: 1 });
    return 'done';
  };
  const system = await outboundOnly({ getLogAttributes: getLogAttributes as never }, { workflows: { w } });
  await system.start('w', 'w').value();
  expect((await system.query('w', 'any').error()).message).toMatch(why);
  system.deployed.interceptors = [];
  await system.pass(60_000);
  expect(await system.result('w').value()).toBe('done');
  expect(logged(system)).toEqual(['line']);
});

test('the headers of a run are those of its retries and of its cron runs', async () => {
  const seen: unknown[] = [];
  const header: HeadersRecord = { own: encodePayload('mine').slice() };
  const inbound: WorkflowInboundCallsInterceptor = {
    execute: (input, next) => {
      seen.push(input.headers['own'] && decodePayload(input.headers['own']));
      return next(input);
    },
  };
  let fails = true;
  const system = await inboundOnly(inbound, {
    workflows: {
      async w() {
        if (!fails) return;
        fails = false;
        throw new TypeError('again');
      },
    },
  });
  system.deployed.failureTypeNames = ['TypeError'];
  const retry = {
    initialInterval: 1000,
    backoffCoefficient: 1,
    maximumInterval: 1000,
    maximumAttempts: 5,
    nonRetryableErrorTypes: [],
  };
  await system
    .startWith({ workflowId: 'w', workflowType: 'w', options: { headers: header, retry, cronSchedule: '* * * * *' } })
    .value();
  await system.settle();
  await system.pass(1000);
  for (let minutes = 0; minutes < 3; minutes++) await system.pass(60_000);
  expect(seen.slice(0, 3)).toEqual(['mine', 'mine', 'mine']);
});

test('headers that are too large together fail the call that they are set on', async () => {
  const mebibyte = encodePayload(new Uint8Array(2 ** 20)).slice();
  const system = await outboundOnly(
    { scheduleActivity: (input, next) => next({ ...input, headers: { a: mebibyte, b: mebibyte } }) },
    { workflows: { w: async () => charge().catch((error: Error) => error.message) } },
  );
  await system.start('w', 'w').value();
  expect(await system.result('w').value()).toMatch(/headers.*2097152/);
});

test('sink calls beyond what a step may send are dropped, and that is told', async () => {
  const system = await System.open({
    workflows: {
      async w() {
        audit.note('kept');
        audit.note('x'.repeat(5 * 2 ** 20));
        audit.note('too late');
        return 'on';
      },
    },
  });
  await system.start('w', 'w').value();
  expect(await system.result('w').value()).toBe('on');
  await system.settle();
  expect(system.toHost.flatMap((message) => (message.kind === 'sinkCalls' ? message.calls : []))).toHaveLength(1);
  expect(logged(system)).toEqual([
    expect.stringContaining('called sinks 3 times: those after the first 1 are dropped'),
  ]);
});

test('a flood of log lines in one step is cut off and told of', async () => {
  const system = await System.open({
    workflows: {
      async w() {
        for (let i = 0; i < 30_000; i++) log.info(`line ${i}`);
        return 'on';
      },
    },
  });
  await system.start('w', 'w').value();
  expect(await system.result('w').value()).toBe('on');
  await system.settle();
  expect(logged(system)).toHaveLength(10_001);
  expect(logged(system).at(-1)).toBe('A step logs more than 10000 lines: the others are dropped');
});
