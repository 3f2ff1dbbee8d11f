/**
 * Workflow interceptors: what goes into a workflow and what it asks for goes through them, live and in replay, with the headers they set.
 */
import { expect, test } from 'vitest';
import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  type Headers,
  log,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  startChild,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptors,
  type WorkflowInterceptorsFactory,
  workflowInfo,
} from '../../actors/workflow/index.js';
import type { UpdateInput } from '../../actors/workflow/interceptors.js';
import type { HeadersRecord } from '../../mailbox/events.js';
import { decodePayload, encodePayload, encodePayloads } from '../../mailbox/payload.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System, type SystemOptions } from '../test-kit/system.test-kit.js';
import { append, entries, finish, ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

async function intercepted(
  factories: WorkflowInterceptorsFactory | WorkflowInterceptorsFactory[],
  options: SystemOptions,
): Promise<System> {
  const system = await System.open(options);
  system.deployed.interceptors = [factories].flat();
  return system;
}

const tenant = (name: string): HeadersRecord => ({ tenant: encodePayload(name).slice() });
const tenantIn = (headers: Headers | undefined): unknown =>
  headers?.['tenant'] === undefined ? undefined : decodePayload(headers['tenant']);

/** Hands on to all that a run asks for the tenant that it was started for. */
function tenantPropagation(): WorkflowInterceptors {
  let own: Headers = {};
  const withTenant = <I extends { readonly headers: Headers }>(input: I): I => ({
    ...input,
    headers: { ...input.headers, ...own },
  });
  return {
    inbound: [
      {
        execute: (input, next) => {
          const { tenant } = input.headers;
          if (tenant !== undefined) own = { tenant };
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(withTenant(input)),
        startChildWorkflowExecution: (input, next) => next(withTenant(input)),
        signalWorkflow: (input, next) => next(withTenant(input)),
        requestWorkflow: (input, next) => next(withTenant(input)),
        continueAsNew: (input, next) => next(withTenant(input)),
      },
    ],
  };
}

const startedFor = { options: { headers: tenant('acme') } };

test('interceptors go round a run from the first to the last and back, modules in their order', async () => {
  const told: string[] = [];
  const named = (name: string): WorkflowInboundCallsInterceptor => ({
    async execute(input, next) {
      told.push(`${name} in`);
      const result = await next(input);
      told.push(`${name} out`);
      return `${name}(${result})`;
    },
  });
  const system = await intercepted([() => ({ inbound: [named('a'), named('b')] }), () => ({ inbound: [named('c')] })], {
    workflows: {
      async w() {
        told.push('main');
        return 'done';
      },
    },
  });
  await system.start('w', 'w').value();
  expect(await system.result('w').value()).toBe('a(b(c(done)))');
  expect(told).toEqual(['a in', 'b in', 'c in', 'main', 'c out', 'b out', 'a out']);
});

test('an interceptor may change what main, handlers and queries get and give', async () => {
  const upper = (args: unknown[]) => args.map((arg) => String(arg).toUpperCase());
  const system = await intercepted(
    () => ({
      inbound: [
        {
          handleSignal: (input, next) => next({ ...input, args: upper(input.args) }),
          handleUpdate: async (input, next) => [input.updateId, await next({ ...input, args: upper(input.args) })],
          handleQuery: async (input, next) => ({ [input.queryName]: await next(input) }),
        },
      ],
    }),
    { workflows: { ledger } },
  );
  await system.start('w', 'ledger').value();
  await system.signal('w', 'add', 'signal').value();
  expect(await system.updateWith({ workflowId: 'w', name: append.name, updateId: 'u' }, 'update').value()).toEqual([
    'u',
    2,
  ]);
  expect(await system.query('w', entries.name).value()).toEqual({ entries: ['SIGNAL', 'UPDATE'] });
  await system.evictAll();
  expect(await system.query('w', entries.name).value()).toEqual({ entries: ['SIGNAL', 'UPDATE'] });
  await expectInvariants(system);
});

test('each inbound call has the headers that it was sent with', async () => {
  const seen: string[] = [];
  const note = (call: string) => (input: { readonly headers: Headers }, next: (input: never) => unknown) => {
    seen.push(`${call} ${tenantIn(input.headers)}`);
    return next(input as never) as never;
  };
  const system = await intercepted(
    () => ({
      inbound: [
        {
          execute: note('execute'),
          handleSignal: note('signal'),
          validateUpdate: note('validate'),
          handleUpdate: note('update'),
          handleQuery: note('query'),
        },
      ],
    }),
    { workflows: { ledger } },
  );
  await system.startWith({ workflowId: 'w', workflowType: 'ledger', ...startedFor }).value();
  const input = encodePayloads(['x']);
  await system.request({ kind: 'signal', workflowId: 'w', name: 'add', input, headers: tenant('s') }).value();
  const update = { workflowId: 'w', name: append.name, updateId: 'u', stage: 'COMPLETED', input } as const;
  await system.request({ kind: 'update', ...update, headers: tenant('u') }).value();
  await system.request({ kind: 'query', workflowId: 'w', name: 'entries', input: [], headers: tenant('q') }).value();
  const live = ['execute acme', 'signal s', 'validate u', 'update u', 'query q'];
  expect(seen).toEqual(live);
  await system.evictAll();
  await system.query('w', 'entries').value();
  expect(seen.slice(-4)).toEqual(['execute acme', 'signal s', 'update u', 'query undefined']);
});

const ping = defineSignal<[string]>('ping');
const count = defineQuery<number>('count');
const bump = defineUpdate<number>('bump');
const { charge } = proxyActivities<{ charge(): Promise<string> }>({ startToCloseTimeout: '1 minute' });

async function asker(run = 1): Promise<string> {
  if (run === 2) return 'over';
  await charge();
  const child = await startChild(asked, { workflowId: 'child' });
  await child.signal(ping, 'to the child');
  const other = getExternalWorkflowHandle('other');
  await other.signal(ping, 'to another');
  await other.executeUpdate(bump);
  await other.query(count);
  await getExternalWorkflowHandle('new').signalWithStart(asked, { signal: ping, signalArgs: ['to a new one'] });
  return continueAsNew<typeof asker>(2);
}

async function asked(): Promise<void> {
  let bumps = 0;
  setHandler(ping, () => undefined);
  setHandler(bump, () => ++bumps);
  setHandler(count, () => bumps);
  await condition(() => false);
}

/** Each event with headers, and whose they are. */
function tenants(system: System): string[] {
  return [...system.histories().values()].flatMap((events) => {
    const [started] = events;
    const workflowId = started?.eventType === 'WorkflowExecutionStarted' ? started.workflowId : '';
    return events.flatMap((event) => {
      const { headers, options, request } = event as {
        headers?: Headers;
        options?: { headers?: Headers; run?: { headers?: Headers } };
        request?: { headers?: Headers };
      };
      const found = headers ?? options?.headers ?? options?.run?.headers ?? request?.headers;
      return found === undefined ? [] : [`${workflowId}: ${event.eventType} ${tenantIn(found)}`];
    });
  });
}

/** Runs until the asker is over; `disturb` is called before each flush is let through and may end the process. */
async function askAll(disturb: (system: System, flush: number) => Promise<void>): Promise<System> {
  const system = await intercepted(tenantPropagation, { workflows: { asker, asked } });
  await system.start('other', 'asked').value();
  const start = () =>
    system.startWith({ workflowId: 'asker', workflowType: 'asker', requestId: 'once', ...startedFor });
  system.store.flushes.shut();
  start();
  for (let flush = 0; flush < 200; flush++) {
    await system.settle();
    if (system.types('asker').at(-1) === 'WorkflowExecutionCompleted') break;
    await disturb(system, flush);
    const pays = /^ActivityTask(RetryS|S)cheduled$/.test(system.types('asker').at(-1) ?? '');
    const waiting = pays ? system.attempts.at(-1) : undefined;
    if (waiting !== undefined) system.activityReturns(waiting, 'paid');
    if (system.store.flushes.waiting > 0) system.store.flushes.letThrough();
    else if (system.types('asker').length === 0) start();
    else system.clock.advance(1);
  }
  system.store.flushes.open();
  await system.settle();
  return system;
}

const HANDED_ON = [
  'asker: WorkflowExecutionStarted acme',
  'asker: ActivityTaskScheduled acme',
  'asker: StartChildWorkflowExecutionInitiated acme',
  'child: WorkflowExecutionStarted acme',
  'asker: SignalExternalWorkflowExecutionInitiated acme',
  'child: WorkflowExecutionSignaled acme',
  'asker: SignalExternalWorkflowExecutionInitiated acme',
  'other: WorkflowExecutionSignaled acme',
  'asker: UpdateExternalWorkflowExecutionInitiated acme',
  'other: WorkflowExecutionUpdateAccepted acme',
  'asker: QueryExternalWorkflowExecutionInitiated acme',
  'asker: SignalExternalWorkflowExecutionInitiated acme',
  'new: WorkflowExecutionStarted acme',
  'new: WorkflowExecutionSignaled acme',
  'asker: WorkflowExecutionContinuedAsNew acme',
  'asker: WorkflowExecutionStarted acme',
].sort();

test('headers set by outbound interceptors reach activities, children, other workflows and the next run', async () => {
  const system = await askAll(async () => undefined);
  expect(system.attempts.map(({ headers }) => tenantIn(headers))).toEqual(['acme']);
  expect(tenants(system).sort()).toEqual(HANDED_ON);
  await expectInvariants(system);
});

test.each(['lost', 'kept'] as const)(
  'with a crash at any flush, its batch %s, headers are where they were',
  async (fate) => {
    for (let at = 0; ; at++) {
      let crashed = false;
      const system = await askAll(async (it, flush) => {
        if (flush !== at) return;
        crashed = true;
        await it.crash(fate);
        it.store.flushes.shut();
        await it.settle();
      });
      expect(tenants(system).sort()).toEqual(HANDED_ON);
      await expectInvariants(system);
      if (!crashed) break;
    }
  },
);

test('evicted at any moment, an intercepted run goes on from the same state', async () => {
  const system = await intercepted(tenantPropagation, { workflows: { asker, asked } });
  system.config.maxResident = 0;
  await system.start('other', 'asked').value();
  await system.startWith({ workflowId: 'asker', workflowType: 'asker', ...startedFor }).value();
  await system.settle();
  system.activityReturns(system.attempts[0]!, 'paid');
  await system.settle();
  expect(tenants(system).sort()).toEqual(HANDED_ON);
  await expectInvariants(system);
});

test('an interceptor may await timers and activities around main, and a replay does the same', async () => {
  const system = await intercepted(
    () => ({
      inbound: [
        {
          async execute(input, next) {
            await sleep(1000);
            const result = await next(input);
            return [await charge(), result];
          },
        },
      ],
    }),
    { workflows: { w: async () => 'done' } },
  );
  await system.start('w', 'w').value();
  await system.evictAll();
  await system.pass(1000);
  await system.evictAll();
  system.activityReturns(system.attempts[0]!, 'paid');
  expect(await system.result('w').value()).toEqual(['paid', 'done']);
  await expectInvariants(system);
});

test('timers of sleep go through startTimer, with what it changes', async () => {
  const inputs: unknown[] = [];
  const system = await intercepted(
    () => ({
      outbound: [
        {
          startTimer(input, next) {
            inputs.push(input);
            return next({ ...input, durationMs: 2 * input.durationMs });
          },
        },
      ],
    }),
    {
      workflows: {
        async w() {
          await sleep('1 second', { summary: 'once' });
          await sleep(0);
        },
      },
    },
  );
  await system.start('w', 'w').value();
  await system.pass(1999);
  expect(system.types('w')).not.toContain('TimerFired');
  await system.pass(1);
  await system.pass(2);
  await system.result('w').value();
  expect(inputs).toEqual([
    { durationMs: 1000, seq: 1, options: { summary: 'once' } },
    { durationMs: 1, seq: 2 },
  ]);
});

test('an activity may be given other options, and be mocked altogether', async () => {
  const system = await intercepted(
    () => ({
      outbound: [
        {
          scheduleActivity: async (input, next) =>
            input.activityType === 'charge'
              ? next({ ...input, args: ['x'], options: { ...input.options, retry: { maximumAttempts: 1 } } })
              : 'mocked',
        },
      ],
    }),
    {
      workflows: {
        async w() {
          const { other } = proxyActivities({ startToCloseTimeout: 1000 });
          return [await other!(), await charge()];
        },
      },
    },
  );
  await system.start('w', 'w').value();
  const [task] = system.attempts;
  expect(decodePayload(task!.input[0]!)).toBe('x');
  system.activityReturns(task!, 'paid');
  expect(await system.result('w').value()).toEqual(['mocked', 'paid']);
  const [scheduled] = system.history('w').filter(({ eventType }) => eventType === 'ActivityTaskScheduled');
  expect(scheduled).toMatchObject({ options: { retry: { maximumAttempts: 1 } } });
});

test('so may a local activity, and its headers go to whoever runs it', async () => {
  const inputs: unknown[] = [];
  const system = await intercepted(
    () => ({
      outbound: [
        {
          scheduleLocalActivity: async (input, next) => {
            inputs.push(input);
            if (input.activityType === 'other') return 'mocked';
            const options = { ...input.options, retry: { maximumAttempts: 1 } };
            return next({ ...input, args: ['x'], options, headers: { tenant: encodePayload('acme') } });
          },
        },
      ],
    }),
    {
      workflows: {
        async w() {
          const { other, get } = proxyLocalActivities({ startToCloseTimeout: 1000 });
          return [await other!(), await get!('y').catch(() => 'failed')];
        },
      },
    },
  );
  await system.start('w', 'w').value();
  const [task] = system.attempts;
  expect(decodePayload(task!.input[0]!)).toBe('x');
  expect(tenantIn(task!.headers)).toBe('acme');
  system.activityThrows(task!, { kind: 'application', message: 'no' });
  expect(await system.result('w').value()).toEqual(['mocked', 'failed']);
  const options = { startToCloseTimeout: 1000 };
  expect(inputs).toEqual([
    { activityType: 'other', args: [], options, headers: {}, seq: 1, attempt: 1 },
    { activityType: 'get', args: ['y'], options, headers: {}, seq: 2, attempt: 1 },
  ]);
});

test('validateUpdate rejects as a validator does, and is not called in a replay', async () => {
  let validated = 0;
  const system = await intercepted(
    () => ({
      inbound: [
        {
          validateUpdate(input, next) {
            validated++;
            if (input.args[0] === 'bad') throw new Error('refused by the interceptor');
            next(input);
          },
        },
      ],
    }),
    { workflows: { ledger } },
  );
  await system.start('w', 'ledger').value();
  expect(await system.update('w', append.name, 'good').value()).toBe(1);
  expect((await system.update('w', append.name, 'bad').error()).cause).toMatchObject({
    message: 'refused by the interceptor',
  });
  expect((await system.update('w', append.name, '').error()).cause).toMatchObject({ message: 'nothing to append' });
  await system.evictAll();
  expect(await system.query('w', entries.name).value()).toEqual(['good']);
  expect(validated).toBe(3);
});

test('an asynchronous validateUpdate counts with its outcome, and so does a validator that it does not await', async () => {
  const inbound = {
    async validateUpdate({ args: [entry], ...input }: UpdateInput, next: (input: UpdateInput) => unknown) {
      if (entry === 'swallowed') await Promise.resolve(next({ ...input, args: [''] })).catch(() => undefined);
      else if (entry === 'changed') await Promise.resolve(next({ ...input, args: [''] })).catch(fail);
      else {
        await null;
        if (entry === 'bad') throw new Error('refused by the interceptor');
        next({ ...input, args: [entry] });
      }
    },
  } as unknown as WorkflowInboundCallsInterceptor;
  const fail = () => {
    throw new Error('said otherwise');
  };
  const main = async () => {
    setHandler(append, () => 1, {
      validator: async (entry) => {
        await null;
        if (entry === '') throw new Error('nothing to append');
      },
    });
    await condition(() => false);
  };
  const system = await intercepted(() => ({ inbound: [inbound] }), { workflows: { main } });
  await system.start('w', 'main').value();
  expect(await system.update('w', append.name, 'good').value()).toBe(1);
  const refusals = {
    bad: 'refused by the interceptor',
    '': 'nothing to append',
    swallowed: 'nothing to append',
    changed: 'said otherwise',
  };
  for (const [entry, message] of Object.entries(refusals)) {
    expect((await system.update('w', append.name, entry).error()).cause).toMatchObject({ message });
  }
});

test.each(['validateUpdate', 'handleQuery'] as const)(
  '%s changes nothing: what tries to fails its call',
  async (method) => {
    const inbound = {
      [method](input: unknown, next: (input: unknown) => unknown) {
        sleep(1000).catch(() => undefined);
        return next(input);
      },
    } as WorkflowInboundCallsInterceptor;
    const system = await intercepted(() => ({ inbound: [inbound] }), { workflows: { ledger } });
    await system.start('w', 'ledger').value();
    const call = method === 'handleQuery' ? system.query('w', entries.name) : system.update('w', append.name, 'x');
    const error = await call.error();
    expect(`${error.message} ${(error.cause as Error | undefined)?.message}`).toMatch(/startTimer/);
    expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
    await system.signal('w', finish.name).value();
    expect(await system.result('w').value()).toEqual([]);
  },
);

test('a query whose interceptor awaits what another step would bring is refused', async () => {
  const system = await intercepted(
    () => ({ inbound: [{ handleQuery: (input, next) => new Promise<void>(() => undefined).then(() => next(input)) }] }),
    { workflows: { ledger } },
  );
  await system.start('w', 'ledger').value();
  expect(await system.query('w', entries.name).error()).toMatchObject({ code: 'QUERY_FAILED' });
});

test('a header that is no payload fails the call that it is set on, and nothing is asked', async () => {
  const system = await intercepted(
    () => ({
      outbound: [{ scheduleActivity: (input, next) => next({ ...input, headers: { tenant: 'acme' } as never }) }],
    }),
    { workflows: { w: async () => charge().catch((error: Error) => error.message) } },
  );
  await system.start('w', 'w').value();
  expect(await system.result('w').value()).toMatch(/^Invalid headers\.tenant: it must be bytes, as made by/);
});

test('getLogAttributes adds to each line of the log', async () => {
  const system = await intercepted(
    () => ({ outbound: [{ getLogAttributes: (input, next) => ({ ...next(input), tenant: 'acme' }) }] }),
    { workflows: { w: async () => log.info('hello', { own: 1 }) } },
  );
  await system.start('w', 'w').value();
  await system.settle();
  const [line] = system.lifecycle.flatMap((event) => (event.name === 'log' ? [event.meta] : []));
  expect(line).toMatchObject({ tenant: 'acme', own: 1, workflowId: 'w', workflowType: 'w' });
});

test('a factory is called for each run, and again when the run is rebuilt, with the run as the current one', async () => {
  const made: string[] = [];
  const factory: WorkflowInterceptorsFactory = () => {
    made.push(workflowInfo().workflowId);
    return { inbound: [{ execute: (input, next) => next(input) }] };
  };
  const system = await intercepted(factory, { workflows: { ledger } });
  await system.start('a', 'ledger').value();
  await system.start('b', 'ledger').value();
  await system.evictAll();
  await system.query('a', entries.name).value();
  expect(made.filter((id) => id === 'a' || id === 'b')).toEqual(['a', 'b', 'a']);
});
