/**
 * Nothing leaves before it is durable: replies, activities, lifecycle events, and answers that have no event of their own.
 */
import { expect, test } from 'vitest';
import { condition, proxyActivities, setHandler, sleep } from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { type Call, System } from '../test-kit/system.test-kit.js';
import { add, entries, ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const { charge } = proxyActivities<{ charge: (amount: number) => Promise<string> }>({ startToCloseTimeout: 1000 });

const workflows = {
  ledger,
  shop: async () => charge(5),
  sleeper: async () => sleep(1000),
};

/** A promise that can be looked at. */
function watch<T>(promise: Promise<T>): { value: T | undefined } {
  const watched: { value: T | undefined } = { value: undefined };
  void promise.then((value) => {
    watched.value = value;
  });
  return watched;
}

/** An open run of the ledger with everything durable. */
async function openLedger(): Promise<System> {
  const system = await System.open({ workflows });
  await system.start('w', 'ledger').value();
  return system;
}

const calls: [string, (system: System) => Call][] = [
  ['a signal', (system) => system.signal('w', 'add', 'b')],
  ['a signal with a request id', (system) => system.signalOnce('r', 'w', 'add', 'b')],
  ['an update that completes', (system) => system.update('w', 'append', 'b')],
  [
    'an update that is accepted',
    (system) => system.updateWith({ workflowId: 'w', name: 'appendLater', stage: 'ACCEPTED' }, 'b', 10),
  ],
  ['a rejected update', (system) => system.update('w', 'append', '')],
  ['an update without a handler', (system) => system.update('w', 'unheard of')],
  ['a query', (system) => system.query('w', 'entries')],
  ['a query without a handler', (system) => system.query('w', 'unheard of')],
  ['a start of the same workflow id', (system) => system.start('w', 'ledger')],
  [
    'a start that uses the existing run',
    (system) => system.startWith({ workflowId: 'w', workflowType: 'ledger', conflictPolicy: 'USE_EXISTING' }),
  ],
  ['a cancel request', (system) => system.cancel('w')],
  ['a termination', (system) => system.terminate('w')],
  ['a poll for an unknown update', (system) => system.pollUpdate('w', 'unheard of')],
  ['a history', (system) => system.request({ kind: 'fetchHistory', workflowId: 'w' })],
];

test.each(calls)('%s is answered only once all that its run has written is durable', async (_, call) => {
  const system = await openLedger();
  system.store.flushes.shut();
  const signal = system.signal('w', 'add', 'a');
  await system.settle();
  const made = call(system);
  await system.settle();
  expect(signal.answered).toBe(false);
  expect(made.answered).toBe(false);
  system.store.flushes.open();
  await system.settle();
  expect(signal.answered).toBe(true);
  expect(made.answered).toBe(true);
  await expectInvariants(system);
});

test.each(calls)(
  '%s before a crash is answered by nobody, and the next process knows nothing of it',
  async (_, call) => {
    const system = await openLedger();
    const before = system.types('w');
    system.store.flushes.shut();
    const signal = system.signal('w', 'add', 'a');
    await system.settle();
    const made = call(system);
    await system.settle();
    await system.crash();
    await system.settle();
    expect(signal.answered || made.answered).toBe(false);
    expect(system.types('w')).toEqual(before);
    expect(await system.query('w', 'entries').value()).toEqual([]);
    expect((await system.describe('w')).status).toBe('RUNNING');
    await expectInvariants(system);
  },
);

test('a start is answered, told of and listed only once it is durable', async () => {
  const system = await System.open({ workflows });
  system.store.flushes.shut();
  const start = system.start('w', 'ledger');
  await system.settle();
  const { controlPlane } = system.supervisor;
  const asked = [controlPlane.describe('w'), controlPlane.list('', 10), controlPlane.count('')].map((p) =>
    watch<unknown>(p),
  );
  await system.settle();
  expect(start.answered).toBe(false);
  expect(system.lifecycle).toEqual([]);
  expect(asked.map(({ value }) => value)).toEqual([undefined, undefined, undefined]);
  system.store.flushes.open();
  await system.settle();
  expect(start.reply?.kind).toBe('started');
  expect(system.lifecycle.map(({ name }) => name)).toEqual(['workflowStarted']);
  expect(asked[0]!.value).toMatchObject({ ok: true, value: { workflowId: 'w', historyLength: 1 } });
  expect(asked[1]!.value).toMatchObject({ ok: true, value: { rows: [{ workflowId: 'w' }] } });
  expect(asked[2]!.value).toEqual({ ok: true, value: { count: 1 } });
  await expectInvariants(system);
});

test('a start lost in a crash leaves no run', async () => {
  const system = await System.open({ workflows });
  system.store.flushes.shut();
  const start = system.start('w', 'ledger');
  await system.settle();
  await system.crash();
  expect(start.answered).toBe(false);
  expect(system.lifecycle).toEqual([]);
  expect(await system.query('w', 'entries').error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
  expect(await system.supervisor.controlPlane.list('', 10)).toEqual({ ok: true, value: { rows: [] } });
  await expectInvariants(system);
});

test('an activity is started only once its scheduling is durable', async () => {
  const system = await System.open({ workflows });
  system.store.flushes.shut();
  system.start('w', 'shop');
  await system.settle();
  system.store.flushes.letThrough();
  await system.settle();
  expect(system.attempts).toEqual([]);
  system.store.flushes.open();
  await system.settle();
  expect(system.attempts.map(({ activityType }) => activityType)).toEqual(['charge']);
  system.activityReturns(system.attempts[0]!, 'paid');
  expect(await system.result('w').value()).toBe('paid');
  await expectInvariants(system);
});

test('a result is told, and its close announced, only once the close is durable', async () => {
  const system = await openLedger();
  const result = system.result('w');
  system.store.flushes.shut();
  system.signal('w', 'finish');
  await system.settle();
  // The signal is durable now, what its step made is not.
  system.store.flushes.letThrough();
  await system.settle();
  const late = system.result('w');
  const signal = system.signal('w', 'add', 'too late');
  const query = system.query('w', 'entries');
  await system.settle();
  expect([result, late, signal, query].map(({ answered }) => answered)).toEqual([false, false, false, false]);
  expect(system.lifecycle.map(({ name }) => name)).not.toContain('workflowClosed');
  system.store.flushes.open();
  expect(await result.value()).toEqual([]);
  expect(await late.value()).toEqual([]);
  expect(await query.value()).toEqual([]);
  expect(await signal.error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND', fields: { closed: true } });
  expect(system.lifecycle.map(({ name }) => name)).toContain('workflowClosed');
  await expectInvariants(system);
});

test('a close lost in a crash has been told to nobody, and happens again', async () => {
  const system = await openLedger();
  const result = system.result('w');
  system.store.flushes.shut();
  system.signal('w', 'finish');
  await system.settle();
  system.store.flushes.letThrough();
  await system.settle();
  await system.crash();
  expect(result.answered).toBe(false);
  await system.settle();
  expect(system.types('w')).toEqual([
    'WorkflowExecutionStarted',
    'WorkflowExecutionSignaled',
    'WorkflowExecutionCompleted',
  ]);
  expect(await system.result('w').value()).toEqual([]);
  await expectInvariants(system);
});

test('a description, a list and a count tell of nothing that was written after they were asked', async () => {
  const system = await openLedger();
  system.store.flushes.shut();
  system.signal('w', 'add', 'a');
  await system.settle();
  const { controlPlane } = system.supervisor;
  const description = watch(controlPlane.describe('w'));
  const list = watch(controlPlane.list('', 10));
  const completed = watch(controlPlane.count(`ExecutionStatus = 'Completed'`));
  system.signal('w', 'finish');
  await system.settle();
  system.store.flushes.letThrough();
  await system.settle();
  // The flush of the first signal is over; that of the close is held.
  expect(description.value).toMatchObject({ ok: true, value: { status: 'RUNNING', historyLength: 2 } });
  const listed = { ok: true, value: { rows: [{ status: 'RUNNING', historyLength: 2 }] } };
  expect(list.value ?? listed).toMatchObject(listed);
  const counted = { ok: true, value: { count: 0 } };
  expect(completed.value ?? counted).toEqual(counted);
  system.store.flushes.open();
  await system.settle();
  expect(list.value).toMatchObject(listed);
  expect(completed.value).toEqual(counted);
  expect((await system.describe('w')).status).toBe('COMPLETED');
  await expectInvariants(system);
});

test('a timer rings only once its start is durable', async () => {
  const system = await System.open({ workflows });
  system.store.flushes.shut();
  system.start('w', 'sleeper');
  await system.settle();
  system.store.flushes.letThrough();
  await system.settle();
  await system.pass(2000);
  expect(system.workers.turns).toHaveLength(1);
  system.store.flushes.open();
  await system.settle();
  await system.pass(0);
  expect(system.workers.turns.length).toBeGreaterThan(1);
  await system.crash();
  await system.pass(2000);
  expect(system.types('w')).toContain('TimerFired');
  expect((await system.describe('w')).status).toBe('COMPLETED');
  await expectInvariants(system);
});

test('a suspension and an accepted update are announced only once what came before them is durable', async () => {
  const system = await System.open({
    workflows: {
      fragile: async () => {
        setHandler(entries, () => []);
        setHandler(add, () => {
          throw new TypeError('broken');
        });
        await condition(() => false);
      },
      ledger,
    },
  });
  await system.start('f', 'fragile').value();
  await system.start('w', 'ledger').value();
  system.store.flushes.shut();
  system.signal('f', 'add', 'a');
  system.updateWith({ workflowId: 'w', name: 'append', updateId: 'u' }, 'a');
  const rejected = system.update('w', 'append', '');
  await system.settle();
  const told = system.lifecycle.map(({ name }) => name);
  expect(told).not.toContain('runSuspended');
  expect(told).not.toContain('updateAccepted');
  expect(told).not.toContain('updateRejected');
  expect(rejected.answered).toBe(false);
  system.store.flushes.open();
  await system.settle();
  expect(system.lifecycle.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['runSuspended', 'updateAccepted', 'updateRejected']),
  );
  await system.terminate('f').value();
  await expectInvariants(system);
});

test('after a flush fails, nobody is told anything more and the supervisor reports why', async () => {
  const system = await openLedger();
  const failure = new Error('the disk is gone');
  system.store.fail(failure);
  const made = calls.map(([, call]) => call(system));
  await system.settle();
  expect(made.filter(({ answered }) => answered)).toEqual([]);
  expect(system.failures).toEqual([failure]);
  await system.crash();
  system.failures.length = 0;
  expect(await system.query('w', 'entries').value()).toEqual([]);
  await expectInvariants(system);
});

test('what leaves one flush late is told in the order in which it was done', async () => {
  const system = await openLedger();
  system.store.flushes.shut();
  const order: string[] = [];
  const note = async (name: string, call: Call) => {
    while (!call.answered) await new Promise<void>((resolve) => setImmediate(resolve));
    order.push(name);
  };
  const notes = [
    note('signal', system.signal('w', 'add', 'a')),
    note('update', system.update('w', 'append', 'b')),
    note('query', system.query('w', 'entries')),
  ];
  await system.settle();
  expect(order).toEqual([]);
  system.store.flushes.open();
  await system.settle();
  await Promise.all(notes);
  expect(order[0]).toBe('signal');
  await expectInvariants(system);
});
