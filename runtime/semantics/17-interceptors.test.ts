/**
 * Section 17 of docs/semantics.md: interceptors, headers and sinks.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import {
  condition,
  continueAsNew,
  defaultPayloadConverter,
  type Headers,
  log,
  proxySinks,
  setHandler,
  sleep,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInfo,
  type WorkflowInterceptorsFactory,
} from '../../actors/workflow/index.js';
import type { HeadersRecord } from '../../mailbox/events.js';
import { encodePayload } from '../../mailbox/payload.js';
import { Client } from '../client/client.js';
import type { WorkflowClientInterceptor } from '../client/interceptors.js';
import type { orders } from '../fixtures/sink-workflows.js';
import { Runtime } from '../runtime.js';
import { bytesUnder } from '../test-kit/bytes-on-disk.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { System, type SystemOptions } from '../test-kit/system.test-kit.js';
import { append, entries, ledger } from '../test-kit/workflows.test-kit.js';
import { createTestRuntime } from '../testing/index.js';

routeRejections();

async function intercepted(
  factories: WorkflowInterceptorsFactory[],
  workflows: SystemOptions['workflows'],
): Promise<System> {
  const system = await System.open({ workflows });
  system.deployed.interceptors = factories;
  return system;
}

const header = (value: string): HeadersRecord => ({ own: encodePayload(value).slice() });
const { fromPayload } = defaultPayloadConverter;
const valueIn = ({ own }: Headers): unknown => (own === undefined ? 'none' : fromPayload(own));

row('interceptors/order', 'is that of the modules and of each list, the first outermost', async () => {
  const named = (name: string): WorkflowInboundCallsInterceptor => ({
    execute: async (input, next) => `${name}(${await next(input)})`,
  });
  const system = await intercepted([() => ({ inbound: [named('a'), named('b')] }), () => ({ inbound: [named('c')] })], {
    w: async () => 'main',
  });
  await system.start('w', 'w').value();
  expect(await system.result('w').value()).toBe('a(b(c(main)))');
});

row('interceptors/replayed', 'holds for all but validateUpdate, which accepted updates do not see again', async () => {
  const calls: string[] = [];
  const noted =
    (call: string) =>
    (input: unknown, next: (input: never) => unknown): never => {
      calls.push(call);
      return next(input as never) as never;
    };
  const inbound = { execute: noted('execute'), validateUpdate: noted('validate'), handleUpdate: noted('update') };
  const system = await intercepted([() => ({ inbound: [inbound] })], { ledger });
  await system.start('w', 'ledger').value();
  await system.update('w', append.name, 'x').value();
  expect(calls).toEqual(['execute', 'validate', 'update']);
  await system.evictAll();
  calls.length = 0;
  expect(await system.query('w', entries.name).value()).toEqual(['x']);
  expect(calls).toEqual(['execute', 'update']);
});

row('interceptors/read-only', 'holds for those of queries: what begins something fails the query', async () => {
  const inbound: WorkflowInboundCallsInterceptor = {
    async handleQuery(input, next) {
      sleep(1).catch(() => undefined);
      return next(input);
    },
  };
  const system = await intercepted([() => ({ inbound: [inbound] })], { ledger });
  await system.start('w', 'ledger').value();
  expect(await system.query('w', entries.name).error()).toMatchObject({ code: 'QUERY_FAILED' });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
});

row('interceptors/headers', 'of a start and of a signal are what the interceptors of its recipient see', async () => {
  const seen: unknown[] = [];
  const inbound: WorkflowInboundCallsInterceptor = {
    execute: (input, next) => {
      seen.push(valueIn(input.headers));
      return next(input);
    },
    handleSignal: (input, next) => {
      seen.push(valueIn(input.headers));
      return next(input);
    },
  };
  const system = await intercepted([() => ({ inbound: [inbound] })], { ledger });
  await system.startWith({ workflowId: 'w', workflowType: 'ledger', options: { headers: header('start') } }).value();
  const input = [encodePayload('x').slice()];
  await system.request({ kind: 'signal', workflowId: 'w', name: 'add', input, headers: header('signal') }).value();
  expect(seen).toEqual(['start', 'signal']);
});

row(
  'interceptors/headers-of-next-run',
  'are those that are set for it, and signals that move on keep theirs',
  async () => {
    const seen: unknown[] = [];
    const inbound: WorkflowInboundCallsInterceptor = {
      execute: (input, next) => {
        seen.push(`run ${valueIn(input.headers)}`);
        return next(input);
      },
      handleSignal: (input, next) => {
        seen.push(`signal ${valueIn(input.headers)}`);
        return next(input);
      },
    };
    const w = async (run = 1): Promise<void> => {
      if (run === 2) setHandler({ type: 'signal', name: 'later' }, () => undefined);
      await sleep(1000);
      if (run === 1) await continueAsNew<typeof w>(2);
    };
    const system = await intercepted([() => ({ inbound: [inbound] })], { w });
    await system.startWith({ workflowId: 'w', workflowType: 'w', options: { headers: header('start') } }).value();
    await system.request({ kind: 'signal', workflowId: 'w', name: 'later', input: [], headers: header('own') }).value();
    await system.pass(1000);
    await system.pass(1000);
    expect(seen).toEqual(['run start', 'run none', 'signal own']);
  },
);

row('interceptors/headers-are-encoded', 'as arguments are, and search attributes are not', async () => {
  const store = mkdtempSync(join(tmpdir(), 'holdfast-headers-'));
  onTestFinished(() => rmSync(store, { recursive: true }));
  const sending: WorkflowClientInterceptor = {
    startWithDetails: (input, next) =>
      next({ ...input, headers: { own: defaultPayloadConverter.toPayload('secret header') } }),
  };
  const runtime = await Runtime.create({
    workflows: new URL('../fixtures/list-workflows.js', import.meta.url),
    payloadCodec: new URL('../fixtures/masking-codec.js', import.meta.url),
    store,
    logger: 'silent',
    interceptors: { client: { workflow: [sending] } },
  });
  await runtime.client.workflow.start('list', {
    workflowId: 'l',
    args: ['secret argument'],
    searchAttributes: { shelf: ['plain attribute'] },
  });
  await runtime.shutdown();
  const bytes = bytesUnder(store);
  expect(['secret header', 'secret argument', 'plain attribute'].filter((text) => bytes.includes(text))).toEqual([
    'plain attribute',
  ]);
});

const { audit } = proxySinks<{ audit: { note(text: unknown): void } }>();
const sinkCalls = (system: System) => system.toHost.filter(({ kind }) => kind === 'sinkCalls').length;

row('sinks/once-durable', 'is when a call is made, and a crash before takes it along', async () => {
  const system = await System.open({ workflows: { w: async () => audit.note('said') } });
  system.store.flushes.shut();
  system.start('w', 'w');
  await system.settle();
  expect(sinkCalls(system)).toBe(0);
  await system.crash('lost');
  expect(sinkCalls(system)).toBe(0);
  await system.start('w', 'w').value();
  await system.settle();
  expect(sinkCalls(system)).toBe(1);
});

row('sinks/once-durable', 'is a call made again after a crash, if its step had made nothing else', async () => {
  const w = async () => {
    setHandler({ type: 'signal', name: 'say' }, () => audit.note('said'));
    await condition(() => false);
  };
  const system = await System.open({ workflows: { w } });
  await system.start('w', 'w').value();
  await system.signal('w', 'say').value();
  await system.settle();
  expect(sinkCalls(system)).toBe(1);
  await system.crash();
  await system.settle();
  expect(sinkCalls(system)).toBe(2);
});

row('sinks/before-result', 'are those of each run, to all clients of the thread', async () => {
  const called = new Set<string>();
  await using runtime = await createTestRuntime({
    workflows: new URL('../fixtures/sink-workflows.js', import.meta.url),
    sinks: { shop: { sold: { fn: ({ workflowId }: WorkflowInfo) => void called.add(workflowId) } } },
  });
  const clients = [runtime.client, Client.connect(runtime.createClientPort()), runtime.client];
  const early: string[] = [];
  const order = async (client: Client, caller: number) => {
    for (let i = 0; i < 20; i++) {
      const workflowId = `${caller}-${i}`;
      await client.workflow.execute<typeof orders>('orders', { workflowId, args: [['apples']] });
      if (!called.has(workflowId)) early.push(workflowId);
    }
  };
  await Promise.all(clients.map(order));
  expect(called.size).toBe(60);
  expect(early).toEqual([]);
});

row('sinks/not-in-replay', 'are they called, unless they say so', async () => {
  const w = async () => {
    audit.note('said');
    await sleep(1000);
  };
  for (const inReplay of [false, true]) {
    const system = await System.open({ workflows: { w } });
    if (inReplay) system.deployed.sinksInReplay = new Set(['audit.note']);
    await system.start('w', 'w').value();
    await system.evictAll();
    await system.pass(1000);
    await system.result('w').value();
    expect(sinkCalls(system)).toBe(inReplay ? 2 : 1);
  }
});

row('sinks/never-throw', 'and drop what cannot be copied', async () => {
  const system = await System.open({
    workflows: {
      async w() {
        audit.note(() => undefined);
        return 'on';
      },
    },
  });
  await system.start('w', 'w').value();
  expect(await system.result('w').value()).toBe('on');
  expect(sinkCalls(system)).toBe(0);
});

row('sinks/bounded', 'is what a step may say', async () => {
  const large = 'x'.repeat(2 ** 20);
  const system = await System.open({
    workflows: {
      async w() {
        for (let i = 0; i < 10; i++) audit.note(large);
        for (let i = 0; i < 20_000; i++) log.info('line');
      },
    },
  });
  await system.start('w', 'w').value();
  await system.settle();
  const calls = system.toHost.flatMap((message) => (message.kind === 'sinkCalls' ? message.calls : []));
  expect(calls).toHaveLength(3);
  const lines = system.lifecycle.flatMap((event) => (event.name === 'log' ? [event.message] : []));
  expect(lines.filter((line) => line === 'line')).toHaveLength(10_000);
  expect(lines.filter((line) => line !== 'line')).toEqual([
    'A step logs more than 10000 lines: the others are dropped',
    expect.stringContaining('called sinks 10 times: those after the first 3 are dropped'),
  ]);
});
