/**
 * A failing actor hurts nobody else: a lost turn is redelivered in order, and a run that keeps ending its worker is left alone.
 */
import { expect, test } from 'vitest';
import { condition, proxyActivities, setHandler, sleep } from '../../actors/workflow/index.js';
import type { Slice } from '../../mailbox/turn.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import { add, entries, ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const { charge } = proxyActivities<{ charge(entry: string): Promise<string> }>({ startToCloseTimeout: 60_000 });
const workflows = {
  ledger,
  async shop() {
    const log: string[] = [];
    setHandler(entries, () => log);
    setHandler(add, async (entry) => {
      log.push(await charge(entry));
      await sleep(1000);
      log.push(`${entry} shipped`);
    });
    await condition(() => false);
  },
};

/** The run that a turn would step with a signal of this name, if any. */
const steps = (slices: readonly Slice[], name: string): number | undefined =>
  slices.find((slice) => slice.steps.flat().some((message) => message.kind === 'signal' && message.name === name))?.run;

test.each(['between', 'in a step'])(
  'a worker lost %s: its messages are redelivered in order, none twice',
  async (where) => {
    const system = await System.open({ workflows });
    await system.start('w', 'ledger').value();
    system.workers.returns.shut();
    const calls = [
      system.signal('w', 'add', 'a'),
      system.update('w', 'append', 'b'),
      system.query('w', 'entries'),
      system.signal('w', 'add', 'c'),
    ];
    await system.settle();
    const behind = [system.signal('w', 'add', 'd'), system.update('w', 'append', 'e')];
    let lost = 0;
    system.workers.fate = (slices) => {
      if (lost++ > 0) return undefined;
      return where === 'between' ? 'between' : slices[0]!.run;
    };
    system.workers.returns.open();
    expect(await calls[1]!.value()).toBe(2);
    expect(await calls[2]!.value()).toEqual(['a', 'b']);
    expect(await behind[1]!.value()).toBe(5);
    expect(await system.query('w', 'entries').value()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(lost).toBeGreaterThan(1);
    expect(system.lifecycle.filter(({ name }) => name === 'workerLost')).toHaveLength(1);
    await expectInvariants(system);
  },
);

test('what a lost turn would have started starts once', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'shop').value();
  let lost = 0;
  system.workers.fate = () => (lost++ % 2 === 0 ? 'between' : undefined);
  await system.signal('w', 'add', 'book').value();
  expect(system.attempts).toHaveLength(1);
  system.activityReturns(system.attempts[0]!, 'book paid');
  await system.settle();
  await system.pass(1000);
  system.workers.fate = () => undefined;
  expect(await system.query('w', 'entries').value()).toEqual(['book paid', 'book shipped']);
  expect(system.types('w')).toEqual([
    'WorkflowExecutionStarted',
    'WorkflowExecutionSignaled',
    'ActivityTaskScheduled',
    'ActivityTaskCompleted',
    'TimerStarted',
    'TimerFired',
  ]);
  await expectInvariants(system);
});

test('runs that shared the worker go on from where they were', async () => {
  const system = await System.open({ workflows, slots: 1 });
  const ids = ['v', 'w', 'x', 'y'];
  for (const id of ids) await system.start(id, 'ledger').value();
  for (const id of ids) await system.update(id, 'append', `${id} before`).value();
  let lost = 0;
  system.workers.fate = () => (lost++ === 0 ? 'between' : undefined);
  const updates = ids.map((id) => system.update(id, 'append', `${id} during`));
  for (const update of updates) expect(await update.value()).toBe(2);
  for (const id of ids) expect(await system.query(id, 'entries').value()).toEqual([`${id} before`, `${id} during`]);
  await expectInvariants(system);
});

test('a run that ends its worker three times is quarantined with its reason; its neighbours go on', async () => {
  const system = await System.open({ workflows, slots: 1 });
  await system.start('bad', 'ledger').value();
  await system.start('good', 'ledger').value();
  let lost = 0;
  const fate = (slices: readonly Slice[]) => {
    const culprit = steps(slices, 'poison');
    if (culprit !== undefined) lost++;
    return culprit;
  };
  system.workers.fate = fate;
  expect(await system.signal('bad', 'add', 'before').value()).toBe('done');
  expect(await system.signal('bad', 'poison').value()).toBe('done');
  const neighbour = system.update('good', 'append', 'a');
  expect(await neighbour.value()).toBe(1);
  await system.settle();
  expect(lost).toBe(3);
  const error = await system.query('bad', 'entries').error();
  expect(error).toMatchObject({ code: 'WORKFLOW_SUSPENDED', cause: { type: 'StepFailedWorkerError' } });
  expect(error.message).toContain('3 times (the test ended it)');
  expect(await system.update('bad', 'append', 'b').error()).toMatchObject({ code: 'WORKFLOW_SUSPENDED' });
  expect((await system.describe('bad')).suspended).toMatchObject({ attempts: 1 });
  expect((await system.describe('bad')).suspended?.nextRetryTime).toBeUndefined();
  // No time heals it, and signals are kept.
  await system.pass(3_600_000);
  expect(await system.signal('bad', 'add', 'kept').value()).toBe('done');
  expect(lost).toBe(3);
  expect(await system.query('good', 'entries').value()).toEqual(['a']);
  // Nor does a restart of the same code.
  await system.restart();
  expect(await system.query('bad', 'entries').error()).toMatchObject({ code: 'WORKFLOW_SUSPENDED' });
  system.build = 'mended';
  await system.restart();
  expect(await system.query('bad', 'entries').value()).toEqual(['before', 'kept']);
  await expectInvariants(system);
});

test('a run that ended its worker twice and then succeeded begins to count anew', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'ledger').value();
  for (let round = 0; round < 3; round++) {
    let lost = 0;
    system.workers.fate = (slices) => (lost++ < 2 ? slices.find(({ steps: own }) => own.length > 0)?.run : undefined);
    expect(await system.signal('w', 'add', `round ${round}`).value()).toBe('done');
    expect(await system.query('w', 'entries').value()).toHaveLength(round + 1);
  }
  await expectInvariants(system);
});

test('a query that ends the worker three times is refused alone: the run goes on', async () => {
  const system = await System.open({ workflows, slots: 1 });
  await system.start('w', 'ledger').value();
  let lost = 0;
  system.workers.fate = (slices) => {
    const culprit = slices.find(({ steps: own }) =>
      own.some(([message]) => message?.kind === 'query' && message.name === 'deadly'),
    );
    if (culprit !== undefined) lost++;
    return culprit?.run;
  };
  expect(await system.query('w', 'deadly').error()).toMatchObject({
    code: 'QUERY_FAILED',
    cause: { type: 'StepFailedWorkerError' },
  });
  expect(lost).toBe(3);
  expect((await system.describe('w')).suspended).toBeUndefined();
  expect(await system.signal('w', 'add', 'after').value()).toBe('done');
  expect(await system.query('w', 'entries').value()).toEqual(['after']);
  expect(system.unanswered).toBe(0);
  await expectInvariants(system);
});

test('callers whose query or update ends the worker are told', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'ledger').value();
  system.workers.fate = (slices) => slices.find(({ steps: own }) => own.length > 0)?.run;
  const query = system.query('w', 'entries');
  const update = system.update('w', 'append', 'a');
  const cause = { type: 'StepFailedWorkerError' };
  expect(await query.error()).toMatchObject({ code: 'QUERY_FAILED', cause });
  expect(await update.error()).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED', cause });
  expect(await system.terminate('w').value()).toBe('done');
  expect(system.unanswered).toBe(0);
  await expectInvariants(system);
});

test('a crash with turns under way: whatever was acknowledged is there, in order and once', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'ledger').value();
  system.workers.returns.shut();
  for (let i = 0; i < 10; i++) expect(await system.signal('w', 'add', `${i}`).value()).toBe('done');
  await system.crash();
  expect(await system.query('w', 'entries').value()).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
  await expectInvariants(system);
});

test('an activity under way in a crash is run again by the next process, one that a client woke meanwhile only once', async () => {
  const system = await System.open({ workflows });
  // Histories are read one after the other when the next process begins.
  for (const id of ['first', 'second']) {
    await system.start(id, 'shop').value();
    await system.signal(id, 'add', 'old').value();
  }
  await system.crash();
  system.toHost.length = 0;
  system.store.reads.shut();
  await system.settle();
  const woken = system.signal('second', 'add', 'new');
  await system.settle();
  system.store.reads.letThrough();
  await system.settle();
  system.store.reads.letThrough();
  await system.settle();
  system.store.reads.open();
  await woken.value();
  const attempts = system.attempts.map(({ workflowId, activityId }) => `${workflowId} ${activityId}`);
  expect(attempts.sort()).toEqual(['first 1', 'second 1', 'second 2']);
  for (const attempt of system.attempts) system.activityReturns(attempt, 'paid');
  await system.settle();
  await expectInvariants(system);
});
