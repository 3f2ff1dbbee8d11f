/**
 * Semantics, section 7: workflow ids, run ids, and what a second start of an id does.
 */
import { afterEach, expect } from 'vitest';
import { condition, continueAsNew, executeChild, setHandler } from '../../actors/workflow/index.js';
import { InvalidOptionError, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '../errors.js';
import { type Connected, connect } from '../test-kit/connected.test-kit.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import { add, append, entries, finish, ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

let connected: Connected | undefined;
afterEach(() => connected?.close());

async function open() {
  const system = await System.open({ workflows: { ledger } });
  connected = connect(system);
  return { system, client: connected.client.workflow };
}

const lasts = (system: System) => [...system.histories().values()].map((history) => history.at(-1)?.eventType);

const thrown = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    (value) => expect.unreachable(`it resolved with ${String(value)}`),
    (error: Error) => error,
  );

row('ids/already-started', 'with its run id and type, and nothing is changed', async () => {
  const { system, client } = await open();
  const handle = await client.start(ledger, { workflowId: 'w' });
  const error = await thrown(client.start(ledger, { workflowId: 'w' }));
  expect(error).toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
  expect(error).toMatchObject({ workflowId: 'w', workflowType: 'ledger', runId: handle.firstExecutionRunId });
  expect(lasts(system)).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});

row('ids/conflict-fail', 'given or not', async () => {
  const { system, client } = await open();
  await client.start(ledger, { workflowId: 'w' });
  for (const options of [{}, { workflowIdConflictPolicy: 'FAIL' as const }]) {
    const error = await thrown(client.start(ledger, { workflowId: 'w', ...options }));
    expect(error).toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
  }
  expect(system.histories().size).toBe(1);
  await expectInvariants(system);
});

row('ids/conflict-use-existing', 'and starts one if none is open', async () => {
  const { system, client } = await open();
  const options = { workflowId: 'w', workflowIdConflictPolicy: 'USE_EXISTING' } as const;
  const first = await client.start(ledger, options);
  const second = await client.start(ledger, options);
  expect(second.firstExecutionRunId).toBe(first.firstExecutionRunId);
  await second.signal(add, 'a');
  expect(await first.query(entries)).toEqual(['a']);
  await first.signal(finish);
  expect(await second.result()).toEqual(['a']);
  const third = await client.start(ledger, options);
  expect(third.firstExecutionRunId).not.toBe(first.firstExecutionRunId);
  expect(lasts(system)).toEqual(['WorkflowExecutionCompleted', 'WorkflowExecutionStarted']);
  await expectInvariants(system);
});

row('ids/conflict-terminate-existing', 'which the caller of its result is told', async () => {
  const { system, client } = await open();
  const first = await client.start(ledger, { workflowId: 'w', followRuns: false });
  const result = thrown(first.result());
  await connected!.settle();
  const second = await client.start(ledger, { workflowId: 'w', workflowIdConflictPolicy: 'TERMINATE_EXISTING' });
  expect(second.firstExecutionRunId).not.toBe(first.firstExecutionRunId);
  expect(await result).toMatchObject({ code: 'WORKFLOW_FAILED', cause: { name: 'TerminatedFailure' } });
  expect(lasts(system)).toEqual(['WorkflowExecutionTerminated', 'WorkflowExecutionStarted']);
  await expectInvariants(system);
});

/** The id `w` with a run that has completed and then, if `failed`, one that has not. */
async function used(failed: boolean) {
  const { system, client } = await open();
  const first = await client.start(ledger, { workflowId: 'w' });
  await first.signal(finish);
  await first.result();
  if (failed) {
    const second = await client.start(ledger, { workflowId: 'w' });
    await second.terminate('enough');
  }
  const runs = system.histories().size;
  const again = (workflowIdReusePolicy?: 'ALLOW_DUPLICATE' | 'ALLOW_DUPLICATE_FAILED_ONLY' | 'REJECT_DUPLICATE') =>
    client.start(ledger, { workflowId: 'w', ...(workflowIdReusePolicy && { workflowIdReusePolicy }) });
  return { system, again, runs };
}

row('ids/reuse-allow-duplicate', 'whatever became of the run before', async () => {
  for (const failed of [false, true]) {
    for (const policy of [undefined, 'ALLOW_DUPLICATE'] as const) {
      const { system, again, runs } = await used(failed);
      await again(policy);
      expect(system.histories().size).toBe(runs + 1);
      await expectInvariants(system);
    }
  }
});

row('ids/reuse-failed-only', 'the newest run decides', async () => {
  const completed = await used(false);
  const error = await thrown(completed.again('ALLOW_DUPLICATE_FAILED_ONLY'));
  expect(error).toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
  expect(completed.system.histories().size).toBe(completed.runs);
  const terminated = await used(true);
  await terminated.again('ALLOW_DUPLICATE_FAILED_ONLY');
  expect(terminated.system.histories().size).toBe(terminated.runs + 1);
  await expectInvariants(terminated.system);
});

row('ids/reuse-reject', 'however it ended, also after a restart', async () => {
  for (const failed of [false, true]) {
    const { system, again, runs } = await used(failed);
    expect(await thrown(again('REJECT_DUPLICATE'))).toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
    await system.restart();
    connected = connect(system);
    const error = await thrown(
      connected.client.workflow.start(ledger, { workflowId: 'w', workflowIdReusePolicy: 'REJECT_DUPLICATE' }),
    );
    expect(error).toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
    expect(system.histories().size).toBe(runs);
    await expectInvariants(system);
  }
});

row('ids/start-once', 'while the run is open and once it has closed', async () => {
  const { system, client } = await open();
  const options = { workflowId: 'w', requestId: 'r', workflowIdReusePolicy: 'REJECT_DUPLICATE' } as const;
  const first = await client.start(ledger, options);
  const second = await client.start(ledger, options);
  await first.signal(finish);
  await first.result();
  const third = await client.start(ledger, options);
  expect([second.firstExecutionRunId, third.firstExecutionRunId]).toEqual(Array(2).fill(first.firstExecutionRunId));
  expect(system.histories().size).toBe(1);
  await expectInvariants(system);
});

row('ids/start-once', 'though another chain has begun since, as long as ids are remembered', async () => {
  const { system, client } = await open();
  const options = { workflowId: 'w', requestId: 'r' };
  const first = await client.start(ledger, options);
  await first.signal(finish);
  await first.result();
  for (const state of ['open', 'closed'] as const) {
    const other = await client.start(ledger, { workflowId: 'w' });
    if (state === 'closed') await system.terminate('w').value();
    expect((await client.start(ledger, options)).firstExecutionRunId).toBe(first.firstExecutionRunId);
    expect(await client.execute(ledger, options)).toEqual([]);
    if (state === 'open') await other.terminate();
  }
  expect(system.histories().size).toBe(3);
  await system.pass(86_400_001);
  expect((await client.start(ledger, options)).firstExecutionRunId).not.toBe(first.firstExecutionRunId);
  await expectInvariants(system);
});

row('ids/start-once', 'a signalWithStart, whether it has started or only signalled', async () => {
  const { system, client } = await open();
  const options = { workflowId: 'w', signal: add } as const;
  const starts = () => client.signalWithStart(ledger, { ...options, signalArgs: ['a'], requestId: 'starts' });
  const signals = () => client.signalWithStart(ledger, { ...options, signalArgs: ['b'], requestId: 'signals' });
  const first = await starts();
  await signals();
  await first.signal(finish);
  expect(await first.result()).toEqual(['a', 'b']);
  for (const state of ['open', 'closed'] as const) {
    const other = await client.start(ledger, { workflowId: 'w' });
    await other.query(entries);
    if (state === 'closed') await other.terminate();
    for (const again of [starts, signals]) await again();
    expect(await other.query(entries)).toEqual([]);
    if (state === 'open') await other.terminate();
  }
  expect(system.histories().size).toBe(3);
  await expectInvariants(system);
});

row('ids/handle-unpinned', 'though another run was the current one when it was made', async () => {
  const { system, client } = await open();
  const started = await client.start(ledger, { workflowId: 'w' });
  const found = client.getHandle('w');
  await started.signal(add, 'first');
  await started.signal(finish);
  await started.result();
  await client.start(ledger, { workflowId: 'w' });
  await started.signal(add, 'second');
  for (const handle of [started, found]) expect(await handle.query(entries)).toEqual(['second']);
  await expectInvariants(system);
});

row('ids/handle-pinned', 'also when another one is the current run', async () => {
  const { system, client } = await open();
  const first = await client.start(ledger, { workflowId: 'w' });
  await first.signal(add, 'first');
  await first.signal(finish);
  await first.result();
  const second = await client.start(ledger, { workflowId: 'w' });
  const pinned = client.getHandle('w', first.firstExecutionRunId);
  expect(await pinned.query(entries)).toEqual(['first']);
  expect(await thrown(pinned.signal(add, 'second'))).toBeInstanceOf(WorkflowNotFoundError);
  expect(await thrown(pinned.terminate())).toBeInstanceOf(WorkflowNotFoundError);
  expect(await pinned.result()).toEqual(['first']);
  const current = client.getHandle('w', second.firstExecutionRunId);
  await current.signal(add, 'second');
  expect(await current.query(entries)).toEqual(['second']);
  await expectInvariants(system);
});

row('ids/signal-with-start-policies', 'whose signal is there before the new main, once', async () => {
  const { system, client } = await open();
  const options = { workflowId: 'w', signal: add } as const;
  const first = await client.signalWithStart(ledger, { ...options, signalArgs: ['a'] });
  const again = { ...options, signalArgs: ['b'], workflowIdConflictPolicy: 'TERMINATE_EXISTING' } as const;
  const second = await client.signalWithStart(ledger, { ...again, signalArgs: ['b'], requestId: 'r' });
  expect(second.signaledRunId).not.toBe(first.signaledRunId);
  expect(await thrown(first.result())).toMatchObject({ cause: { name: 'TerminatedFailure' } });
  expect(system.history('w')[0]).toMatchObject({ startThrough: 2 });
  const same = await client.signalWithStart(ledger, { ...again, signalArgs: ['b'], requestId: 'r' });
  expect(same.signaledRunId).toBe(second.signaledRunId);
  expect(await second.query(entries)).toEqual(['b']);
  const failing = client.signalWithStart(ledger, { ...options, signalArgs: ['c'], workflowIdConflictPolicy: 'FAIL' });
  expect(await thrown(failing)).toBeInstanceOf(InvalidOptionError);
  await second.signal(finish);
  await second.result();
  const reuse = { ...options, signalArgs: ['d'], workflowIdReusePolicy: 'REJECT_DUPLICATE' } as const;
  const rejected = client.signalWithStart(ledger, { ...reuse, signalArgs: ['d'] });
  expect(await thrown(rejected)).toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
  expect(lasts(system)).toEqual(['WorkflowExecutionTerminated', 'WorkflowExecutionCompleted']);
  await expectInvariants(system);
});

row('ids/signal-with-start', 'and the handle that it gives is of that run', async () => {
  const { system, client } = await open();
  const options = { workflowId: 'w', signal: add } as const;
  const first = await client.signalWithStart(ledger, { ...options, signalArgs: ['a'] });
  const second = await client.signalWithStart(ledger, { ...options, signalArgs: ['b'] });
  expect(await second.query(entries)).toEqual(['a', 'b']);
  expect(system.history('w')[0]).toMatchObject({ startThrough: 2 });
  expect(system.histories().size).toBe(1);
  await first.signal(finish);
  expect(await second.result()).toEqual(['a', 'b']);
  await client.signalWithStart(ledger, { ...options, signalArgs: ['c'] });
  expect(lasts(system)).toEqual(['WorkflowExecutionCompleted', 'WorkflowExecutionSignaled']);
  await expectInvariants(system);
});

/** Ends in the third run. */
async function relay(run = 1): Promise<number> {
  let goOn = false;
  setHandler(finish, () => {
    goOn = true;
  });
  await condition(() => goOn);
  return run === 3 ? run : continueAsNew<typeof relay>(run + 1);
}

row('ids/handle-follows-chain', 'to its last run, whatever it was when it was asked', async () => {
  const system = await System.open({ workflows: { relay } });
  connected = connect(system);
  const client = connected.client.workflow;
  const following = await client.start(relay, { workflowId: 'w', args: [1] });
  const result = following.result();
  const first = client.getHandle<typeof relay>('w', following.firstExecutionRunId, { followRuns: false });
  const own = thrown(first.result());
  for (let i = 0; i < 3; i++) await following.signal(finish);
  expect(await result).toBe(3);
  expect(await following.result()).toBe(3);
  expect(await own).toMatchObject({ code: 'WORKFLOW_CONTINUED_AS_NEW' });
  await expectInvariants(system);
});

/** Its second run answers updates until it is cancelled. */
async function handover(run = 1): Promise<never> {
  let goOn = false;
  setHandler(finish, () => {
    goOn = true;
  });
  setHandler(append, () => run - 1);
  await condition(() => goOn);
  return continueAsNew<typeof handover>(run + 1);
}

row('ids/handle-of-chain', 'whether start or getHandle has made it, and whichever of its runs it names', async () => {
  const system = await System.open({ workflows: { handover, ledger } });
  connected = connect(system);
  const client = connected.client.workflow;
  const started = await client.start(handover, { workflowId: 'w' });
  const firstExecutionRunId = started.firstExecutionRunId;
  await started.signal(finish);
  await connected.settle();
  const options = { workflowId: 'w', workflowIdConflictPolicy: 'USE_EXISTING' } as const;
  const used = await client.start(handover, options);
  expect(used.firstExecutionRunId).not.toBe(firstExecutionRunId);
  const given = client.getHandle('w', undefined, { firstExecutionRunId });
  const own = [started, given, used];
  for (const handle of own) expect(await handle.executeUpdate(append, { args: ['x'] })).toBe(1);
  await given.cancel();
  expect(await thrown(given.result())).toMatchObject({ cause: { name: 'CancelledFailure' } });

  const next = await client.start(ledger, { workflowId: 'w' });
  for (const handle of own) {
    for (const call of [handle.cancel(), handle.terminate(), handle.executeUpdate(append, { args: ['x'] })]) {
      const error = await thrown(call);
      expect(error).toBeInstanceOf(WorkflowNotFoundError);
      expect(error.message).toContain('of another chain');
      expect(error).toMatchObject({ fields: { workflowId: 'w', firstExecutionRunId: handle.firstExecutionRunId } });
    }
    await handle.signal(add, 'a');
    expect((await handle.describe()).runId).toBe(next.firstExecutionRunId);
  }
  expect(await given.query(entries)).toEqual(['a', 'a', 'a']);
  expect(await thrown(given.result())).toMatchObject({ cause: { name: 'CancelledFailure' } });
  await client.getHandle('w', undefined, { firstExecutionRunId: next.firstExecutionRunId }).terminate();
  const unknown = client.getHandle('w', undefined, { firstExecutionRunId: 'nobody' });
  expect(await thrown(unknown.terminate())).toMatchObject({ fields: { firstExecutionRunId: 'nobody' } });
  await expectInvariants(system);
});

row('ids/unknown-type', 'at once, and leaves nothing', async () => {
  const { system, client } = await open();
  const error = await thrown(client.start('newcomer', { workflowId: 'w' }));
  expect(error).toMatchObject({ code: 'UNKNOWN_WORKFLOW_TYPE', fields: { registered: ['idle', 'ledger'] } });
  expect(system.histories().size).toBe(0);
});

row('ids/unknown-type-held', 'unless the caller gives up before, and nothing is kept of it', async () => {
  const system = await System.open({ workflows: { ledger }, unknownTypes: 'hold' });
  connected = connect(system);
  const { workflow } = connected.client;
  const controller = new AbortController();
  let told: unknown;
  const held = thrown(workflow.start('newcomer', { workflowId: 'w' })).then((error) => {
    told = error;
  });
  const abandoned = thrown(workflow.start('newcomer', { workflowId: 'x', signal: controller.signal }));
  await connected.settle();
  controller.abort();
  expect(await abandoned).toMatchObject({ code: 'CALL_ABORTED' });
  await system.pass(29_999);
  await connected.settle();
  expect([told, system.supervisor.controlPlane.callers()]).toEqual([undefined, 1]);
  await system.pass(1);
  await held;
  expect(told).toMatchObject({ code: 'UNKNOWN_WORKFLOW_TYPE', fields: { registered: ['idle', 'ledger'] } });
  expect([system.supervisor.controlPlane.callers(), system.supervisor.core.requestsInFlight]).toEqual([0, 0]);
  // What the file has is not held up.
  await workflow.start(ledger, { workflowId: 'w' });
  await expectInvariants(system);
});

row('ids/unknown-type-held', 'and not without bounds', async () => {
  const system = await System.open({ workflows: {}, unknownTypes: 'hold' });
  for (let i = 0; i < 1_000; i++) system.start(`w${i}`, 'newcomer');
  expect(await system.start('one too many', 'newcomer').error()).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    fields: { limit: 1_000 },
  });
  expect(system.unanswered).toBe(1_000);
  await system.pass(30_000);
  expect(system.unanswered).toBe(0);
});

row('ids/unknown-type-held', 'for the next process: a child of a type that only that one has', async () => {
  const parent = () => executeChild('newcomer', { workflowId: 'child' });
  const system = await System.open({ workflows: { parent }, unknownTypes: 'hold' });
  system.start('w', 'parent');
  await system.pass(10_000);
  system.deploy({ newcomer: async () => 'here now' });
  await system.restart();
  const result = system.request({ kind: 'result', workflowId: 'w', followRuns: true });
  expect(await result.value()).toBe('here now');
  await expectInvariants(system);
});
