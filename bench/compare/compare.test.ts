/**
 * Tests of the comparison of builds on a small scale: its output for programs, its command line, and that its floor stays what it is.
 * Thread: test. In → out: arguments → printed figures.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { FLOOR } from '../floor/floor.js';
import { parseCommandLine } from './command-line.js';

const main = fileURLToPath(new URL('./compare.js', import.meta.url));
interface Ended {
  readonly code?: number;
  readonly stdout: string;
  readonly stderr: string;
}
const run = (...args: string[]): Promise<Ended> =>
  promisify(execFile)(process.execPath, [main, ...args]).catch((error: Ended) => error);

test('each pair measures both builds and the floor, and the JSON form has every one of them', async () => {
  const { stdout, stderr } = await run(
    ...['.', '.', '--json', '--pairs', '2', '--workloads', 'W7', '--callers', '32'],
    ...['--seconds', '0.01', '--warm-up', '0.01'],
  );
  expect(stdout, stderr).not.toBe('');
  const report = JSON.parse(stdout) as { results: { workload: string; measured: unknown[] }[] };
  expect(report).toMatchObject({
    a: { given: '.' },
    machine: { node: process.versions.node },
    settings: { floor: 'floor-1', pairs: 2, callers: 32 },
  });
  expect(report.results.map(({ workload }) => workload)).toEqual(['W7']);
  const positive = { opsPerSecond: expect.any(Number), cpuMicrosPerOp: expect.any(Number) };
  for (const result of report.results) {
    expect(result.measured).toMatchObject(Array(2).fill({ a: positive, b: positive, floor: positive }));
    expect(result).toMatchObject({ difference: expect.any(Number), verdict: expect.any(String) });
  }
});

test('what is neither a revision nor a built checkout is told', async () => {
  const none = await run('no-such-revision', '.');
  expect(none.stderr).toContain("'no-such-revision' is neither a commit of this repository nor the path of a checkout");
  expect(none.code).toBe(1);
  expect((await run('.', tmpdir())).stderr).toContain(`'${tmpdir()}' is neither`);
});

test('an argument that it does not know is refused with its name', async () => {
  expect(await run('.', '.', '--fast')).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining("'--fast'"),
  });
});

test.each([
  [['.'], '1 are named'],
  [['.', '.', '.'], '3 are named'],
  [['.', '.', '--pairs', '1'], "--pairs: '1'"],
  [['.', '.', '--workloads', 'W6'], "--workloads: 'W6'"],
])('%j is refused', (args, message) => {
  expect(() => parseCommandLine(args)).toThrow(message);
});

test('floor-1 is what it was: ratios to another one would say nothing beside those there are', () => {
  const folder = new URL('../../../bench/floor/', import.meta.url);
  const sources = readdirSync(folder).filter((name) => !name.includes('.test.'));
  const hash = createHash('sha256');
  for (const name of sources.sort()) hash.update(name).update(readFileSync(new URL(name, folder)));
  expect([FLOOR, hash.digest('hex').slice(0, 16)]).toEqual(['floor-1', 'ff2da89a1debd44b']);
});
