/**
 * `holdfast list`, on a store as a service leaves it.
 * Thread: the test's.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeProject } from '../bundler/fixtures/project.js';
import { defineSearchAttributeKey, Runtime } from '../index.js';
import { nodeDisk } from '../store/log/disk.js';
import { systemProcesses } from '../store/log/owner.js';
import { type Outcome, runCommand } from './commands.js';

const WORKFLOWS = 'export async function quick() {}\n';
const run = (...args: string[]): Promise<Outcome> => runCommand(args, nodeDisk, systemProcesses, Date.now());

test('runs are listed by a filter, in a store that is not open', async () => {
  const project = writeProject({ 'workflows.ts': WORKFLOWS });
  const [workflows, store] = ['workflows.ts', 'store'].map((name) => join(project, name)) as [string, string];
  const runtime = await Runtime.create({ workflows, store, workers: 1, logger: 'silent' });
  const key = defineSearchAttributeKey('Customer', 'KEYWORD');
  const client = runtime.client.workflow;
  const typedSearchAttributes = [{ key, value: 'ada' }];
  const handle = await client.start('quick', { workflowId: 'a', typedSearchAttributes });
  await handle.result();
  const { startTime, closeTime, runId } = await handle.describe();
  await client.execute('quick', { workflowId: 'two words' });
  expect(await run('list', store)).toMatchObject({ exitCode: 2, errors: [expect.stringContaining('open')] });
  await runtime.shutdown();

  const line = `a  ${runId}  quick  COMPLETED  ${startTime.toISOString()}  ${closeTime?.toISOString()}`;
  expect(await run('list', store, `Customer = 'ada'`)).toEqual({ exitCode: 0, lines: [line, '1 runs'] });
  const all = await run('list', store);
  expect(all.lines).toEqual([expect.stringMatching(/^"two words" {2}/), line, '2 runs']);
  expect(await run('list', store, 'Customer')).toMatchObject({
    exitCode: 2,
    errors: [expect.stringContaining('but it ends')],
  });
  expect(await run('list', join(project, 'nowhere'))).toMatchObject({ exitCode: 2 });
  expect((await run('list')).errors).toContainEqual(expect.stringContaining('holdfast list <store> [query]'));
});
