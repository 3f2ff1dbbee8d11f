/**
 * Dynamic workflows and handlers: who takes what nobody has the name of, and arguments that nobody decodes.
 */
import { expect, test } from 'vitest';
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  HandlerUnfinishedPolicy,
  payloadConverter,
  proxyActivities,
  RawValue,
  setDefaultQueryHandler,
  setDefaultSignalHandler,
  setDefaultUpdateHandler,
  setHandler,
  sleep,
  withRawArgs,
  workflowInfo,
} from '../../actors/workflow/index.js';
import { decodePayload, encodePayload, type Payload } from '../../mailbox/payload.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const { fromPayload } = payloadConverter();
const add = defineSignal<[entry: string]>('add');
const go = defineSignal('go');
const entries = defineQuery<unknown[]>('entries');
const BROKEN = new Uint8Array([0xc1, 0xc1]);
const forEver = () => condition(() => false);

async function running(main: () => unknown): Promise<System> {
  const system = await System.open({ workflows: { main } });
  await system.start('w', 'main').value();
  return system;
}

/** A signal with bytes as they are. */
const rawSignal = (system: System, name: string, ...input: Payload[]) =>
  system.request({ kind: 'signal', workflowId: 'w', name, input });

test('a static handler is always preferred to the dynamic one, whichever was set first', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    setDefaultSignalHandler((name, ...args) => {
      seen.push([name, ...args]);
    });
    setHandler(add, (entry) => {
      seen.push(entry);
    });
    setDefaultUpdateHandler((name, ...args) => ['dynamic', name, ...args]);
    setHandler(defineUpdate<string>('known'), () => 'static');
    setHandler(entries, () => seen);
    setDefaultQueryHandler((name, ...args) => [name, ...args]);
    await forEver();
  });
  await system.signal('w', 'add', 'a').value();
  await system.signal('w', 'else', 'b', 2).value();
  expect(await system.update('w', 'known').value()).toBe('static');
  expect(await system.update('w', 'other', 1).value()).toEqual(['dynamic', 'other', 1]);
  expect(await system.query('w', 'entries').value()).toEqual(['a', ['else', 'b', 2]]);
  expect(await system.query('w', 'anything', 'x').value()).toEqual(['anything', 'x']);
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(['a', ['else', 'b', 2]]);
  await expectInvariants(system);
});

test('setting a dynamic handler hands over all that remain of its kind, in arrival order, before it returns', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    setHandler(entries, () => seen);
    let going = false;
    setHandler(go, () => {
      going = true;
    });
    await condition(() => going);
    setHandler(add, (entry) => {
      seen.push(`add ${entry}`);
    });
    setDefaultSignalHandler((name, entry) => {
      seen.push(`${name} ${entry}`);
    });
    seen.push('returned');
    await forEver();
  });
  for (const [name, entry] of ['x 1', 'add 2', 'y 3', 'x 4'].map((each) => each.split(' '))) {
    await system.signal('w', name!, entry).value();
  }
  await system.signal('w', 'go').value();
  const expected = ['add 2', 'x 1', 'y 3', 'x 4', 'returned'];
  expect(await system.query('w', 'entries').value()).toEqual(expected);
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(expected);
  await expectInvariants(system);
});

test('a dynamic handler that was removed takes nothing more: signals wait, updates are rejected, queries are unknown', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    setHandler(entries, () => seen);
    const take = (name: string) => {
      seen.push(name);
    };
    setDefaultSignalHandler(take);
    setDefaultUpdateHandler(() => 'done');
    setDefaultQueryHandler(() => 'answer');
    setHandler(go, () => {
      setDefaultSignalHandler(undefined);
      setDefaultUpdateHandler(undefined);
      setDefaultQueryHandler(undefined);
    });
    setHandler(defineSignal('again'), () => setDefaultSignalHandler(take));
    await forEver();
  });
  await system.signal('w', 'a').value();
  expect(await system.update('w', 'u').value()).toBe('done');
  expect(await system.query('w', 'q').value()).toBe('answer');
  await system.signal('w', 'go').value();
  await system.signal('w', 'b').value();
  expect(await system.query('w', 'entries').value()).toEqual(['a']);
  expect(await system.update('w', 'u').error()).toMatchObject({
    cause: { message: 'No registered handler for update: u' },
  });
  expect(await system.query('w', 'q').error()).toMatchObject({
    code: 'QUERY_NOT_REGISTERED',
    fields: { registered: ['entries'] },
  });
  await system.signal('w', 'again').value();
  expect(await system.query('w', 'entries').value()).toEqual(['a', 'b']);
  await expectInvariants(system);
});

test('the validator of a dynamic update handler gets the name and arguments of its own, and a refusal leaves no event', async () => {
  const system = await running(async () => {
    setDefaultUpdateHandler((name, input) => `${name} ${(input as { text: string }).text}`, {
      validator: (name, input) => {
        if (name === 'forbidden') throw ApplicationFailure.nonRetryable('not that one', 'Forbidden');
        (input as { text: string }).text = 'changed';
      },
    });
    await forEver();
  });
  expect(await system.update('w', 'forbidden', { text: 'a' }).error()).toMatchObject({
    cause: { message: 'not that one', type: 'Forbidden' },
  });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  expect(await system.update('w', 'allowed', { text: 'as sent' }).value()).toBe('allowed as sent');
  await system.evictAll();
  expect(await system.update('w', 'allowed', { text: 'again' }).value()).toBe('allowed again');
  await expectInvariants(system);
});

test('unfinished dynamic handlers are warned of by the name that was asked, unless they may be abandoned', async () => {
  const warned = async (unfinishedPolicy: HandlerUnfinishedPolicy) => {
    const system = await running(async () => {
      let going = false;
      setHandler(go, () => {
        going = true;
      });
      setDefaultSignalHandler(() => sleep(1000), { unfinishedPolicy });
      setDefaultUpdateHandler(() => sleep(1000), { unfinishedPolicy, description: 'slow' });
      await condition(() => going);
    });
    await system.signal('w', 'slow').value();
    system.updateWith({ workflowId: 'w', name: 'slower', updateId: 'u', stage: 'ACCEPTED' });
    await system.signal('w', 'go').value();
    await system.settle();
    await expectInvariants(system);
    return system.lifecycle.flatMap((event) => (event.name === 'log' ? [event.message] : []));
  };
  expect(await warned(HandlerUnfinishedPolicy.WARN_AND_ABANDON)).toEqual([
    expect.stringMatching(/signal slow, update slower \(u\)/),
  ]);
  expect(await warned(HandlerUnfinishedPolicy.ABANDON)).toEqual([]);
});

test('a query handler that returns a promise fails the query, also a dynamic one', async () => {
  const system = await running(async () => {
    setDefaultQueryHandler(async () => 'late');
    await forEver();
  });
  expect(await system.query('w', 'q').error()).toMatchObject({
    code: 'QUERY_FAILED',
    fields: { reason: 'Query handlers should not return a Promise' },
  });
});

test('raw arguments are decoded by nobody but who wants them, so that broken bytes break nothing', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    setDefaultSignalHandler(
      (name, args) => {
        seen.push([name, args.length, ...(name === 'sound' ? args.map((arg) => fromPayload(arg)) : [])]);
      },
      { rawArgs: true },
    );
    setDefaultUpdateHandler((name, [first]) => (name === 'pass' ? first : fromPayload(first!)), {
      rawArgs: true,
      validator: (name, args) => {
        if (args.length !== 1) throw ApplicationFailure.nonRetryable(`${name} takes one`);
      },
    });
    setHandler(entries, () => seen);
    setDefaultQueryHandler((_name, [first]) => first, { rawArgs: true });
    await forEver();
  });
  await rawSignal(system, 'broken', BROKEN).value();
  await system.signal('w', 'sound', { deep: [1] }, 'b').value();
  expect(await system.query('w', 'entries').value()).toEqual([
    ['broken', 1],
    ['sound', 2, { deep: [1] }, 'b'],
  ]);
  expect(await system.update('w', 'read', { a: 1 }).value()).toEqual({ a: 1 });
  expect(await system.update('w', 'read').error()).toMatchObject({ cause: { message: 'read takes one' } });
  const passed = system.request({
    ...{ kind: 'update', workflowId: 'w', name: 'pass', updateId: 'p', stage: 'COMPLETED', input: [BROKEN] },
  });
  await system.settle();
  expect(passed.reply).toMatchObject({ result: BROKEN });
  const asked = system.request({ kind: 'query', workflowId: 'w', name: 'any', input: [BROKEN] });
  await system.settle();
  expect(asked.reply).toMatchObject({ kind: 'queryResult', result: BROKEN });
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toHaveLength(2);
});

test('what a decoding handler cannot decode concerns only its own message', async () => {
  const system = await running(async () => {
    setDefaultUpdateHandler((_name, ...args) => args);
    await forEver();
  });
  const broken = system.request({
    ...{ kind: 'update', workflowId: 'w', name: 'u', updateId: 'b', stage: 'COMPLETED', input: [BROKEN] },
  });
  expect(await broken.error()).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED' });
  expect(await system.update('w', 'u', 1).value()).toEqual([1]);
  expect(system.types('w').filter((type) => type === 'WorkflowExecutionUpdateAccepted')).toHaveLength(1);
});

test('reserved names are refused where a handler is set, whoever made the definition', async () => {
  const system = await running(async () => {
    const definition = { type: 'signal', name: '__holdfast_mine' } as unknown as typeof go;
    try {
      setHandler(definition, () => undefined);
    } catch (error) {
      throw ApplicationFailure.nonRetryable((error as Error).message);
    }
  });
  expect(await system.result('w').error()).toMatchObject({ cause: { message: expect.stringContaining('reserved') } });
});

test('the default export runs every type that no other export has, and knows what it was asked as', async () => {
  const echo = async (...args: unknown[]) => [workflowInfo().workflowType, ...args];
  const system = await System.open({ workflows: { named: async () => 'named', default: echo } });
  const result = async (id: string, type: string, ...args: unknown[]) => {
    await system.start(id, type, ...args).value();
    return system.result(id).value();
  };
  expect(await result('a', 'named')).toBe('named');
  expect(await result('b', 'anything', 1, 'two')).toEqual(['anything', 1, 'two']);
  expect(await result('c', 'toString')).toEqual(['toString']);
  expect(await result('d', 'default')).toEqual(['default']);
  const [started] = system.history('b');
  expect(started).toMatchObject({ eventType: 'WorkflowExecutionStarted', workflowType: 'anything' });
  await expectInvariants(system);
});

test('without a default export an unknown type is refused with the names of those that exist', async () => {
  const system = await System.open({ workflows: { named: async () => 'named' } });
  for (const type of ['anything', 'toString', 'default']) {
    expect(await system.start('w', type).error()).toMatchObject({
      code: 'UNKNOWN_WORKFLOW_TYPE',
      fields: { workflowType: type, registered: ['idle', 'named'] },
    });
  }
});

test('a dynamic workflow that takes raw arguments passes them on unread, to activities and as its result', async () => {
  const { charge } = proxyActivities<{ charge(input: RawValue): Promise<unknown> }>({ startToCloseTimeout: 1000 });
  const system = await System.open({
    workflows: {
      default: withRawArgs(async (args: RawValue[]) => {
        await charge(args[0]!);
        return args[0];
      }),
    },
  });
  const start = system.request({
    ...{ kind: 'start', workflowId: 'w', workflowType: 'any', input: [BROKEN], requestId: 'r' },
  });
  await start.value();
  await system.evictAll();
  expect(system.attempts[0]).toMatchObject({ activityType: 'charge', input: [BROKEN] });
  system.activityReturns(system.attempts[0]!, null);
  const result = system.result('w');
  await system.settle();
  expect(result.reply).toMatchObject({ kind: 'closed', result: BROKEN });
  await expectInvariants(system);
});

test('a raw value made by a client arrives as the value it was made of', async () => {
  const system = await System.open({ workflows: { main: async (input: unknown) => input } });
  const input = [encodePayload(new RawValue({ deep: [new Date(5)] }))];
  await system.request({ kind: 'start', workflowId: 'w', workflowType: 'main', input, requestId: 'r' }).value();
  const result = system.result('w');
  expect(await result.value()).toEqual({ deep: [new Date(5)] });
  expect(decodePayload(input[0]!)).toEqual({ deep: [new Date(5)] });
});
