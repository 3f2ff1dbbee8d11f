/**
 * `holdfast history` and `holdfast replay`, on a store and files as a service has them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeProject } from '../bundler/fixtures/project.js';
import { Runtime } from '../index.js';
import { nodeDisk } from '../store/log/disk.js';
import { systemProcesses } from '../store/log/owner.js';
import { type Outcome, runCommand } from './commands.js';

const WORKFLOWS = `
import { sleep } from 'holdfast/workflow';
export async function nap() {
  await sleep(1);
}
`;

const run = (...args: string[]): Promise<Outcome> => runCommand(args, nodeDisk, systemProcesses, Date.now());

test('a history comes out of a store that is not open, and is replayed against files that fit or do not', async () => {
  const project = writeProject({ 'workflows.ts': WORKFLOWS, 'other.ts': WORKFLOWS.replace('await sleep(1)', '') });
  const [workflows, other, store] = ['workflows.ts', 'other.ts', 'store'].map((name) => join(project, name)) as [
    string,
    string,
    string,
  ];
  const runtime = await Runtime.create({ workflows, store, workers: 1, logger: 'silent' });
  await runtime.client.workflow.execute('nap', { workflowId: 'nap-1' });
  expect(await run('history', store, 'nap-1')).toMatchObject({
    exitCode: 2,
    errors: [expect.stringContaining('open')],
  });
  await runtime.shutdown();

  const printed = await run('history', store, 'nap-1');
  expect(printed.exitCode).toBe(0);
  const { runId } = JSON.parse(printed.lines.join('\n')) as { runId: string };
  expect(await run('history', store, 'nap-1', runId)).toEqual(printed);
  expect(await run('history', store, 'nap-2')).toMatchObject({
    exitCode: 2,
    errors: [expect.stringContaining('nap-2')],
  });
  expect(await run('history', project, 'nap-1')).toMatchObject({
    exitCode: 2,
    errors: [expect.stringContaining('not a store')],
  });
  const nowhere = join(project, 'nowhere');
  expect(await run('history', nowhere, 'nap-1')).toMatchObject({
    exitCode: 2,
    errors: [expect.stringContaining(nowhere)],
  });

  const saved = join(project, 'nap-1.json');
  writeFileSync(saved, printed.lines.join('\n'));
  expect(await run('replay', workflows, saved)).toEqual({
    exitCode: 0,
    errors: [],
    lines: [`${saved}: fits (workflow 'nap-1', run ${runId})`],
  });
  const cut = join(project, 'cut.json');
  writeFileSync(cut, readFileSync(saved, 'utf8').slice(0, 200));
  const missing = join(project, 'missing.json');
  expect(await run('replay', other, saved)).toMatchObject({
    exitCode: 1,
    lines: [expect.stringContaining('TimerStarted(1)')],
  });
  const both = await run('replay', other, cut, missing, saved);
  expect(both.exitCode).toBe(2);
  expect(both.errors).toEqual([expect.stringContaining('cut off'), expect.stringContaining('ENOENT')]);
  expect(both.lines).toEqual([expect.stringContaining('does not fit its history')]);
  expect(await run('replay', join(project, 'nowhere.ts'), saved)).toMatchObject({ exitCode: 2 });
});

test('a replay tells first what the bundler warns of', async () => {
  const text = `${WORKFLOWS}\nexport const mention = (never: boolean): unknown => never && new WeakRef({});`;
  const workflows = join(writeProject({ 'workflows.ts': text }), 'workflows.ts');
  const missing = join(workflows, '../missing.json');
  const { lines, errors, exitCode } = await run('replay', workflows, missing);
  expect(exitCode).toBe(2);
  expect(lines).toEqual([
    expect.stringMatching(/^warning: .*workflows\.ts:\d+:\d+: WeakRef is not available in workflow code/),
  ]);
  expect(errors).toEqual([expect.stringContaining('ENOENT')]);
});

test('commands without what they need say how they are used', async () => {
  for (const args of [['history'], ['history', 'store'], ['replay', 'workflows.ts'], ['history', 'a', 'b', 'c', 'd']]) {
    expect(await run(...args)).toMatchObject({
      exitCode: 2,
      errors: expect.arrayContaining([expect.stringContaining('holdfast replay')]),
    });
  }
});

test("a replay by Temporal's core says that its worker is not installed, and where", async () => {
  const project = writeProject({ 'workflows.ts': WORKFLOWS });
  const [workflows, store] = [join(project, 'workflows.ts'), join(project, 'store')];
  const runtime = await Runtime.create({ workflows, store, workers: 1, logger: 'silent' });
  await runtime.client.workflow.execute('nap', { workflowId: 'nap-1' });
  await runtime.shutdown();
  const saved = join(project, 'nap-1.json');
  writeFileSync(saved, (await run('history', store, 'nap-1')).lines.join('\n'));
  const { exitCode, errors = [] } = await run('replay', '--temporal', workflows, saved);
  expect({ exitCode, count: errors.length }).toEqual({ exitCode: 2, count: 1 });
  expect(errors[0]).toContain(`@temporalio/worker cannot be loaded from '${project}'`);
  expect(errors[0]).toContain('npm install @temporalio/worker');
});
