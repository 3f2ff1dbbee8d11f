/**
 * What every store must do: one suite, run against each implementation.
 * Thread: tests. In → out: a name and a factory in, vitest tests out.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Frame, Store, StoreOpened } from './store.js';

/** A place that keeps what is stored: each call makes a store that opens on what the one before it left there. */
export type StorePlace = () => Store;

const runIdOf = (run: number): Uint8Array => Uint8Array.from({ length: 16 }, (_, at) => (at === 15 ? run : at));

export function frameOf(run: number, firstEventId: number, previous: number, text = `event ${firstEventId}`): Frame {
  return {
    partition: run % 4,
    epoch: 1,
    runId: runIdOf(run),
    firstEventId,
    eventCount: 1,
    previous,
    events: new TextEncoder().encode(text),
  };
}

/** Comparable by value, whatever class of bytes a store hands out. */
export const plain = (frame: Frame) => ({
  ...frame,
  runId: Buffer.from(frame.runId).toString('hex'),
  events: Buffer.from(frame.events).toString('latin1'),
});

export interface Delivered {
  readonly opened: StoreOpened;
  readonly entries: Map<string, string>;
  readonly frames: { position: number; frame: ReturnType<typeof plain> }[];
  /** Kinds in the order of their delivery, repeats left out. */
  readonly order: string[];
}

export async function openAndCollect(store: Store): Promise<Delivered> {
  const entries = new Map<string, string>();
  const frames: Delivered['frames'] = [];
  const order: string[] = [];
  const note = (kind: string) => {
    if (order.at(-1) !== kind) order.push(kind);
  };
  const opened = await store.open({
    entry(key, value) {
      note('entry');
      entries.set(Buffer.from(key).toString(), Buffer.from(value).toString());
    },
    frame(frame, position) {
      note('frame');
      frames.push({ position, frame: plain(frame) });
    },
  });
  return { opened, entries, frames, order };
}

const entry = (key: string, value: string) => [Buffer.from(key), Buffer.from(value)] as const;

/** Appends `count` frames of one run, one batch each; returns their positions. */
export async function appendRun(store: Store, run: number, count: number): Promise<number[]> {
  const positions: number[] = [];
  for (let event = 1; event <= count; event++) {
    const [position] = await store.append([frameOf(run, event, positions.at(-1) ?? -1)]);
    positions.push(position!);
  }
  return positions;
}

export function storeContract(name: string, makePlace: () => StorePlace): void {
  describe(`${name} keeps the store's contract`, () => {
    let place: StorePlace;
    let store: Store;
    const reopen = async (): Promise<Delivered> => {
      await store.close();
      store = place();
      return openAndCollect(store);
    };

    beforeEach(() => {
      place = makePlace();
      store = place();
    });
    afterEach(() => store.close());

    test('a new store is empty, clean and has the partitions it was made with', async () => {
      const { opened, entries, frames } = await openAndCollect(store);
      expect(opened).toEqual({ partitions: 4, clean: true, uncleanStops: [], cutBytes: 0, notes: new Map() });
      expect(entries.size).toBe(0);
      expect(frames).toEqual([]);
    });

    test('a note replaces the one before it, and is there after a restart, whatever is in its texts', async () => {
      await openAndCollect(store);
      await store.note('suspects', { first: 1 }, 'disk');
      await store.note('suspects', { why: 'ä “\n” \u{1f9ea}' }, 'disk');
      await store.note('steps-under-way', ['a'], 'process');
      const { opened } = await reopen();
      expect(opened.notes.get('suspects')).toEqual({ why: 'ä “\n” \u{1f9ea}' });
      expect(opened.notes.get('steps-under-way')).toEqual(['a']);
    });

    test('appended frames are delivered in order, with their positions, after a restart', async () => {
      await openAndCollect(store);
      const batches = [
        [frameOf(1, 1, -1), frameOf(2, 1, -1)],
        [frameOf(3, 1, -1, '')],
        [frameOf(4, 1, -1, 'x'.repeat(5000))],
      ];
      const expected: Delivered['frames'] = [];
      for (const batch of batches) {
        const positions = await store.append(batch);
        for (const [index, frame] of batch.entries())
          expected.push({ position: positions[index]!, frame: plain(frame) });
      }
      const { opened, frames } = await reopen();
      expect(frames).toEqual(expected);
      expect(opened.clean).toBe(true);
    });

    test('positions grow within a batch and from batch to batch', async () => {
      await openAndCollect(store);
      const positions = [
        ...(await store.append([frameOf(1, 1, -1), frameOf(2, 1, -1)])),
        ...(await store.append([frameOf(3, 1, -1)])),
      ];
      expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
      expect(positions[0]).toBeGreaterThanOrEqual(0);
    });

    test('an append without frames changes nothing', async () => {
      await openAndCollect(store);
      expect(await store.append([])).toEqual([]);
      expect((await reopen()).frames).toEqual([]);
    });

    test('the caller may change its bytes once an append has resolved', async () => {
      await openAndCollect(store);
      const frame = frameOf(1, 1, -1, 'as appended');
      const [position] = await store.append([frame]);
      frame.events.fill(0);
      expect(plain(await store.readFrame(position!)).events).toBe('as appended');
    });

    test('a history is read from its head back to its start, oldest first, past frames of other runs', async () => {
      await openAndCollect(store);
      const heads = new Map<number, number>();
      for (let event = 1; event <= 30; event++) {
        const runs = [1, 2, 3].filter((run) => event % run === 0);
        const frames = runs.map((run) =>
          frameOf(run, Math.floor(event / run), heads.get(run) ?? -1, `${run}/${event}`),
        );
        for (const [index, position] of (await store.append(frames)).entries()) heads.set(runs[index]!, position);
      }
      const before = new Map<number, unknown>();
      for (const [run, head] of heads) {
        const history = (await store.readHistory(head)).map(plain);
        expect(history.map((frame) => frame.events)).toEqual(
          Array.from({ length: Math.floor(30 / run) }, (_, index) => `${run}/${(index + 1) * run}`),
        );
        before.set(run, history);
      }
      await reopen();
      for (const [run, head] of heads) expect((await store.readHistory(head)).map(plain)).toEqual(before.get(run));
    });

    test('a position at which no frame begins is refused', async () => {
      await openAndCollect(store);
      const [position] = await appendRun(store, 1, 1);
      await expect(store.readFrame(position! + 1)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
      await expect(store.readHistory(position! + 100_000)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    });

    test('a checkpoint replaces the frames before it, entries first', async () => {
      await openAndCollect(store);
      await appendRun(store, 1, 3);
      await store.checkpoint([entry('run 1', 'three events')], { full: true });
      expect(store.sinceCheckpoint).toBe(0);
      const [after] = await store.append([frameOf(2, 1, -1)]);
      expect(store.sinceCheckpoint).toBeGreaterThan(0);
      const { entries, frames, order } = await reopen();
      expect([...entries]).toEqual([['run 1', 'three events']]);
      expect(frames).toEqual([{ position: after, frame: plain(frameOf(2, 1, -1)) }]);
      expect(order).toEqual(['entry', 'frame']);
    });

    test('incremental checkpoints add to the full one, later entries replacing earlier ones', async () => {
      await openAndCollect(store);
      await appendRun(store, 1, 1);
      await store.checkpoint([entry('a', '1'), entry('b', '1')], { full: true });
      expect(store.incrementalBytes).toBe(0);
      await appendRun(store, 2, 1);
      await store.checkpoint([entry('b', '2')], { full: false });
      await appendRun(store, 3, 1);
      await store.checkpoint([entry('c', '3')], { full: false });
      expect(store.incrementalBytes).toBeGreaterThan(0);
      const { entries, frames } = await reopen();
      expect([...entries].sort()).toEqual([
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
      ]);
      expect(frames).toEqual([]);
    });

    test('a full checkpoint forgets the entries of all before it', async () => {
      await openAndCollect(store);
      await store.checkpoint([entry('gone', '1')], { full: true });
      await store.checkpoint([entry('gone too', '1')], { full: false });
      await store.checkpoint([entry('kept', '1')], { full: true });
      expect([...(await reopen()).entries]).toEqual([['kept', '1']]);
    });

    test('a frame appended while a checkpoint is written is delivered after it', async () => {
      await openAndCollect(store);
      const writing = store.checkpoint([entry('run 1', 'before')], { full: true });
      const [position] = await store.append([frameOf(1, 1, -1)]);
      await writing;
      const { entries, frames } = await reopen();
      expect([...entries]).toEqual([['run 1', 'before']]);
      expect(frames.map((delivered) => delivered.position)).toEqual([position]);
    });

    test('a checkpoint does not count before its caller has caught up, and not at all if it never does', async () => {
      await openAndCollect(store);
      await appendRun(store, 1, 1);
      const failure = new Error('the flush failed');
      const caughtUp = () => Promise.reject(failure);
      await expect(store.checkpoint([entry('ahead', 'of its log')], { full: true, caughtUp })).rejects.toBe(failure);
      const { entries, frames } = await reopen();
      expect([entries.size, frames.length]).toEqual([0, 1]);
      let taken = false;
      function* given() {
        yield entry('run 1', 'one event');
        taken = true;
      }
      let asked = false;
      await store.checkpoint(given(), {
        full: true,
        caughtUp: async () => {
          asked = taken;
        },
      });
      expect(asked).toBe(true);
      expect([...(await reopen()).entries]).toEqual([['run 1', 'one event']]);
    });

    test('a closed store can be opened again and again', async () => {
      await openAndCollect(store);
      let previous = -1;
      for (let event = 1; event <= 5; event++) {
        [previous] = (await store.append([frameOf(1, event, previous)])) as [number];
        expect((await reopen()).frames).toHaveLength(event);
      }
      expect(await store.readHistory(previous)).toHaveLength(5);
    });
  });
}
