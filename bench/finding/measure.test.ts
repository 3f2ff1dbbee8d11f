/**
 * The benchmark of lists does what it measures.
 * Thread: test.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { measureFinding } from './measure.js';

test('it starts, lists and reopens', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-finding-'));
  const lines: string[] = [];
  try {
    await measureFinding({ runs: 200, seconds: 0.1, directory }, (line) => lines.push(line));
  } finally {
    await rm(directory, { recursive: true });
  }
  expect(lines[0]).toMatch(/^execute, 256 callers: \d+\/s .* plain, \d+\/s .* with 3 attributes: \d/);
  expect(lines.at(-1)).toMatch(/^reopened in/);
  expect(lines.find((line) => line.includes(`WorkflowType = 'counter'`))).toContain('  1 rows');
});
