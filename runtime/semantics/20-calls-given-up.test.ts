/**
 * Semantics, section 20: calls that are given up.
 */
import { afterEach, expect } from 'vitest';
import type { ClientInterceptors } from '../client/interceptors.js';
import { WithStartWorkflowOperation } from '../client/with-start.js';
import { ManualClock } from '../clock.js';
import { CallAbortedError, DeadlineExceededError, InvalidOptionError } from '../errors.js';
import { AwaitedOutcomes } from '../supervisor/time/awaited-outcomes.js';
import { type Connected, connect } from '../test-kit/connected.test-kit.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import { add, append, appendLater, entries, finish, ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

let connected: Connected | undefined;
afterEach(() => connected?.close());

async function open(interceptors: ClientInterceptors = {}) {
  const system = await System.open({ workflows: { ledger } });
  const clock = new ManualClock();
  connected = connect(system, interceptors, clock);
  const { client, settle } = connected;
  const kept = () => client.kept;
  /** Callers that the supervisor knows, and its window. */
  const waiting = () => [system.supervisor.controlPlane.callers(), system.supervisor.core.requestsInFlight];
  return { system, clock, client, settle, kept, waiting };
}

const thrown = (promise: Promise<unknown>): Promise<Error & { cause?: unknown }> =>
  promise.then(
    (value) => expect.unreachable(`it resolved with ${String(value)}`),
    (error: Error) => error,
  );

/** Turns of the event loop until that is so, with the system at work but held up. */
async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; turns < 100 && !holds(); turns++) await new Promise(setImmediate);
}

const NOTHING = { replies: 0, queued: 0, deadlines: 0, signals: 0 };

type Opened = Awaited<ReturnType<typeof open>>;

/** Every call that a client can make, by its name. */
function everyCall({ client }: Opened, limit: { timeout?: number; signal?: AbortSignal }) {
  const { workflow, schedule, activity } = client;
  const handle = workflow.getHandle<typeof ledger>('w');
  const nightly = schedule.getHandle('nightly');
  const ids = { workflowId: 'w', activityId: '1' };
  const signalled = { ...(limit.timeout === undefined ? {} : { timeout: limit.timeout }), abortSignal: limit.signal! };
  if (limit.signal === undefined) Reflect.deleteProperty(signalled, 'abortSignal');
  const startWorkflowOperation = () =>
    new WithStartWorkflowOperation(ledger, { workflowId: 'w', workflowIdConflictPolicy: 'USE_EXISTING' });
  const action = { type: 'startWorkflow', workflowType: ledger } as const;
  return {
    start: () => workflow.start(ledger, { workflowId: 'w', ...limit }),
    execute: () => workflow.execute(ledger, { workflowId: 'w', ...limit }),
    followed: () => workflow.execute(ledger, { workflowId: 'w', followRuns: false, ...limit }),
    signalWithStart: () =>
      workflow.signalWithStart(ledger, { workflowId: 'w', signal: add, signalArgs: ['x'], ...signalled }),
    executeUpdateWithStart: () =>
      workflow.executeUpdateWithStart(append, {
        startWorkflowOperation: startWorkflowOperation(),
        args: ['x'],
        ...limit,
      }),
    startUpdateWithStart: () =>
      workflow.startUpdateWithStart(append, {
        startWorkflowOperation: startWorkflowOperation(),
        args: ['x'],
        waitForStage: 'ACCEPTED',
        ...limit,
      }),
    resultOfClient: () => workflow.result('w', undefined, limit),
    reset: () => workflow.reset('w', { eventId: 1, ...limit }),
    list: () => workflow.list(limit).next(),
    count: () => workflow.count(undefined, limit),
    signal: () => handle.signalWithOptions(add, { args: ['x'], ...limit }),
    query: () => handle.queryWithOptions(entries, limit),
    executeUpdate: () => handle.executeUpdate(append, { args: ['x'], ...limit }),
    startUpdate: () => handle.startUpdate(append, { args: ['x'], waitForStage: 'ACCEPTED', ...limit }),
    updateResult: () => handle.getUpdateHandle('u').result(limit),
    result: () => handle.result(limit),
    cancel: () => handle.cancel(undefined, limit),
    terminate: () => handle.terminate(undefined, limit),
    describe: () => handle.describe(limit),
    fetchHistory: () => handle.fetchHistory(limit),
    createSchedule: () => schedule.create({ scheduleId: 'nightly', spec: {}, action }, limit),
    listSchedules: () => schedule.list(limit).next(),
    describeSchedule: () => nightly.describe(limit),
    updateSchedule: () => nightly.update((previous) => previous, limit),
    deleteSchedule: () => nightly.delete(limit),
    trigger: () => nightly.trigger(undefined, limit),
    backfill: () => nightly.backfill({ start: new Date(0), end: new Date(1) }, limit),
    pause: () => nightly.pause(undefined, limit),
    unpause: () => nightly.unpause(undefined, limit),
    complete: () => activity.complete(ids, undefined, limit),
    fail: () => activity.fail(ids, new Error('no'), limit),
    reportCancellation: () => activity.reportCancellation(ids, undefined, limit),
    heartbeat: () => activity.heartbeat(ids, undefined, limit),
  };
}

row('calls/deadline', 'in its time, whichever call it is, and nothing is sent that comes too late', async () => {
  const opened = await open();
  const { system, clock, client, settle, kept } = opened;
  await client.workflow.start(ledger, { workflowId: 'w' });
  const handle = client.workflow.getHandle('w');
  let error: Error | undefined;
  const result = handle.result({ timeout: '1 minute' }).catch((reason) => {
    error = reason;
  });
  await settle();
  clock.advance(59_999);
  await settle();
  expect([error, kept().deadlines]).toEqual([undefined, 1]);
  clock.advance(1);
  await result;
  expect(error).toBeInstanceOf(DeadlineExceededError);
  expect(error).toMatchObject({ fields: { call: 'result', workflowId: 'w', mayHaveBeenApplied: false } });
  expect(error!.stack).toContain('20-calls-given-up');

  const before = system.histories();
  for (const [name, call] of Object.entries(everyCall(opened, { timeout: 0 }))) {
    expect([name, await thrown(call())]).toEqual([name, expect.any(DeadlineExceededError)]);
  }
  const past = new Date(Date.now() - 1);
  expect(await thrown(handle.describe({ deadline: past }))).toBeInstanceOf(DeadlineExceededError);
  expect(await thrown(client.withDeadline(past, () => handle.query(entries)))).toBeInstanceOf(DeadlineExceededError);
  await settle();
  expect(system.histories()).toEqual(before);
  expect(await handle.describe({ deadline: new Date(Date.now() + 60_000) })).toMatchObject({ workflowId: 'w' });
  expect(kept()).toEqual(NOTHING);
  await expectInvariants(system);
});

row('calls/deadline', 'and a limit that is none is refused', async () => {
  const { client } = await open();
  const handle = client.workflow.getHandle('w');
  const wrong: [object, string][] = [
    [{ timeout: 1, deadline: 1 }, 'not both'],
    [{ timeout: -1 }, 'duration from 0'],
    [{ deadline: new Date(Number.NaN) }, 'Date'],
    [{ deadline: 'soon' }, 'Date'],
    [{ signal: {} }, 'AbortSignal'],
    [{ timeOut: 1 }, "Did you mean 'timeout'"],
  ];
  for (const [limit, text] of wrong) {
    const error = await thrown(handle.describe(limit));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error.message).toContain(text);
  }
  const operation = new WithStartWorkflowOperation(ledger, {
    workflowId: 'w',
    workflowIdConflictPolicy: 'FAIL',
    timeout: 1,
  });
  const call = client.workflow.executeUpdateWithStart(append, { startWorkflowOperation: operation, args: ['x'] });
  expect(await thrown(call)).toMatchObject({ fields: { option: 'timeout' } });
});

row('calls/abort-signal', 'whichever call it is, before it or during it', async () => {
  const opened = await open();
  const { system, client, settle, kept } = opened;
  const reason = new Error('the browser left');
  const signal = AbortSignal.abort(reason);
  for (const [name, call] of Object.entries(everyCall(opened, { signal }))) {
    const error = await thrown(call());
    expect([name, error]).toEqual([name, expect.any(CallAbortedError)]);
    expect(error.cause).toBe(reason);
    expect(error).toMatchObject({ mayHaveBeenApplied: false });
  }
  await settle();
  expect(system.histories().size).toBe(0);

  await client.workflow.start(ledger, { workflowId: 'w' });
  const controller = new AbortController();
  const handle = client.workflow.getHandle('w');
  // Each listener of its own would be a warning from the eleventh on.
  const results = Array.from({ length: 20 }, () => thrown(handle.result({ signal: controller.signal })));
  await settle();
  expect(kept()).toMatchObject({ replies: 20, signals: 1 });
  controller.abort(reason);
  for (const result of results) expect((await result).cause).toBe(reason);
  expect(kept()).toMatchObject({ replies: 0, deadlines: 0, signals: 0 });
  await settle();
  await expectInvariants(system);
});

row('calls/may-have-been-applied', 'and is applied once, if it is sent again with its ids', async () => {
  const { system, client, settle, waiting } = await open();
  const handle = await client.workflow.start(ledger, { workflowId: 'w' });
  await settle();
  system.store.flushes.shut();
  const controller = new AbortController();
  const { signal } = controller;
  const operation = new WithStartWorkflowOperation(ledger, {
    workflowId: 'o',
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  const calls = {
    start: thrown(client.workflow.start(ledger, { workflowId: 's', signal })),
    signal: thrown(handle.signalWithOptions(add, { args: ['a'], requestId: 'r', signal })),
    bare: thrown(handle.signalWithOptions(add, { args: ['b'], signal })),
    update: thrown(handle.executeUpdate(append, { args: ['c'], signal })),
    withStart: thrown(
      client.workflow.executeUpdateWithStart(append, { startWorkflowOperation: operation, args: ['d'], signal }),
    ),
    query: thrown(handle.queryWithOptions(entries, { signal })),
  };
  await until(() => waiting()[1] === 6);
  const unsent = thrown(handle.signalWithOptions(add, { args: ['never'], signal }));
  controller.abort();
  const errors = Object.fromEntries(
    await Promise.all(Object.entries(calls).map(async ([name, call]) => [name, (await call) as CallAbortedError])),
  ) as Record<keyof typeof calls, CallAbortedError>;
  expect((await unsent) as CallAbortedError).toMatchObject({ mayHaveBeenApplied: false });
  expect(errors.query.mayHaveBeenApplied).toBe(false);
  expect(errors.signal.fields).toMatchObject({ call: 'signal', mayHaveBeenApplied: true, requestId: 'r' });
  expect(errors.signal.message).toContain("send it again with requestId 'r'");
  expect(errors.bare.fields).not.toHaveProperty('requestId');
  expect(errors.bare.message).toContain('look before you send it again');
  expect(errors.withStart.fields).toMatchObject({ call: 'update with start', mayHaveBeenApplied: true });
  expect(await thrown(operation.workflowHandle())).toBe(errors.withStart);

  system.store.flushes.open();
  await settle();
  const { requestId } = errors.start.fields;
  const again = await client.workflow.start(ledger, { workflowId: 's', requestId: requestId! });
  expect((await again.describe()).runId).toBe(again.firstExecutionRunId);
  await handle.signalWithOptions(add, { args: ['a'], requestId: 'r' });
  const { updateId } = errors.update.fields;
  expect(await handle.executeUpdate(append, { args: ['c'], updateId: updateId! })).toBe(3);
  expect(await handle.query(entries)).toEqual(['a', 'b', 'c']);
  const second = new WithStartWorkflowOperation(ledger, {
    workflowId: 'o',
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  const ids = { updateId: errors.withStart.fields.updateId! };
  const outcome = client.workflow.executeUpdateWithStart(append, {
    startWorkflowOperation: second,
    args: ['d'],
    ...ids,
  });
  expect(await outcome).toBe(1);
  await expectInvariants(system);
});

row('calls/withdrawn', 'whatever it waits for, and what goes on is answered to nobody by mistake', async () => {
  const { system, clock, client, settle, kept, waiting } = await open();
  const handle = await client.workflow.start(ledger, { workflowId: 'w' });
  const operation = new WithStartWorkflowOperation(ledger, {
    workflowId: 'o',
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  const limit = { timeout: 10 };
  const given = [
    handle.result(limit),
    client.workflow.execute(ledger, { workflowId: 'x', ...limit }),
    handle.executeUpdate(appendLater, { args: ['a', 60_000], updateId: 'u', ...limit }),
    handle.getUpdateHandle('u').result(limit),
    client.workflow.executeUpdateWithStart(appendLater, {
      startWorkflowOperation: operation,
      args: ['b', 60_000],
      ...limit,
    }),
  ].map(thrown);
  await settle();
  expect(waiting()).toEqual([5, 0]);
  expect((await operation.workflowHandle()).workflowId).toBe('o');
  const stays = handle.getUpdateHandle('u').result();
  await settle();
  clock.advance(10);
  for (const error of await Promise.all(given)) expect(error).toBeInstanceOf(DeadlineExceededError);
  await settle();
  expect(kept()).toEqual({ ...NOTHING, replies: 1 });
  expect(waiting()).toEqual([1, 0]);
  await system.pass(60_000);
  expect(await stays).toBe(1);
  await handle.signal(finish);
  expect(await handle.result(limit)).toEqual(['a']);
  await settle();
  expect(kept()).toEqual(NOTHING);
  expect(waiting()).toEqual([0, 0]);
  await expectInvariants(system);
});

row('calls/withdrawn', 'also while it has its place in the window, and while its run is read back', async () => {
  const { system, client, settle, waiting } = await open();
  system.config.maxResident = 0;
  const handle = await client.workflow.start(ledger, { workflowId: 'w' });
  await handle.signalWithOptions(add, { args: ['a'], requestId: 'r' });
  await settle();
  expect(system.supervisor.core.actors.size).toBe(0);
  system.store.reads.shut();
  const controller = new AbortController();
  const { signal } = controller;
  const given = [
    handle.signalWithOptions(add, { args: ['held'], requestId: 's', signal }),
    handle.queryWithOptions(entries, { signal }),
    handle.executeUpdate(append, { args: ['held'], signal }),
    handle.result({ signal }),
  ].map(thrown);
  await until(() => waiting()[0] === 4);
  expect(waiting()).toEqual([4, 3]);
  controller.abort();
  await Promise.all(given);
  await until(() => waiting()[0] === 0);
  expect(waiting()).toEqual([0, 0]);
  system.store.reads.open();
  await settle();
  // What was held had not been admitted, and is not any more.
  expect(await handle.query(entries)).toEqual(['a']);
  await settle();
  expect(system.supervisor.core.actors.size).toBe(0);
  await expectInvariants(system);
});

row('calls/withdrawn', 'by a client that is closed', async () => {
  const { system, client, settle, waiting } = await open();
  const handle = await client.workflow.start(ledger, { workflowId: 'w' });
  const calls = [handle.result(), handle.executeUpdate(appendLater, { args: ['a', 60_000] })].map(thrown);
  await settle();
  expect(waiting()).toEqual([2, 0]);
  client.close();
  for (const call of calls) expect(await call).toMatchObject({ code: 'CLIENT_CLOSED' });
  const other = connect(system);
  await other.settle();
  expect(waiting()).toEqual([0, 0]);
  other.close();
  await expectInvariants(system);
});

row('calls/withdrawn', 'so that time does not skip for it', () => {
  const replies: unknown[] = [];
  const awaited = new AwaitedOutcomes({ send: (reply) => replies.push(reply) });
  awaited.by({ awaits: 1, attempt: 7 });
  awaited.requested({ id: 1, kind: 'result', workflowId: 'w', followRuns: true });
  expect([awaited.size, awaited.attempts]).toEqual([1, [7]]);
  awaited.requested({ id: 1, kind: 'withdraw', workflowId: 'w' });
  expect([awaited.size, awaited.attempts]).toEqual([0, []]);
  awaited.by({ awaits: 2, attempt: 7 });
  awaited.requested({ id: 2, kind: 'withdraw', workflowId: 'w' });
  awaited.requested({ id: 2, kind: 'result', workflowId: 'w', followRuns: true });
  expect(awaited.attempts).toEqual([]);
});

row('calls/within', 'and what the function does besides is not ended', async () => {
  const { clock, client, settle, kept } = await open({
    workflow: [{ query: (input, next) => next(input) }],
  });
  const handle = await client.workflow.start(ledger, { workflowId: 'w' });
  const in10 = Date.now() + 10_000;
  const outer = client.withDeadline(in10, async () => {
    const own = handle.result({ timeout: '1 hour' }).catch((error) => error.code);
    const inner = await client.workflow.withDeadline(in10 + 10_000, () => thrown(handle.result()));
    return [inner, own] as const;
  });
  const plain = thrown(client.schedule.withDeadline(in10, () => client.workflow.execute(ledger, { workflowId: 'x' })));
  await settle();
  clock.advance(15_000);
  expect(await plain).toBeInstanceOf(DeadlineExceededError);
  expect(kept().replies).toBe(2);
  clock.advance(10_000);
  const [inner, own] = await outer;
  expect(inner).toBeInstanceOf(DeadlineExceededError);
  expect(kept().replies).toBe(1);
  clock.advance(3_600_000);
  expect(await own).toBe('DEADLINE_EXCEEDED');

  for (const which of [0, 1, 2]) {
    const controllers = [new AbortController(), new AbortController(), new AbortController()] as const;
    const [first, second, third] = controllers;
    const call = thrown(
      client.withAbortSignal(first.signal, () =>
        client.activity.withAbortSignal(second.signal, () => handle.result({ signal: third.signal })),
      ),
    );
    await settle();
    controllers[which]!.abort(which);
    expect((await call).cause).toBe(which);
  }
  expect(await client.withAbortSignal(new AbortController().signal, () => handle.query(entries))).toEqual([]);
  await settle();
  expect(kept()).toEqual(NOTHING);
});
