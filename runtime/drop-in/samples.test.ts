/**
 * Workflow files written for Temporal, unchanged: they compile against its types and against ours, load, and run.
 * Thread: the test's, with a supervisor and one worker. In → out: fixtures/samples → bundles, runs, diagnostics of the compiler.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { defaultPayloadConverter } from '../../mailbox/raw-value.js';
import type { Runtime } from '../runtime.js';
import { createTestRuntime } from '../testing/index.js';
import * as activities from './fixtures/own-activities.js';
import { booking, decided, pay, race } from './fixtures/samples/cancellation.js';
import { assign, cluster, free, renew, shutDown, state } from './fixtures/samples/cluster.js';
import { holder, type lock, locked } from './fixtures/samples/mutex.js';
import { deliver, hoursLate, parcel, passStop, whereabouts } from './fixtures/samples/signals-queries.js';
import { countdown, moveDeadline, song, timeLeft } from './fixtures/samples/timers.js';
import { close, release, reserve, reserveLater, taken, theatre } from './fixtures/samples/updates.js';
import { pitfalls } from './fixtures/samples/workflows.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SAMPLES = join(ROOT, 'runtime/drop-in/fixtures/samples');

let runtime: Runtime;
beforeAll(async () => {
  // The source: what TypeScript leaves of it names nothing that is only a type.
  runtime = await createTestRuntime({ workflows: join(SAMPLES, 'workflows.ts'), activities });
});
afterAll(() => runtime.shutdown());

/** Runs the compiler in a folder of its own; what it says. */
async function tsc(folder: string, tsconfig: object): Promise<string> {
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], (_, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}

function emptyFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-drop-in-')));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Compiles the samples with Temporal's packages standing for the given files. */
function compile(paths: Record<string, string[]>): Promise<string> {
  return tsc(emptyFolder(), {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: { noEmit: true, rootDir: '/', typeRoots: [join(ROOT, 'node_modules/@types')], paths },
    include: [],
    files: readdirSync(SAMPLES).map((name) => join(SAMPLES, name)),
  });
}

test('the samples compile against our types as they do against Temporal’s', async () => {
  const workflow = [join(ROOT, 'actors/workflow/index.ts')];
  const activity = [join(ROOT, 'runtime/activity/index.ts')];
  const ours = {
    '@temporalio/workflow': workflow,
    '@temporalio/common': workflow,
    '@temporalio/activity': activity,
  };
  expect(await compile(ours)).toBe('');
  const theirs = await compile({ '@temporalio/workflow': activity });
  expect(theirs).toContain("has no exported member 'defineSignal'");
});

test('the samples load as CommonJS too, as a service of that kind compiles them', async () => {
  const folder = emptyFolder();
  cpSync(SAMPLES, folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}');
  // Without checks: the packages are not there, nor need they be.
  const compilerOptions = {
    noCheck: true,
    module: 'nodenext',
    target: 'es2022',
    types: [],
    rootDir: '.',
    outDir: 'out',
  };
  expect(await tsc(folder, { compilerOptions })).toBe('');
  expect(readFileSync(join(folder, 'out/updates.js'), 'utf8')).toContain('require("@temporalio/workflow")');
  await using compiled = await createTestRuntime({ workflows: join(folder, 'out/workflows.js'), activities });
  const { workflow } = compiled.client;
  expect(await workflow.execute('song', { workflowId: 's', args: ['Yesterday'] })).toBe('Yesterday, la la (36)');
  const handle = await workflow.start('theatre', { workflowId: 't' });
  expect(await handle.executeUpdate('reserve', { args: [3] })).toBe(1);
  await handle.terminate();
});

test('signals and queries that Temporal’s package defined are sent and answered', async () => {
  const handle = await runtime.client.workflow.start(parcel, { workflowId: 'p', args: ['Ada'] });
  await handle.signal(passStop, { city: 'Ulm', by: 'van' });
  await handle.signal('passStop', { city: 'Bern', by: 'bike' });
  expect(await handle.query(whereabouts)).toEqual([
    { city: 'Ulm', by: 'van' },
    { city: 'Bern', by: 'bike' },
  ]);
  expect(await handle.query<number, [number]>(hoursLate, 1)).toBe(1);
  await handle.signal(deliver);
  expect(await handle.result()).toBe('p is there after 2 stops');
});

test('a cancelled sample sees a CancelledFailure', async () => {
  const handle = await runtime.client.workflow.start(parcel, { workflowId: 'c', args: ['Ada'] });
  await handle.cancel();
  expect(await handle.result()).toBe('sent back to Ada');
});

test('scopes end what is in them, and shield what must be done all the same', async () => {
  const { workflow } = runtime.client;
  expect(await workflow.execute(booking, { workflowId: 'b1', args: [1] })).toEqual(['reserved', 'given back']);
  const paid = await workflow.start(booking, { workflowId: 'b2', args: [3_600_000] });
  await paid.signal(pay, 12);
  expect(await paid.result()).toEqual(['reserved', 'paid 12']);
  const cancelled = await workflow.start(booking, { workflowId: 'b3', args: [3_600_000] });
  await cancelled.cancel();
  expect(await cancelled.result()).toEqual(['reserved', 'given back']);
});

test('the slower of two scopes is cancelled by the workflow itself, the rest with the run', async () => {
  const handle = await runtime.client.workflow.start(race, { workflowId: 'r' });
  expect(await handle.executeUpdate(decided)).toBe(3);
  await handle.cancel();
  const slower = ['1 done', '60000 true, true', 'cancelled: true'];
  expect(await handle.result()).toEqual([...slower, '1 true, true', 'the run: true']);
});

test('updates that Temporal’s package defined are validated, handled and waited for', async () => {
  const handle = await runtime.client.workflow.start(theatre, { workflowId: 't' });
  expect(await handle.executeUpdate(reserve, { args: [1] })).toBe(1);
  await expect(handle.executeUpdate(reserve, { args: [1] })).rejects.toMatchObject({
    cause: { message: 'Seat 1 is taken', type: 'Error' },
  });
  await expect(handle.executeUpdate(reserve, { args: [9] })).rejects.toMatchObject({
    cause: { type: 'NoSuchSeat', nonRetryable: true, details: [9] },
  });
  const later = await handle.startUpdate(reserveLater, { args: [2, 5], waitForStage: 'ACCEPTED', updateId: 'u' });
  expect(await later.result()).toBe('u has seat 2');
  await handle.executeUpdate(release, { args: [1] });
  expect(await handle.query(taken)).toEqual([2]);
  await handle.signal(close);
  expect(await handle.result()).toEqual([2]);
});

test('a timer is moved while it runs, and the workflow’s clock moves with it', async () => {
  const handle = await runtime.client.workflow.start(countdown, { workflowId: 'd', args: [Date.now() + 3_600_000] });
  expect(await handle.query(timeLeft)).toBeGreaterThan(3_000_000);
  await handle.signal(moveDeadline, Date.now());
  expect(await handle.result()).toBe(true);
});

test('an activity is called, raced against a timer, and its failure told apart', async () => {
  const { workflow } = runtime.client;
  expect(await workflow.execute(song, { workflowId: 's', args: ['Yesterday'] })).toBe('Yesterday, la la (36)');
  await expect(workflow.execute(pitfalls, { workflowId: 'f', args: ['2 seconds'] })).rejects.toMatchObject({
    cause: { type: 'Told', message: '2000 ms; sing: true, A song needs a title; HEARTBEAT; late; RangeError' },
  });
});

test('workflows queue at a lock that is a workflow, across its continue-as-new', async () => {
  const { workflow } = runtime.client;
  const first = workflow.execute(locked, { workflowId: 'l0', args: ['lock', true] });
  expect(await first).toBe('l0 held lock');
  const rest = Array.from({ length: 9 }, (_, index) => `l${index + 1}`);
  const held = await Promise.all(rest.map((id) => workflow.execute(locked, { workflowId: id, args: ['lock', false] })));
  expect(held).toEqual(rest.map((id) => `${id} held lock`));
  const theLock = workflow.getHandle<typeof lock>('lock');
  const { runId } = await theLock.describe();
  expect(await theLock.query(holder)).toBeUndefined();
  expect(runId).not.toBe((await workflow.getHandle('l0').describe()).runId);
  await theLock.terminate();
});

test('nodes are assigned one change at a time, and nothing is lost when the cluster continues as new', async () => {
  const { workflow } = runtime.client;
  const handle = await workflow.start(cluster, { workflowId: 'cluster' });
  expect(await handle.executeUpdate(assign, { args: ['one', 2] })).toEqual(['node-0 for one', 'node-1 for one']);
  await expect(handle.executeUpdate(assign, { args: ['many', 4] })).rejects.toMatchObject({
    cause: { message: 'There are only 3 nodes' },
  });
  await expect(handle.executeUpdate(assign, { args: ['bad', 1] })).rejects.toMatchObject({
    cause: { type: 'BadJob', message: 'node-2 cannot run it' },
  });
  const waits = await handle.startUpdate(assign, { args: ['two', 2], waitForStage: 'ACCEPTED' });
  await handle.signal(renew);
  expect(await handle.executeUpdate(free, { args: ['one'] })).toBe(2);
  expect(await waits.result()).toHaveLength(2);
  await handle.signal(renew);
  const next = await handle.executeUpdate(assign, { args: ['three', 1] });
  expect(next).toHaveLength(1);
  await handle.signal(shutDown);
  expect(await handle.result()).toBeGreaterThanOrEqual(2);
  expect(await handle.query(state)).toMatchObject({ generation: expect.any(Number) });
});

test('interceptors written for Temporal hand a trace on through runs, activities and children', async () => {
  const traces: { id: string; spans: string[] }[] = [];
  await using traced = await createTestRuntime({
    workflows: join(SAMPLES, 'workflows.ts'),
    activities,
    interceptors: {
      workflowModules: [join(SAMPLES, 'tracing.ts')],
      activity: [
        () => ({
          inbound: {
            execute(input, next) {
              traces.push(defaultPayloadConverter.fromPayload(input.headers['trace']!));
              return next(input);
            },
          },
        }),
      ],
    },
  });
  const spans = ['run traced', 'timer 1', 'again traced', 'run traced', 'timer 1', 'child traced', 'run traced'];
  expect(await traced.client.workflow.execute('traced', { workflowId: 'traced' })).toEqual(spans);
  expect(traces.map((trace) => trace.spans.at(-1))).toEqual(['activity sing', 'activity sing']);
});
