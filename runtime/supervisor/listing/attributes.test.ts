/**
 * What runs say of themselves: memos and search attributes, given with the start and changed on the way.
 * Thread: the test's.
 */
import { expect, test } from 'vitest';
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSearchAttributeKey,
  defineSignal,
  makeContinueAsNewFunc,
  type SearchAttributeUpdatePair,
  setHandler,
  startChild,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '../../../actors/workflow/index.js';
import { startAttributes } from '../../../mailbox/attribute-records.js';
import { encodePayload } from '../../../mailbox/payload.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { System } from '../../test-kit/system.test-kit.js';

routeRejections();

const stage = defineSearchAttributeKey('Stage', 'KEYWORD');
const amount = defineSearchAttributeKey('Amount', 'INT');
const attributes = (...pairs: SearchAttributeUpdatePair[]) =>
  startAttributes({ typedSearchAttributes: pairs as [] }) ?? [];

const upsert = defineSignal<[pairs: SearchAttributeUpdatePair[]]>('upsert');
const note = defineSignal<[memo: Record<string, unknown>]>('note');
const next = defineSignal<[stage?: string]>('next');
const told = defineQuery<[memo: unknown, attributes: unknown]>('told');

async function teller(): Promise<void> {
  let then: (() => Promise<never>) | undefined;
  setHandler(upsert, (pairs) => upsertSearchAttributes(pairs));
  setHandler(note, (memo) => upsertMemo(memo));
  setHandler(next, (value) => {
    const options = value === undefined ? {} : { typedSearchAttributes: [{ key: stage, value }] };
    then = () => makeContinueAsNewFunc<typeof teller>(options)();
  });
  setHandler(told, () => [workflowInfo().memo ?? null, workflowInfo().searchAttributes]);
  await condition(() => then !== undefined);
  await then?.();
}

/** Its child is found by attributes of its own. */
async function parent(): Promise<unknown> {
  const child = await startChild(teller, {
    workflowId: 'child',
    memo: { of: 'parent' },
    typedSearchAttributes: [{ key: stage, value: 'born' }],
  });
  await child.signal(upsert, [{ key: amount, value: 1 }]);
  return child.query(told);
}

/** Says something of itself, and asks at once. */
async function selfish(): Promise<unknown> {
  upsertMemo({ a: 1, b: { c: 2 } });
  upsertMemo({ a: null, b: { d: 3 }, e: 'e' });
  upsertSearchAttributes([{ key: stage, value: 'one' }]);
  upsertSearchAttributes({ Amount: [2], When: [new Date(5)], Tags: ['x', 'y'] });
  upsertSearchAttributes([{ key: stage, value: null }]);
  const { memo, typedSearchAttributes, searchAttributes } = workflowInfo();
  return [memo, typedSearchAttributes.get(amount), typedSearchAttributes.get(stage) ?? null, searchAttributes];
}

const workflows = { teller, parent, selfish };
const open = () => System.open({ workflows });

test('a workflow sees at once what it says of itself, and an entry of the memo is replaced as a whole', async () => {
  const system = await open();
  expect(await system.start('w', 'selfish').value()).toBe('started');
  expect(await system.result('w').value()).toEqual([
    { b: { d: 3 }, e: 'e' },
    2,
    null,
    { Amount: [2], When: [new Date(5)], Tags: ['x', 'y'] },
  ]);
  expect(system.types('w')).toEqual([
    'WorkflowExecutionStarted',
    'WorkflowPropertiesModified',
    'WorkflowPropertiesModified',
    'UpsertWorkflowSearchAttributes',
    'UpsertWorkflowSearchAttributes',
    'UpsertWorkflowSearchAttributes',
    'WorkflowExecutionCompleted',
  ]);
  await expectInvariants(system);
});

test('what a run says of itself is the same after replay', async () => {
  const system = await open();
  await system
    .startWith({
      workflowId: 'w',
      workflowType: 'teller',
      memo: encodePayload({ a: 1 }),
      options: { searchAttributes: attributes({ key: amount, value: 7 }) },
    })
    .value();
  await system.signal('w', 'upsert', [{ key: stage, value: 'packing' }]).value();
  await system.signal('w', 'note', { b: 2 }).value();
  const before = await system.query('w', 'told').value();
  expect(before).toEqual([
    { a: 1, b: 2 },
    { Amount: [7], Stage: ['packing'] },
  ]);
  await system.evictAll();
  expect(await system.query('w', 'told').value()).toEqual(before);
  await system.crash();
  expect(await system.query('w', 'told').value()).toEqual(before);
  await expectInvariants(system);
});

test('the next run of a chain begins with what the one before said last, or with what it is given', async () => {
  const system = await open();
  await system.start('w', 'teller').value();
  await system.signal('w', 'note', { a: 1 }).value();
  await system
    .signal('w', 'upsert', [
      { key: stage, value: 'one' },
      { key: amount, value: 1 },
    ])
    .value();
  await system.signal('w', 'next').value();
  expect(await system.query('w', 'told').value()).toEqual([{ a: 1 }, { Stage: ['one'], Amount: [1] }]);
  await system.signal('w', 'upsert', [{ key: amount, value: null }]).value();
  await system.signal('w', 'next').value();
  expect(await system.query('w', 'told').value()).toEqual([{ a: 1 }, { Stage: ['one'] }]);
  await system.signal('w', 'upsert', [{ key: stage, value: null }]).value();
  await system.signal('w', 'next').value();
  expect(await system.query('w', 'told').value()).toEqual([{ a: 1 }, {}]);
  await system.signal('w', 'next', 'given').value();
  expect(await system.query('w', 'told').value()).toEqual([{ a: 1 }, { Stage: ['given'] }]);
  await expectInvariants(system);
});

test('a child has the memo and the attributes that its parent gives it', async () => {
  const system = await open();
  await system.start('w', 'parent').value();
  expect(await system.result('w').value()).toEqual([{ of: 'parent' }, { Stage: ['born'], Amount: [1] }]);
  await expectInvariants(system);
});

test('an attribute that cannot be is refused where it is given', async () => {
  const refused = (key: string, type: string, value: unknown) => {
    try {
      attributes({ key: defineSearchAttributeKey(key, type as 'INT'), value: value as number });
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  expect(refused('Amount', 'INT', 1.5)).toMatch(/^Invalid search attribute 'Amount': 1.5 is no value of type INT/);
  expect(refused('Amount', 'DOUBLE', Number.NaN)).toMatch(/is no value of type DOUBLE/);
  expect(refused('When', 'DATETIME', new Date(Number.NaN))).toMatch(/is no value of type DATETIME/);
  expect(refused('Amount', 'LONG', 1)).toMatch(/LONG is none of the types TEXT, KEYWORD/);
  expect(refused('Tags', 'KEYWORD_LIST', Object.assign(['a'], { 2: 'b' }))).toMatch(
    /an array is no value of type KEYWORD_LIST/,
  );
  expect(refused('Tags', 'KEYWORD_LIST', ['a', 'b\ud800'])).toMatch(/half a surrogate pair/);
  expect(refused('Stage', 'KEYWORD', '\udc00\ud800')).toMatch(/half a surrogate pair/);
  expect(refused('Stage', 'KEYWORD', '😀')).toBeUndefined();
  expect(refused('a b', 'INT', 1)).toMatch(/letters, digits/);
  expect(refused('StartTime', 'INT', 1)).toMatch(/every run has a field of that name/);
  expect(refused('x'.repeat(101), 'INT', 1)).toMatch(/at most 100 characters/);
  expect(refused('Long', 'KEYWORD', 'ü'.repeat(1025))).toMatch(/2050 bytes, at most 2048/);
  expect(refused('Long', 'KEYWORD', 'ü'.repeat(1024))).toBeUndefined();
  const many = Array.from({ length: 101 }, (_, n) => ({ key: defineSearchAttributeKey(`A${n}`, 'INT'), value: n }));
  expect(() => attributes(...many)).toThrow(/'A100': it would be one of 101, and a run has at most 100/);
  expect(() => attributes({ key: stage, value: 'a' }, { key: stage, value: 'b' })).toThrow(/given twice/);
});

test('in a query or a validator, saying something of the run is a violation', async () => {
  const system = await System.open({
    workflows: {
      asked: async () => {
        setHandler(defineQuery<void>('memo'), () => upsertMemo({ a: 1 }));
        setHandler(defineQuery<void>('attribute'), () => upsertSearchAttributes([{ key: amount, value: 1 }]));
        await condition(() => false);
      },
    },
  });
  await system.start('w', 'asked').value();
  for (const name of ['memo', 'attribute'])
    expect(await system.query('w', name).error()).toMatchObject({ code: 'QUERY_FAILED' });
  await expectInvariants(system);
});

test('a name has one type: a start, a step and a child with another are refused, and nothing is half done', async () => {
  const other = defineSearchAttributeKey('Stage', 'INT');
  const system = await System.open({
    workflows: {
      teller,
      mother: async () => {
        await startChild(teller, { workflowId: 'child', typedSearchAttributes: [{ key: other, value: 1 }] });
      },
    },
  });
  await system.start('w', 'teller').value();
  await system.signal('w', 'upsert', [{ key: stage, value: 'packing' }]).value();
  const start = (workflowId: string) =>
    system.startWith({
      workflowId,
      workflowType: 'teller',
      conflictPolicy: 'TERMINATE_EXISTING',
      options: { searchAttributes: attributes({ key: other, value: 1 }) },
    });
  expect(await start('v').error()).toMatchObject({
    code: 'SEARCH_ATTRIBUTE_TYPE_CONFLICT',
    fields: { attribute: 'Stage', type: 'INT', existing: 'KEYWORD' },
  });
  expect(await start('w').error()).toMatchObject({ code: 'SEARCH_ATTRIBUTE_TYPE_CONFLICT' });
  expect(await system.describe('w'), 'it is not terminated for a start that is refused').toMatchObject({
    status: 'RUNNING',
    searchAttributes: [['Stage', 'KEYWORD', 'packing']],
  });
  await system.start('m', 'mother').value();
  expect(await system.result('m').error()).toMatchObject({ cause: { type: 'SearchAttributeTypeConflictError' } });
  expect(system.types('m').slice(0, 3)).toEqual([
    'WorkflowExecutionStarted',
    'StartChildWorkflowExecutionInitiated',
    'StartChildWorkflowExecutionFailed',
  ]);
  await system.start('v', 'teller').value();
  const before = system.types('v').length;
  await system
    .signal('v', 'upsert', [
      { key: amount, value: 1 },
      { key: other, value: 1 },
    ])
    .value();
  await system.settle();
  const description = await system.describe('v');
  expect(description.suspended?.error).toMatchObject({ name: 'WorkflowSuspendedError' });
  expect(JSON.stringify(description.suspended)).toContain("'Stage' is of type KEYWORD in this store");
  expect(description.searchAttributes).toBeUndefined();
  expect(system.types('v')).toHaveLength(before + 1);
  await system.terminate('v').value();
  // Once no run has it any more, the name is free.
  await system.signal('w', 'upsert', [{ key: stage, value: null }]).value();
  await system.settle();
  expect(await start('u').value()).toBe('started');
  await expectInvariants(system);
});

test('a step that uses one new name with two types is refused', async () => {
  const system = await System.open({
    workflows: {
      twice: async () => {
        upsertSearchAttributes([{ key: stage, value: 'a' }]);
        upsertSearchAttributes({ Stage: [1] });
      },
    },
  });
  await system.start('w', 'twice').value();
  await system.settle();
  expect((await system.describe('w')).suspended?.error).toMatchObject({ name: 'WorkflowSuspendedError' });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
});

test('a name that has another type by now is not given again: not by a retry, and not by a reset', async () => {
  const other = defineSearchAttributeKey('Stage', 'INT');
  const fail = defineSignal('fail');
  const system = await System.open({
    workflows: {
      teller,
      failing: async () => {
        if (workflowInfo().attempt > 1) await condition(() => false);
        upsertSearchAttributes([{ key: stage, value: null }]);
        let over = false;
        setHandler(fail, () => {
          over = true;
        });
        await condition(() => over);
        throw ApplicationFailure.create({ message: 'on purpose' });
      },
    },
  });
  await system
    .startWith({
      workflowId: 'w',
      workflowType: 'failing',
      options: {
        retry: {
          initialInterval: 1000,
          backoffCoefficient: 1,
          maximumInterval: 1000,
          maximumAttempts: 3,
          nonRetryableErrorTypes: [],
        },
        searchAttributes: attributes({ key: stage, value: 'a' }, { key: amount, value: 7 }),
      },
    })
    .value();
  await system.settle();
  await system
    .startWith({
      workflowId: 'v',
      workflowType: 'teller',
      options: { searchAttributes: attributes({ key: other, value: 5 }) },
    })
    .value();
  const upserted = system.history('w').at(-1)!;
  expect(await system.reset('w', upserted.eventId).error()).toMatchObject({
    code: 'SEARCH_ATTRIBUTE_TYPE_CONFLICT',
    fields: { attribute: 'Stage', type: 'KEYWORD', existing: 'INT' },
  });
  const { runId } = await system.describe('w');
  await system.signal('w', 'fail').value();
  await system.settle();
  const found = async () => {
    const outcome = await system.supervisor.controlPlane.list('Stage > 0 OR Amount = 7', 10);
    if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
    // Those that began in one millisecond are in no order after a restart.
    return outcome.value.rows
      .sort((a, b) => a.runId.localeCompare(b.runId))
      .map(({ workflowId, searchAttributes }) => [workflowId, searchAttributes]);
  };
  const expected = await found();
  expect((await system.describe('w')).runId).not.toBe(runId);
  expect(expected).toHaveLength(3);
  expect(system.history('w')[0]).toMatchObject({ options: { searchAttributes: [['Amount', 'INT', 7]] } });
  expect(expected).toContainEqual(['v', [['Stage', 'INT', 5]]]);
  expect(expected.filter(([workflowId]) => workflowId === 'w')).toEqual(Array(2).fill(['w', [['Amount', 'INT', 7]]]));
  await system.crash();
  expect(await found()).toEqual(expected);
  await expectInvariants(system);
});
