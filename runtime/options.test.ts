/**
 * The runtime's options: defaults, and every way of getting them wrong.
 * Thread: the test's.
 */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { InvalidOptionError } from './errors.js';
import { loggerFrom } from './host/logger.js';
import { DEFAULT_LIMITS, type RuntimeOptions, resolveOptions } from './options.js';

const minimal: RuntimeOptions = { workflows: './workflows.ts', store: './data' };

test('the defaults are those that the documentation gives', () => {
  const { config, workflows, activities } = resolveOptions(minimal);
  expect(workflows).toBe(resolve('workflows.ts'));
  expect(config).toEqual({
    store: {
      kind: 'log',
      path: resolve('data'),
      durability: 'disk',
      partitions: 64,
      segmentBytes: 16 * 1024 * 1024,
      lockWait: 5000,
    },
    workers: expect.any(Number),
    maxResident: 10_000,
    stepLimitMs: 2_000,
    evaluationLimitMs: 30_000,
    limits: DEFAULT_LIMITS,
    activities: { concurrent: 100, perSecond: undefined, perSecondOf: {} },
    dedupe: { ids: 100_000, ms: 24 * 3_600_000 },
    failureExceptionTypes: [],
    sinksInReplay: [],
    unknownTypes: 'refuse',
  });
  expect(config.workers).toBeGreaterThanOrEqual(1);
  expect(activities).toEqual({});
});

test('what is given replaces the defaults, and nothing else', () => {
  const { config } = resolveOptions({
    ...minimal,
    store: { path: '/data', durability: 'process', partitions: 8 },
    workers: 3,
    stepLimit: '500ms',
    limits: { payloadBytes: 1_000 },
    dedupe: { retention: '1 hour' },
  });
  expect(config.store).toMatchObject({ kind: 'log', path: '/data', durability: 'process', partitions: 8 });
  expect(config).toMatchObject({ workers: 3, stepLimitMs: 500, dedupe: { ids: 100_000, ms: 3_600_000 } });
  expect(config.limits).toEqual({ ...DEFAULT_LIMITS, payloadBytes: 1_000 });
});

test('a store may be memory, and durability be given beside the store', () => {
  expect(resolveOptions({ ...minimal, store: { memory: true } }).config.store).toEqual({
    kind: 'memory',
    partitions: 64,
  });
  const { store } = resolveOptions({ ...minimal, durability: 'process' }).config;
  expect(store).toMatchObject({ kind: 'log', durability: 'process' });
});

test('workflows may be a URL, the text of one, or a bundle', () => {
  const url = new URL('file:///app/workflows.js');
  const bundle = { build: 'b', entry: 'e', modules: [] };
  const given = [url, String(url), bundle].map((workflows) => resolveOptions({ ...minimal, workflows }).workflows);
  expect(given).toEqual([url, url, bundle]);
});

test('a logger is used as it is', () => {
  const lines: unknown[][] = [];
  const logger = loggerFrom((...line) => lines.push(line));
  resolveOptions({ ...minimal, logger }).logger.warn('careful', { a: 1 });
  expect(lines).toEqual([['warn', 'careful', { a: 1 }]]);
  expect(() => resolveOptions({ ...minimal, logger: console })).not.toThrow();
});

const wrong: [options: unknown, option: string, text: string][] = [
  [undefined, 'options', 'must be an object'],
  [{ ...minimal, maxResidents: 5 }, 'maxResidents', "Did you mean 'maxResident'?"],
  [{ ...minimal, Workers: 5 }, 'Workers', "Did you mean 'workers'?"],
  [{ ...minimal, zzz: 5 }, 'zzz', 'Known are workflows, tsconfig, store'],
  [{ ...minimal, limits: { payloadByte: 5 } }, 'limits.payloadByte', "Did you mean 'limits.payloadBytes'?"],
  [{ ...minimal, store: { path: 'x', segmentByte: 1 } }, 'store.segmentByte', "Did you mean 'store.segmentBytes'?"],
  [{ ...minimal, dedupe: { idz: 1 } }, 'dedupe.idz', "Did you mean 'dedupe.ids'?"],
  [{ store: './data' }, 'workflows', 'must be the workflow file'],
  [{ ...minimal, workflows: '' }, 'workflows', 'must be the workflow file'],
  [{ ...minimal, workflows: new URL('https://example.com/w.js') }, 'workflows', 'file URL'],
  [{ workflows: './w.ts' }, 'store', 'missing'],
  [{ ...minimal, store: '' }, 'store.path', 'empty'],
  [{ ...minimal, store: {} }, 'store.path', 'undefined'],
  [{ ...minimal, store: 7 }, 'store', 'number'],
  [{ ...minimal, store: { memory: false } }, 'store.memory', 'true'],
  [{ ...minimal, store: { memory: true, path: 'x' } }, 'store.path', 'memory'],
  [{ ...minimal, store: { memory: true }, durability: 'disk' }, 'durability', 'memory'],
  [{ ...minimal, store: { path: 'x', durability: 'disk' }, durability: 'process' }, 'durability', 'once'],
  [{ ...minimal, durability: 'none' }, 'durability', "'disk', 'process'"],
  [{ ...minimal, store: { path: 'x', partitions: 0 } }, 'store.partitions', 'from 1'],
  [{ ...minimal, workers: 0 }, 'workers', 'from 1 to 1024'],
  [{ ...minimal, workers: 1.5 }, 'workers', '1.5'],
  [{ ...minimal, workers: '2' }, 'workers', 'string'],
  [{ ...minimal, maxResident: Number.NaN }, 'maxResident', 'whole number'],
  [{ ...minimal, unknownTypes: 'keep' as never }, 'unknownTypes', 'hold'],
  [{ ...minimal, stepLimit: '2 lightyears' }, 'stepLimit', '2 lightyears'],
  [{ ...minimal, stepLimit: 1 }, 'stepLimit', 'at least 10 ms'],
  [{ ...minimal, stepLimit: Number.POSITIVE_INFINITY }, 'stepLimit', 'Infinity'],
  [{ ...minimal, limits: { mailboxMessages: -1 } }, 'limits.mailboxMessages', 'from 1'],
  [{ ...minimal, limits: [] }, 'limits', 'an array'],
  [{ ...minimal, dedupe: { retention: -1 } }, 'dedupe.retention', 'at least 0'],
  [{ ...minimal, failureExceptionTypes: [RangeError] }, 'failureExceptionTypes', 'the names of error classes'],
  [{ ...minimal, failureExceptionTypes: 'Error' }, 'failureExceptionTypes', 'an array'],
  [{ ...minimal, activities: () => 1 }, 'activities', 'function'],
  [{ ...minimal, defaultActivity: {} }, 'defaultActivity', 'object'],
  [{ ...minimal, maxConcurrentActivities: 0 }, 'maxConcurrentActivities', 'from 1'],
  [{ ...minimal, maxActivitiesPerSecond: 0 }, 'maxActivitiesPerSecond', 'more than 0'],
  [{ ...minimal, activityRateLimits: [] }, 'activityRateLimits', 'an array'],
  [{ ...minimal, activityRateLimits: { charge: 3 } }, 'activityRateLimits.charge', '{ perSecond: 10 }'],
  [{ ...minimal, activityRateLimits: { charge: { perSecond: '3' } } }, 'activityRateLimits.charge.perSecond', 'string'],
  [
    { ...minimal, activityRateLimits: { charge: { persecond: 3 } } },
    'activityRateLimits.charge.persecond',
    'perSecond',
  ],
  [{ ...minimal, logger: 'loud' }, 'logger', "'loud'".replaceAll("'", '"')],
  [{ ...minimal, logger: { info() {} } }, 'logger', "'trace'"],
];

test.each(wrong.map(([options, option, text]) => [option, text, options] as const))(
  '%s is refused: %s',
  (option, text, options) => {
    let thrown: unknown;
    try {
      resolveOptions(options as RuntimeOptions);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InvalidOptionError);
    expect(thrown).toMatchObject({ fields: { option } });
    expect((thrown as Error).message).toContain(text);
  },
);
