/**
 * Run ids: text and bytes, and the partition that a workflow id stands for for ever.
 * Thread: the test's.
 */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { randomUuid, uuidFromBytes } from '../../../mailbox/uuid.js';
import { partitionOf, runIdToBytes } from './run-ids.js';

test('a run id survives the way to bytes and back', () => {
  for (let i = 0; i < 1000; i++) {
    const runId = randomUUID();
    expect(uuidFromBytes(runIdToBytes(runId))).toBe(runId);
  }
});

test('random run ids are version 4 UUIDs, all different', () => {
  const ids = Array.from({ length: 2000 }, randomUuid);
  expect(new Set(ids).size).toBe(2000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('the partition of a workflow id never changes, for every frame has it', () => {
  expect(['', 'a', 'order-1', 'chat:42', '✓'].map((id) => partitionOf(id, 64))).toEqual([5, 44, 45, 37, 34]);
});
