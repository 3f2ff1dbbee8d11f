/**
 * Tests of the benchmarks' command line and their output for programs.
 * Thread: test. In → out: arguments → printed figures.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parseCommandLine } from './command-line.js';

const main = fileURLToPath(new URL('./main.js', import.meta.url));
const run = (...args: string[]) => promisify(execFile)(process.execPath, ['--expose-gc', main, ...args]);

test('the JSON form is one object with machine, settings and a result for each cell', async () => {
  const { stdout } = await run('--json', '--only', 'W1,W6', '--callers', '1,8', '--seconds', '0.1', '--runs', '200');
  const report = JSON.parse(stdout) as { results: Record<string, unknown>[]; memory: unknown };
  expect(report).toMatchObject({
    machine: { cores: expect.any(Number), node: process.versions.node },
    settings: { durability: 'disk', secondsPerCell: 0.1 },
    memory: { runs: 200, bytesPerResidentRun: expect.any(Number), bytesPerEvictedRun: expect.any(Number) },
  });
  expect(report.results.map(({ workload, callers }) => [workload, callers])).toEqual([
    ['W1', 1],
    ['W1', 8],
  ]);
  for (const result of report.results) {
    for (const name of ['opsPerSecond', 'p50Ms', 'p99Ms', 'cpuMicrosPerOp', 'ratioToFloor', 'p50RatioToFloor']) {
      expect(result[name], name).toBeGreaterThan(0);
    }
  }
});

test('an argument that it does not know is refused with its name', async () => {
  const refused = await run('--fast').catch((error: { code: number; stdout: string; stderr: string }) => error);
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining("'--fast'") });
});

test.each([
  [['--only', 'W1,W2'], "--only: 'W2'"],
  [['--callers', '0'], "--callers: '0'"],
  [['--callers', ''], "--callers: ''"],
  [['--seconds', 'long'], "--seconds: 'long'"],
  [['--runs', '1.5'], "--runs: '1.5'"],
  [['more'], "'more'"],
])('%j is refused', (args, message) => {
  expect(() => parseCommandLine(args)).toThrow(message);
});

test('selections are lists', () => {
  expect(parseCommandLine(['--only', 'W1,W3', '--callers', '256'])).toMatchObject({
    workloads: ['W1', 'W3'],
    callers: [256],
    json: false,
  });
});
