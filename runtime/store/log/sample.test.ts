/**
 * Stored samples of every format version: what was written once is read for ever.
 * Thread: tests. In → out: nothing.
 */
import { expect, test } from 'vitest';
import { openAndCollect, plain } from '../contract.js';
import { FORMAT_1, POSITIONS } from './fixtures/format-1.js';
import { SimDisk } from './sim-disk.js';
import { SimMachine } from './sim-machine.js';
import { verifyStore } from './verify.js';

const sample = () =>
  SimDisk.of(new Map(Object.entries(FORMAT_1).map(([name, text]) => [name, Buffer.from(text, 'base64')])));

test('a store of format 1 opens with its entries, its last frames and its record of unclean stops', async () => {
  const store = new SimMachine(sample()).store();
  const { opened, entries, frames } = await openAndCollect(store);
  expect(opened).toEqual({
    partitions: 16,
    clean: true,
    uncleanStops: [1_700_000_000_000],
    cutBytes: 0,
    notes: new Map(),
  });
  expect([...entries]).toEqual([
    ['key 1', 'full'],
    ['key 2', 'incremental'],
  ]);
  expect(frames.map(({ position }) => position)).toEqual(POSITIONS.slice(3));
  expect(store.warnings).toEqual([]);
});

test('the histories of a store of format 1 are read as they were written', async () => {
  const store = new SimMachine(sample()).store();
  await openAndCollect(store);
  const one = (await store.readHistory(POSITIONS[3]!)).map(plain);
  const runId = '0a0b0c0d000000000000000000000001';
  expect(one).toEqual([
    { partition: 1, epoch: 7, runId, firstEventId: 1, eventCount: 2, previous: -1, events: 'one: 1, 2' },
    { partition: 1, epoch: 7, runId, firstEventId: 3, eventCount: 1, previous: POSITIONS[0], events: 'one: 3' },
    { partition: 1, epoch: 7, runId, firstEventId: 4, eventCount: 3, previous: POSITIONS[2], events: 'one: 4, 5, 6' },
  ]);
  const two = await store.readHistory(POSITIONS[5]!);
  expect(two.map((frame) => frame.firstEventId)).toEqual([1, 2, 3]);
});

test('a store of format 1 is whole', async () => {
  const { damages, warnings, batches, frames } = await verifyStore(sample());
  expect({ damages, warnings, batches, frames }).toEqual({ damages: [], warnings: [], batches: 4, frames: 6 });
});
