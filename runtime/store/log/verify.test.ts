/**
 * Verify and repair: they say what is lost, and a repaired store opens with everything else.
 * Thread: tests. In → out: nothing.
 */
import { expect, test } from 'vitest';
import { runCommand } from '../../cli/commands.js';
import { appendRun, frameOf, openAndCollect } from '../contract.js';
import { SimDisk } from './sim-disk.js';
import { SimMachine } from './sim-machine.js';

const SEGMENT = 1024;

/** Three runs; run 1 is spread over all of the log, run 2 ends in the middle, run 3 begins there. */
async function stored(end: 'close' | 'kill' = 'close') {
  const machine = new SimMachine();
  const store = machine.store({ segmentBytes: SEGMENT });
  await openAndCollect(store);
  const positions: number[] = [];
  let one = -1;
  let two = -1;
  let three = -1;
  for (let event = 1; event <= 12; event++) {
    const other = event <= 6 ? frameOf(2, event, two) : frameOf(3, event - 6, three);
    const [mine, others] = (await store.append([frameOf(1, event, one), other])) as [number, number];
    positions.push(mine);
    one = mine;
    if (event <= 6) two = others;
    else three = others;
  }
  if (end === 'close') await store.close();
  else machine.kill();
  return { machine, positions, heads: { one, two, three } };
}

const run = (disk: SimDisk, command: string) =>
  runCommand([command, '/sim'], () => disk, new SimMachine().processes, 1234);
const idOf = (id: number) => `00010203-0405-0607-0809-0a0b0c0d0e0${id}`;

function flip(disk: SimDisk, position: number): SimDisk {
  const files = disk.files();
  const name = [...files.keys()]
    .filter((each) => each.endsWith('.log') && Number(each.slice(0, 16)) <= position)
    .sort()
    .at(-1)!;
  files.get(name)![position - Number(name.slice(0, 16))]! ^= 1;
  return SimDisk.of(files);
}

test('a whole store is reported as whole, is not changed, and needs no repair', async () => {
  for (const end of ['close', 'kill'] as const) {
    const { machine } = await stored(end);
    const before = machine.disk.files();
    const { lines, exitCode } = await run(machine.disk, 'verify');
    expect(exitCode).toBe(0);
    expect(lines).toContain('The store is whole.');
    expect(lines.join('\n')).toContain('12 batches, 24 frames of 3 runs');
    const repaired = await run(machine.disk, 'repair');
    expect([repaired.exitCode, repaired.lines.at(-1)]).toEqual([0, 'The store is whole: nothing to repair.']);
    for (const [name, bytes] of machine.disk.files())
      if (!name.startsWith('lock-')) expect(bytes).toEqual(before.get(name));
  }
});

test('one damaged batch: verify names file, runs and events, repair loses what it says and no more', async () => {
  const { machine, positions } = await stored();
  // In the events of run 1 in the eighth batch, which also holds the second event of run 3.
  const disk = flip(machine.disk, positions[7]! + 50);
  const verified = await run(disk, 'verify');
  expect(verified.exitCode).toBe(1);
  const text = verified.lines.join('\n');
  expect(text).toMatch(/damaged: \d{16}\.log at byte \d+/);
  const [unreadable, cut] = text.split('would cut');
  expect(unreadable).toContain(`run ${idOf(1)}: event 8\n`);
  expect(unreadable).toContain(`run ${idOf(3)}: event 2\n`);
  expect(cut).toContain(`run ${idOf(1)}: events 8 to 12`);
  expect(cut).toContain(`run ${idOf(3)}: events 2 to 6`);
  expect(text).not.toContain(idOf(2));

  const repaired = await run(disk, 'repair');
  expect(repaired.exitCode).toBe(0);
  const said = repaired.lines.join('\n');
  expect(said).toContain(`run ${idOf(1)}: events 8 to 12`);
  expect(said).toContain(`run ${idOf(3)}: events 2 to 6`);
  expect(said).toContain('.log.damaged-1234');
  expect((await run(disk, 'verify')).exitCode).toBe(0);
  const store = new SimMachine(disk).store({ segmentBytes: SEGMENT });
  const { frames } = await openAndCollect(store);
  const counts = [1, 2, 3].map((id) => frames.filter(({ frame }) => Buffer.from(frame.runId, 'hex')[15] === id).length);
  expect(counts).toEqual([7, 6, 1]);
  await appendRun(store, 9, 20);
  await store.close();
  expect((await run(disk, 'verify')).exitCode).toBe(0);
});

test('the copies that repair leaves hold the damaged files as they were', async () => {
  const { machine, positions } = await stored();
  const disk = flip(machine.disk, positions[1]! + 50);
  const before = disk.files();
  await run(disk, 'repair');
  const after = disk.files();
  for (const [name, bytes] of before) {
    const changed = name.endsWith('.log') && after.get(name)?.equals(bytes) !== true;
    if (changed) expect([...after.keys()]).toContain(`${name}.damaged-1234`);
  }
  const copies = [...disk.files()].filter(([name]) => name.endsWith('.damaged-1234'));
  expect(copies.length).toBeGreaterThan(0);
  for (const [name, bytes] of copies) expect(bytes).toEqual(before.get(name.slice(0, -'.damaged-1234'.length)));
});

test('every kind of damage can be repaired, after which the store opens with a prefix of what was in it', async () => {
  const { machine } = await stored();
  const original = machine.disk.files();
  const whole = await openAndCollect(new SimMachine(SimDisk.of(original)).store());
  for (const [name, bytes] of original) {
    const cases = [new Map(original), new Map(original)];
    cases[1]!.delete(name);
    for (let at = 0; at < bytes.length; at += 13) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      cases.push(new Map(original).set(name, flipped), new Map(original).set(name, bytes.subarray(0, at)));
    }
    for (const files of cases) {
      const disk = SimDisk.of(files);
      expect((await run(disk, 'repair')).exitCode).toBe(0);
      const { frames } = await openAndCollect(new SimMachine(disk).store());
      expect(frames).toEqual(whole.frames.slice(0, frames.length));
    }
  }
});

test('a torn write after an unclean stop is not called damage', async () => {
  const { machine, positions } = await stored('kill');
  const { lines, exitCode } = await run(flip(machine.disk, positions[11]! + 50), 'verify');
  expect(exitCode).toBe(0);
  expect(lines.join('\n')).toContain('bytes of an unfinished write at the end');
});

test('a store in use is neither verified nor repaired', async () => {
  const machine = new SimMachine();
  await openAndCollect(machine.store());
  for (const command of ['verify', 'repair']) {
    const { processes } = machine;
    const other = { ...processes, pid: processes.pid + 1_000_000, runs: () => true };
    const { errors, exitCode } = await runCommand([command, '/sim'], () => machine.disk, other, 0);
    expect([exitCode, errors?.[0]]).toEqual([2, expect.stringContaining(`is open in process ${processes.pid}`)]);
  }
});

test('anything else is answered with how to use it', async () => {
  for (const args of [[], ['verify'], ['mend', '/sim'], ['verify', '/sim', '/sim']]) {
    const { errors, exitCode } = await runCommand(args, () => new SimDisk(), new SimMachine().processes, 0);
    expect([exitCode, errors]).toEqual([
      2,
      expect.arrayContaining([expect.stringContaining('holdfast verify <store>')]),
    ]);
  }
  expect((await run(new SimDisk(), 'verify')).exitCode).toBe(2);
});
