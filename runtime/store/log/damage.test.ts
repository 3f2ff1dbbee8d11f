/**
 * Damage of stored bytes: every flipped bit and every truncation is told, and wrong data is never returned.
 * Thread: tests. In → out: nothing.
 */
import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../../errors.js';
import { type Delivered, frameOf, openAndCollect } from '../contract.js';
import type { Frame } from '../store.js';
import { SimDisk } from './sim-disk.js';
import { SimMachine } from './sim-machine.js';
import { verifyStore } from './verify.js';

type Files = Map<string, Buffer>;
const RUNS = 20;

interface Stored {
  readonly files: Files;
  readonly frames: Delivered['frames'];
  readonly heads: number[];
  readonly lastBatch: number;
}

/** 20 runs of two frames each over several segments; optionally with an earlier unclean stop and checkpoints. */
async function stored(end: 'close' | 'kill', extras: boolean): Promise<Stored> {
  const machine = new SimMachine();
  let store = machine.store();
  await openAndCollect(store);
  const heads: number[] = [];
  const batch = async (runs: number[], event: number) => {
    const frames: Frame[] = runs.map((run) => frameOf(run, event, heads[run] ?? -1, `${run}.${event}`));
    for (const [index, position] of (await store.append(frames)).entries()) heads[runs[index]!] = position;
  };
  const runs = Array.from({ length: RUNS }, (_, run) => run);
  for (let at = 0; at < RUNS; at += 4) await batch(runs.slice(at, at + 4), 1);
  if (extras) {
    machine.kill();
    store = machine.store();
    await openAndCollect(store);
    await store.checkpoint([[Buffer.from('full'), Buffer.from('1')]], { full: true });
  }
  for (let at = 0; at < RUNS - 2; at += 6) await batch(runs.slice(at, at + 6), 2);
  if (extras) await store.checkpoint([[Buffer.from('inc'), Buffer.from('2')]], { full: false });
  await batch(runs.slice(RUNS - 2), 2);
  if (end === 'close') await store.close();
  else machine.kill();
  const files = machine.disk.files();
  const check = new SimMachine(SimDisk.of(files)).store();
  const { frames } = await openAndCollect(check);
  await check.close();
  return { files, frames, heads, lastBatch: 2 };
}

/** Each single change of a file, one after the other; `where` says which. */
function* changes(files: Files): Generator<{ files: Files; where: string }> {
  for (const [name, bytes] of files) {
    if (name.startsWith('lock-')) continue;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      yield { files: new Map(files).set(name, flipped), where: `${name} bit ${bit}` };
    }
    for (let length = 0; length < bytes.length; length++) {
      yield { files: new Map(files).set(name, bytes.subarray(0, length)), where: `${name} cut to ${length}` };
    }
    const without = new Map(files);
    without.delete(name);
    yield { files: without, where: `${name} removed` };
  }
}

/** What opening on these files leads to. */
async function outcome(files: Files) {
  const store = new SimMachine(SimDisk.of(files)).store();
  try {
    const { frames } = await openAndCollect(store);
    return { store, frames, warned: store.warnings.length > 0 };
  } catch (error) {
    if (error instanceof HoldfastError) return { error };
    throw error;
  }
}

describe('a cleanly closed log', () => {
  test('tells of every flipped bit, every truncation and every missing file when it is opened', async () => {
    const { files } = await stored('close', false);
    let tried = 0;
    const missed: string[] = [];
    for (const change of changes(files)) {
      tried++;
      if ((await outcome(change.files)).error === undefined) missed.push(change.where);
    }
    expect(missed).toEqual([]);
    expect(tried).toBeGreaterThan(20_000);
  });

  test('with checkpoints, tells of every change when it is verified, and returns no wrong history', async () => {
    const { files, heads } = await stored('close', true);
    const whole = await outcome(files);
    const expected = [];
    for (const head of heads) expected.push(await whole.store!.readHistory(head));
    let tried = 0;
    const missed: string[] = [];
    const wrong: string[] = [];
    for (const change of changes(files)) {
      if (change.where.endsWith('removed')) continue;
      tried++;
      try {
        const { damages, warnings } = await verifyStore(SimDisk.of(change.files));
        if (damages.length + warnings.length === 0) missed.push(change.where);
      } catch (error) {
        expect(error).toBeInstanceOf(HoldfastError);
      }
      // A history takes a while to compare: every ninth change visits each bit of a byte in turn.
      if (tried % 9 !== 0) continue;
      const { store } = await outcome(change.files);
      for (const [run, head] of heads.entries()) {
        const history = await store?.readHistory(head).catch(() => undefined);
        if (history !== undefined && JSON.stringify(history) !== JSON.stringify(expected[run]))
          wrong.push(change.where);
      }
    }
    expect(missed).toEqual([]);
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(20_000);
  });
});

describe('after an unclean stop', () => {
  test('every change is told, costs nothing, or cuts off no more than the last batch', async () => {
    const { files, frames, lastBatch } = await stored('kill', false);
    const wrong: string[] = [];
    let [tried, refused, cut, harmless] = [0, 0, 0, 0];
    const all = JSON.stringify(frames);
    const shorter = JSON.stringify(frames.slice(0, -lastBatch));
    for (const change of changes(files)) {
      tried++;
      const result = await outcome(change.files);
      const delivered = JSON.stringify(result.frames);
      if (result.error !== undefined) refused++;
      else if (delivered === all) harmless++;
      else if (delivered === shorter) cut++;
      else wrong.push(change.where);
    }
    expect(wrong).toEqual([]);
    expect(refused + cut + harmless).toBe(tried);
    expect(cut).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(10_000);
  });
});

test('a segment taken from another store is refused', async () => {
  const one = await stored('close', false);
  const other = await stored('close', false);
  const [name] = [...one.files.keys()].filter((each) => each.endsWith('.log')).slice(1);
  const mixed = new Map(one.files).set(name!, other.files.get(name!)!);
  expect((await outcome(mixed)).error).toMatchObject({ code: 'STORE_CORRUPT', fields: { file: `/sim/${name}` } });
});

test('a store of a newer format is refused, and the error says what to do', async () => {
  const { files } = await stored('close', false);
  const disk = SimDisk.of(files);
  const { writeSmallFile } = await import('./small-file.js');
  await writeSmallFile(disk, 'META', { format: 2, store: 'x', partitions: 4 });
  const { error } = await outcome(disk.files());
  expect(error).toMatchObject({ code: 'STORE_FORMAT' });
  expect(error!.message).toContain('Install the version of holdfast that wrote it');
});

test('a folder that holds something else is not taken for a store', async () => {
  const { error } = await outcome(new Map([['thesis.txt', Buffer.from('all my work')]]));
  expect(error).toMatchObject({ code: 'STORE_FORMAT' });
});

/** The same store, killed after each row of texts was appended to run 1, one batch each; all rows begin alike. */
async function continued(rows: readonly (readonly string[])[]): Promise<Files[]> {
  const first = new SimMachine();
  await openAndCollect(first.store());
  first.kill();
  const results: Files[] = [];
  for (const texts of rows) {
    const machine = new SimMachine(first.disk.restart());
    const store = machine.store();
    await openAndCollect(store);
    let previous = -1;
    for (const [index, text] of texts.entries()) {
      [previous] = (await store.append([frameOf(1, index + 1, previous, text)])) as [number];
    }
    machine.kill();
    results.push(machine.disk.files());
  }
  return results;
}

test('a batch that is whole but continues another one than it stands behind is refused, or cut off at the very end', async () => {
  const [two, three, other] = (await continued([
    ['same length A', 'second'],
    ['same length A', 'second', 'third'],
    ['same length B', 'second', 'third'],
  ])) as [Files, Files, Files];
  const [name] = [...two.keys()].filter((each) => each.endsWith('.log'));
  const behindOther = (files: Files): Files => {
    const bytes = files.get(name!)!;
    const second = bytes.indexOf('HLFB', 72);
    return new Map(files).set(name!, Buffer.concat([other.get(name!)!.subarray(0, second), bytes.subarray(second)]));
  };
  expect((await outcome(behindOther(three))).error).toMatchObject({ code: 'STORE_CORRUPT' });
  const { frames } = await outcome(behindOther(two));
  expect(frames?.map(({ frame }) => frame.events)).toEqual(['same length B']);
});

test('a log that goes on behind its clean end, or ends otherwise than it, is refused', async () => {
  const machine = new SimMachine();
  let store = machine.store();
  await openAndCollect(store);
  const [position] = await store.append([frameOf(1, 1, -1)]);
  await store.close();
  const earlier = machine.disk.files().get('clean-end')!;
  store = machine.store();
  await openAndCollect(store);
  await store.append([frameOf(1, 2, position!)]);
  machine.kill();
  const files = machine.disk.files();
  expect((await outcome(files)).error).toBeUndefined();
  expect((await outcome(new Map(files).set('clean-end', earlier))).error).toMatchObject({ code: 'STORE_CORRUPT' });
});
