/**
 * Finding runs in the whole system: what is acknowledged is in the next list, nobody is told of what a crash could undo, and a restart finds
 * the same.
 * Thread: the test's.
 */
import { describe, expect, test } from 'vitest';
import {
  condition,
  defineSearchAttributeKey,
  defineSignal,
  makeContinueAsNewFunc,
  type SearchAttributeUpdatePair,
  setHandler,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
} from '../../../actors/workflow/index.js';
import { startAttributes } from '../../../mailbox/attribute-records.js';
import { decodePayload, encodePayload } from '../../../mailbox/payload.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { System } from '../../test-kit/system.test-kit.js';

routeRejections();

const stage = defineSearchAttributeKey('Stage', 'KEYWORD');
const amount = defineSearchAttributeKey('Amount', 'DOUBLE');
const due = defineSearchAttributeKey('Due', 'DATETIME');
const tags = defineSearchAttributeKey('Tags', 'KEYWORD_LIST');
const attributes = (...pairs: SearchAttributeUpdatePair[]) =>
  startAttributes({ typedSearchAttributes: pairs as [] }) ?? [];

const to = defineSignal<[stage: string]>('to');

/** Goes from stage to stage, by itself or as it is told, and says so. */
async function order(): Promise<void> {
  let now = 'new';
  setHandler(to, (next) => {
    now = next;
    upsertSearchAttributes([{ key: stage, value: next }]);
    upsertMemo({ note: `is ${next}` });
  });
  await condition(() => now === 'done' || now === 'again');
  if (now === 'again') await makeContinueAsNewFunc<typeof order>()();
}

/** All of it in one life: what each flush holds is another part of it. */
async function whole(again = true): Promise<void> {
  upsertSearchAttributes([{ key: stage, value: 'begun' }]);
  await sleep(1000);
  upsertMemo({ note: 'half' });
  upsertSearchAttributes([
    { key: stage, value: 'half' },
    { key: amount, value: 0.5 },
  ]);
  await sleep(1000);
  upsertSearchAttributes([{ key: amount, value: null }]);
  if (again) await makeContinueAsNewFunc<typeof whole>({})(false);
}

const workflows = { order, whole };

async function found(system: System, query: string): Promise<string[]> {
  const outcome = await system.supervisor.controlPlane.list(query, 100);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  return outcome.value.rows.map(({ workflowId }) => workflowId);
}

/** All that can be told of all runs. */
async function told(system: System): Promise<unknown> {
  const outcome = await system.supervisor.controlPlane.list('', 100);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  return outcome.value.rows.map(({ memo, searchAttributes, ...rest }) => ({
    ...rest,
    ...(memo && { memo: decodePayload(memo) }),
    // Their order is of no meaning.
    searchAttributes: [...(searchAttributes ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)),
  }));
}

const everything = attributes(
  { key: stage, value: 'new' },
  { key: amount, value: 1.5 },
  { key: due, value: new Date(5) },
  { key: tags, value: ['a', 'b'] },
);

test('an acknowledged start is in the next list, and an acknowledged change once its step is durable', async () => {
  const system = await System.open({ workflows });
  const start = system.startWith({ workflowId: 'w', workflowType: 'order', options: { searchAttributes: everything } });
  expect(await start.value()).toBe('started');
  expect(await found(system, `Stage = 'new' AND Amount > 1 AND Tags = 'b' AND Due < '1970-01-02'`)).toEqual(['w']);
  await system.signal('w', 'to', 'packing').value();
  await system.settle();
  expect(await found(system, `Stage = 'new'`)).toEqual([]);
  expect(await found(system, `Stage = 'packing'`)).toEqual(['w']);
  expect(await told(system)).toMatchObject([
    {
      workflowId: 'w',
      memo: { note: 'is packing' },
      searchAttributes: [
        ['Amount', 'DOUBLE', 1.5],
        ['Due', 'DATETIME', 5],
        ['Stage', 'KEYWORD', 'packing'],
        ['Tags', 'KEYWORD_LIST', ['a', 'b']],
      ],
    },
  ]);
  await expectInvariants(system);
});

test('nobody is told of a change that a crash could undo', async () => {
  const system = await System.open({ workflows });
  await system.startWith({ workflowId: 'w', workflowType: 'order', memo: encodePayload({ by: 'ada' }) }).value();
  system.store.flushes.shut();
  system.signal('w', 'to', 'packing');
  await system.settle();
  let answer: unknown;
  const asked = system.supervisor.controlPlane.list(`Stage = 'packing'`, 10).then((outcome) => {
    answer = outcome;
  });
  await system.settle();
  expect(answer).toBeUndefined();
  await system.crash();
  void asked;
  expect(await told(system)).toMatchObject([{ workflowId: 'w', memo: { by: 'ada' } }]);
  const outcome = await system.supervisor.controlPlane.list(`Stage = 'packing'`, 10);
  expect(outcome).toMatchObject({ ok: false, error: { name: 'InvalidListFilterError' } });
  await expectInvariants(system);
});

describe('a restart finds the same', () => {
  test.each(['restart', 'crash'] as const)('after a %s', async (ending) => {
    const system = await System.open({ workflows });
    await system.startWith({ workflowId: 'plain', workflowType: 'order' }).value();
    await system
      .startWith({
        workflowId: 'w',
        workflowType: 'order',
        memo: encodePayload({ by: 'ada' }),
        options: { searchAttributes: everything },
      })
      .value();
    await system.startWith({ workflowId: 'late', workflowType: 'order', startDelay: 60_000 }).value();
    await system.signal('w', 'to', 'packing').value();
    await system.signal('w', 'to', 'again').value();
    await system.signal('w', 'to', 'sent').value();
    await system.pass(5000);
    await system.signal('plain', 'to', 'done').value();
    await system.settle();
    const before = await told(system);
    expect(before).toMatchObject([
      { workflowId: 'w', status: 'RUNNING', memo: { by: 'ada', note: 'is sent' } },
      { workflowId: 'late', status: 'RUNNING' },
      { workflowId: 'w', status: 'CONTINUED_AS_NEW', memo: { note: 'is again' } },
      { workflowId: 'plain', status: 'COMPLETED', searchAttributes: [['Stage', 'KEYWORD', 'done']] },
    ]);
    for (let n = 0; n < 3; n++) {
      await system[ending]();
      const after = (await told(system)) as { workflowId: string; runId: string }[];
      expect(new Set(after), `after ${n + 1}`).toEqual(new Set(before as object[]));
      expect(await found(system, `Stage = 'sent' AND Tags = 'a'`)).toEqual(['w']);
      expect(await found(system, `ExecutionTime > StartTime`.replace('StartTime', `'2026-01-01T00:00:30Z'`))).toEqual([
        'late',
      ]);
    }
    await expectInvariants(system);
  });
});

/** As the first run ends, and the second goes on. */
const HALF = [
  ['Due', 'DATETIME', 5],
  ['Stage', 'KEYWORD', 'half'],
  ['Tags', 'KEYWORD_LIST', ['a', 'b']],
];

test('whichever flush a crash loses, the table is what the histories say', async () => {
  for (let flushes = 0; ; flushes++) {
    const system = await System.open({ workflows });
    system.startWith({ workflowId: 'w', workflowType: 'whole', options: { searchAttributes: everything } });
    system.store.flushes.shut();
    await system.settle();
    for (let n = 0; n < flushes; n++) {
      system.store.flushes.letThrough();
      await system.settle();
      await system.pass(500);
    }
    await system.crash(flushes % 2 === 0 ? 'lost' : 'kept');
    expectTable(system);
    for (let n = 0; n < 12; n++) await system.pass(500);
    expectTable(system);
    await expectInvariants(system);
    if (system.histories().size === 0) continue;
    expect(await told(system)).toMatchObject([
      { status: 'COMPLETED', memo: { note: 'half' }, searchAttributes: HALF },
      { status: 'CONTINUED_AS_NEW', searchAttributes: HALF },
    ]);
    if (flushes > 8) break;
  }
});

/** Attributes of each run as its durable history has them. */
function expectTable(system: System): void {
  const { index } = system.supervisor.core;
  const histories = system.histories();
  expect(index.size).toBe(histories.size);
  for (const run of index.all()) {
    const expected = new Map<string, unknown>();
    for (const event of histories.get(run.runId)!) {
      const changes =
        event.eventType === 'WorkflowExecutionStarted'
          ? event.options?.searchAttributes
          : event.eventType === 'UpsertWorkflowSearchAttributes'
            ? event.searchAttributes
            : undefined;
      for (const [name, ...rest] of changes ?? []) {
        if (rest.length === 0) expected.delete(name);
        else expected.set(name, rest);
      }
    }
    const found = new Map((index.table.facts(run).attributes ?? []).map(([name, ...rest]) => [name, rest]));
    expect(found).toEqual(expected);
  }
}

test('a checkpoint that is taken while a flush is under way costs no memo and no history', async () => {
  const system = await System.open({ workflows });
  const { index } = system.supervisor.core;
  system.store.flushes.shut();
  system.startWith({ workflowId: 'w', workflowType: 'whole', memo: encodePayload({ by: 'ada' }) });
  await system.settle();
  const taken = [...index.entries(false)];
  expect(taken).toHaveLength(1);
  system.store.flushes.open();
  await system.settle();
  expect([...index.entries(false)], 'where its frame is was not known yet').toHaveLength(1);
  expect([...index.entries(false)]).toHaveLength(0);
});
