/**
 * Child workflows: started once, awaited to their end, and given their due when their parent closes.
 */
import { expect, test } from 'vitest';
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  ChildWorkflowFailure,
  type ChildWorkflowOptions,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  setHandler,
  sleep,
  startChild,
  TerminatedFailure,
  WorkflowExecutionAlreadyStartedError,
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
const cancelScope = defineSignal('cancelScope');

/** What a failure says of itself, and of what caused it. */
function tell(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message } = error;
  const cause = error.cause === undefined ? {} : { cause: tell(error.cause) };
  if (error instanceof ApplicationFailure) return { name, message, type: error.type, ...cause };
  if (error instanceof ChildWorkflowFailure) {
    const { execution, workflowType, retryState } = error;
    return { name, message, execution, workflowType, retryState, ...cause };
  }
  return { name, message, ...cause };
}

/** Notes what comes of `act`, and ends once told to. */
function parent(act: () => Promise<unknown>): () => Promise<unknown> {
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

async function open(act: () => Promise<unknown>, workflows: Workflows = {}): Promise<System> {
  const system = await System.open({ workflows: { ledger, parent: parent(act), ...workflows } });
  await system.start('p', 'parent').value();
  await system.settle();
  return system;
}

/** What came of what the parent did. */
async function outcome(system: System): Promise<unknown> {
  await system.settle();
  const [first] = (await system.query('p', 'told').value()) as unknown[];
  return first;
}

/** The durable history of the parent, without its start and without signals to it. */
function parentTypes(system: System): string[] {
  return system
    .types('p')
    .filter((type) => type !== 'WorkflowExecutionStarted' && type !== 'WorkflowExecutionSignaled');
}

const INITIATED = 'StartChildWorkflowExecutionInitiated';
const STARTED = 'ChildWorkflowExecutionStarted';

const echo = async (value: string): Promise<string> => `echo of ${value}`;

test('a child is started, and its result told', async () => {
  const system = await open(() => executeChild(echo, { args: ['hello'], workflowId: 'c' }), { echo });
  expect(await outcome(system)).toBe('echo of hello');
  expect(parentTypes(system)).toEqual([INITIATED, STARTED, 'ChildWorkflowExecutionCompleted']);
  const { runId } = await system.describe('p');
  expect(system.history('c')[0]).toMatchObject({
    workflowType: 'echo',
    requestId: `child/${runId}/1`,
    parent: { workflowId: 'p', runId, childId: '1', closePolicy: 'TERMINATE' },
  });
  expect((await system.describe('c')).status).toBe('COMPLETED');
  await expectInvariants(system);
});

test('the handle of a child knows its ids, and what it is asked goes to the child', async () => {
  const system = await open(async () => {
    const child = await startChild(ledger, { workflowId: 'c' });
    await child.signal(add, 'a');
    const appended = await child.executeUpdate(append, { args: ['b'] });
    const update = await child.startUpdate(append, { args: ['c'], waitForStage: 'ACCEPTED' });
    const found = await child.query(entries);
    await child.signal(finish);
    return [child.workflowId, child.firstExecutionRunId, appended, await update.result(), found, await child.result()];
  });
  const { runId } = await system.describe('c');
  const found = ['a', 'b', 'c'];
  expect(await outcome(system)).toEqual(['c', runId, 2, 3, found, found]);
  await expectInvariants(system);
});

test('nothing is begun before it is durable that it is wanted, nor told before it is durable that it is so', async () => {
  const system = await System.open({
    workflows: { echo, parent: () => executeChild(echo, { args: ['x'], workflowId: 'c' }) },
  });
  system.store.flushes.shut();
  system.start('p', 'parent');
  const seen: string[] = [];
  for (let flush = 0; flush < 6; flush++) {
    await system.settle();
    seen.push(`${system.types('p').length} ${system.types('c').length}`);
    system.store.flushes.letThrough();
  }
  // The parent's events, then the child's, flush by flush: started and wanted, the child and its end, and what the parent hears of them.
  expect(seen[0]).toBe('0 0');
  for (const [index, line] of seen.entries()) {
    const [ofParent, ofChild] = line.split(' ').map(Number) as [number, number];
    if (ofChild > 0) expect(ofParent, `at flush ${index}`).toBeGreaterThanOrEqual(2);
    if (ofParent > 2) expect(ofChild, `at flush ${index}`).toBeGreaterThanOrEqual(1);
  }
  system.store.flushes.open();
  expect(await system.result('p').value()).toBe('echo of x');
  await expectInvariants(system);
});

test('ids that nobody gave are the same at every replay, and no two children have the same', async () => {
  const system = await open(() => Promise.all(['a', 'b'].map((value) => executeChild(echo, { args: [value] }))), {
    echo,
  });
  expect(await outcome(system)).toEqual(['echo of a', 'echo of b']);
  const ids = system.history('p').flatMap((e) => (e.eventType === INITIATED ? [e.workflowId] : []));
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  await expectInvariants(system);
});

test('a child knows its parent, its type is found by name, and its memo is kept', async () => {
  const system = await open(() => executeChild('asked', { workflowId: 'c', memo: { why: 'test' } }), {
    asked: async () => [workflowInfo().parent, workflowInfo().memo],
  });
  const { runId } = await system.describe('p');
  expect(await outcome(system)).toEqual([{ workflowId: 'p', runId, namespace: 'default' }, { why: 'test' }]);
  await expectInvariants(system);
});

test('a child that fails tells why', async () => {
  const system = await open(() => executeChild('failing', { workflowId: 'c' }), {
    failing: async () => {
      throw ApplicationFailure.nonRetryable('no luck', 'Luckless', 7);
    },
  });
  const { runId } = await system.describe('c');
  expect(await outcome(system)).toEqual({
    name: 'ChildWorkflowFailure',
    message: 'Child Workflow execution failed',
    execution: { workflowId: 'c', runId },
    workflowType: 'failing',
    retryState: 'RETRY_POLICY_NOT_SET',
    cause: { name: 'ApplicationFailure', message: 'no luck', type: 'Luckless' },
  });
  expect(parentTypes(system)).toEqual([INITIATED, STARTED, 'ChildWorkflowExecutionFailed']);
  await expectInvariants(system);
});

test('a child’s failure that nobody catches fails the parent, and its caller sees the whole chain', async () => {
  const system = await System.open({
    workflows: {
      failing: async () => {
        throw ApplicationFailure.nonRetryable('no luck', 'Luckless');
      },
      parent: () => executeChild('failing'),
    },
  });
  await system.start('p', 'parent').value();
  const error = await system.result('p').error();
  expect(error.cause).toBeInstanceOf(ChildWorkflowFailure);
  expect((error.cause as Error).cause).toBeInstanceOf(ApplicationFailure);
  await expectInvariants(system);
});

test('a child that is terminated, or cancelled by somebody else, is told as such', async () => {
  const system = await open(
    () =>
      Promise.allSettled([executeChild(ledger, { workflowId: 'c1' }), executeChild(ledger, { workflowId: 'c2' })]).then(
        (all) => all.map((one) => one.status === 'rejected' && [tell(one.reason), isCancellation(one.reason)]),
      ),
    {},
  );
  await system.terminate('c1', 'enough').value();
  await system.cancel('c2').value();
  expect(await outcome(system)).toMatchObject([
    [{ name: 'ChildWorkflowFailure', cause: { name: TerminatedFailure.name, message: 'enough' } }, false],
    [{ name: 'ChildWorkflowFailure', cause: { name: CancelledFailure.name } }, true],
  ]);
  expect(parentTypes(system).slice(-2)).toEqual(['ChildWorkflowExecutionTerminated', 'ChildWorkflowExecutionCanceled']);
  await expectInvariants(system);
});

test('a workflow id that is taken is an error of its own, which fails a parent that does not catch it', async () => {
  const system = await System.open({
    workflows: {
      ledger,
      parent: async () => {
        try {
          await startChild(ledger, { workflowId: 'taken' });
        } catch (error) {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
          const { workflowId, workflowType, runId } = error;
          return [workflowId, workflowType, runId];
        }
        return undefined;
      },
      careless: () => executeChild(ledger, { workflowId: 'taken' }),
    },
  });
  await system.start('taken', 'ledger').value();
  const { runId } = await system.describe('taken');
  await system.start('p', 'parent').value();
  expect(await system.result('p').value()).toEqual(['taken', 'ledger', runId]);
  expect(parentTypes(system).slice(0, 2)).toEqual([INITIATED, 'StartChildWorkflowExecutionFailed']);
  await system.start('q', 'careless').value();
  expect(await system.result('q').error()).toMatchObject({
    cause: { name: 'ApplicationFailure', type: 'WorkflowExecutionAlreadyStartedError' },
  });
  await expectInvariants(system);
});

test('the reuse policy decides about a closed run', async () => {
  const refused = (policy: ChildWorkflowOptions['workflowIdReusePolicy']) =>
    executeChild(echo, { args: ['x'], workflowId: 'c', ...(policy && { workflowIdReusePolicy: policy }) }).catch(
      (error) => error instanceof WorkflowExecutionAlreadyStartedError,
    );
  const system = await open(
    async () => [
      await refused(undefined),
      await refused('REJECT_DUPLICATE'),
      await refused('ALLOW_DUPLICATE_FAILED_ONLY'),
      await refused('ALLOW_DUPLICATE'),
    ],
    { echo },
  );
  expect(await outcome(system)).toEqual(['echo of x', true, true, 'echo of x']);
  await expectInvariants(system);
});

test('a type that is not there is told with those that are', async () => {
  const system = await open(() => executeChild('missing'));
  expect(await outcome(system)).toMatchObject({
    name: 'ApplicationFailure',
    type: 'UnknownWorkflowTypeError',
    message: expect.stringMatching(/'missing'.*ledger/),
  });
  await expectInvariants(system);
});

test('a child that continues as new is followed to its last run, and asked at its current one', async () => {
  const counting = async (n: number): Promise<string> => {
    let more = false;
    setHandler(go, () => {
      more = true;
    });
    setHandler(entries, () => [String(n)]);
    await condition(() => more);
    if (n < 2) await continueAsNew<typeof counting>(n + 1);
    return `counted to ${n}`;
  };
  const system = await open(
    async () => {
      const child = await startChild(counting, { args: [0], workflowId: 'c' });
      const seen: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        seen.push(await child.query(entries));
        await child.signal(go);
      }
      return [...seen, await child.result(), await child.query(entries)];
    },
    { counting },
  );
  expect(await outcome(system)).toEqual([['0'], ['1'], ['2'], 'counted to 2', ['2']]);
  await expectInvariants(system);
});

test('what a child’s handle asks goes to no other workflow that uses the id after it', async () => {
  const system = await open(async () => {
    const child = await startChild(ledger, { workflowId: 'c' });
    await child.signal(add, 'of the child');
    await child.signal(finish);
    await child.result();
    await condition(() => workflowInfo().historyLength > 15);
    return [await child.signal(add, 'late').catch(tell), await child.query(entries)];
  });
  await system.start('c', 'ledger').value();
  for (let i = 0; i < 16; i++) await system.signal('p', 'anything').value();
  expect(await outcome(system)).toMatchObject([{ type: 'WorkflowNotFoundError' }, ['of the child']]);
  expect(await system.query('c', 'entries').value()).toEqual([]);
  await expectInvariants(system);
});

/** Ends cancelled half a second after it was asked to. */
const reluctant = async (): Promise<string> => {
  try {
    await sleep(1_000_000);
  } catch (error) {
    await CancellationScope.nonCancellable(() => sleep(500));
    throw error;
  }
  return 'ended';
};

/** Starts the child in a scope that a signal cancels. */
function inScope(cancellationType: ChildWorkflowCancellationType | undefined): () => Promise<unknown> {
  return async () => {
    const scope = new CancellationScope();
    setHandler(cancelScope, () => scope.cancel());
    return scope
      .run(() => executeChild(reluctant, { workflowId: 'c', ...(cancellationType && { cancellationType }) }))
      .catch((error: unknown) => [tell(error), isCancellation(error)]);
  };
}

const CANCELLED_CHILD = [
  { name: 'ChildWorkflowFailure', workflowType: 'reluctant', cause: { name: 'CancelledFailure' } },
  true,
];

test.each([ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED, undefined])(
  'cancellation of type %s: the child is asked to cancel, and its end awaited',
  async (type) => {
    const system = await open(inScope(type), { reluctant });
    await system.signal('p', 'cancelScope').value();
    await system.settle();
    expect(await system.query('p', 'told').value()).toEqual([]);
    expect(system.types('c')).toContain('WorkflowExecutionCancelRequested');
    await system.pass(500);
    expect(await outcome(system)).toMatchObject(CANCELLED_CHILD);
    expect(parentTypes(system)).toEqual([
      INITIATED,
      STARTED,
      'RequestCancelExternalWorkflowExecutionInitiated',
      'ExternalWorkflowExecutionCancelRequested',
      'ChildWorkflowExecutionCanceled',
    ]);
    await expectInvariants(system);
  },
);

test('cancellation of type WAIT_CANCELLATION_REQUESTED: the parent goes on once the child has the request', async () => {
  const system = await open(inScope('WAIT_CANCELLATION_REQUESTED'), { reluctant });
  system.store.flushes.shut();
  system.signal('p', 'cancelScope');
  await system.settle();
  while (!system.types('c').includes('WorkflowExecutionCancelRequested')) {
    expect(system.types('p')).not.toContain('ExternalWorkflowExecutionCancelRequested');
    system.store.flushes.letThrough();
    await system.settle();
  }
  system.store.flushes.open();
  expect(await outcome(system)).toMatchObject(CANCELLED_CHILD);
  expect((await system.describe('c')).status).toBe('RUNNING');
  await system.pass(500);
  expect((await system.describe('c')).status).toBe('CANCELLED');
  await expectInvariants(system);
});

test('cancellation of type TRY_CANCEL: the parent goes on at once, the child is asked to cancel', async () => {
  const system = await open(inScope('TRY_CANCEL'), { reluctant });
  system.store.flushes.shut();
  await Promise.race([
    system
      .signal('p', 'cancelScope')
      .value()
      .catch(() => undefined),
    system.settle(),
  ]);
  system.store.flushes.open();
  expect(await outcome(system)).toMatchObject(CANCELLED_CHILD);
  await system.pass(500);
  expect((await system.describe('c')).status).toBe('CANCELLED');
  await expectInvariants(system);
});

test('cancellation of type ABANDON: the parent goes on at once, the child hears nothing', async () => {
  const system = await open(inScope('ABANDON'), { reluctant });
  await system.signal('p', 'cancelScope').value();
  expect(await outcome(system)).toMatchObject(CANCELLED_CHILD);
  expect(system.types('c')).not.toContain('WorkflowExecutionCancelRequested');
  await system.pass(1_000_000);
  expect((await system.describe('c')).status).toBe('COMPLETED');
  await expectInvariants(system);
});

test('cancelling the parent cancels its children', async () => {
  const system = await System.open({
    workflows: { ledger, parent: () => executeChild(ledger, { workflowId: 'c' }) },
  });
  await system.start('p', 'parent').value();
  await system.settle();
  await system.cancel('p', 'enough').value();
  await system.settle();
  expect((await system.describe('c')).status).toBe('CANCELLED');
  expect((await system.describe('p')).status).toBe('CANCELLED');
  await expectInvariants(system);
});

test('a child that is cancelled in the step that wants it never starts', async () => {
  const system = await open(async () => {
    const scope = new CancellationScope();
    const child = scope.run(() => executeChild(ledger, { workflowId: 'c' }));
    scope.cancel();
    return child.catch(tell);
  });
  expect(await outcome(system)).toMatchObject({ name: 'ChildWorkflowFailure', cause: { name: 'CancelledFailure' } });
  expect(parentTypes(system)).toEqual([]);
  await expectInvariants(system);
});

test('in a cancelled scope no child starts', async () => {
  const system = await open(async () => {
    const scope = new CancellationScope();
    scope.cancel();
    return scope.run(() => startChild(ledger)).catch(tell);
  });
  expect(await outcome(system)).toMatchObject({ name: 'CancelledFailure' });
  expect(parentTypes(system)).toEqual([]);
  await expectInvariants(system);
});

test('a child that is cancelled before its parent has heard that it started is cancelled all the same', async () => {
  const system = await System.open({ workflows: { ledger, parent: parent(inScopeOfLedger) } });
  system.store.flushes.shut();
  system.start('p', 'parent');
  await system.settle();
  system.store.flushes.letThrough();
  await system.settle();
  system.signal('p', 'cancelScope');
  await system.settle();
  system.store.flushes.open();
  expect(await outcome(system)).toMatchObject({ name: 'ChildWorkflowFailure', cause: { name: 'CancelledFailure' } });
  expect((await system.describe('c')).status).toBe('CANCELLED');
  await expectInvariants(system);
});

async function inScopeOfLedger(): Promise<unknown> {
  const scope = new CancellationScope();
  setHandler(cancelScope, () => scope.cancel());
  return scope.run(() => executeChild(ledger, { workflowId: 'c' }));
}

test('a child can be cancelled by its handle, with a reason', async () => {
  const system = await open(async () => {
    const child = await startChild(ledger, { workflowId: 'c' });
    await child.cancel('enough');
    return child.result().catch(tell);
  });
  expect(await outcome(system)).toMatchObject({ name: 'ChildWorkflowFailure', cause: { name: 'CancelledFailure' } });
  expect(system.history('c').find((e) => e.eventType === 'WorkflowExecutionCancelRequested')).toMatchObject({
    reason: 'enough',
  });
  await expectInvariants(system);
});

/** Three children, one of each policy. */
const family = async (): Promise<void> => {
  for (const policy of ['TERMINATE', 'REQUEST_CANCEL', 'ABANDON'] as const) {
    const cancellationType = policy === 'ABANDON' ? 'ABANDON' : 'WAIT_CANCELLATION_COMPLETED';
    await startChild(ledger, { workflowId: policy, parentClosePolicy: policy, cancellationType });
  }
  let ended = false;
  setHandler(go, () => {
    ended = true;
  });
  await condition(() => ended);
};

const CLOSED_FAMILY = { TERMINATE: 'TERMINATED', REQUEST_CANCEL: 'CANCELLED', ABANDON: 'RUNNING' };

async function expectClosedFamily(system: System): Promise<void> {
  await system.settle();
  for (const [workflowId, status] of Object.entries(CLOSED_FAMILY)) {
    expect([workflowId, (await system.describe(workflowId)).status]).toEqual([workflowId, status]);
  }
  expect(system.history('TERMINATE').at(-1)).toMatchObject({ reason: 'by parent close policy' });
  await expectInvariants(system);
}

async function openFamily(): Promise<System> {
  const system = await System.open({ workflows: { ledger, family, again: () => continueAsNew() } });
  await system.start('p', 'family').value();
  await system.settle();
  expect(system.types('p').filter((type) => type === STARTED)).toHaveLength(3);
  return system;
}

test.each([
  ['completes', (system: System) => system.signal('p', 'go')],
  ['is cancelled', (system: System) => system.cancel('p')],
  ['is terminated', (system: System) => system.terminate('p')],
])('when the parent %s, each child gets what its policy says', async (_, close) => {
  const system = await openFamily();
  await close(system).value();
  await expectClosedFamily(system);
});

test('a parent that continues as new is a parent that closes', async () => {
  const system = await System.open({
    workflows: {
      ledger,
      parent: async () => {
        if (workflowInfo().continuedFromExecutionRunId !== undefined) return 'second run';
        await startChild(ledger, { workflowId: 'c' });
        return continueAsNew();
      },
    },
  });
  await system.start('p', 'parent').value();
  expect(await system.result('p').value()).toBe('second run');
  await system.settle();
  expect((await system.describe('c')).status).toBe('TERMINATED');
  await expectInvariants(system);
});

test('no child gets it before the parent’s close is durable', async () => {
  const system = await openFamily();
  system.store.flushes.shut();
  system.terminate('p');
  await system.settle();
  expect(system.types('TERMINATE').at(-1)).not.toBe('WorkflowExecutionTerminated');
  await system.crash('lost');
  expect((await system.describe('p')).status).toBe('RUNNING');
  expect((await system.describe('TERMINATE')).status).toBe('RUNNING');
  await expectInvariants(system);
});

test.each(['lost', 'kept'] as const)(
  'a crash after the parent’s close, the flush after it %s, spares no child',
  async (fate) => {
    const system = await openFamily();
    system.store.flushes.shut();
    system.terminate('p');
    await system.settle();
    system.store.flushes.letThrough();
    await system.settle();
    await system.crash(fate);
    await expectClosedFamily(system);
    await system.crash();
    await expectClosedFamily(system);
    await system.restart();
    await expectClosedFamily(system);
  },
);

test('a grandchild is terminated with its parent', async () => {
  const system = await System.open({
    workflows: {
      ledger,
      middle: () => executeChild(ledger, { workflowId: 'grandchild' }),
      top: () => executeChild('middle', { workflowId: 'child' }),
    },
  });
  await system.start('p', 'top').value();
  await system.settle();
  await system.terminate('p').value();
  await system.settle();
  expect((await system.describe('child')).status).toBe('TERMINATED');
  expect((await system.describe('grandchild')).status).toBe('TERMINATED');
  await expectInvariants(system);
});

test.each([
  ['TERMINATE', 0],
  ['REQUEST_CANCEL', 0],
  ['ABANDON', 1],
] as const)(
  'a child wanted by the very step that closes its parent, policy %s: it begins only if abandoned',
  async (policy, runs) => {
    const system = await System.open({
      workflows: {
        ledger,
        hasty: async () => {
          void startChild(ledger, { workflowId: 'c', parentClosePolicy: ParentClosePolicy[policy] }).catch(
            () => undefined,
          );
          return 'done';
        },
      },
    });
    await system.start('p', 'hasty').value();
    await system.settle();
    expect(system.types('p').at(-1)).toBe('WorkflowExecutionCompleted');
    expect(system.history('c')).toHaveLength(runs);
    await system.crash();
    await system.settle();
    expect(system.history('c')).toHaveLength(runs);
    await expectInvariants(system);
  },
);

test('an abandoned child that had not begun when the process died begins afterwards', async () => {
  const system = await System.open({
    workflows: {
      ledger,
      hasty: async () => {
        void startChild(ledger, { workflowId: 'c', parentClosePolicy: 'ABANDON' }).catch(() => undefined);
        return 'done';
      },
    },
  });
  system.store.flushes.shut();
  system.start('p', 'hasty');
  await system.settle();
  while (system.types('p').at(-1) !== 'WorkflowExecutionCompleted') {
    system.store.flushes.letThrough();
    await system.settle();
  }
  expect(system.types('c')).toEqual([]);
  await system.crash('lost');
  await system.settle();
  expect(system.types('c')).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});

test('a child that began, and closed, before its parent heard of it is found again, also if its id is used by another', async () => {
  const system = await System.open({
    workflows: {
      ledger,
      parent: () => executeChild(ledger, { workflowId: 'c', workflowIdReusePolicy: 'REJECT_DUPLICATE' }),
      asking: () => getExternalWorkflowHandle('l').executeUpdate(appendLater, { args: ['x', 1] }),
    },
  });
  await system.start('l', 'ledger').value();
  // Taken up before the parent after a restart: reading its history holds the others back.
  await system.start('first', 'asking').value();
  await system.settle();
  system.store.flushes.shut();
  system.start('p', 'parent');
  await system.settle();
  while (system.types('c').length === 0) {
    system.store.flushes.letThrough();
    await system.settle();
  }
  await system.crash('lost');
  system.store.reads.shut();
  expect(system.types('p')).not.toContain(STARTED);
  const ended = system.terminate('c', 'quickly');
  const reused = system.start('c', 'ledger');
  await system.settle();
  expect([ended.answered, reused.answered]).toEqual([true, true]);
  system.store.reads.open();
  expect((await system.result('p').error()).cause).toMatchObject({
    name: 'ChildWorkflowFailure',
    cause: { name: 'TerminatedFailure', message: 'quickly' },
  });
  expect((await system.describe('c')).status).toBe('RUNNING');
  await system.pass(1);
  await expectInvariants(system);
});

test('more children than a run may have are refused', async () => {
  const system = await open(async () => {
    const all = await Promise.allSettled(
      Array.from({ length: 2001 }, (_, n) => startChild('idle', { workflowId: `c${n}`, parentClosePolicy: 'ABANDON' })),
    );
    return all.flatMap((one, index) => (one.status === 'rejected' ? [[index, tell(one.reason)]] : []));
  });
  expect(await outcome(system)).toMatchObject([
    [2000, { type: 'ResourceExhaustedError', message: expect.stringContaining('2000') }],
  ]);
});

test('describe tells of children that are not known to have closed', async () => {
  const system = await open(() => executeChild(ledger, { workflowId: 'c' }));
  const { runId } = await system.describe('c');
  expect((await system.describe('p')).pendingChildren).toEqual([{ childId: '1', workflowId: 'c', runId }]);
  await system.crash();
  expect((await system.describe('p')).pendingChildren).toEqual([{ childId: '1', workflowId: 'c', runId }]);
  await system.signal('c', 'finish').value();
  await system.settle();
  expect((await system.describe('p')).pendingChildren).toEqual([]);
  await expectInvariants(system);
});

/** A child of every fate, one after the other. */
const everything = async (): Promise<unknown[]> => {
  const first = await executeChild('echo', { args: ['a'], workflowId: 'c1' });
  const child = await startChild(ledger, { workflowId: 'c2' });
  await child.signal(add, 'b');
  const appended = await child.executeUpdate(appendLater, { args: ['c', 1] });
  await child.signal(finish);
  const second = await child.result();
  const scope = new CancellationScope();
  const third = scope.run(() => executeChild(ledger, { workflowId: 'c3' }));
  await sleep(1);
  scope.cancel();
  const cancelled = await third.catch(isCancellation);
  const taken = await startChild(ledger, { workflowId: 'c1', workflowIdReusePolicy: 'REJECT_DUPLICATE' }).catch(
    (error) => (error as Error).name,
  );
  await startChild(ledger, { workflowId: 'c4' });
  return [first, appended, second, cancelled, taken];
};
const EVERYTHING = ['echo of a', 2, ['b', 'c'], true, 'WorkflowExecutionAlreadyStartedError'];

/** Runs until the parent has closed; `disturb` is called before each flush is let through and may end the process. */
async function runThrough(disturb: (system: System, flush: number) => Promise<void>): Promise<System> {
  const system = await System.open({ workflows: { echo, ledger, everything } });
  const start = () => system.startWith({ workflowId: 'p', workflowType: 'everything', requestId: 'once' });
  system.store.flushes.shut();
  start();
  for (let flush = 0; flush < 100; flush++) {
    await system.settle();
    if (system.types('p').at(-1) === 'WorkflowExecutionCompleted') break;
    await disturb(system, flush);
    if (system.store.flushes.waiting > 0) system.store.flushes.letThrough();
    else {
      if (system.types('p').length === 0) start();
      system.clock.advance(1);
    }
  }
  await disturb(system, -1);
  system.store.flushes.open();
  await system.settle();
  return system;
}

async function expectEverythingOnce(system: System): Promise<void> {
  const last = system.history('p').at(-1);
  expect(last?.eventType).toBe('WorkflowExecutionCompleted');
  if (last?.eventType === 'WorkflowExecutionCompleted') expect(decodePayload(last.result)).toEqual(EVERYTHING);
  const runs = [...system.histories().values()].map(([started]) =>
    started?.eventType === 'WorkflowExecutionStarted' ? started.workflowId : '',
  );
  expect(runs.sort()).toEqual(['c1', 'c2', 'c3', 'c4', 'p']);
  expect((await system.describe('c3')).status).toBe('CANCELLED');
  expect((await system.describe('c4')).status).toBe('TERMINATED');
  await expectInvariants(system);
}

test('undisturbed, every child has its fate', async () => {
  await expectEverythingOnce(await runThrough(async () => undefined));
});

test.each(['lost', 'kept'] as const)(
  'with a crash at any flush, its batch %s, each child begins once and is heard once',
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

test('with a crash at every second flush and after the parent’s end, each child begins once and is heard once', async () => {
  const system = await runThrough(async (it, flush) => {
    if (flush % 2 === 0) return;
    await it.crash('kept');
    it.store.flushes.shut();
    await it.settle();
  });
  await expectEverythingOnce(system);
});

test('evicted at any moment, parent and children go on from the same state', async () => {
  const system = await System.open({ workflows: { echo, ledger, everything } });
  system.config.maxResident = 0;
  await system.start('p', 'everything').value();
  for (let i = 0; i < 20; i++) await system.pass(1);
  await expectEverythingOnce(system);
});

test('a worker lost at any turn changes nothing', async () => {
  for (let at = 0; ; at++) {
    const system = await System.open({ workflows: { echo, ledger, everything } });
    let turn = 0;
    system.workers.fate = () => (turn++ === at ? 'between' : undefined);
    await system.start('p', 'everything').value();
    for (let i = 0; i < 5; i++) await system.pass(1);
    await expectEverythingOnce(system);
    if (turn <= at) break;
  }
});
