/**
 * The log under the contract of all stores, on a simulated and on the machine's disk.
 * Thread: tests. In → out: nothing.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { frameOf, openAndCollect, plain, storeContract } from '../contract.js';
import { LogStore } from './log-store.js';
import { SimDisk } from './sim-disk.js';
import { SimMachine } from './sim-machine.js';

const SEGMENT = 64 * 1024;
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-log-'));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));
let folders = 0;

for (const durability of ['disk', 'process'] as const) {
  storeContract(`LogStore ('${durability}', simulated disk)`, () => {
    const disk = new SimDisk();
    return () => new LogStore({ path: '/sim', durability, partitions: 4, segmentBytes: 1024, disk });
  });
}

storeContract("LogStore ('disk', real disk)", () => {
  const folder = path.join(root, `contract-${++folders}`, 'nested');
  return () => new LogStore({ path: folder, durability: 'disk', partitions: 4, segmentBytes: SEGMENT });
});

test('a history of 10,000 frames in 10,000 batches is read whole and in order', async () => {
  const store = new LogStore({
    path: path.join(root, 'long'),
    durability: 'process',
    partitions: 4,
    segmentBytes: SEGMENT,
  });
  await openAndCollect(store);
  let head = -1;
  for (let event = 1; event <= 10_000; event++) [head] = (await store.append([frameOf(1, event, head)])) as [number];
  const history = await store.readHistory(head);
  expect(history.map((frame) => frame.firstEventId)).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
  expect(plain(history.at(-1)!).events).toBe('event 10000');
  await store.close();
});

test('a batch larger than a segment gets a segment of its own, and the log goes on behind it', async () => {
  const disk = new SimDisk();
  const make = () => new LogStore({ path: '/sim', durability: 'disk', partitions: 4, segmentBytes: 1024, disk });
  let store = make();
  await openAndCollect(store);
  const big = 'x'.repeat(10_000);
  const [small1] = await store.append([frameOf(1, 1, -1)]);
  const [large] = await store.append([frameOf(1, 2, small1!, big)]);
  const [small2] = await store.append([frameOf(1, 3, large!)]);
  await store.close();
  store = make();
  const { frames } = await openAndCollect(store);
  expect(frames.map(({ position }) => position)).toEqual([small1, large, small2]);
  expect(plain((await store.readHistory(small2!))[1]!).events).toBe(big);
});

test('frames read back do not hold on to the log they were read from', async () => {
  const store = new LogStore({
    path: '/sim',
    durability: 'disk',
    partitions: 4,
    segmentBytes: SEGMENT,
    disk: new SimDisk(),
  });
  await openAndCollect(store);
  const [position] = await store.append([frameOf(1, 1, -1, 'ten  bytes')]);
  await store.append([frameOf(2, 1, -1, 'x'.repeat(10_000))]);
  const [frame] = await store.readHistory(position!);
  expect(frame!.events.buffer.byteLength).toBe(26);
});

test('a history whose frames do not continue one another is refused', async () => {
  const store = new SimMachine().store();
  await openAndCollect(store);
  const [one, two] = (await store.append([frameOf(1, 1, -1), frameOf(2, 1, -1)])) as [number, number];
  const wrong = [
    frameOf(1, 2, two),
    frameOf(1, 3, one),
    frameOf(1, 1, one),
    frameOf(3, 2, -1),
    frameOf(3, 1, 1_000_000),
  ];
  for (const frame of wrong) {
    const [head] = await store.append([frame]);
    await expect(store.readHistory(head!)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  }
  const [right] = await store.append([frameOf(1, 2, one)]);
  expect(await store.readHistory(right!)).toHaveLength(2);
});

test('a run with one frame in each of many large batches is read whole, twice', async () => {
  const store = new SimMachine().store({ segmentBytes: 1024 * 1024 });
  await openAndCollect(store);
  let head = -1;
  for (let event = 1; event <= 40; event++) {
    const others = Array.from({ length: 60 }, (_, run) => frameOf(run + 2, 1, -1, 'x'.repeat(200)));
    head = (await store.append([...others, frameOf(1, event, head)]))[60]!;
  }
  for (let again = 0; again < 2; again++) expect(await store.readHistory(head)).toHaveLength(40);
});

test('bytes of an event that look like a frame are not taken for one', async () => {
  const store = new SimMachine().store();
  await openAndCollect(store);
  // A frame of 48 bytes that claims to be at offset 88 of its batch, which is where the events of the first frame are.
  const fake = new Uint8Array(48);
  new DataView(fake.buffer).setUint32(0, 48, true);
  new DataView(fake.buffer).setUint32(44, 88, true);
  for (const rest of [[], [frameOf(2, 1, -1)]]) {
    const [position] = await store.append([{ ...frameOf(1, 1, -1), events: fake }, ...rest]);
    await expect(store.readFrame(position! + 48)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect((await store.readFrame(position!)).events).toEqual(fake);
  }
});
