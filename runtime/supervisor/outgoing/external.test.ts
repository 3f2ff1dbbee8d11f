/**
 * What workflows ask of other workflows: recorded, carried out once, answered.
 */
import { expect, test } from 'vitest';
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  setHandler,
  sleep,
  workflowInfo,
} from '../../../actors/workflow/index.js';
import { decodePayload } from '../../../mailbox/payload.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { System, type Workflows } from '../../test-kit/system.test-kit.js';
import { add, append, appendLater, entries, finish, ledger } from '../../test-kit/workflows.test-kit.js';

routeRejections();

const told = defineQuery<unknown[]>('told');
const go = defineSignal('go');
const broken = defineQuery<string>('broken');

/** What a failure says of itself, and of what caused it. */
function tell(error: unknown): unknown {
  if (!(error instanceof ApplicationFailure)) return error instanceof Error ? [error.name, error.message] : error;
  const { type, message, nonRetryable, cause } = error;
  return { type, message, nonRetryable, ...(cause === undefined ? {} : { cause: tell(cause) }) };
}

/** Does to the ledger 'l' what `act` says, and ends with what came of it, once told to. */
function sender(act: () => Promise<unknown>): () => Promise<unknown> {
  return async () => {
    const log: unknown[] = [];
    let ended = false;
    setHandler(told, () => log);
    setHandler(go, () => {
      ended = true;
    });
    try {
      log.push(await act());
    } catch (error) {
      log.push(tell(error));
    }
    await condition(() => ended);
    return log;
  };
}

const target = () => getExternalWorkflowHandle<typeof ledger>('l');

async function open(act: () => Promise<unknown>, workflows: Workflows = {}): Promise<System> {
  const system = await System.open({ workflows: { ledger, sender: sender(act), ...workflows } });
  await system.start('l', 'ledger').value();
  return system;
}

/** Starts the sender and says what came of its request. */
async function outcome(system: System): Promise<unknown> {
  await system.start('s', 'sender').value();
  await system.settle();
  const [first] = (await system.query('s', 'told').value()) as unknown[];
  return first;
}

/** The durable history, without what all histories begin and end with. */
function between(system: System, workflowId: string): unknown[] {
  return system.types(workflowId).slice(1);
}

test('a signal is recorded by its sender, applied by its recipient, and answered', async () => {
  const system = await open(async () => target().signal(add, 'hello'));
  expect(await outcome(system)).toBeUndefined();
  expect(between(system, 's')).toEqual([
    'SignalExternalWorkflowExecutionInitiated',
    'ExternalWorkflowExecutionSignaled',
  ]);
  const { runId } = await system.describe('s');
  expect(system.history('l').at(-1)).toMatchObject({
    eventType: 'WorkflowExecutionSignaled',
    signalName: 'add',
    sender: { workflowId: 's', runId },
    requestId: `external/${runId}/1`,
  });
  expect(await system.query('l', 'entries').value()).toEqual(['hello']);
  await expectInvariants(system);
});

test('signals of one step arrive in the order in which they were sent', async () => {
  const system = await open(() => Promise.all(['a', 'b', 'c'].map((entry) => target().signal(add, entry))));
  await outcome(system);
  expect(await system.query('l', 'entries').value()).toEqual(['a', 'b', 'c']);
  await expectInvariants(system);
});

test('nothing is sent before it is durable that it was asked, nor told before it is durable that it was done', async () => {
  const system = await open(async () => target().signal(add, 'hello'));
  system.store.flushes.shut();
  system.start('s', 'sender');
  await system.settle();
  // The start, then the request.
  system.store.flushes.letThrough();
  await system.settle();
  expect(
    await Promise.race([system.query('l', 'entries').value(), system.settle().then(() => 'silence')]),
  ).toBeDefined();
  expect(system.types('s')).toEqual(['WorkflowExecutionStarted']);
  expect(system.types('l')).toEqual(['WorkflowExecutionStarted']);
  system.store.flushes.letThrough();
  await system.settle();
  expect(system.types('s')).toEqual(['WorkflowExecutionStarted', 'SignalExternalWorkflowExecutionInitiated']);
  expect(system.types('l')).toEqual(['WorkflowExecutionStarted']);
  system.store.flushes.letThrough();
  await system.settle();
  expect(system.types('l')).toEqual(['WorkflowExecutionStarted', 'WorkflowExecutionSignaled']);
  expect(system.types('s')).toHaveLength(2);
  system.store.flushes.open();
  await system.settle();
  expect(system.types('s').at(-1)).toBe('ExternalWorkflowExecutionSignaled');
  await expectInvariants(system);
});

test('a cancel request names its sender and its reason', async () => {
  const system = await open(async () => target().cancel('enough'));
  expect(await outcome(system)).toBeUndefined();
  expect(between(system, 's')).toEqual([
    'RequestCancelExternalWorkflowExecutionInitiated',
    'ExternalWorkflowExecutionCancelRequested',
  ]);
  expect(system.history('l').at(-2)).toMatchObject({
    eventType: 'WorkflowExecutionCancelRequested',
    reason: 'enough',
    sender: { workflowId: 's' },
  });
  expect((await system.describe('l')).status).toBe('CANCELLED');
  await expectInvariants(system);
});

test('an update is executed and its result told', async () => {
  const system = await open(async () => target().executeUpdate(appendLater, { args: ['hello', 1000] }));
  await system.start('s', 'sender').value();
  await system.settle();
  expect(await system.query('s', 'told').value()).toEqual([]);
  await system.pass(1000);
  expect(await system.query('s', 'told').value()).toEqual([1]);
  expect(between(system, 's')).toEqual([
    'UpdateExternalWorkflowExecutionInitiated',
    'ExternalWorkflowExecutionUpdateCompleted',
  ]);
  const { runId } = await system.describe('l');
  expect(system.history('s').at(-1)).toMatchObject({ runId });
  await expectInvariants(system);
});

test('a started update gives its handle once accepted, and its result when that is asked', async () => {
  const system = await open(async () => {
    const update = await target().startUpdate(appendLater, { args: ['hello', 1000], waitForStage: 'ACCEPTED' });
    return [update.workflowId, update.workflowRunId, await update.result(), await update.result()];
  });
  await system.start('s', 'sender').value();
  await system.pass(0);
  expect(between(system, 's')).toEqual([
    'UpdateExternalWorkflowExecutionInitiated',
    'ExternalWorkflowExecutionUpdateAccepted',
    'UpdateExternalWorkflowExecutionInitiated',
  ]);
  await system.pass(1000);
  const { runId } = await system.describe('l');
  expect(await system.query('s', 'told').value()).toEqual([['l', runId, 1, 1]]);
  await expectInvariants(system);
});

test('an update that is over when it is accepted is not asked for again', async () => {
  const system = await open(async () => {
    const update = await target().startUpdate(append, { args: ['hello'], waitForStage: 'ACCEPTED', updateId: 'u' });
    return [update.updateId, await update.result()];
  });
  expect(await outcome(system)).toEqual(['u', 1]);
  expect(between(system, 's')).toEqual([
    'UpdateExternalWorkflowExecutionInitiated',
    'ExternalWorkflowExecutionUpdateCompleted',
  ]);
  await expectInvariants(system);
});

test('a query is answered, also by a closed run', async () => {
  const system = await open(async () => target().query(entries));
  await system.signal('l', 'add', 'hello').value();
  await system.signal('l', 'finish').value();
  expect(await outcome(system)).toEqual(['hello']);
  expect(between(system, 's')).toEqual(['QueryExternalWorkflowExecutionInitiated', 'ExternalWorkflowExecutionQueried']);
  await expectInvariants(system);
});

test('by name, and with nothing to send, requests are the same', async () => {
  const system = await open(async () => {
    await target().signal('add', 'x');
    await target().signal(finish);
    return target().query('entries');
  });
  expect(await outcome(system)).toEqual(['x']);
  await expectInvariants(system);
});

test('update ids that nobody gave are the same at every replay, and no two are the same', async () => {
  const system = await open(async () => {
    await target().executeUpdate(append, { args: ['a'] });
    return target().executeUpdate(append, { args: ['b'] });
  });
  expect(await outcome(system)).toBe(2);
  const ids = system
    .history('l')
    .flatMap((e) => (e.eventType === 'WorkflowExecutionUpdateAccepted' ? [e.updateId] : []));
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  await expectInvariants(system);
});

test.each([
  ['signal', () => getExternalWorkflowHandle('nobody').signal(add, 'x'), 'SignalExternalWorkflowExecutionFailed'],
  ['cancel', () => getExternalWorkflowHandle('nobody').cancel(), 'RequestCancelExternalWorkflowExecutionFailed'],
  [
    'update',
    () => getExternalWorkflowHandle('nobody').executeUpdate(append, { args: ['x'] }),
    'UpdateExternalWorkflowExecutionFailed',
  ],
  ['query', () => getExternalWorkflowHandle('nobody').query(entries), 'QueryExternalWorkflowExecutionFailed'],
] as const)(
  '%s: to a workflow that does not exist it fails with what a client would be told',
  async (_, act, event) => {
    const system = await open(act);
    expect(await outcome(system)).toEqual({
      type: 'WorkflowNotFoundError',
      message: expect.stringMatching(/'nobody'.*Check the workflow id/),
      nonRetryable: true,
    });
    expect(system.types('s').at(-1)).toBe(event);
    await expectInvariants(system);
  },
);

test('to a closed run, and to a run that is not there, only queries go', async () => {
  const system = await open(() =>
    Promise.allSettled([
      target().signal(add, 'x'),
      target().cancel(),
      target().executeUpdate(append, { args: ['x'] }),
      getExternalWorkflowHandle('l', 'no such run').signal(add, 'x'),
    ]).then((all) => all.map((one) => one.status === 'rejected' && (one.reason as ApplicationFailure).message)),
  );
  await system.signal('l', 'finish').value();
  const [closed, again, third, missing] = (await outcome(system)) as string[];
  expect(closed).toMatch(/'l'.*already completed/);
  expect(again).toBe(closed!.replace('signal', 'cancel').replace('it was not found', 'not found'));
  expect(closed).toBe(`Unable to signal external workflow because it was not found: ${third}`);
  expect(missing).toContain('no such run');
  await expectInvariants(system);
});

test('a rejected update fails with its cause; started, it gives a handle that says so', async () => {
  const system = await open(async () => {
    const executed = await target()
      .executeUpdate(append, { args: [''] })
      .catch(tell);
    const update = await target().startUpdate(append, { args: [''], waitForStage: 'ACCEPTED' });
    const started = await update.result().catch(tell);
    return [executed, update.workflowRunId, started];
  });
  const [executed, workflowRunId, started] = (await outcome(system)) as unknown[];
  expect(executed).toMatchObject({
    type: 'WorkflowUpdateFailedError',
    nonRetryable: true,
    cause: { type: 'Empty', message: 'nothing to append', nonRetryable: true },
  });
  expect(workflowRunId).toBeUndefined();
  expect(started).toMatchObject({ type: 'WorkflowUpdateFailedError', cause: { type: 'Empty' } });
  expect(system.types('l')).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});

test('an update whose run closes first fails with that cause', async () => {
  const system = await open(async () => target().executeUpdate(appendLater, { args: ['x', 1000] }));
  await system.start('s', 'sender').value();
  await system.settle();
  await system.signal('l', 'finish').value();
  await system.settle();
  expect(await system.query('s', 'told').value()).toMatchObject([
    { type: 'WorkflowUpdateFailedError', cause: { type: 'AcceptedUpdateCompletedWorkflow' } },
  ]);
  await expectInvariants(system);
});

test('queries that fail say why', async () => {
  const system = await open(
    () =>
      Promise.all([
        getExternalWorkflowHandle('b').query(broken).catch(tell),
        getExternalWorkflowHandle('b').query('unknown').catch(tell),
      ]),
    {
      breaking: async () => {
        setHandler(broken, () => {
          throw ApplicationFailure.nonRetryable('no answer', 'Odd');
        });
        await condition(() => false);
      },
    },
  );
  await system.start('b', 'breaking').value();
  expect(await outcome(system)).toMatchObject([
    { type: 'QueryFailedError', message: expect.stringContaining('no answer'), cause: { type: 'Odd' } },
    { type: 'QueryNotRegisteredError', message: expect.stringContaining('broken') },
  ]);
  await expectInvariants(system);
});

test('a suspended workflow keeps signals, and refuses updates and queries with its cause', async () => {
  const system = await open(
    async () => {
      const handle = getExternalWorkflowHandle('b');
      await handle.signal(add, 'kept');
      return [await handle.executeUpdate(append, { args: ['x'] }).catch(tell), await handle.query(entries).catch(tell)];
    },
    {
      breaking: async () => {
        throw new TypeError('oops');
      },
    },
  );
  await system.start('b', 'breaking').value();
  expect(await outcome(system)).toMatchObject([
    { type: 'WorkflowSuspendedError', cause: { type: 'TypeError', message: 'oops' } },
    { type: 'WorkflowSuspendedError', cause: { type: 'TypeError', message: 'oops' } },
  ]);
  expect(system.types('b')).toEqual(['WorkflowExecutionStarted', 'WorkflowExecutionSignaled']);
  system.deploy({ breaking: ledger });
  await system.pass(60_000);
  expect(await system.query('b', 'entries').value()).toEqual(['kept']);
  await expectInvariants(system);
});

test('an overloaded workflow refuses with a failure of that name', async () => {
  const system = await System.open({
    workflows: { ledger, sender: sender(async () => target().executeUpdate(append, { args: ['x'] })) },
    limits: { updatesInFlight: 1 },
  });
  await system.start('l', 'ledger').value();
  system.updateWith({ workflowId: 'l', name: 'appendLater', stage: 'ACCEPTED' }, 'first', 1000);
  expect(await outcome(system)).toMatchObject({
    type: 'ResourceExhaustedError',
    message: expect.stringContaining('updates in flight'),
  });
  await expectInvariants(system);
});

test('requests take no place among those of clients', async () => {
  const system = await System.open({
    workflows: { ledger, sender: sender(() => Promise.all([1, 2, 3].map((n) => target().signal(add, String(n))))) },
    limits: { requestsInFlight: 1 },
  });
  await system.start('l', 'ledger').value();
  await outcome(system);
  expect(await system.query('l', 'entries').value()).toEqual(['1', '2', '3']);
  await expectInvariants(system);
});

test('a workflow may address itself', async () => {
  const system = await open(async () => {
    const log: string[] = [];
    setHandler(add, (entry) => {
      log.push(entry);
    });
    setHandler(append, (entry) => log.push(entry));
    setHandler(entries, () => log);
    const self = getExternalWorkflowHandle(workflowInfo().workflowId);
    await self.signal(add, 'a');
    const length = await self.executeUpdate(append, { args: ['b'] });
    return [length, await self.query(entries)];
  });
  expect(await outcome(system)).toEqual([2, ['a', 'b']]);
  await expectInvariants(system);
});

const ask = defineUpdate<string, [of: string]>('ask');
const tellName = defineUpdate<string>('tellName');

/** Its `ask` awaits the other's `ask`, or at the second hop the other's `tellName`. */
async function talker(): Promise<void> {
  const { workflowId } = workflowInfo();
  setHandler(tellName, () => workflowId);
  setHandler(ask, async (of) => {
    const other = getExternalWorkflowHandle(of);
    if (workflowId === 'a') return `a heard ${await other.executeUpdate(ask, { args: [workflowId] })}`;
    return `b heard ${await other.executeUpdate(tellName)}`;
  });
  await condition(() => false);
}

test('two workflows that await each other’s updates do not hang', async () => {
  const system = await System.open({ workflows: { talker } });
  await system.start('a', 'talker').value();
  await system.start('b', 'talker').value();
  expect(await system.update('a', 'ask', 'b').value()).toBe('a heard b heard a');
  await expectInvariants(system);
});

test('a workflow whose close is being decided just takes longer', async () => {
  const system = await open(async () => target().executeUpdate(append, { args: ['from s'] }));
  system.workers.returns.shut();
  await system.signal('l', 'finish').value();
  await system.signal('l', 'add', 'late').value();
  system.start('s', 'sender');
  system.workers.returns.open();
  await system.settle();
  const [told] = (await system.query('s', 'told').value()) as { type: string }[];
  // Held or not, it is told of the closed run.
  expect(told).toMatchObject({ type: 'WorkflowNotFoundError' });
  expect(await system.result('l').value()).toEqual(['late']);
  await expectInvariants(system);
});

test('a run that closes has nobody to hear what it asked, and what it asked is done', async () => {
  const system = await open(async () => undefined, {
    hasty: async () => {
      void target().signal(add, 'from hasty');
      void target()
        .executeUpdate(appendLater, { args: ['later', 1000] })
        .catch(() => undefined);
      return 'done';
    },
  });
  await system.start('h', 'hasty').value();
  expect(await system.result('h').value()).toBe('done');
  await system.pass(1000);
  expect(await system.query('l', 'entries').value()).toEqual(['from hasty', 'later']);
  expect(system.types('h').at(-1)).toBe('WorkflowExecutionCompleted');
  await expectInvariants(system);
});

test('what a run asked in its last step is done also if the process dies before', async () => {
  const system = await open(async () => undefined, {
    hasty: async () => {
      void target().signal(add, 'from hasty');
      return 'done';
    },
  });
  // Its ids are in its history, and have to be read before it can be given anything.
  await system.signalOnce('r', 'l', 'add', 'before').value();
  await system.restart();
  system.store.reads.shut();
  await system.start('h', 'hasty').value();
  expect((await system.describe('h')).status).toBe('COMPLETED');
  expect(system.types('l').filter((type) => type === 'WorkflowExecutionSignaled')).toHaveLength(1);
  await system.crash();
  await system.settle();
  expect(await system.query('l', 'entries').value()).toEqual(['before', 'from hasty']);
  await system.restart();
  expect(await system.query('l', 'entries').value()).toEqual(['before', 'from hasty']);
  await expectInvariants(system);
});

test('a request withdrawn in the step that made it leaves no event', async () => {
  const system = await open(async () => {
    const scope = new CancellationScope();
    const sent = scope.run(() => target().signal(add, 'never'));
    scope.cancel();
    return sent.catch((error) => error instanceof CancelledFailure);
  });
  expect(await outcome(system)).toBe(true);
  expect(system.types('s')).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});

test('cancellation ends the wait for an update, not the update; a signal under way is waited for', async () => {
  const system = await open(async () => {
    const scope = new CancellationScope();
    const both = scope.run(() =>
      Promise.all([
        target()
          .executeUpdate(appendLater, { args: ['later', 1000] })
          .catch((error) => error instanceof CancelledFailure),
        target().signal(add, 'now'),
      ]),
    );
    await Promise.resolve();
    await getExternalWorkflowHandle('l').query(entries);
    scope.cancel();
    return both;
  });
  expect(await outcome(system)).toEqual([true, null].map((value) => value ?? undefined));
  await system.pass(1000);
  expect(await system.query('l', 'entries').value()).toEqual(['now', 'later']);
  await expectInvariants(system);
});

test('in a cancelled scope nothing is asked, not even a cancellation', async () => {
  const system = await open(async () => {
    const scope = new CancellationScope();
    scope.cancel();
    const cancelled = (error: unknown) => error instanceof CancelledFailure;
    return [
      await scope.run(() => target().signal(add, 'never')).catch(cancelled),
      await scope.run(() => target().cancel()).catch(cancelled),
    ];
  });
  expect(await outcome(system)).toEqual([true, true]);
  expect(system.types('l')).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});

test('more requests without an answer than a run may have are refused', async () => {
  const system = await open(async () => {
    const asked = Array.from({ length: 2001 }, (_, n) => target().signal(add, String(n)));
    const all = await Promise.allSettled(asked);
    const refused = all.flatMap((one, index) => (one.status === 'rejected' ? [[index, tell(one.reason)]] : []));
    await target().signal(add, 'afterwards');
    return refused;
  });
  expect(await outcome(system)).toMatchObject([
    [2000, { type: 'ResourceExhaustedError', message: expect.stringContaining('2000'), nonRetryable: true }],
  ]);
  await expectInvariants(system);
});

/** A ledger that shows what was there before it began. */
async function cart(owner: string): Promise<string[]> {
  const log = [owner];
  setHandler(add, (entry) => {
    log.push(entry);
  });
  setHandler(entries, () => log);
  log.push('begun');
  await condition(() => false);
  return log;
}

const signalCart = (entry: string) =>
  getExternalWorkflowHandle<typeof cart>('cart').signalWithStart(cart, {
    args: ['ada'],
    signal: add,
    signalArgs: [entry],
  });

test('signalWithStart starts a workflow that is not there, with the signal before it begins, and signals one that is', async () => {
  const system = await open(async () => [await signalCart('a'), await signalCart('b')], { cart });
  const [first, second] = (await outcome(system)) as { signaledRunId: string }[];
  const { runId } = await system.describe('cart');
  expect([first, second]).toEqual([{ signaledRunId: runId }, { signaledRunId: runId }]);
  expect(await system.query('cart', 'entries').value()).toEqual(['ada', 'a', 'begun', 'b']);
  expect(between(system, 's')).toEqual([
    'SignalExternalWorkflowExecutionInitiated',
    'ExternalWorkflowExecutionSignaled',
    'SignalExternalWorkflowExecutionInitiated',
    'ExternalWorkflowExecutionSignaled',
  ]);
  const { runId: sender } = await system.describe('s');
  const signals = system.history('cart').filter(({ eventType }) => eventType === 'WorkflowExecutionSignaled');
  expect(signals).toHaveLength(2);
  for (const event of signals) {
    expect(event).toMatchObject({ signalName: 'add', sender: { workflowId: 's', runId: sender } });
  }
  await expectInvariants(system);
});

test('signalWithStart of a type that is not there fails; by a pinned handle it is refused', async () => {
  const system = await open(async () => [
    await getExternalWorkflowHandle('x')
      .signalWithStart('missing', { signal: 'add', signalArgs: ['a'] })
      .catch(tell),
    await getExternalWorkflowHandle('x', 'run').signalWithStart('cart', { signal: 'add' }).catch(tell),
  ]);
  expect(await outcome(system)).toMatchObject([
    { type: 'UnknownWorkflowTypeError' },
    ['InvalidArgumentError', expect.stringContaining('pinned')],
  ]);
  await expectInvariants(system);
});

test.each(['lost', 'kept'] as const)(
  'with a crash at any flush, its batch %s, signalWithStart starts once and signals once',
  async (fate) => {
    for (let at = 0; at < 8; at++) {
      const system = await open(async () => [await signalCart('a'), await signalCart('b')], { cart });
      system.store.flushes.shut();
      system.startWith({ workflowId: 's', workflowType: 'sender', requestId: 'once' });
      for (let flush = 0; flush < at; flush++) {
        await system.settle();
        system.store.flushes.letThrough();
      }
      await system.settle();
      await system.crash(fate);
      await system.startWith({ workflowId: 's', workflowType: 'sender', requestId: 'once' }).value();
      await system.settle();
      expect(await system.query('cart', 'entries').value()).toEqual(['ada', 'a', 'begun', 'b']);
      await expectInvariants(system);
    }
  },
);

test('a query handler can ask nothing of others', async () => {
  const system = await open(async () => undefined, {
    asking: async () => {
      setHandler(broken, () => {
        void target().signal(add, 'never');
        return 'asked';
      });
      await condition(() => false);
    },
  });
  await system.start('b', 'asking').value();
  expect(await system.query('b', 'broken').error()).toMatchObject({ name: 'QueryFailedError' });
  await expectInvariants(system);
});

test('describe tells what a run has asked and has no answer to', async () => {
  const system = await open(async () => target().executeUpdate(appendLater, { args: ['x', 1000] }));
  await system.start('s', 'sender').value();
  await system.settle();
  const pending = [{ externalId: '1', kind: 'update', workflowId: 'l' }];
  expect((await system.describe('s')).pendingExternals).toEqual(pending);
  await system.crash();
  expect((await system.describe('s')).pendingExternals).toEqual(pending);
  await system.pass(1000);
  expect((await system.describe('s')).pendingExternals).toEqual([]);
  await expectInvariants(system);
});

/** One request of each kind, one after the other. */
const everything = async (): Promise<unknown[]> => {
  const handle = getExternalWorkflowHandle('l');
  await handle.signal(add, 'a');
  const appended = await handle.executeUpdate(append, { args: ['b'] });
  const update = await handle.startUpdate(appendLater, { args: ['c', 1], waitForStage: 'ACCEPTED' });
  const later = await update.result();
  const rejected = await handle.executeUpdate(append, { args: [''] }).catch((error) => (error as Error).name);
  const found = await handle.query(entries);
  await handle.cancel('enough');
  await sleep(1);
  const missing = await getExternalWorkflowHandle('nobody')
    .signal(add, 'x')
    .catch((error) => (error as ApplicationFailure).type);
  return [appended, later, rejected, found, missing];
};
const EVERYTHING = [2, 3, 'ApplicationFailure', ['a', 'b', 'c'], 'WorkflowNotFoundError'];

/** Ends cancelled with its entries intact. */
async function steadfast(): Promise<string[]> {
  const log: string[] = [];
  let cancelled = false;
  setHandler(add, (entry) => {
    log.push(entry);
  });
  setHandler(entries, () => log);
  setHandler(append, (entry) => log.push(entry), {
    validator: (entry) => {
      if (entry === '') throw ApplicationFailure.nonRetryable('nothing to append', 'Empty');
    },
  });
  setHandler(appendLater, async (entry, ms) => {
    await sleep(ms);
    return log.push(entry);
  });
  try {
    await condition(() => false);
  } catch {
    cancelled = true;
  }
  return [...log, String(cancelled)];
}

/** Runs until the sender has closed; `disturb` is called before each flush is let through and may end the process. */
async function runThrough(disturb: (system: System, flush: number) => Promise<void>): Promise<System> {
  const system = await System.open({
    workflows: { steadfast, everything },
  });
  await system.start('l', 'steadfast').value();
  system.store.flushes.shut();
  system.startWith({ workflowId: 's', workflowType: 'everything', requestId: 'once' });
  for (let flush = 0; flush < 100; flush++) {
    await system.settle();
    if (system.types('s').at(-1) === 'WorkflowExecutionCompleted') break;
    await disturb(system, flush);
    if (system.store.flushes.waiting > 0) system.store.flushes.letThrough();
    else {
      if (system.types('s').length === 0)
        system.startWith({ workflowId: 's', workflowType: 'everything', requestId: 'once' });
      system.clock.advance(1);
    }
  }
  system.store.flushes.open();
  await system.settle();
  return system;
}

async function expectEverythingOnce(system: System): Promise<void> {
  const last = system.history('s').at(-1);
  expect(last?.eventType).toBe('WorkflowExecutionCompleted');
  if (last?.eventType === 'WorkflowExecutionCompleted') expect(decodePayload(last.result)).toEqual(EVERYTHING);
  const cancels = system.history('l').filter(({ eventType }) => eventType === 'WorkflowExecutionCancelRequested');
  expect(cancels).toHaveLength(1);
  expect(await system.result('l').value()).toEqual(['a', 'b', 'c', 'true']);
  await expectInvariants(system);
}

test('undisturbed, each request has its effect and its answer', async () => {
  const system = await runThrough(async () => undefined);
  await expectEverythingOnce(system);
});

test.each(['lost', 'kept'] as const)(
  'with a crash at any flush, its batch %s, each request is applied once',
  async (fate) => {
    for (let at = 0; ; at++) {
      let crashed = false;
      const system = await runThrough(async (it, flush) => {
        if (flush !== at) return;
        crashed = true;
        await it.crash(fate);
        it.store.flushes.shut();
        await it.settle();
      });
      await expectEverythingOnce(system);
      if (!crashed) break;
    }
  },
);

test('with a crash at every flush, each request is applied once', async () => {
  const system = await runThrough(async (it, flush) => {
    if (flush % 2 === 0) return;
    await it.crash('kept');
    it.store.flushes.shut();
    await it.settle();
  });
  await expectEverythingOnce(system);
});

test('evicted at any moment, sender and recipient go on from the same state', async () => {
  const system = await System.open({ workflows: { steadfast, everything } });
  system.config.maxResident = 0;
  await system.start('l', 'steadfast').value();
  await system.start('s', 'everything').value();
  for (let i = 0; i < 20; i++) await system.pass(1);
  await expectEverythingOnce(system);
});

test('a worker lost at any turn changes nothing', async () => {
  for (let at = 0; ; at++) {
    const system = await System.open({ workflows: { steadfast, everything } });
    await system.start('l', 'steadfast').value();
    let turn = 0;
    system.workers.fate = () => (turn++ === at ? 'between' : undefined);
    await system.start('s', 'everything').value();
    for (let i = 0; i < 5; i++) await system.pass(1);
    await expectEverythingOnce(system);
    if (turn <= at) break;
  }
});

test('a clean restart takes up what was asked', async () => {
  const system = await open(async () => target().executeUpdate(appendLater, { args: ['x', 1000] }));
  await system.start('s', 'sender').value();
  await system.settle();
  await system.restart();
  await system.pass(1000);
  expect(await system.query('s', 'told').value()).toEqual([1]);
  await expectInvariants(system);
});

test('what a run asks after a restart waits behind what it asked before', async () => {
  const twice = async () => {
    setHandler(go, () => {
      void target().signal(add, 'second');
    });
    void target().signal(add, 'first');
    await condition(() => false);
  };
  const asking = () => getExternalWorkflowHandle('other').executeUpdate(appendLater, { args: ['x', 1000] });
  const system = await System.open({ workflows: { ledger, twice, asking } });
  await system.start('l', 'ledger').value();
  await system.start('other', 'ledger').value();
  // Taken up before it: their histories are read first, one after the other.
  await system.start('a', 'asking').value();
  await system.start('b', 'asking').value();
  await system.settle();
  system.store.flushes.shut();
  system.start('s', 'twice');
  await system.settle();
  while (!system.types('s').includes('SignalExternalWorkflowExecutionInitiated')) {
    system.store.flushes.letThrough();
    await system.settle();
  }
  await system.crash('lost');
  system.store.reads.shut();
  expect(system.types('l')).toEqual(['WorkflowExecutionStarted']);
  await system.signal('s', 'go').value();
  system.store.reads.letThrough();
  await system.settle();
  const asked = system.types('s').filter((type) => type === 'SignalExternalWorkflowExecutionInitiated');
  expect(asked).toHaveLength(2);
  expect(system.types('l')).toEqual(['WorkflowExecutionStarted']);
  system.store.reads.open();
  await system.settle();
  expect(await system.query('l', 'entries').value()).toEqual(['first', 'second']);
  await system.pass(1000);
  await expectInvariants(system);
});
