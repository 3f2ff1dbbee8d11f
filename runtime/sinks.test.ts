/**
 * Sinks as users give them: called with info and arguments in the embedding thread, whatever they do.
 */
import { expect, test } from 'vitest';
import type { WorkflowInfo } from '../actors/workflow/index.js';
import { InvalidOptionError } from './errors.js';
import type { orders } from './fixtures/sink-workflows.js';
import { loggerFrom } from './host/logger.js';
import { createTestRuntime } from './testing/index.js';

const workflows = new URL('./fixtures/sink-workflows.js', import.meta.url);

test('functions get what workflows say, and what they throw is logged', async () => {
  const said: unknown[] = [];
  const lines: unknown[][] = [];
  const infos: WorkflowInfo[] = [];
  await using runtime = await createTestRuntime({
    workflows,
    logger: loggerFrom((level, message, meta) => lines.push([level, message, meta])),
    sinks: {
      shop: {
        sold: {
          fn(info: WorkflowInfo, item: string, at: Date) {
            infos.push(info);
            said.push([item, at instanceof Date]);
          },
        },
        failing: {
          fn: () => {
            throw new Error('no such shelf');
          },
        },
        rejecting: { fn: async () => Promise.reject(new Error('closed')) },
      },
    },
  });
  await runtime.client.workflow.execute<typeof orders>('orders', { workflowId: 'o', args: [['apples', 'pears']] });
  await expect.poll(() => lines.length).toBe(4);
  expect(said).toEqual([
    ['apples', true],
    ['pears', true],
  ]);
  expect(infos[0]).toMatchObject({ workflowId: 'o', workflowType: 'orders', unsafe: { isReplaying: false } });
  expect(lines.map(([level, message]) => `${level}: ${message}`)).toEqual([
    'error: Sink function shop.failing failed',
    'warn: There is no sink function shop.unknown: give it to the runtime as its option sinks',
    'info: two items',
    'error: Sink function shop.rejecting failed',
  ]);
  expect(lines[2]![2]).toMatchObject({ workflowId: 'o', count: 2 });
  expect(lines[3]![2]).toMatchObject({ workflowId: 'o', error: expect.stringContaining('closed') });
});

test('whatever a sink function throws, or hands over to be awaited, is logged and hurts nobody', async () => {
  const errors: string[] = [];
  // biome-ignore lint/suspicious/noThenProperty: a promise of somebody else's making
  const rejecting = { then: (_: unknown, reject: (error: unknown) => void) => reject(Object.create(null)) };
  await using runtime = await createTestRuntime({
    workflows,
    logger: loggerFrom((level, message) => void (level === 'error' && errors.push(message))),
    sinks: {
      shop: {
        failing: {
          fn: () => {
            throw Object.create(null);
          },
        },
        rejecting: { fn: () => rejecting as never },
      },
    },
  });
  await runtime.client.workflow.execute<typeof orders>('orders', { workflowId: 'o', args: [['apples', 'pears']] });
  await expect.poll(() => errors).toEqual(['Sink function shop.failing failed', 'Sink function shop.rejecting failed']);
});

test.each([
  ['sinks', 1],
  ['sinks.a', { a: 1 }],
  ['sinks.a.b', { a: { b: () => undefined } }],
  ['sinks.a.b.fn', { a: { b: {} } }],
  ['sinks.a.b.callInReplay', { a: { b: { fn: () => undefined, callInReplay: true } } }],
])('%s is refused', async (option, sinks) => {
  const refusal = createTestRuntime({ workflows, sinks: sinks as never });
  await expect(refusal).rejects.toThrow(InvalidOptionError);
  await expect(refusal).rejects.toThrow(`'${option}'`);
});
