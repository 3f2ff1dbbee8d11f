/**
 * Checkpoints: they shorten the restart, and a bad one costs time, never data.
 * Thread: tests. In → out: nothing.
 */
import { expect, test } from 'vitest';
import { appendRun, frameOf, openAndCollect } from '../contract.js';
import type { Entry } from './checkpoint-file.js';
import type { LogStore } from './log-store.js';
import { SimDisk, systemError } from './sim-disk.js';
import { SimMachine } from './sim-machine.js';

const entry = (key: string, value: string): Entry => [Buffer.from(key), Buffer.from(value)];
const checkpointsOf = (disk: SimDisk) =>
  [...disk.files().keys()].filter((name) => name.startsWith('checkpoint-')).sort();

/** Four checkpoints, one run before each: full, full, incremental, incremental; and one run behind. */
async function fourCheckpoints(): Promise<SimMachine> {
  const machine = new SimMachine();
  const store = machine.store();
  await openAndCollect(store);
  for (const [index, full] of [true, true, false, false].entries()) {
    await appendRun(store, index + 1, 2);
    await store.checkpoint([entry(`run ${index + 1}`, 'two events'), entry('newest', String(index + 1))], { full });
  }
  await appendRun(store, 5, 2);
  await store.close();
  return machine;
}

async function withDamaged(machine: SimMachine, name: string) {
  const files = machine.disk.files();
  const bytes = files.get(name)!;
  bytes[bytes.length >> 1]! ^= 4;
  const damaged = new SimMachine(SimDisk.of(files));
  const store = damaged.store();
  const delivered = await openAndCollect(store);
  const runs = [...new Set(delivered.frames.map(({ frame }) => Buffer.from(frame.runId, 'hex')[15]))];
  return { damaged, store, delivered, runs, newest: delivered.entries.get('newest') };
}

test('a full checkpoint removes those before it, and damage of an incremental one costs it and those after it', async () => {
  const machine = await fourCheckpoints();
  const [full, third, fourth] = checkpointsOf(machine.disk);
  expect([full, third, fourth]).toEqual([
    'checkpoint-0000000002.full',
    'checkpoint-0000000003.inc',
    'checkpoint-0000000004.inc',
  ]);
  const last = await withDamaged(machine, fourth!);
  expect([last.newest, last.runs]).toEqual(['3', [4, 5]]);
  expect(last.store.warnings).toEqual([expect.stringContaining(`${fourth} is ignored`)]);
  const middle = await withDamaged(machine, third!);
  expect([middle.newest, middle.runs]).toEqual(['2', [3, 4, 5]]);
  expect(middle.store.warnings).toHaveLength(2);
  const first = await withDamaged(machine, full!);
  expect([first.newest, first.runs]).toEqual([undefined, [1, 2, 3, 4, 5]]);
  expect(first.store.warnings).toHaveLength(3);
});

test('after a damaged checkpoint was ignored, the next one counts again', async () => {
  const machine = await fourCheckpoints();
  const { damaged, store } = await withDamaged(machine, 'checkpoint-0000000003.inc');
  await store.checkpoint([entry('newest', 'after the damage')], { full: false });
  await store.close();
  const next = damaged.store();
  const { entries, frames } = await openAndCollect(next);
  expect(entries.get('newest')).toBe('after the damage');
  expect(frames).toEqual([]);
  expect(next.warnings).toEqual([]);
});

test('a checkpoint whose batch the log does not hold is not believed, and proves that the log has lost it', async () => {
  const machine = await fourCheckpoints();
  const files = machine.disk.files();
  files.delete('clean-end');
  const segments = [...files.keys()].filter((name) => name.endsWith('.log')).sort();
  const [first] = segments;
  for (const name of segments.slice(1)) files.delete(name);
  const bytes = files.get(first!)!;
  files.set(first!, Buffer.concat([bytes.subarray(0, 200).fill(0, 64), Buffer.alloc(1024 - 200)]));
  const store = new SimMachine(SimDisk.of(files)).store();
  await expect(openAndCollect(store)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
});

test('a checkpoint of another store is ignored', async () => {
  const one = await fourCheckpoints();
  const other = await fourCheckpoints();
  const files = one.disk.files();
  for (const name of checkpointsOf(one.disk)) files.set(name, other.disk.files().get(name)!);
  const store = new SimMachine(SimDisk.of(files)).store();
  expect((await openAndCollect(store)).frames).toHaveLength(10);
  expect(store.warnings[0]).toContain('belongs to another store');
});

test('a checkpoint that cannot be written loses nothing, and the store goes on', async () => {
  const machine = new SimMachine();
  const store = machine.store();
  await openAndCollect(store);
  await appendRun(store, 1, 1);
  for (const kind of ['write', 'datasync', 'rename', 'syncFolder'] as const) {
    machine.disk.onCall = (call) => {
      if (call.kind === kind) throw systemError('ENOSPC');
    };
    await expect(store.checkpoint([entry('a', '1')], { full: true })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  }
  machine.disk.onCall = () => undefined;
  await store.append([frameOf(2, 1, -1)]);
  await store.checkpoint([entry('a', '2')], { full: true });
  await store.close();
  const { entries, frames } = await openAndCollect(machine.store());
  expect([...entries]).toEqual([['a', '2']]);
  expect(frames).toEqual([]);
});

test('other work of the thread has its turn while a large checkpoint is written', async () => {
  const machine = new SimMachine();
  const store: LogStore = machine.store();
  await openAndCollect(store);
  const value = Buffer.alloc(100);
  let given = 0;
  function* entries(): Generator<Entry> {
    for (let index = 0; index < 20_000; index++) {
      given++;
      yield [Buffer.from(String(index)), value];
    }
  }
  const at: number[] = [];
  const writing = store.checkpoint(entries(), { full: true });
  let done = false;
  const finished = writing.then(() => {
    done = true;
  });
  while (!done) {
    at.push(given);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await finished;
  expect(Math.max(...at.map((value, index) => value - (at[index - 1] ?? 0)))).toBeLessThan(2_000);
});
