/**
 * Semantics, section 16: memos, search attributes, lists and counts.
 */
import { afterEach, expect } from 'vitest';
import {
  condition,
  defineSearchAttributeKey,
  defineSignal,
  makeContinueAsNewFunc,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '../../actors/workflow/index.js';
import { SCHEDULE_TYPE } from '../../mailbox/system-types.js';
import { InvalidListFilterError, SearchAttributeTypeConflictError, WorkflowSuspendedError } from '../errors.js';
import { type Connected, connect } from '../test-kit/connected.test-kit.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const customer = defineSearchAttributeKey('Customer', 'KEYWORD');
const total = defineSearchAttributeKey('Total', 'DOUBLE');
const due = defineSearchAttributeKey('Due', 'DATETIME');

type Step = (typeof STEPS)[keyof typeof STEPS];
const STEPS = {
  say: () => {
    upsertMemo({ note: { said: true } });
    upsertSearchAttributes([{ key: total, value: 5 }]);
  },
  take: () => {
    upsertMemo({ note: null, other: { a: 1 } });
    upsertSearchAttributes([{ key: customer, value: null }]);
  },
  wrong: () => upsertSearchAttributes([{ key: defineSearchAttributeKey('Customer', 'INT'), value: 1 }]),
  again: () => undefined,
  given: () => undefined,
  end: () => undefined,
} satisfies Record<string, () => void>;

const step = defineSignal<[name: keyof typeof STEPS]>('step');
const seen: unknown[] = [];

/** Does what it is told, and writes down what it sees of itself afterwards. */
async function teller(): Promise<void> {
  let last = '';
  setHandler(step, (name) => {
    (STEPS[name] as Step)();
    const { memo, searchAttributes } = workflowInfo();
    seen.push({ memo, searchAttributes });
    last = name;
  });
  await condition(() => ['again', 'given', 'end'].includes(last));
  const typedSearchAttributes = [{ key: customer, value: 'given' }];
  if (last === 'again') await makeContinueAsNewFunc<typeof teller>()();
  if (last === 'given') await makeContinueAsNewFunc<typeof teller>({ memo: { own: 1 }, typedSearchAttributes })();
}

let connected: Connected | undefined;
afterEach(() => {
  connected?.close();
  seen.length = 0;
});

async function open() {
  const system = await System.open({ workflows: { teller, other: teller, [SCHEDULE_TYPE]: teller } });
  connected = connect(system);
  const client = connected.client.workflow;
  const start = (workflowId: string, value = workflowId, dueIn = 1) =>
    client.start(teller, {
      workflowId,
      memo: { of: workflowId },
      typedSearchAttributes: [
        { key: customer, value },
        { key: due, value: new Date(Date.UTC(2026, dueIn)) },
      ],
    });
  const find = async (query: string, pageSize = 100): Promise<string> => {
    const found: string[] = [];
    for await (const { workflowId } of client.list({ query, pageSize })) found.push(workflowId);
    return found.join(' ');
  };
  return { system, client, start, find };
}

row('finding/next-list', 'a start, a change and a close', async () => {
  const { system, client, start, find } = await open();
  const handle = await start('a');
  expect(await find(`Customer = 'a'`)).toBe('a');
  await handle.signal(step, 'say');
  await system.settle();
  expect(await find('Total = 5')).toBe('a');
  await handle.terminate();
  expect(await find(`ExecutionStatus = 'Terminated'`)).toBe('a');
  expect(await client.count(`ExecutionStatus = 'Running'`)).toMatchObject({ count: 0 });
  await expectInvariants(system);
});

row('finding/next-list', 'but not before they are durable', async () => {
  const { system, start, find } = await open();
  system.store.flushes.shut();
  const started = start('a');
  const found = find('');
  let told: string | undefined;
  void found.then((ids) => {
    told = ids;
  });
  await new Promise((resolve) => setImmediate(resolve));
  await system.settle();
  system.store.flushes.open();
  await started;
  expect(['', 'a']).toContain(await found);
  expect(told).toBe(await found);
  expect(await find('')).toBe('a');
});

row('finding/at-once', 'to the run itself, and then to all', async () => {
  const { system, start } = await open();
  const handle = await start('a');
  await handle.signal(step, 'say');
  await system.settle();
  const memo = { of: 'a', note: { said: true } };
  const attributes = { Customer: ['a'], Due: [new Date(Date.UTC(2026, 1))], Total: [5] };
  expect(seen).toEqual([{ memo, searchAttributes: attributes }]);
  const described = await handle.describe();
  expect(described).toMatchObject({ memo, searchAttributes: attributes, status: { code: 1, name: 'RUNNING' } });
  expect(described.typedSearchAttributes.get(total)).toBe(5);
  await expectInvariants(system);
});

row('finding/merged', 'each by its name', async () => {
  const { system, start } = await open();
  const handle = await start('a');
  await handle.signal(step, 'say');
  await handle.signal(step, 'take');
  await system.settle();
  const { memo, searchAttributes } = await handle.describe();
  expect(memo).toEqual({ of: 'a', other: { a: 1 } });
  expect(searchAttributes).toEqual({ Due: [new Date(Date.UTC(2026, 1))], Total: [5] });
  await expectInvariants(system);
});

row('finding/carried', 'as they are at its end', async () => {
  const { system, client, start } = await open();
  const handle = await start('a');
  await handle.signal(step, 'say');
  await handle.signal(step, 'take');
  await handle.signal(step, 'again');
  await system.settle();
  const current = client.getHandle('a');
  expect(await current.describe()).toMatchObject({
    memo: { of: 'a', other: { a: 1 } },
    searchAttributes: { Total: [5] },
  });
  await current.signal(step, 'given');
  await system.settle();
  const last = await current.describe();
  expect(last.memo).toEqual({ own: 1 });
  expect(last.searchAttributes).toEqual({ Customer: ['given'] });
  await expectInvariants(system);
});

row('finding/order', 'whatever happens between two pages', async () => {
  const { system, client, start, find } = await open();
  for (const id of ['a', 'b', 'c', 'd']) {
    await start(id, id, { a: 2, b: 4, c: 1, d: 3 }[id]!);
    await system.pass(10);
  }
  expect(await find('')).toBe('d c b a');
  expect(await find('', 1)).toBe('d c b a');
  expect(await find('ORDER BY Due DESC', 3)).toBe('b d a c');
  const rows = client.list({ pageSize: 2 });
  const found: string[] = [];
  for await (const { workflowId } of rows) {
    found.push(workflowId);
    if (found.length > 2) continue;
    await start(`later ${found.length}`);
    await client
      .getHandle('b')
      .terminate()
      .catch(() => undefined);
  }
  expect(found).toEqual(['d', 'c', 'b', 'a']);
});

row('finding/filters', 'by fields and by attributes', async () => {
  const { system, client, start, find } = await open();
  await start('order-1', 'ada');
  await system.pass(1000);
  await (await start('order-2', 'bob', 5)).signal(step, 'end');
  await client.start('other', { workflowId: 'x', startDelay: '1 hour' });
  await system.settle();
  for (const [query, expected] of [
    [`WorkflowType = 'teller' AND (Customer = 'ada' OR ExecutionStatus = 'Completed')`, 'order-2 order-1'],
    [`WorkflowId STARTS_WITH 'order-' AND NOT CloseTime IS NULL`, 'order-2'],
    [`StartTime >= '2026-01-01T00:00:01Z' AND ExecutionTime < '2026-01-01T00:30:00Z'`, 'order-2'],
    [`ExecutionTime > '2026-01-01T00:30:00Z'`, 'x'],
    [`Customer IN ('bob', 'eve') AND Due BETWEEN '2026-06-01' AND '2026-07-01'`, 'order-2'],
    [`Customer != 'bob' AND HistoryLength = 1`, 'order-1'],
    [`ExecutionDuration < '1m'`, 'order-2'],
  ] as const) {
    expect(await find(query), query).toBe(expected);
  }
});

row('finding/missing-value', 'but IS NULL finds it', async () => {
  const { start, find, system } = await open();
  await start('a');
  await (await start('b')).signal(step, 'say');
  await system.settle();
  expect(await find('Total < 9')).toBe('b');
  expect(await find('NOT Total < 9')).toBe('');
  expect(await find('Total != 7')).toBe('b');
  expect(await find(`NOT (Total < 9 AND Customer = 'b')`)).toBe('a');
  expect(await find('Total IS NULL')).toBe('a');
});

row('finding/wrong-filter', 'by a caret and an offset', async () => {
  const { start, find, client } = await open();
  await start('a');
  const refused = async (query: string): Promise<InvalidListFilterError> =>
    find(query).then(
      () => expect.unreachable(query),
      (error) => error,
    );
  for (const [query, offset] of [
    [`Customer = `, 11],
    [`Customer = 'a' AND Costumer = 'a'`, 19],
    [`Due > 'soon'`, 6],
  ] as const) {
    const error = await refused(query);
    expect(error).toBeInstanceOf(InvalidListFilterError);
    expect(error.offset).toBe(offset);
    expect(error.message.split('\n').slice(1)).toEqual([`  ${query}`, `  ${' '.repeat(offset)}^`]);
  }
  await expect(client.count('Customer = 5')).rejects.toBeInstanceOf(InvalidListFilterError);
});

row('finding/one-type', 'whoever sets it', async () => {
  const { system, client, start, find } = await open();
  const handle = await start('a');
  const typedSearchAttributes = [{ key: defineSearchAttributeKey('Customer', 'INT'), value: 1 }];
  const again = client.start(teller, { workflowId: 'b', typedSearchAttributes });
  await expect(again).rejects.toBeInstanceOf(SearchAttributeTypeConflictError);
  await handle.signal(step, 'wrong');
  await system.settle();
  expect((await handle.describe()).suspended?.error).toBeInstanceOf(WorkflowSuspendedError);
  expect(await find(`Customer = 'a'`)).toBe('a');
  expect(system.types('a')).not.toContain('UpsertWorkflowSearchAttributes');
  await expectInvariants(system);
});

row('finding/count', 'as a number for each', async () => {
  const { system, client, start } = await open();
  await start('a');
  await start('b');
  await (await start('c')).signal(step, 'end');
  await (await start('d')).terminate();
  await system.settle();
  expect(await client.count()).toEqual({ count: 4, groups: [] });
  expect(await client.count(`Customer != 'b' GROUP BY ExecutionStatus`)).toEqual({
    count: 3,
    groups: [
      { count: 1, groupValues: [['Running']] },
      { count: 1, groupValues: [['Completed']] },
      { count: 1, groupValues: [['Terminated']] },
    ],
  });
});

row('finding/system-runs', 'as if they were not there', async () => {
  const { system, client, start, find } = await open();
  await start('a');
  await system.startWith({ workflowId: `${SCHEDULE_TYPE}:s`, workflowType: SCHEDULE_TYPE }).value();
  expect(await find('')).toBe('a');
  expect(await find(`ExecutionStatus = 'Running'`)).toBe('a');
  expect(await client.count()).toMatchObject({ count: 1 });
  expect(await find(`WorkflowType = '${SCHEDULE_TYPE}'`)).toBe(`${SCHEDULE_TYPE}:s`);
});

row('finding/held-runs', 'as long as they cannot', async () => {
  let broken = true;
  const poor = async () => {
    setHandler(step, () => {
      if (broken) throw new TypeError('it is broken');
    });
    await condition(() => false);
  };
  const system = await System.open({ workflows: { poor } });
  const { controlPlane } = system.supervisor;
  const idsOf = async (query: string) => {
    const outcome = await controlPlane.list(query, 10);
    if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
    return outcome.value.rows.map(({ workflowId }) => workflowId);
  };
  const held = async () => [
    await idsOf(`HoldfastState = 'Suspended'`),
    await idsOf(`HoldfastState = 'Quarantined'`),
    await idsOf(`HoldfastState IS NULL AND ExecutionStatus = 'Running'`),
    controlPlane.stats().suspendedRuns,
    controlPlane.stats().quarantinedRuns,
  ];
  for (const id of ['s', 'q', 'w']) await system.start(id, 'poor').value();
  expect(await held()).toEqual([[], [], ['w', 'q', 's'], 0, 0]);
  await system.signal('s', 'step', 'say').value();
  // Its steps end their worker.
  system.workers.fate = (slices) => slices.find(({ steps }) => steps.flat().some(({ kind }) => kind === 'signal'))?.run;
  await system.signal('q', 'step', 'say').value();
  system.workers.fate = () => undefined;
  expect(await held()).toEqual([['s'], ['q'], ['w'], 1, 1]);
  broken = false;
  await system.pass(2000);
  expect(await held()).toEqual([[], ['q'], ['w', 's'], 0, 1]);
});
