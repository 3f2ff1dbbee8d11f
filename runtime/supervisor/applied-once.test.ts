/**
 * Applied once: the same request id or update id again is the same request, whenever it comes.
 */
import { expect, test } from 'vitest';
import { ApplicationFailure, condition, defineUpdate, setHandler } from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { type Call, System } from '../test-kit/system.test-kit.js';
import { add, entries, finish, ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

/** As the ledger, with an update that a validator may refuse and whose handler may fail. */
async function moody(): Promise<string[]> {
  const log: string[] = [];
  let finished = false;
  let open = false;
  setHandler(entries, () => log);
  setHandler(add, (entry) => {
    if (entry === 'open') open = true;
    else log.push(entry);
  });
  setHandler(finish, () => {
    finished = true;
  });
  setHandler(
    defineUpdate<string, [entry: string]>('append'),
    async (entry) => {
      log.push(entry);
      await null;
      if (entry === 'fails') throw ApplicationFailure.nonRetryable('failed on purpose', 'OnPurpose');
      if (entry === 'waits') await condition(() => open);
      return `${entry} is number ${log.length}`;
    },
    {
      validator: (entry) => {
        if (entry === 'when open' && !open) throw new Error('not open');
      },
    },
  );
  await condition(() => finished);
  return log;
}

const workflows = { ledger, moody };

/** What may lie between a request and the same one again. */
const between: [string, (system: System) => Promise<unknown>][] = [
  ['at once', async () => undefined],
  ['after it came to rest', (system) => system.settle()],
  ['after eviction', (system) => system.evictAll()],
  ['after a clean restart', (system) => system.restart()],
  ['after a crash', (system) => system.crash()],
  ['after the run closed', (system) => system.signal('w', 'finish').value()],
  [
    'after the run closed and was evicted',
    async (system) => {
      await system.signal('w', 'finish').value();
      await system.evictAll();
    },
  ],
  [
    'after the run closed and a crash',
    async (system) => {
      await system.signal('w', 'finish').value();
      await system.crash();
    },
  ],
  ['after the run was terminated', (system) => system.terminate('w').value()],
];

test.each(between)(
  'a signal with a request id, sent again %s, is acknowledged and applied once',
  async (when, pass) => {
    const system = await System.open({ workflows });
    await system.start('w', 'ledger').value();
    const first = system.signalOnce('r', 'w', 'add', 'a');
    if (when !== 'at once') expect(await first.value()).toBe('done');
    await pass(system);
    const second = system.signalOnce('r', 'w', 'add', 'a');
    expect(await second.value()).toBe('done');
    expect(await system.query('w', 'entries').value()).toEqual(['a']);
    expect(system.types('w').filter((type) => type === 'WorkflowExecutionSignaled')).toHaveLength(
      when.includes('closed') ? 2 : 1,
    );
    await expectInvariants(system);
  },
);

const appendOnce = (system: System, entry: string, stage: 'ACCEPTED' | 'COMPLETED' = 'COMPLETED'): Call =>
  system.updateWith({ workflowId: 'w', name: 'append', updateId: 'u', stage }, entry);

test.each(between)(
  'an update that completed, sent again %s, has the first outcome and is applied once',
  async (when, pass) => {
    const system = await System.open({ workflows });
    await system.start('w', 'moody').value();
    const first = appendOnce(system, 'a');
    if (when !== 'at once') expect(await first.value()).toBe('a is number 1');
    await pass(system);
    expect(await appendOnce(system, 'a').value()).toBe('a is number 1');
    expect(await appendOnce(system, 'a', 'ACCEPTED').value()).toBe('updateAccepted');
    expect(await system.pollUpdate('w', 'u').value()).toBe('a is number 1');
    expect(await system.query('w', 'entries').value()).toEqual(['a']);
    await expectInvariants(system);
  },
);

test.each(between)(
  'an update that failed, sent again %s, has the first failure and is applied once',
  async (when, pass) => {
    const system = await System.open({ workflows });
    await system.start('w', 'moody').value();
    const first = appendOnce(system, 'fails');
    if (when !== 'at once') await first.error();
    await pass(system);
    expect(await appendOnce(system, 'fails').error()).toMatchObject({
      code: 'WORKFLOW_UPDATE_FAILED',
      cause: { message: 'failed on purpose', type: 'OnPurpose', nonRetryable: true },
    });
    expect(await system.query('w', 'entries').value()).toEqual(['fails']);
    await expectInvariants(system);
  },
);

const closing = /closed|terminated/;

test.each(between)('an update that is under way, sent again %s, is waited for together', async (when, pass) => {
  const system = await System.open({ workflows });
  await system.start('w', 'moody').value();
  const first = appendOnce(system, 'waits');
  if (when !== 'at once') await system.settle();
  await pass(system);
  const calls = [appendOnce(system, 'waits'), system.pollUpdate('w', 'u')];
  await system.settle();
  if (closing.test(when)) {
    for (const call of calls) {
      expect(await call.error()).toMatchObject({
        code: 'WORKFLOW_UPDATE_FAILED',
        cause: { type: 'AcceptedUpdateCompletedWorkflow', message: 'Workflow completed before the Update completed' },
      });
    }
  } else {
    expect(calls.map(({ answered }) => answered)).toEqual([false, false]);
    expect(await appendOnce(system, 'waits', 'ACCEPTED').value()).toBe('updateAccepted');
    await system.signal('w', 'add', 'open').value();
    for (const call of calls) expect(await call.value()).toBe('waits is number 1');
    if (!/restart|crash/.test(when)) expect(await first.value()).toBe('waits is number 1');
  }
  expect(await system.query('w', 'entries').value()).toEqual(['waits']);
  await expectInvariants(system);
});

test('of two updates with one id in one turn, both senders get the one outcome', async () => {
  const system = await System.open({ workflows });
  const start = system.start('w', 'moody');
  const calls = [appendOnce(system, 'a'), appendOnce(system, 'b'), appendOnce(system, 'c')];
  await start.value();
  for (const call of calls) expect(await call.value()).toBe('a is number 1');
  await expectInvariants(system);
});

test('a rejection is told to all who asked meanwhile, and is not remembered', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'moody').value();
  const rejected = [appendOnce(system, 'when open'), appendOnce(system, 'when open')];
  for (const call of rejected) {
    expect(await call.error()).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED', cause: { message: 'not open' } });
  }
  expect(await system.pollUpdate('w', 'u').error()).toMatchObject({ code: 'WORKFLOW_UPDATE_NOT_FOUND' });
  await system.signal('w', 'add', 'open').value();
  expect(await appendOnce(system, 'when open').value()).toBe('when open is number 1');
  await expectInvariants(system);
});

test('an update whose acceptance was lost in a crash is applied once when it is sent again', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'moody').value();
  system.store.flushes.shut();
  const first = appendOnce(system, 'a');
  await system.settle();
  await system.crash();
  expect(first.answered).toBe(false);
  expect(await appendOnce(system, 'a').value()).toBe('a is number 1');
  await expectInvariants(system);
});

test('an update whose outcome was durable but not yet told is answered from the journal after a crash', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'moody').value();
  system.store.flushes.shut();
  const first = appendOnce(system, 'a');
  await system.settle();
  await system.crash('kept');
  expect(first.answered).toBe(false);
  expect(await appendOnce(system, 'other').value()).toBe('a is number 1');
  expect(await system.query('w', 'entries').value()).toEqual(['a']);
  await expectInvariants(system);
});

test('requests that came while the ids were being read are taken in the order in which they came', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'ledger').value();
  await system.signalOnce('r', 'w', 'add', 'a').value();
  await system.evictAll();
  system.store.reads.shut();
  system.signalOnce('r', 'w', 'add', 'again');
  system.signal('w', 'add', 'b');
  const update = system.update('w', 'append', 'c');
  system.signal('w', 'add', 'd');
  const query = system.query('w', 'entries');
  await system.settle();
  expect(system.types('w')).toHaveLength(2);
  system.store.reads.open();
  expect(await query.value()).toEqual(['a', 'b', 'c', 'd']);
  expect(await update.value()).toBe(3);
  await expectInvariants(system);
});

test('a termination while the ids are being read leaves nobody waiting', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'ledger').value();
  await system.update('w', 'append', 'a').value();
  await system.evictAll();
  system.store.reads.shut();
  const calls = [
    system.signalOnce('r', 'w', 'add', 'b'),
    system.update('w', 'append', 'c'),
    system.query('w', 'entries'),
    system.signal('w', 'add', 'd'),
  ];
  await system.settle();
  const terminate = system.terminate('w');
  await system.settle();
  system.store.reads.open();
  expect(await terminate.value()).toBe('done');
  await system.settle();
  expect(calls.map(({ reply }) => reply?.kind)).toEqual(['error', 'error', 'queryResult', 'error']);
  expect(system.unanswered).toBe(0);
  await expectInvariants(system);
});

test('ids are forgotten past their number and their age, oldest first', async () => {
  const system = await System.open({ workflows, dedupe: { ids: 3, ms: 10_000 } });
  await system.start('w', 'ledger').value();
  for (const id of ['1', '2', '3', '4']) await system.signalOnce(id, 'w', 'add', id).value();
  await system.signalOnce('2', 'w', 'add', 'not again').value();
  await system.signalOnce('1', 'w', 'add', '1 again').value();
  await system.pass(10_001);
  await system.signalOnce('5', 'w', 'add', '5').value();
  await system.signalOnce('4', 'w', 'add', '4 again').value();
  expect(await system.query('w', 'entries').value()).toEqual(['1', '2', '3', '4', '1 again', '5', '4 again']);
  for (const [runId, history] of system.histories()) expect([runId, history.length]).toEqual([runId, 8]);
});

test('a start sent twice is one start; another one is refused or uses the open run as its policy says', async () => {
  const system = await System.open({ workflows });
  const target = { workflowId: 'w', workflowType: 'ledger' };
  const first = system.startWith({ ...target, requestId: 'same' });
  const again = system.startWith({ ...target, requestId: 'same' });
  await system.settle();
  expect(again.reply).toMatchObject({ kind: 'started', started: true });
  expect(again.reply).toMatchObject({ runId: (first.reply as { runId: string }).runId });
  expect(await system.startWith(target).error()).toMatchObject({ code: 'WORKFLOW_ALREADY_STARTED' });
  const used = system.startWith({ ...target, conflictPolicy: 'USE_EXISTING' });
  await used.value();
  expect(used.reply).toMatchObject({ started: false, runId: (first.reply as { runId: string }).runId });
  await system.restart();
  const after = system.startWith({ ...target, requestId: 'same' });
  await after.value();
  expect(after.reply).toMatchObject({ started: true, runId: (first.reply as { runId: string }).runId });
  expect(system.histories().size).toBe(1);
  await expectInvariants(system);
});

test('policies decide whether a closed workflow id is used again', async () => {
  const system = await System.open({ workflows });
  const target = { workflowId: 'w', workflowType: 'ledger' };
  await system.startWith(target).value();
  await system.signal('w', 'finish').value();
  const duplicate = { code: 'WORKFLOW_ALREADY_STARTED' };
  expect(await system.startWith({ ...target, reusePolicy: 'REJECT_DUPLICATE' }).error()).toMatchObject(duplicate);
  expect(await system.startWith({ ...target, reusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' }).error()).toMatchObject(
    duplicate,
  );
  await system.startWith(target).value();
  await system.terminate('w').value();
  expect(await system.startWith({ ...target, reusePolicy: 'REJECT_DUPLICATE' }).error()).toMatchObject(duplicate);
  await system.startWith({ ...target, reusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' }).value();
  await system.startWith({ ...target, conflictPolicy: 'TERMINATE_EXISTING' }).value();
  expect([...system.histories().values()].map((history) => history.at(-1)?.eventType)).toEqual([
    'WorkflowExecutionCompleted',
    'WorkflowExecutionTerminated',
    'WorkflowExecutionTerminated',
    'WorkflowExecutionStarted',
  ]);
  await expectInvariants(system);
});

test('a closed run that has seen no id is not brought to life by requests that have one', async () => {
  const system = await System.open({ workflows, maxResident: 0 });
  await system.start('w', 'ledger').value();
  await system.signal('w', 'finish').value();
  expect(system.supervisor.core.actors.size).toBe(0);
  const asked = [
    system.signalOnce('r', 'w', 'add', 'x'),
    system.update('w', 'append', 'x'),
    system.pollUpdate('w', 'u'),
  ];
  for (const call of asked) expect((await call.error()).code).toMatch(/NOT_FOUND/);
  expect(system.supervisor.core.actors.size).toBe(0);
});
