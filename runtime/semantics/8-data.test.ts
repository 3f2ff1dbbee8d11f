/**
 * Semantics, section 8: what arguments and results may hold, and how much.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { ENGINE_FLAGS } from '../../actors/engine-flags.js';
import {
  condition,
  defineQuery,
  defineUpdate,
  log,
  scheduleActivity,
  setHandler,
  sleep,
  workflowInfo,
} from '../../actors/workflow/index.js';
import { encodePayload } from '../../mailbox/payload.js';
import { PayloadConverterError, PayloadTooLargeError } from '../errors.js';
import * as codecActivities from '../fixtures/codec-activities.js';
import { heard, listener, say } from '../fixtures/codec-workflows.js';
import { Money } from '../fixtures/money.js';
import * as moneyActivities from '../fixtures/money-activities.js';
import { account, balance, pay } from '../fixtures/money-workflows.js';
import { DEFAULT_LIMITS, resolveOptions } from '../options.js';
import { Runtime } from '../runtime.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { running } from '../test-kit/running.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import { add, ledger } from '../test-kit/workflows.test-kit.js';
import { createTestRuntime } from '../testing/index.js';
import { echo, give, giveOdd, giveText, kinds, update } from './fixtures/echo.js';

routeRejections();

const note = defineUpdate<void, [entry: string]>('note');

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createTestRuntime({
    workflows: new URL('./fixtures/echo.js', import.meta.url),
    limits: { payloadBytes: 10_000 },
  });
});
afterAll(() => runtime.shutdown());

let last = 0;
const start = (...args: unknown[]) =>
  runtime.client.workflow.start(echo, { workflowId: `echo-${++last}`, args: [args] as [unknown[]] });

const thrown = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    (value) => expect.unreachable(`it resolved with ${String(value)}`),
    (error: Error) => error,
  );

const VALUES: [string, unknown][] = [
  ['JSON', { text: 'ä', number: -1.5, list: [null, true, []], nested: { a: { b: 'c' } } }],
  ['undefined', { there: undefined, list: [undefined] }],
  ['a date', new Date(Date.UTC(2026, 1, 3, 4, 5, 6, 7))],
  ['a map', new Map<unknown, unknown>([[{ key: 1 }, new Set([1])]])],
  ['a set', new Set(['a', 2n])],
  ['a big integer', -(2n ** 100n)],
  ['typed arrays', [new Uint8Array([1, 255]), new Float64Array([0.1, -1]), new BigInt64Array([-5n])]],
];

for (const [what, value] of VALUES) {
  row('data/values', `${what}, to a workflow and back, as an argument, a result and an answer`, async () => {
    const handle = await start(value);
    expect(await handle.query(give)).toStrictEqual([value]);
    expect(await handle.executeUpdate(update, { args: [value] })).toStrictEqual(value);
    expect(await handle.result()).toStrictEqual([value]);
  });
}

row('data/values', 'an error, with its type, message and cause', async () => {
  const handle = await start(new RangeError('outer', { cause: new Error('inner') }));
  const [error] = (await handle.query(give)) as [Error];
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: 'RangeError', message: 'outer', cause: { message: 'inner' } });
  expect(await handle.query(kinds)).toEqual(['Error']);
});

row('data/values', 'are in the workflow what they were outside', async () => {
  const handle = await start(new Date(0), new Map(), new Set(), 1n, new Uint8Array(1), undefined, 'text');
  expect(await handle.query(kinds)).toEqual(['Date', 'Map', 'Set', 'bigint', 'Uint8Array', 'undefined', 'string']);
});

row('data/class-instances', 'of its own properties, and it is no instance any more', async () => {
  class Money {
    constructor(
      readonly amount: number,
      readonly currency: string,
    ) {}
    get text(): string {
      return `${this.amount} ${this.currency}`;
    }
  }
  const handle = await start(new Money(5, 'EUR'));
  const [arrived] = (await handle.query(give)) as [object];
  expect(arrived).toStrictEqual({ amount: 5, currency: 'EUR' });
  expect(Object.getPrototypeOf(arrived)).toBe(Object.prototype);
});

row('data/functions-refused', 'before anything is sent, wherever it is', async () => {
  const refused: [unknown, string][] = [
    [{ a: [1, { run: () => 1 }] }, 'args[0][0].a[1].run'],
    [Symbol('s'), 'args[0][0]'],
    [new Map([['key', { symbol: Symbol('s') }]]), 'args[0][0]'],
  ];
  for (const [value, path] of refused) {
    const error = (await thrown(start(value))) as PayloadConverterError;
    expect(error).toBeInstanceOf(PayloadConverterError);
    expect(error.path).toContain(path);
    expect(error.message).toContain(path);
    expect(await thrown(runtime.client.workflow.getHandle(`echo-${last}`).describe())).toMatchObject({
      code: 'WORKFLOW_NOT_FOUND',
    });
  }
});

row('data/texts-kept', 'as values, keys and keys of a map', async () => {
  const value = { '\ud800': 'a\udc00', '\udc00': new Map([['\ud801', 1]]) };
  const handle = await start(value);
  expect(await handle.query(give)).toStrictEqual([value]);
  expect(await handle.executeUpdate(update, { args: [value] })).toStrictEqual(value);
  expect(await handle.result()).toStrictEqual([value]);
});

row('data/to-json', 'to the workflow', async () => {
  class Money {
    readonly #cents = 150;
    toJSON(): object {
      return { cents: this.#cents };
    }
  }
  const handle = await start(new Money(), new URL('https://a.b/c'));
  expect(await handle.query(give)).toStrictEqual([{ cents: 150 }, 'https://a.b/c']);
});

row('data/unreadable-refused', 'with the path, as an argument and as an answer', async () => {
  expect(await thrown(start({ at: [/a/] }))).toMatchObject({
    code: 'PAYLOAD_NOT_SERIALIZABLE',
    path: 'args[0][0].at[0]',
  });
  const handle = await start('a');
  const answers = [
    ['pattern', '.pattern: a RegExp is not data'],
    ['getter', '.broken: reading it threw: broken'],
    ['deep', 'nested too deeply'],
  ] as const;
  for (const [what, reason] of answers) {
    const error = await thrown(handle.query(giveOdd, what));
    expect(error).toMatchObject({ code: 'QUERY_FAILED' });
    expect(error.message).toContain(reason);
  }
  expect(await handle.query(give)).toEqual(['a']);
});

row('data/payload-limit', 'before what is too large has been read to its end', async () => {
  const sparse: string[] = [];
  sparse[1_767_225_600] = 'x';
  expect(await thrown(start(sparse))).toBeInstanceOf(PayloadTooLargeError);
  const handle = await start('a');
  expect(await thrown(handle.query(giveOdd, 'sparse'))).toMatchObject({ code: 'QUERY_FAILED' });
  expect(await handle.query(give)).toEqual(['a']);
});

row('data/text-limits', 'before anything is sent', async () => {
  const handle = await start('a');
  const tooLong = { code: 'INVALID_ARGUMENT' };
  for (const text of ['x'.repeat(10_001), '\ud800']) {
    expect(await thrown(handle.terminate(text))).toMatchObject(tooLong);
    expect(await thrown(handle.signal(text))).toMatchObject(tooLong);
    expect(await thrown(handle.query(text))).toMatchObject(tooLong);
    expect(await thrown(handle.executeUpdate(text))).toMatchObject(tooLong);
    const options = { workflowId: 'summary', args: [[]] as [unknown[]], staticSummary: text };
    expect(await thrown(runtime.client.workflow.start(echo, options))).toMatchObject({ code: 'INVALID_OPTION' });
  }
  expect(await handle.query(give)).toEqual(['a']);
  await handle.terminate('x'.repeat(10_000));
});

row('data/payload-limit', 'an argument by name, before anything is sent', async () => {
  expect(DEFAULT_LIMITS.payloadBytes).toBe(2 * 2 ** 20);
  expect(resolveOptions({ workflows: './w.ts', store: './d', limits: { payloadBytes: 7 } }).config.limits).toEqual({
    ...DEFAULT_LIMITS,
    payloadBytes: 7,
  });
  const error = await thrown(start('x'.repeat(10_001)));
  expect(error).toBeInstanceOf(PayloadTooLargeError);
  expect(error.message).toContain('args[0]');
  const handle = await start('x'.repeat(9_000));
  expect(await handle.query(give)).toEqual(['x'.repeat(9_000)]);
});

row('data/payload-limit', 'what a workflow gives back as well', async () => {
  const handle = await start('a');
  expect(await thrown(handle.query(giveText, 11_000))).toMatchObject({ code: 'QUERY_FAILED' });
  expect(await handle.query(give)).toEqual(['a']);
});

row('data/history-limit', 'which is for clients; what has begun goes on', async () => {
  expect(DEFAULT_LIMITS).toMatchObject({ historyEvents: 51_200, historyBytes: 50 * 2 ** 20 });
  for (const limits of [{ historyEvents: 4 }, { historyBytes: 600 }]) {
    const system = await running(ledger, { limits });
    const call = system.update('w', 'appendLater', 'later', 1000);
    await system.settle();
    let admitted = 0;
    for (; admitted < 100; admitted++) {
      const sent = system.signal('w', 'add', `entry ${admitted}`);
      await system.settle();
      if (sent.reply?.kind === 'error') {
        expect(await sent.error()).toMatchObject({ code: 'RESOURCE_EXHAUSTED', fields: { workflowId: 'w' } });
        break;
      }
    }
    expect(admitted).toBeLessThan(20);
    await system.pass(1000);
    expect(await call.value()).toBe(admitted + 1);
    // A query leaves no event, so there is always room for it.
    expect(await system.query('w', 'entries').value()).toHaveLength(admitted + 1);
    expect(await system.terminate('w').value()).toBe('done');
    await expectInvariants(system);
  }
});

row('data/mailbox-limit', 'and what was refused never happens', async () => {
  expect(DEFAULT_LIMITS.mailboxMessages).toBe(10_000);
  const seen: string[] = [];
  const system = await running(
    async () => {
      setHandler(add, (entry) => {
        seen.push(entry);
      });
      await condition(() => false);
    },
    { limits: { mailboxMessages: 2 } },
  );
  system.workers.returns.shut();
  for (const entry of ['a', 'b']) expect(await system.signal('w', 'add', entry).value()).toBe('done');
  const refused = [system.signal('w', 'add', 'c'), system.update('w', 'append', 'c'), system.query('w', 'entries')];
  for (const call of refused) {
    expect(await call.error()).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      fields: { resource: 'the mailbox', limit: 2, workflowId: 'w' },
    });
  }
  system.workers.returns.open();
  await system.settle();
  expect(await system.signal('w', 'add', 'd').value()).toBe('done');
  await system.settle();
  expect(seen).toEqual(['a', 'b', 'd']);
  await expectInvariants(system);
});

row('data/payload-converter', 'its class arrives as itself in the workflow, and comes back as itself', async () => {
  await using own = await createTestRuntime({
    workflows: new URL('../fixtures/money-workflows.js', import.meta.url),
    activities: moneyActivities,
    payloadConverter: new URL('../fixtures/money-converter.js', import.meta.url),
  });
  const handle = await own.client.workflow.start(account, { workflowId: 'a', args: [new Money(100, 'EUR')] });
  await handle.signal(pay, new Money(50, 'EUR'));
  const told = await handle.query(balance);
  expect(told).toBeInstanceOf(Money);
  expect(told).toEqual(new Money(150, 'EUR'));
});

row('data/payload-codec', 'and what was stored is read through it after a restart', async () => {
  const store = mkdtempSync(join(tmpdir(), 'holdfast-codec-'));
  onTestFinished(() => rmSync(store, { recursive: true, force: true }));
  const options = {
    workflows: new URL('../fixtures/codec-workflows.js', import.meta.url),
    payloadCodec: new URL('../fixtures/masking-codec.js', import.meta.url),
    activities: codecActivities,
    ...({ workers: 1, logger: 'silent' } as const),
    store,
  };
  {
    await using own = await Runtime.create(options);
    const handle = await own.client.workflow.start(listener, { workflowId: 'l', args: ['PLAIN-name'] });
    await handle.signal(say, 'PLAIN-text');
    expect(await handle.query(heard)).toEqual(['PLAIN-name', 'PLAIN-text']);
  }
  const stored = readdirSync(store).map((file) => readFileSync(join(store, file), 'latin1'));
  expect(stored.join('')).toContain('listener');
  expect(stored.join('')).not.toContain('PLAIN-');
  await using again = await Runtime.create(options);
  expect(await again.client.workflow.getHandle('l').query(heard)).toEqual(['PLAIN-name', 'PLAIN-text']);
});

/** Tells in each of its steps what it is told of its history. */
const measured = async () => {
  const told: number[] = [];
  setHandler(defineQuery<number[]>('lengths'), () => told);
  const tell = () => void told.push(workflowInfo().historyLength);
  setHandler(add, tell);
  setHandler(note, tell, {
    validator: (entry) => {
      if (entry === 'no') throw new Error('no');
    },
  });
  tell();
  await sleep(1000);
  tell();
  await scheduleActivity('work', [], { startToCloseTimeout: '1s' });
  tell();
  await condition(() => false);
};

row('data/history-length', 'of the history in Temporal’s form, and the same in replay', async () => {
  const system = await System.open({ workflows: { main: measured } });
  await system.start('w', 'main').value();
  await system.update('w', 'note', 'no').error();
  await system.signal('w', 'add', 'a').value();
  await system.pass(1000);
  system.activityReturns(system.attempts[0]!, 'done');
  await system.settle();
  await system.update('w', 'note', 'yes').value();
  await system.signal('w', 'add', 'b').value();
  const told = [3, 8, 12, 18, 21, 27];
  expect(await system.query('w', 'lengths').value()).toEqual(told);
  await system.crash();
  expect(await system.query('w', 'lengths').value()).toEqual(told);
  await expectInvariants(system);
});

row('data/history-length', 'with what comes along with a start', async () => {
  const system = await System.open({ workflows: { main: measured } });
  const input = [encodePayload('a')];
  await system
    .startWith({ workflowId: 'w', workflowType: 'main', brings: { kind: 'signal', name: 'add', input } })
    .value();
  expect(await system.query('w', 'lengths').value()).toEqual([4, 4]);
  await expectInvariants(system);
});

row(
  'data/history-length',
  'of a run that began before it was so: the steps that have ended, as far as those went',
  async () => {
    const system = await System.open({ workflows: { main: measured }, engineFlags: 0 });
    await system.start('w', 'main').value();
    await system.signal('w', 'add', 'a').value();
    expect(await system.query('w', 'lengths').value()).toEqual([0, 2]);
    system.know(ENGINE_FLAGS);
    await system.restart();
    await system.signal('w', 'add', 'b').value();
    expect(await system.query('w', 'lengths').value()).toEqual([0, 2, 12]);
    await system.crash();
    expect(await system.query('w', 'lengths').value()).toEqual([0, 2, 12]);
    await expectInvariants(system);
  },
);

row('data/history-size', 'in the first step, and the same in replay', async () => {
  const main = async () => {
    const told = [workflowInfo().historySize];
    setHandler(defineQuery<number[]>('sizes'), () => told);
    setHandler(add, () => void told.push(workflowInfo().historySize));
    await condition(() => false);
  };
  const system = await System.open({ workflows: { main } });
  const input = encodePayload('an argument');
  await system.start('w', 'main', 'an argument').value();
  await system.signal('w', 'add', 'a').value();
  const sizes = [input.byteLength, input.byteLength + encodePayload('a').byteLength];
  expect(await system.query('w', 'sizes').value()).toEqual(sizes);
  await system.crash();
  expect(await system.query('w', 'sizes').value()).toEqual(sizes);
  await expectInvariants(system);
});

row('data/info', 'returned, asked for, logged and copied', async () => {
  const system = await running(async () => {
    const info = workflowInfo();
    log.info('here', info);
    setHandler(defineQuery<object>('info'), workflowInfo);
    let open = false;
    setHandler(add, () => {
      open = true;
    });
    await condition(() => open);
    return [structuredClone(info), JSON.parse(JSON.stringify(info)), info.unsafe.now() > 0, info];
  });
  const unsafe = { isReplaying: false, isReplayingHistoryEvents: false };
  const known = { workflowId: 'w', workflowType: 'main', historyLength: 3, unsafe };
  expect(await system.query('w', 'info').value()).toMatchObject(known);
  const result = system.result('w');
  await system.signal('w', 'add', '').value();
  const copies = (await result.value()) as unknown[];
  expect(copies).toMatchObject([known, known, true, known]);
  const line = system.lifecycle.find((event) => event.name === 'log' && event.message === 'here');
  expect(line).toMatchObject({ meta: known });
});

row('data/continue-as-new-suggested', 'and not before', async () => {
  const system = await running(
    async () => {
      setHandler(add, () => undefined);
      setHandler(defineQuery<boolean>('suggested'), () => workflowInfo().continueAsNewSuggested);
      await condition(() => false);
    },
    { limits: { historyEvents: 100 } },
  );
  const told: boolean[] = [];
  for (let i = 0; i < 60; i++) {
    await system.signal('w', 'add', 'a').value();
    told.push((await system.query('w', 'suggested').value()) as boolean);
  }
  const first = told.indexOf(true);
  expect(first).toBeGreaterThan(5);
  expect(told.slice(first)).toEqual(told.slice(first).map(() => true));
  await system.evictAll();
  expect(await system.query('w', 'suggested').value()).toBe(true);
  await expectInvariants(system);
});
