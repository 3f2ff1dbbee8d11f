/**
 * The cluster example: its story, and that neither handlers at once nor continuing as new lose or double anything.
 * Thread: the test's. In → out: updates to a runtime in memory, with activities that end when told → nodes.
 */
import { type Runtime, WorkflowUpdateFailedError } from 'holdfast';
import { createTestRuntime } from 'holdfast/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rejectionOf } from '../test-kit/rejection.test-kit.js';
import { tell } from '../test-kit/story.test-kit.js';
import { assign, type Cluster, clusterManager, getNodes, release, shutDown } from './workflows.js';

/** Activities wait for this. */
let gate: Promise<void>;
let open: () => void;
const attached: string[] = [];
const attach = async (job: string, nodes: string[]): Promise<void> => {
  await gate;
  attached.push(`${job}: ${nodes.join(' ')}`);
};
const detach = async (): Promise<void> => gate;

let runtime: Runtime;
beforeEach(async () => {
  attached.length = 0;
  gate = new Promise((resolve) => {
    open = resolve;
  });
  const workflows = new URL('./workflows.js', import.meta.url);
  runtime = await createTestRuntime({ workflows, activities: { attach, detach } });
});
afterEach(() => runtime.shutdown());

const start = (options: Partial<Cluster> = {}) =>
  runtime.client.workflow.start(clusterManager, {
    workflowId: 'cluster',
    args: [{ nodes: { a: null, b: null, c: null }, changes: 0, ...options }],
  });

test('two jobs that ask at once never get the same node', async () => {
  const manager = await start();
  const first = manager.executeUpdate(assign, { args: [{ job: 'x', count: 2 }] });
  const second = manager.executeUpdate(assign, { args: [{ job: 'y', count: 1 }] });
  expect(await manager.query(getNodes)).toEqual({ a: null, b: null, c: null });
  open();
  expect(await Promise.all([first, second])).toEqual([['a', 'b'], ['c']]);
  expect(attached).toEqual(['x: a b', 'y: c']);
  expect(await manager.query(getNodes)).toEqual({ a: 'x', b: 'x', c: 'y' });
});

test('a job that finds too few nodes is refused, and takes none', async () => {
  open();
  const manager = await start();
  const error = await rejectionOf(manager.executeUpdate(assign, { args: [{ job: 'x', count: 4 }] }));
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  expect(error.cause.message).toBe('x wants 4 nodes, 3 are free');
  expect(attached).toEqual([]);
});

test('what makes no sense is rejected at the gate', async () => {
  const manager = await start();
  const error = await rejectionOf(manager.executeUpdate(assign, { args: [{ job: 'x', count: 0.5 }] }));
  expect(error.cause.message).toBe('0.5 is no number of nodes');
});

test('a shut-down waits for the handlers that are under way', async () => {
  const manager = await start();
  const update = await manager.startUpdate(assign, { args: [{ job: 'x', count: 1 }], waitForStage: 'ACCEPTED' });
  await manager.signal(shutDown);
  expect((await manager.describe()).status.name).toBe('RUNNING');
  open();
  expect(await update.result()).toEqual(['a']);
  expect((await manager.result()).nodes).toEqual({ a: 'x', b: null, c: null });
});

test('continuing as new loses none of sixty updates, applies each once, and interrupts no handler', async () => {
  open();
  const manager = await start({ changesPerRun: 3 });
  const jobs = Array.from({ length: 30 }, (_, index) => `job-${index}`);
  const twice = jobs.map(async (job) => {
    // Sent twice at once, as a caller does that has lost the first answer.
    const again = { args: [job] as const, updateId: job };
    const [first, second] = await Promise.all([
      manager.executeUpdate(release, again),
      manager.executeUpdate(release, again),
    ]);
    expect(second).toEqual(first);
    return manager.executeUpdate(assign, { args: [{ job, count: 1 }] }).catch(() => []);
  });
  const given = (await Promise.all(twice)).flat();
  expect(given.sort()).toEqual(['a', 'b', 'c']);
  await manager.signal(shutDown);
  expect((await manager.result()).changes).toBe(60);

  const runs: string[] = [];
  for await (const { status } of runtime.client.workflow.list()) runs.unshift(status.name);
  expect(runs.length).toBeGreaterThan(1);
  expect(runs.pop()).toBe('COMPLETED');
  expect(new Set(runs)).toEqual(new Set(['CONTINUED_AS_NEW']));
});

test('its story', async () => {
  const { lines, ...ended } = await tell('safe-message-handlers');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'Five jobs want two nodes each, all at once',
    'bake: n1 and n2',
    'brew: n3 and n4',
    'churn: n5 and n6',
    'distil: distil wants 2 nodes, 0 are free',
    'etch: etch wants 2 nodes, 0 are free',
    'The manager has continued as new; an update sent again gets its first answer',
    'brew: n3 and n4',
    'Bake ends, and frosting takes its place',
    'bake had n1 and n2',
    'frost: n1 and n2',
    'Forty changes, sent without waiting for one another, over more runs',
    'answered: 40',
    'nodes: {"n1":"frost","n2":"frost","n3":"brew","n4":"brew","n5":"churn","n6":"churn"}',
    'Shut down after 47 changes, in several runs',
  ]);
});
