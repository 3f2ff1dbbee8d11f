/**
 * List filters over a table of runs: what each operator leaves, against a plain reading of random filters, and what is told of a wrong one.
 * Thread: the test's.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventOf, SearchAttributesRecord } from '../../../mailbox/events.js';
import type { PageToken } from '../../client/control.js';
import { InvalidListFilterError } from '../../errors.js';
import { fold } from '../runs/fold.js';
import { Run } from '../runs/run.js';
import { RunIndex } from '../runs/run-index.js';
import { CHUNK } from './attribute-columns.js';
import { Listing } from './listing.js';

const T0 = Date.UTC(2026, 0, 1);

interface Row {
  readonly workflowId: string;
  readonly type: string;
  readonly startTime: number;
  readonly closed?: {
    readonly eventType: 'WorkflowExecutionCompleted' | 'WorkflowExecutionCanceled';
    readonly after: number;
  };
  readonly delay?: number;
  readonly attributes?: SearchAttributesRecord;
  readonly parent?: { readonly workflowId: string; readonly runId: string };
}

function add(index: RunIndex, row: Row, number: number): Run {
  const { workflowId, type, startTime, closed, delay, attributes, parent } = row;
  const run = new Run(workflowId, `run-${number}`, 0);
  index.add(run);
  const started = {
    eventType: 'WorkflowExecutionStarted',
    eventId: 1,
    eventTime: startTime,
    workflowType: type,
    requestId: 'r',
    firstRunId: run.runId,
    startDelay: delay,
    parent: parent === undefined ? undefined : { ...parent, childId: '1', closePolicy: 'ABANDON' },
    options: attributes === undefined ? undefined : { searchAttributes: attributes },
  } as EventOf<'WorkflowExecutionStarted'>;
  fold(run, started);
  index.applied(run, started);
  if (closed !== undefined) {
    const event = { eventType: closed.eventType, eventId: 2, eventTime: startTime + closed.after } as EventOf<
      typeof closed.eventType
    >;
    fold(run, event);
    index.applied(run, event);
  }
  return run;
}

const row = (workflowId: string, type: string, more: Partial<Row> = {}): Row => ({
  workflowId,
  type,
  startTime: T0,
  ...more,
});
const completed = (after: number) => ({ eventType: 'WorkflowExecutionCompleted', after }) as const;

/** Rows named by their workflow ids. */
const ROWS: readonly Row[] = [
  row('a', 'order', { closed: completed(1000), attributes: [['Customer', 'KEYWORD', 'ada']] }),
  row('b', 'order', {
    startTime: T0 + 1000,
    attributes: [
      ['Customer', 'KEYWORD', 'bob'],
      ['Amount', 'INT', 5],
      ['Due', 'DATETIME', T0 + 60_000],
      ['Paid', 'BOOL', false],
    ],
  }),
  row('c', 'cart', {
    startTime: T0 + 2000,
    closed: { eventType: 'WorkflowExecutionCanceled', after: 90_000 },
    attributes: [
      ['Tags', 'KEYWORD_LIST', ['red', 'blue']],
      ['Note', 'TEXT', 'Leave it at the Back-door, please'],
      ['Amount', 'INT', -5],
      ['Paid', 'BOOL', true],
    ],
  }),
  row('d', 'cart', { startTime: T0 + 3000, delay: 5000, parent: { workflowId: 'b', runId: 'run-1' } }),
  row('s', '__holdfast_schedule', { startTime: T0 + 4000 }),
];

function listed(rows: readonly Row[]): { listing: Listing; index: RunIndex; turns: () => number } {
  const index = new RunIndex();
  for (const [number, each] of rows.entries()) add(index, each, number);
  let turns = 0;
  const later = (callback: () => void) => {
    turns++;
    setImmediate(callback);
  };
  return { listing: new Listing(index, later), index, turns: () => turns };
}

async function all(listing: Listing, query: string, limit = 100): Promise<string[]> {
  const found: string[] = [];
  let after: PageToken | undefined;
  do {
    const page = await listing.page(query, limit, after, (chunk, at) => chunk.runs[at]!.workflowId);
    found.push(...page.rows);
    after = page.next;
  } while (after !== undefined);
  return found;
}

describe('a filter leaves', () => {
  const { listing } = listed(ROWS);
  test.each([
    ['', 'd c b a'],
    [`WorkflowId = 'a'`, 'a'],
    [`WorkflowId in ("a", 'c') and WorkflowType != 'cart'`, 'a'],
    [`WorkflowId STARTS_WITH 'b'`, 'b'],
    [`RunId = 'run-2'`, 'c'],
    [`WorkflowType = 'cart'`, 'd c'],
    [`WorkflowType != 'cart'`, 'b a'],
    [`WorkflowType > 'c' AND WorkflowType < 'd'`, 'd c'],
    [`ExecutionStatus = 'Running'`, 'd b'],
    [`ExecutionStatus IN ('CANCELLED', 'Completed')`, 'c a'],
    [`ExecutionStatus = 'CANCELED'`, 'c'],
    [`NOT ExecutionStatus = 'Running'`, 'c a'],
    [`StartTime > '2026-01-01T00:00:01Z'`, 'd c'],
    [`StartTime >= '2026-01-01T01:00:01.000+01:00'`, 'd c b'],
    [`StartTime < '2026-01-01 00:00:01'`, 'a'],
    [`StartTime = '2026-01-01'`, 'a'],
    [`StartTime = ${T0}000000`, 'a'],
    [`StartTime BETWEEN '2026-01-01T00:00:01Z' AND '2026-01-01T00:00:02Z'`, 'c b'],
    [`StartTime NOT BETWEEN '2026-01-01T00:00:01Z' AND '2026-01-01T00:00:02Z'`, 'd a'],
    [`ExecutionTime > '2026-01-01T00:00:07Z'`, 'd'],
    [`ExecutionTime = '2026-01-01T00:00:02Z'`, 'c'],
    [`CloseTime IS NULL`, 'd b'],
    [`CloseTime IS NOT NULL`, 'c a'],
    [`NOT CloseTime IS NULL`, 'c a'],
    [`CloseTime < '2027-01-01'`, 'c a'],
    [`ExecutionDuration > '1m29.5s'`, 'c'],
    [`ExecutionDuration <= '1000ms' OR ExecutionDuration = '1m30s'`, 'c a'],
    [`ExecutionDuration = 1000000000`, 'a'],
    [`HistoryLength = 2`, 'c a'],
    [`HistorySizeBytes = 0 AND HistoryLength < 2`, 'd b'],
    [`ParentWorkflowId = 'b' AND ParentRunId = 'run-1'`, 'd'],
    [`RootWorkflowId = 'b'`, 'd b'],
    [`RootRunId = 'run-1' AND ParentWorkflowId IS NULL`, 'b'],
    [`Customer = 'ada'`, 'a'],
    [`Customer != 'ada'`, 'b'],
    [`NOT Customer = 'ada'`, 'b'],
    [`NOT (Customer = 'ada' OR Amount < 0)`, 'b'],
    [`NOT (NOT (Customer = 'ada'))`, 'a'],
    [`Customer IS NULL`, 'd c'],
    [`Customer NOT IN ('bob', 'x')`, 'a'],
    [`Customer STARTS_WITH 'b'`, 'b'],
    [`Customer NOT STARTS_WITH 'b'`, 'a'],
    [`Amount >= -5 AND Amount < 5.5`, 'c b'],
    [`Amount = 5`, 'b'],
    [`Amount IN (5, 7)`, 'b'],
    [`Amount != 5`, 'c'],
    [`Paid = true`, 'c'],
    [`Paid != true`, 'b'],
    [`Due > '2026-01-01T00:00:30Z'`, 'b'],
    [`Tags = 'blue'`, 'c'],
    [`Tags IN ('green', 'red')`, 'c'],
    [`Tags != 'blue'`, ''],
    [`Tags != 'green'`, 'c'],
    [`Note = 'DOOR'`, 'c'],
    [`Note = 'front door'`, 'c'],
    [`Note = 'doors'`, ''],
    ["`Customer` = 'ada'", 'a'],
    [`Customer = 'ada' OR Customer = 'bob' AND Amount = 5 OR WorkflowId = 'd'`, 'd b a'],
    [`(Customer = 'ada' OR Customer = 'bob') AND Amount = 5`, 'b'],
    [`ORDER BY StartTime ASC`, 'a b c d'],
    [`ORDER BY Amount DESC`, 'b c d a'],
    [`ORDER BY Amount`, 'c b d a'],
    [`Customer IS NOT NULL ORDER BY Customer DESC`, 'b a'],
    [`ORDER BY CloseTime DESC`, 'c a d b'],
    [`ORDER BY HistoryLength DESC`, 'c a d b'],
    [`WorkflowType = '__holdfast_schedule'`, 's'],
    [`WorkflowType IN ('__holdfast_schedule', 'order')`, 's b a'],
    [`WorkflowType STARTS_WITH '__'`, ''],
    [`Customer = 'it''s' OR Customer = "a\\"da" OR Customer = 'a\\da'`, 'a'],
  ])('%s', async (query, expected) => {
    expect((await all(listing, query)).join(' ')).toBe(expected);
    expect((await all(listing, query, 1)).join(' '), 'in pages of one').toBe(expected);
    if (!query.includes('ORDER BY'))
      expect(await listing.count(query)).toEqual({ count: expected === '' ? 0 : expected.split(' ').length });
  });
});

test('counts are grouped by status', async () => {
  const { listing } = listed(ROWS);
  expect(await listing.count('GROUP BY ExecutionStatus')).toEqual({
    count: 4,
    groups: [
      { status: 'RUNNING', count: 2 },
      { status: 'COMPLETED', count: 1 },
      { status: 'CANCELLED', count: 1 },
    ],
  });
  expect(await listing.count(`WorkflowType = 'none' GROUP BY ExecutionStatus`)).toEqual({ count: 0, groups: [] });
});

describe('a wrong filter is refused, and where it is wrong is pointed at', () => {
  const { listing } = listed(ROWS);
  test.each([
    [`Customer = `, 11, 'expected a value, but it ends'],
    [`Customer == 'a'`, 10, `expected a value, but found '='`],
    [`Customer = 'a`, 11, `expected a value, but found '''`],
    [`(Amount = 1`, 11, `expected ')', AND or OR, but it ends`],
    [`Amount = 1 Amount = 2`, 11, `expected AND, GROUP BY, OR, ORDER BY or the end, but found 'A'`],
    [`AND = 1`, 0, 'expected'],
    [`Costumer = 'a'`, 0, `no run has a field or a search attribute 'Costumer'. There are WorkflowId, RunId`],
    [`Amount > 1 AND Amount = 'a'`, 24, `'Amount' is compared with a number`],
    [`Customer = 5`, 11, `'Customer' is compared with a text in quotes`],
    [`Paid = 'yes'`, 7, `'Paid' is compared with true or false`],
    [`Paid > true`, 0, `'Paid' cannot be compared with >, only with =, !=, IN, IS NULL`],
    [`Note STARTS_WITH 'a'`, 0, `'Note' cannot be compared with STARTS_WITH`],
    [`StartTime > 'yesterday'`, 12, `'StartTime' is compared with a time such as`],
    [`StartTime > '2026-13-01'`, 12, `'StartTime' is compared with a time such as`],
    [`StartTime > '2026-02-30'`, 12, `'StartTime' is compared with a time such as`],
    [`ExecutionDuration > 'long'`, 20, `'ExecutionDuration' is compared with a duration such as`],
    [`ExecutionStatus = 'Done'`, 18, `'ExecutionStatus' is compared with one of Running, Completed`],
    [`Customer BETWEEN 'a'`, 20, 'expected a space, but it ends'],
    [`Tags = 'a' ORDER BY Tags`, 20, `values of 'Tags' have no order`],
    [`GROUP BY ExecutionStatus`, 9, 'a list is not grouped'],
    ['('.repeat(9000), 0, 'it is nested too deeply'],
    [' '.repeat(10_001), 10_000, 'it has 10001 characters, at most 10000 are possible'],
  ])('%.50s', async (query, offset, reason) => {
    const error = await all(listing, query).then(
      () => expect.unreachable(),
      (thrown: unknown) => thrown as InvalidListFilterError,
    );
    expect(error).toBeInstanceOf(InvalidListFilterError);
    expect(error.fields.reason).toContain(reason);
    expect(error.offset).toBe(offset);
  });

  test('by a caret under the place, in its line', async () => {
    const query = `WorkflowType = 'order'\n  AND Amount = 'five'\n  AND Paid = true`;
    await expect(listing.count(query)).rejects.toThrow(
      `Invalid list filter: 'Amount' is compared with a number\n    AND Amount = 'five'\n                 ^`,
    );
  });

  test('counts have no order, and no other groups', async () => {
    await expect(listing.count('ORDER BY StartTime')).rejects.toThrow('a count has no order');
    await expect(listing.count('GROUP BY WorkflowType')).rejects.toThrow('grouped by ExecutionStatus only');
  });
});

const MANY = 40 * CHUNK;

test('a long scan lets others have their turn, and pages are stable while runs begin and close', async () => {
  const rows = Array.from({ length: MANY }, (_, n) =>
    row(`w${n}`, n % 1000 === 0 ? 'rare' : 'usual', { startTime: T0 + n }),
  );
  const { listing, index, turns } = listed(rows);
  expect(await all(listing, `WorkflowId STARTS_WITH 'none'`)).toEqual([]);
  expect(turns()).toBe(1);
  const first = await listing.page(`WorkflowType = 'rare'`, 3, undefined, (chunk, at) => chunk.runs[at]!.workflowId);
  add(index, row('new', 'rare', { startTime: T0 + MANY }), MANY);
  const next = await listing.page(`WorkflowType = 'rare'`, 3, first.next, (chunk, at) => chunk.runs[at]!.workflowId);
  expect([...first.rows, ...next.rows]).toEqual(['w40000', 'w39000', 'w38000', 'w37000', 'w36000', 'w35000']);
  expect((await all(listing, `WorkflowType = 'rare'`))[0]).toBe('new');
});

test('however many conditions a filter has, others have their turn after about as long', async () => {
  const rows = Array.from({ length: 4 * CHUNK }, (_, n) => row(`w${n}`, 'usual'));
  const { listing, turns } = listed(rows);
  const conditions = Array.from({ length: 300 }, (_, n) => `HistoryLength != ${n}`);
  expect(await listing.count(conditions.join(' OR '))).toEqual({ count: rows.length });
  expect(turns()).toBe(3);
});

describe('chunks are passed by only if they hold nothing that is wanted', () => {
  const rows = Array.from({ length: 3 * CHUNK + 10 }, (_, n) => {
    const chunk = Math.floor(n / CHUNK);
    return row(`w${n}`, `type-${chunk}`, {
      startTime: T0 + n,
      ...(n % 3 === 0 ? {} : { closed: completed(chunk * 100_000) }),
      ...(n === 5 ? { delay: 9_000_000 } : {}),
      attributes: [
        ['Amount', 'INT', chunk * 10 + (n % 5)],
        ['Customer', 'KEYWORD', `c${chunk}-${n % 7}`],
        ['Paid', 'BOOL', chunk === 1],
      ],
    });
  });
  const { listing, index } = listed(rows);
  const run = (n: number) => index.current(`w${n}`)!;
  // Values move into chunks that had none like them, and out of those where they were.
  index.table.attributes.update(run(0).row, [['Amount', 'INT', 1000], ['Customer', 'KEYWORD', 'c2-3'], ['Paid']]);
  index.table.attributes.update(run(CHUNK).row, [['Customer', 'KEYWORD', 'only']]);
  index.table.attributes.update(run(CHUNK).row, [['Customer', 'KEYWORD', 'since']]);
  for (const n of [3, 2 * CHUNK + 1]) {
    if (!run(n).open) continue;
    const event = { eventType: 'WorkflowExecutionCanceled', eventId: 2, eventTime: T0 + 50_000_000 } as const;
    fold(run(n), event as EventOf<'WorkflowExecutionCanceled'>);
    index.applied(run(n), event as EventOf<'WorkflowExecutionCanceled'>);
  }
  const values = (n: number) => new Map(index.table.facts(run(n)).attributes?.map(([name, , value]) => [name, value]));
  const amount = (n: number) => values(n).get('Amount') as number;
  const customer = (n: number) => values(n).get('Customer') as string;
  const time = (ms: number) => new Date(T0 + ms).toISOString();

  test.each<[string, (n: number) => boolean]>([
    ['Amount = 1000', (n) => amount(n) === 1000],
    ['Amount = 12', (n) => amount(n) === 12],
    ['Amount > 14', (n) => amount(n) > 14],
    ['Amount <= 10', (n) => amount(n) <= 10],
    ['Amount IN (4, 20)', (n) => amount(n) === 4 || amount(n) === 20],
    ['Amount BETWEEN 14 AND 20', (n) => amount(n) >= 14 && amount(n) <= 20],
    ['NOT Amount > 14', (n) => amount(n) <= 14],
    ['Amount != 0', (n) => amount(n) !== 0],
    [`Customer = 'c2-3'`, (n) => customer(n) === 'c2-3'],
    [`Customer = 'since' OR Amount = 1000`, (n) => customer(n) === 'since' || amount(n) === 1000],
    [`Customer = 'only'`, () => false],
    [`Customer STARTS_WITH 'c1'`, (n) => customer(n).startsWith('c1')],
    [`Customer != 'c1-1' AND Amount > 10`, (n) => customer(n) !== 'c1-1' && amount(n) > 10],
    ['Paid = true', (n) => values(n).get('Paid') === true],
    ['Paid IS NULL', (n) => !values(n).has('Paid')],
    [`WorkflowType = 'type-1'`, (n) => run(n).workflowType === 'type-1'],
    [`WorkflowType != 'type-1'`, (n) => run(n).workflowType !== 'type-1'],
    [`ExecutionStatus = 'Canceled'`, (n) => run(n).status === 'CANCELLED'],
    [`ExecutionStatus = 'Running'`, (n) => run(n).open],
    [`StartTime >= '${time(CHUNK)}'`, (n) => n >= CHUNK],
    [`CloseTime > '${time(250_000)}'`, (n) => !run(n).open && run(n).closeTime > T0 + 250_000],
    [`ExecutionTime > '${time(8_000_000)}'`, (n) => n === 5],
  ])('%s', async (query, isLeft) => {
    const expected = [...rows.keys()].reverse().filter(isLeft);
    expect(await all(listing, query, 700)).toEqual(expected.map((n) => `w${n}`));
    expect(await listing.count(query)).toEqual({ count: expected.length });
  });

  test.each<[string, (n: number) => number | null]>([
    ['Amount', amount],
    ['StartTime', (n) => run(n).startTime],
    ['CloseTime', (n) => (run(n).open ? null : run(n).closeTime)],
    ['ExecutionTime', (n) => run(n).startTime + (n === 5 ? 9_000_000 : 0)],
    ['HistoryLength', (n) => run(n).lastEventId],
  ])('pages ordered by %s', async (field, key) => {
    const newestFirst = [...rows.keys()].reverse();
    for (const [direction, sign] of [
      ['ASC', 1],
      ['DESC', -1],
    ] as const) {
      const byKey = (a: number, b: number) => {
        const [x, y] = [key(a), key(b)];
        return x === null || y === null ? Number(x === null) - Number(y === null) : (x - y) * sign;
      };
      const expected = [...newestFirst].sort(byKey).map((n) => `w${n}`);
      for (const limit of [100, 1500]) {
        expect(await all(listing, `ORDER BY ${field} ${direction}`, limit)).toEqual(expected);
      }
    }
  });
});

test('a row of an ordered page is told as it was when it was looked at', async () => {
  const rows = Array.from({ length: MANY }, (_, n) => row(`w${n}`, 'usual'));
  const { index } = listed(rows);
  const newest = index.current(`w${MANY - 1}`)!;
  const listing = new Listing(index, (callback) => {
    const event = { eventType: 'WorkflowExecutionCanceled', eventId: 2, eventTime: T0 } as const;
    if (newest.open) {
      fold(newest, event as EventOf<'WorkflowExecutionCanceled'>);
      index.applied(newest, event as EventOf<'WorkflowExecutionCanceled'>);
    }
    callback();
  });
  const query = `ExecutionStatus = 'Running' AND HistoryLength = 1 ORDER BY HistoryLength`;
  const { rows: told } = await listing.page(query, 1, undefined, (chunk, at) => chunk.runs[at]!.status);
  expect(newest.open).toBe(false);
  expect(told).toEqual(['RUNNING']);
});

test('a value that no run has any more may be replaced by another while a scan lets others have their turn', async () => {
  const customer = (value: string): SearchAttributesRecord => [['Customer', 'KEYWORD', value]];
  const rows = Array.from({ length: MANY }, (_, n) =>
    row(
      `w${n}`,
      'order',
      n === MANY - 1 ? { attributes: customer('old') } : n === 0 ? { attributes: customer('kept') } : {},
    ),
  );
  const { index } = listed(rows);
  const newest = index.current(`w${MANY - 1}`)!;
  const listing = new Listing(index, (callback) => {
    // The code of 'old' is now that of 'new', which comes to stand in a chunk that is yet to be looked at.
    index.table.attributes.update(newest.row, [['Customer']]);
    index.table.attributes.update(1, customer('new'));
    callback();
  });
  expect(await all(listing, `Customer = 'old'`), 'found before it was taken away').toEqual([`w${MANY - 1}`]);
  index.table.attributes.update(1, [['Customer']]);
  index.table.attributes.update(newest.row, customer('old'));
  expect(await all(listing, `Customer STARTS_WITH 'o'`)).toEqual([`w${MANY - 1}`]);
});

/** A filter as text, and the same read plainly: null stands for neither true nor false. */
interface Spoken {
  readonly text: string;
  readonly of: (row: Row) => boolean | null;
}

const value = (each: Row, name: string) => each.attributes?.find(([of]) => of === name)?.[2] ?? null;
const compared = (name: string, literal: string | number, of: (value: never) => boolean, operator: string): Spoken => ({
  text: `${name} ${operator} ${typeof literal === 'string' ? `'${literal}'` : literal}`,
  of: (each) => {
    const found = name === 'WorkflowType' ? each.type : value(each, name);
    return found === null ? null : of(found as never);
  },
});

const conditions = fc.oneof(
  fc
    .tuple(fc.constantFrom('=', '!=', '>', '<='), fc.integer({ min: 0, max: 3 }))
    .map(([operator, n]) =>
      compared(
        'Amount',
        n,
        (v: number) => ({ '=': v === n, '!=': v !== n, '>': v > n, '<=': v <= n })[operator]!,
        operator,
      ),
    ),
  fc
    .tuple(fc.constantFrom('=', '!=', 'STARTS_WITH'), fc.constantFrom('a', 'ab', 'b'))
    .map(([operator, s]) =>
      compared(
        'Customer',
        s,
        (v: string) => ({ '=': v === s, '!=': v !== s, STARTS_WITH: v.startsWith(s) })[operator]!,
        operator,
      ),
    ),
  fc.constantFrom('order', 'cart').map((s) => compared('WorkflowType', s, (v: string) => v === s, '=')),
  fc
    .constantFrom('Amount', 'Customer')
    .map((name): Spoken => ({ text: `${name} IS NULL`, of: (each) => value(each, name) === null })),
);

const { filter } = fc.letrec<{ filter: Spoken }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    conditions,
    tie('filter').map(
      (part): Spoken => ({
        text: `NOT (${part.text})`,
        of: (each) => {
          const verdict = part.of(each);
          return verdict === null ? null : !verdict;
        },
      }),
    ),
    fc.tuple(tie('filter'), tie('filter')).map(
      ([a, b]): Spoken => ({
        text: `(${a.text}) AND (${b.text})`,
        of: (each) => {
          const both = [a.of(each), b.of(each)];
          return both.includes(false) ? false : both.includes(null) ? null : true;
        },
      }),
    ),
    fc.tuple(tie('filter'), tie('filter')).map(
      ([a, b]): Spoken => ({
        text: `(${a.text}) OR (${b.text})`,
        of: (each) => {
          const both = [a.of(each), b.of(each)];
          return both.includes(true) ? true : both.includes(null) ? null : false;
        },
      }),
    ),
  ),
}));

const rowsOf = fc.array(
  fc.record({
    type: fc.constantFrom('order', 'cart'),
    amount: fc.option(fc.integer({ min: 0, max: 3 })),
    customer: fc.option(fc.constantFrom('a', 'ab', 'abc', 'b')),
  }),
  { maxLength: 30 },
);

test('random filters leave what a plain reading of them does', async () => {
  await fc.assert(
    fc.asyncProperty(rowsOf, filter, async (given, spoken) => {
      // Names that no run has would be refused.
      const both: SearchAttributesRecord = [
        ['Amount', 'INT', 1],
        ['Customer', 'KEYWORD', 'a'],
      ];
      const rows = [
        row('first', 'order', { attributes: both }),
        ...given.map(({ type, amount, customer }, n) =>
          row(`w${n}`, type, {
            attributes: [
              ...(amount === null ? [] : [['Amount', 'INT', amount] as const]),
              ...(customer === null ? [] : [['Customer', 'KEYWORD', customer] as const]),
            ],
          }),
        ),
      ];
      const expected = rows.filter((each) => spoken.of(each) === true).map(({ workflowId }) => workflowId);
      expect(await all(listed(rows).listing, spoken.text, 7)).toEqual(expected.reverse());
    }),
    { numRuns: 500 },
  );
});
