/**
 * Continue-as-new: the next run of a chain has what the one before it has not seen, and callers are told of the chain as of one workflow.
 */
import { expect, test } from 'vitest';
import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  makeContinueAsNewFunc,
  setHandler,
  sleep,
  workflowInfo,
} from '../../../actors/workflow/index.js';
import { decodePayload } from '../../../mailbox/payload.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { type Call, System } from '../../test-kit/system.test-kit.js';

routeRejections();

const add = defineSignal<[entry: string]>('add');
const next = defineSignal('next');
const finish = defineSignal('finish');
const entries = defineQuery<string[]>('entries');
const append = defineUpdate<number, [entry: string]>('append');
const appendLater = defineUpdate<number, [entry: string, ms: number]>('appendLater');

/** Writes down what comes, over as many runs as it is told to; a signal `later` has a handler in the third run only. */
async function chain(log: string[] = [], run = 1): Promise<string[]> {
  let then: 'next' | 'finish' | undefined;
  setHandler(add, (entry) => {
    log.push(entry);
  });
  setHandler(next, () => {
    then = 'next';
  });
  setHandler(finish, () => {
    then = 'finish';
  });
  setHandler(entries, () => [`run ${run}`, ...log]);
  setHandler(append, (entry) => log.push(entry));
  setHandler(appendLater, async (entry, ms) => {
    await sleep(ms);
    return log.push(entry);
  });
  if (run === 3) setHandler(defineSignal<[string]>('later'), (entry) => void log.push(`later ${entry}`));
  await condition(() => then !== undefined);
  if (then === 'next') await continueAsNew<typeof chain>(log, run + 1);
  return log;
}

const workflows = { chain };

/** Its `next` is computed and on its way back, not yet seen by the supervisor. */
async function continuing(): Promise<System> {
  const system = await System.open({ workflows });
  await system.start('w', 'chain').value();
  system.workers.returns.shut();
  await system.signal('w', 'next').value();
  return system;
}

const runIds = (system: System): string[] => [...system.histories().keys()];

test('a run that continues as new is followed by another with its own history, and the result is the last run’s', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'chain').value();
  const result = system.result('w');
  await system.signal('w', 'add', 'a').value();
  await system.signal('w', 'next').value();
  await system.signal('w', 'add', 'b').value();
  expect(await system.query('w', 'entries').value()).toEqual(['run 2', 'a', 'b']);
  expect(result.answered).toBe(false);
  await system.signal('w', 'finish').value();
  expect(await result.value()).toEqual(['a', 'b']);
  const [first, second] = runIds(system);
  const histories = [...system.histories().values()];
  expect(histories[0]!.at(-1)).toMatchObject({
    eventType: 'WorkflowExecutionContinuedAsNew',
    newExecutionRunId: second,
    workflowType: 'chain',
  });
  expect(histories[1]![0]).toMatchObject({ firstRunId: first, continuedFromRunId: first });
  expect(await system.supervisor.controlPlane.count(`ExecutionStatus = 'ContinuedAsNew'`)).toEqual({
    ok: true,
    value: { count: 1 },
  });
  expect(await system.supervisor.controlPlane.count(`ExecutionStatus = 'Running'`)).toEqual({
    ok: true,
    value: { count: 0 },
  });
  expect(system.supervisor.controlPlane.stats().openRuns).toBe(0);
  await expectInvariants(system);
});

test('signals, updates, queries and cancel requests that wait move on, in order, and are there before main runs', async () => {
  const system = await continuing();
  const calls = [
    system.signal('w', 'add', 'a'),
    system.update('w', 'append', 'b'),
    system.query('w', 'entries'),
    system.signalOnce('r', 'w', 'add', 'c'),
    system.update('w', 'append', 'd'),
  ];
  await system.settle();
  system.workers.returns.open();
  // All are in the buffer: the handler of signals is set first and drains its own, then that of updates.
  expect(await calls[1]!.value()).toBe(3);
  expect(await calls[2]!.value()).toEqual(['run 2', 'a', 'c', 'b', 'd']);
  expect(await calls[4]!.value()).toBe(4);
  const [first, second] = runIds(system);
  const history = system.histories().get(second!)!;
  expect(history[0]).toMatchObject({ seq: 1, startThrough: 5 });
  expect(history.slice(1, 3)).toMatchObject([
    { signalName: 'add', seq: 2, carriedFrom: { runId: first, seq: 3 } },
    { signalName: 'add', seq: 4, carriedFrom: { runId: first, seq: 6 }, requestId: 'r' },
  ]);
  expect(history.find(({ cause }) => cause !== undefined)).toMatchObject({ ran: [[1, 2, 3, 4, 5]] });
  await system.cancel('w').value();
  expect((await system.describe('w')).status).toBe('CANCELLED');
  await expectInvariants(system);
});

test('a cancel request that waits is processed by the next run', async () => {
  const system = await continuing();
  await system.cancel('w', 'enough').value();
  system.workers.returns.open();
  await system.settle();
  expect((await system.describe('w')).status).toBe('CANCELLED');
  expect(system.types('w')).toEqual([
    'WorkflowExecutionStarted',
    'WorkflowExecutionCancelRequested',
    'WorkflowExecutionCanceled',
  ]);
  expect(system.history('w')[1]).toMatchObject({ reason: 'enough', carriedFrom: { seq: 3 } });
  await expectInvariants(system);
});

test('what moves on keeps who sent it, and is known by its request id', async () => {
  const system = await continuing();
  const { runId } = await system.describe('w');
  system.request({ kind: 'signal', workflowId: 'w', name: 'add', input: [], identity: 'ann', requestId: 's' });
  system.request({ kind: 'signal', workflowId: 'w', name: 'unheard', input: [], identity: 'bob' });
  system.request({ kind: 'cancel', workflowId: 'w', identity: 'eve', reason: 'enough' });
  await system.settle();
  system.workers.returns.open();
  await system.settle();
  const history = [...system.histories().values()][1]!;
  expect(history.slice(1, 4)).toMatchObject([
    { signalName: 'add', identity: 'ann', requestId: 's', carriedFrom: { runId } },
    { signalName: 'unheard', identity: 'bob', carriedFrom: { runId } },
    { eventType: 'WorkflowExecutionCancelRequested', identity: 'eve', reason: 'enough' },
  ]);
  const again = system.request({ kind: 'signal', workflowId: 'w', name: 'add', input: [], requestId: 's' });
  expect(await again.value()).toBe('done');
  expect(system.types('w').filter((type) => type === 'WorkflowExecutionSignaled')).toHaveLength(2);
  await expectInvariants(system);
});

test('requests pinned to a run do not move to the next one', async () => {
  const system = await continuing();
  const [runId] = runIds(system);
  const pinned = [
    system.updateWith({ workflowId: 'w', name: 'append', runId: runId! }, 'pinned'),
    system.request({ kind: 'query', workflowId: 'w', runId: runId!, name: 'entries', input: [] }),
  ];
  const joined = system.updateWith({ workflowId: 'w', name: 'append', runId: runId!, updateId: 'u' }, 'joined');
  const joining = system.updateWith({ workflowId: 'w', name: 'append', updateId: 'u' }, 'joined');
  await system.settle();
  system.workers.returns.open();
  for (const call of [...pinned, joined]) {
    expect(await call.error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND', fields: { closed: true, runId } });
  }
  expect(await joining.value()).toBe(1);
  expect(await system.query('w', 'entries').value()).toEqual(['run 2', 'joined']);
  const late = system.request({ kind: 'query', workflowId: 'w', runId: runId!, name: 'entries', input: [] });
  expect(await late.value()).toEqual(['run 1']);
  await expectInvariants(system);
});

test('a signal that no run has a handler for is carried along until one has', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'chain').value();
  await system.signal('w', 'later', 'a').value();
  await system.signalOnce('r', 'w', 'later', 'b').value();
  await system.signal('w', 'next').value();
  await system.signal('w', 'next').value();
  expect(await system.query('w', 'entries').value()).toEqual(['run 3', 'later a', 'later b']);
  const [, second, third] = runIds(system);
  expect(system.histories().get(third!)![1]).toMatchObject({ seq: 2, carriedFrom: { runId: second, seq: 2 } });
  expect(await system.signalOnce('r', 'w', 'later', 'again').value()).toBe('done');
  expect(await system.query('w', 'entries').value()).toEqual(['run 3', 'later a', 'later b']);
  await expectInvariants(system);
});

test('messages that wait in the turn of the continuing step itself all move on', async () => {
  const system = await System.open({ workflows });
  const calls: Call[] = [
    system.start('w', 'chain'),
    system.signal('w', 'add', 'a'),
    system.signal('w', 'next'),
    system.query('w', 'entries'),
    system.signal('w', 'add', 'b'),
    system.update('w', 'append', 'c'),
    system.signal('w', 'next'),
    system.signal('w', 'add', 'd'),
    system.query('w', 'entries'),
  ];
  await system.settle();
  expect(await calls[3]!.value()).toEqual(['run 1', 'a']);
  expect(await calls[5]!.value()).toBe(4);
  expect(await calls[8]!.value()).toEqual(['run 2', 'a', 'b', 'd', 'c']);
  expect(await system.query('w', 'entries').value()).toEqual(['run 3', 'a', 'b', 'd', 'c']);
  expect(system.unanswered).toBe(0);
  await expectInvariants(system);
});

test('an accepted update that is unfinished ends with its run, and is told so whenever it is asked', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'chain').value();
  const update = system.updateWith({ workflowId: 'w', name: 'appendLater', updateId: 'u' }, 'a', 1000);
  const logged = () => system.lifecycle.flatMap((event) => (event.name === 'log' ? [event.message] : []));
  await system.settle();
  await system.signal('w', 'next').value();
  const cut = { code: 'WORKFLOW_UPDATE_FAILED', cause: { type: 'AcceptedUpdateCompletedWorkflow' } };
  expect(await update.error()).toMatchObject(cut);
  expect(logged()[0]).toContain('update appendLater (u)');
  expect(await system.pollUpdate('w', 'u').error()).toMatchObject(cut);
  await system.crash();
  expect(await system.pollUpdate('w', 'u').error()).toMatchObject(cut);
  const again = system.updateWith({ workflowId: 'w', name: 'append', updateId: 'u' }, 'again');
  expect(await again.error()).toMatchObject(cut);
  await system.pass(2000);
  expect(await system.query('w', 'entries').value()).toEqual(['run 2']);
  await expectInvariants(system);
});

test('a result that does not follow its chain is told which run continues it', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'chain').value();
  const [runId] = runIds(system);
  const ask = (): Call => system.request({ kind: 'result', workflowId: 'w', runId: runId!, followRuns: false });
  const before = ask();
  await system.signal('w', 'next').value();
  const expected = { code: 'WORKFLOW_CONTINUED_AS_NEW', newExecutionRunId: runIds(system)[1] };
  expect(await before.error()).toMatchObject(expected);
  expect(await ask().error()).toMatchObject(expected);
  await system.restart();
  expect(await ask().error()).toMatchObject(expected);
  const following = system.request({ kind: 'result', workflowId: 'w', runId: runId!, followRuns: true });
  await system.signal('w', 'next').value();
  await system.signal('w', 'finish').value();
  expect(await following.value()).toEqual([]);
  await expectInvariants(system);
});

test('a start that is sent again long after its chain went on is the same start', async () => {
  const system = await System.open({ workflows });
  const request = { workflowId: 'w', workflowType: 'chain', requestId: 'same' };
  await system.startWith(request).value();
  await system.signal('w', 'next').value();
  await system.signal('w', 'next').value();
  for (const pass of [async () => undefined, () => system.crash(), () => system.restart()]) {
    await pass();
    const again = system.startWith(request);
    expect(await again.value()).toBe('started');
    expect(again.reply).toMatchObject({ runId: runIds(system)[0], started: true });
  }
  const other = system.startWith({ ...request, requestId: 'other' });
  expect(await other.error()).toMatchObject({ code: 'WORKFLOW_ALREADY_STARTED', runId: runIds(system)[2] });
  await expectInvariants(system);
});

/** What may lie between a request and the same one again. */
const between: [string, (system: System) => Promise<unknown>][] = [
  ['at once', async () => undefined],
  ['after eviction', (system) => system.evictAll()],
  ['after a restart', (system) => system.restart()],
  ['after a crash', (system) => system.crash()],
  [
    'after the chain closed and a restart',
    async (system) => {
      await system.signal('w', 'finish').value();
      await system.restart();
    },
  ],
];

test.each(between)('ids are known two runs later, %s', async (_, pass) => {
  const system = await System.open({ workflows });
  await system.start('w', 'chain').value();
  await system.signalOnce('r', 'w', 'add', 'a').value();
  await system.updateWith({ workflowId: 'w', name: 'append', updateId: 'u' }, 'b').value();
  await system.signal('w', 'next').value();
  await system.signalOnce('s', 'w', 'add', 'c').value();
  await system.signal('w', 'next').value();
  await pass(system);
  for (const id of ['r', 's']) expect(await system.signalOnce(id, 'w', 'add', 'again').value()).toBe('done');
  const again = system.updateWith({ workflowId: 'w', name: 'append', updateId: 'u' }, 'again');
  expect(await again.value()).toBe(2);
  expect(again.reply).toMatchObject({ runId: runIds(system)[0] });
  expect(await system.pollUpdate('w', 'u').value()).toBe(2);
  const pinned = system.request({
    kind: 'pollUpdate',
    workflowId: 'w',
    runId: runIds(system)[0]!,
    updateId: 'u',
    stage: 'COMPLETED',
  });
  expect(await pinned.value()).toBe(2);
  expect(await system.query('w', 'entries').value()).toEqual(['run 3', 'a', 'b', 'c']);
  await expectInvariants(system);
});

test('ids are forgotten along a chain past their number and age, also when they are read back', async () => {
  const system = await System.open({ workflows, dedupe: { ids: 2, ms: 10_000 } });
  await system.start('w', 'chain').value();
  await system.signalOnce('1', 'w', 'add', '1').value();
  await system.signalOnce('2', 'w', 'add', '2').value();
  await system.signal('w', 'next').value();
  await system.signalOnce('3', 'w', 'add', '3').value();
  await system.signalOnce('2', 'w', 'add', 'not again').value();
  await system.restart();
  await system.signalOnce('2', 'w', 'add', 'not again').value();
  await system.signalOnce('1', 'w', 'add', '1 again').value();
  await system.signal('w', 'next').value();
  await system.pass(10_001);
  await system.signal('w', 'next').value();
  expect(system.history('w')[0]).toMatchObject({ idsInRunId: undefined });
  await system.signalOnce('3', 'w', 'add', '3 again').value();
  expect(await system.query('w', 'entries').value()).toEqual(['run 4', '1', '2', '3', '1 again', '3 again']);
  await expectInvariants(system);
});

test('only ids count for how many are read back: not messages without one, nor an update’s outcome', async () => {
  const system = await System.open({ workflows, dedupe: { ids: 3, ms: 10_000 } });
  await system.start('w', 'chain').value();
  await system.signalOnce('r', 'w', 'add', 'a').value();
  await system.signal('w', 'next').value();
  for (const entry of ['b', 'c', 'd']) await system.signal('w', 'add', entry).value();
  await system.update('w', 'append', 'e').value();
  await system.signal('w', 'next').value();
  await system.restart();
  await system.signalOnce('r', 'w', 'add', 'again').value();
  expect(await system.query('w', 'entries').value()).toEqual(['run 3', 'a', 'b', 'c', 'd', 'e']);
  await expectInvariants(system);
});

test('ids of a run without any are looked for only where there are some', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'chain').value();
  await system.signalOnce('r', 'w', 'add', 'a').value();
  for (let i = 0; i < 5; i++) await system.signal('w', 'next').value();
  const [first] = runIds(system);
  expect(system.history('w')[0]).toMatchObject({ idsInRunId: first });
  await system.restart();
  await system.signalOnce('r', 'w', 'add', 'again').value();
  expect(await system.query('w', 'entries').value()).toEqual(['run 6', 'a']);
  await expectInvariants(system);
});

test('a run that continues as a type that nobody has is suspended, and goes on once there is one', async () => {
  let type = 'nobody';
  async function renamed(): Promise<void> {
    setHandler(entries, () => [type]);
    let done = false;
    setHandler(next, () => {
      done = true;
    });
    await condition(() => done);
    await makeContinueAsNewFunc({ workflowType: type })();
  }
  const system = await System.open({ workflows: { renamed, chain } });
  await system.start('w', 'renamed').value();
  await system.signal('w', 'next').value();
  expect((await system.describe('w')).suspended).toMatchObject({
    error: { cause: { type: 'UnknownWorkflowTypeError', message: expect.stringContaining("'nobody'") } },
  });
  expect(await system.query('w', 'entries').error()).toMatchObject({ code: 'WORKFLOW_SUSPENDED' });
  await system.signal('w', 'add', 'kept').value();
  type = 'chain';
  await system.pass(60_000);
  expect(await system.query('w', 'entries').value()).toEqual(['run 1', 'kept']);
  await expectInvariants(system);
});

test('a signal handler continues as new as main does; an update handler is told how it should', async () => {
  async function main(run = 1): Promise<void> {
    setHandler(entries, () => [`run ${run}`]);
    setHandler(next, async () => {
      await continueAsNew<typeof main>(run + 1);
    });
    setHandler(append, async () => continueAsNew<typeof main>(run + 1));
    await condition(() => false);
  }
  const system = await System.open({ workflows: { main } });
  await system.start('w', 'main').value();
  await system.signal('w', 'next').value();
  expect(await system.query('w', 'entries').value()).toEqual(['run 2']);
  expect(await system.update('w', 'append', 'x').error()).toMatchObject({
    cause: { message: expect.stringContaining('let main await it') },
  });
  expect(await system.query('w', 'entries').value()).toEqual(['run 2']);
  await expectInvariants(system);
});

test('workflowInfo tells of the chain, of the memo that is kept unless another is given, and of the size', async () => {
  const info = defineQuery<object>('info');
  async function main(run = 1): Promise<void> {
    setHandler(info, () => {
      const { memo, continuedFromExecutionRunId, firstExecutionRunId, historySize, historyLength } = workflowInfo();
      return { memo, continuedFromExecutionRunId, firstExecutionRunId, historySize, historyLength };
    });
    let done = false;
    setHandler(next, () => {
      done = true;
    });
    setHandler(add, () => undefined);
    await condition(() => done);
    if (run === 1) await continueAsNew<typeof main>(2);
    await makeContinueAsNewFunc<typeof main>({ memo: { run } })(run + 1);
  }
  const system = await System.open({ workflows: { main } });
  const { encodePayload } = await import('../../../mailbox/payload.js');
  await system.startWith({ workflowId: 'w', workflowType: 'main', memo: encodePayload({ by: 'ada' }) }).value();
  expect(await system.query('w', 'info').value()).toMatchObject({
    memo: { by: 'ada' },
    continuedFromExecutionRunId: undefined,
  });
  await system.signal('w', 'next').value();
  const [first, second] = runIds(system);
  expect(await system.query('w', 'info').value()).toMatchObject({
    memo: { by: 'ada' },
    continuedFromExecutionRunId: first,
    firstExecutionRunId: first,
  });
  await system.signal('w', 'add', 'twelve bytes').value();
  const told = await system.query('w', 'info').value();
  expect(told).toMatchObject({ historyLength: 7 });
  await system.crash();
  expect(await system.query('w', 'info').value()).toEqual(told);
  await system.signal('w', 'next').value();
  expect(await system.query('w', 'info').value()).toMatchObject({
    memo: { run: 2 },
    continuedFromExecutionRunId: second,
    firstExecutionRunId: first,
  });
  expect(decodePayload((system.history('w')[0] as { memo: Uint8Array }).memo)).toEqual({ run: 2 });
  await expectInvariants(system);
});

test('continuing as new is suggested at a length that the run remembers, whatever limits hold later', async () => {
  const suggested = defineQuery<boolean>('suggested');
  async function main(): Promise<void> {
    setHandler(suggested, () => workflowInfo().continueAsNewSuggested);
    setHandler(add, () => undefined);
    await condition(() => false);
  }
  const system = await System.open({ workflows: { main }, limits: { historyEvents: 20 } });
  await system.start('w', 'main').value();
  for (let i = 0; i < 3; i++) {
    expect(await system.query('w', 'suggested').value()).toBe(false);
    await system.signal('w', 'add', 'a').value();
  }
  expect(await system.query('w', 'suggested').value()).toBe(true);
  system.limits.historyEvents = 51_200;
  await system.crash();
  expect(await system.query('w', 'suggested').value()).toBe(true);
  await expectInvariants(system);
});

test('what is held while a void close is decided goes to the next run if the run then continues as new', async () => {
  async function fickle(log: string[] = [], run = 1): Promise<string[]> {
    let finished = false;
    setHandler(add, (entry) => {
      log.push(entry);
    });
    setHandler(finish, () => {
      finished = true;
    });
    setHandler(entries, () => [`run ${run}`, ...log]);
    await condition(() => finished);
    if (log.length % 2 === 1) await continueAsNew<typeof fickle>(log, run + 1);
    return log;
  }
  const system = await System.open({ workflows: { fickle } });
  await system.start('w', 'fickle').value();
  system.workers.returns.shut();
  await system.signal('w', 'finish').value();
  await system.signal('w', 'add', 'a').value();
  system.workers.returns.letThrough();
  await system.settle();
  const held = [system.signal('w', 'add', 'b'), system.query('w', 'entries'), system.update('w', 'nothing')];
  await system.settle();
  expect(held.map(({ answered }) => answered)).toEqual([false, false, false]);
  system.workers.returns.open();
  expect(await held[0]!.value()).toBe('done');
  expect(await held[1]!.value()).toEqual(['run 2', 'a', 'b']);
  expect(await held[2]!.error()).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED' });
  await expectInvariants(system);
});

test.each([
  ['a signal', (system: System) => system.signal('w', 'add', 'a')],
  ['a cancel request', (system: System) => system.cancel('w')],
  ['an update', (system: System) => system.update('w', 'append', 'a')],
] as const)('a run that is to begin later begins at once if %s waits for it', async (_, send) => {
  async function turning(round = 0): Promise<unknown> {
    if (round > 0) return chain(['later']);
    await condition(() => true);
    return makeContinueAsNewFunc<typeof turning>({ backoffStartInterval: '1 hour' })(1);
  }
  const system = await System.open({ workflows: { turning } });
  system.workers.returns.shut();
  await system.start('w', 'turning').value();
  const call = send(system);
  await system.settle();
  system.workers.returns.open();
  await call.value();
  const { status } = await system.describe('w');
  if (status === 'RUNNING') expect(await system.query('w', 'entries').value()).toEqual(['run 1', 'later', 'a']);
  else expect(status).toBe('CANCELLED');
  await system.crash();
  expect((await system.describe('w')).status).toBe(status);
  await expectInvariants(system);
});
