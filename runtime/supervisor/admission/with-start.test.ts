/**
 * A start and the signal or update that comes with it: one request, one admission, one step.
 */
import { expect, test } from 'vitest';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  sleep,
} from '../../../actors/workflow/index.js';
import { encodePayloads } from '../../../mailbox/payload.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { type Call, System } from '../../test-kit/system.test-kit.js';

routeRejections();

const add = defineSignal<[entry: string]>('add');
const finish = defineSignal('finish');
const entries = defineQuery<string[]>('entries');
const append = defineUpdate<number, [entry: string]>('append');

/** Begins its list once its handlers are set: what came with the start is there before. */
async function list(first = 'begun'): Promise<string[]> {
  const log: string[] = [];
  let finished = false;
  setHandler(add, (entry) => {
    log.push(entry);
  });
  setHandler(append, (entry) => log.push(entry), {
    validator: (entry) => {
      if (entry === '') throw new Error('nothing to append');
    },
  });
  setHandler(finish, () => {
    finished = true;
  });
  setHandler(entries, () => log);
  log.push(first);
  await condition(() => finished);
  return log;
}

/** Ends with what it finds. */
async function brief(): Promise<string[]> {
  const log: string[] = [];
  setHandler(entries, () => log);
  setHandler(append, (entry) => log.push(entry));
  setHandler(add, (entry) => {
    log.push(entry);
  });
  return log;
}

const workflows = { list, brief };
type StartOptions = Partial<Parameters<System['startWith']>[0]>;

const target = { workflowId: 'w', workflowType: 'list' };

function signalWithStart(system: System, entry: string, options: StartOptions = {}, requestId?: string): Call {
  const brings = { kind: 'signal' as const, name: 'add', input: encodePayloads([entry]) };
  return system.startWith({
    ...target,
    conflictPolicy: 'USE_EXISTING',
    ...options,
    ...(requestId === undefined ? { brings } : { requestId, brings: { ...brings, requestId } }),
  });
}

const updateWithStart = (system: System, entry: string, options: StartOptions = {}, updateId?: string) =>
  system.updateWithStart(
    { ...target, conflictPolicy: 'USE_EXISTING', ...options },
    { name: 'append', args: [entry], ...(updateId === undefined ? {} : { updateId }) },
  );

test('a signal that comes with its start is one step with it, and handled before main goes on', async () => {
  const system = await System.open({ workflows });
  const call = signalWithStart(system, 'a');
  const after = system.signal('w', 'add', 'b');
  expect(await call.value()).toBe('started');
  expect(call.reply).toMatchObject({ started: true });
  await after.value();
  expect(await system.query('w', 'entries').value()).toEqual(['a', 'begun', 'b']);
  expect(system.history('w')[0]).toMatchObject({ seq: 1, startThrough: 2 });
  expect(system.workers.turns[0]!.slices[0]!.steps.map((step) => step.length)).toEqual([2, 1]);
  await expectInvariants(system);
});

test('an update that comes with its start is one step with it, and answered apart from it', async () => {
  const system = await System.open({ workflows });
  const { start, update } = updateWithStart(system, 'a');
  expect(await start.value()).toBe('started');
  expect(await update.value()).toBe(1);
  expect(await system.query('w', 'entries').value()).toEqual(['a', 'begun']);
  const rejected = updateWithStart(system, '', { workflowId: 'v' });
  expect(await rejected.start.value()).toBe('started');
  expect(await rejected.update.error()).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED' });
  expect(system.types('v')).toEqual(['WorkflowExecutionStarted', 'WorkflowTaskCompleted']);
  await expectInvariants(system);
});

test('a validator that goes on after it has returned leaves nothing in the step of a start', async () => {
  const going = async () => {
    setHandler(append, () => 1, {
      validator: (async () => {
        await null;
        void sleep(1000);
      }) as () => void,
    });
    setHandler(entries, () => []);
    await condition(() => false);
  };
  const system = await System.open({ workflows: { list: going } });
  const { start, update } = updateWithStart(system, 'a');
  expect(await start.value()).toBe('started');
  expect(await update.error()).toMatchObject({ cause: { type: 'ReadOnlyViolationError' } });
  await system.pass(2000);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual([]);
  await expectInvariants(system);
});

test('a workflow that has no handler for what comes with its start rejects the update and keeps the signal', async () => {
  const system = await System.open({ workflows: { list: async () => condition(() => false) } });
  const { start, update } = updateWithStart(system, 'a');
  expect(await start.value()).toBe('started');
  expect(await update.error()).toMatchObject({ cause: { message: 'No registered handler for update: append' } });
  expect(await signalWithStart(system, 'b').value()).toBe('started');
  await expectInvariants(system);
});

test('an open run is used, and takes the message as any other', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'list').value();
  const used = signalWithStart(system, 'a');
  expect(await used.value()).toBe('started');
  expect(used.reply).toMatchObject({ started: false });
  const { start, update } = updateWithStart(system, 'b');
  expect(await update.value()).toBe(3);
  expect(start.reply).toMatchObject({ kind: 'started', started: false });
  expect(await system.query('w', 'entries').value()).toEqual(['begun', 'a', 'b']);
  expect(system.histories().size).toBe(1);
  await expectInvariants(system);
});

test('policies decide before anything is admitted, for both or for neither', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'list').value();
  const refused = updateWithStart(system, 'a', { conflictPolicy: 'FAIL' });
  for (const call of [refused.start, refused.update]) {
    expect(await call.error()).toMatchObject({ code: 'WORKFLOW_ALREADY_STARTED' });
  }
  const unknown = updateWithStart(system, 'a', { workflowType: 'nobody' });
  for (const call of [unknown.start, unknown.update]) {
    expect(await call.error()).toMatchObject({ code: 'UNKNOWN_WORKFLOW_TYPE' });
  }
  expect(await system.query('w', 'entries').value()).toEqual(['begun']);
  const replaced = updateWithStart(system, 'b', { conflictPolicy: 'TERMINATE_EXISTING' });
  expect(await replaced.update.value()).toBe(1);
  await system.signal('w', 'finish').value();
  const closed = signalWithStart(system, 'c', { reusePolicy: 'REJECT_DUPLICATE' });
  expect(await closed.error()).toMatchObject({ code: 'WORKFLOW_ALREADY_STARTED' });
  expect(await signalWithStart(system, 'd').value()).toBe('started');
  expect(await system.query('w', 'entries').value()).toEqual(['d', 'begun']);
  expect(system.unanswered).toBe(0);
  await expectInvariants(system);
});

test('what an open run has no room for is refused to both, and starts nothing', async () => {
  const system = await System.open({ workflows, limits: { updatesInFlight: 1, mailboxMessages: 2 } });
  await system.start('w', 'list').value();
  system.workers.returns.shut();
  system.update('w', 'append', 'a');
  await system.settle();
  const second = updateWithStart(system, 'b');
  for (const call of [second.start, second.update]) {
    expect(await call.error()).toMatchObject({ code: 'RESOURCE_EXHAUSTED', fields: { limit: 1 } });
  }
  system.signal('w', 'add', 'c');
  expect(await signalWithStart(system, 'd').error()).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    fields: { limit: 2 },
  });
  system.workers.returns.open();
  await system.settle();
  expect(await system.query('w', 'entries').value()).toEqual(['begun', 'a', 'c']);
  expect(system.histories().size).toBe(1);
  await expectInvariants(system);
});

const between: [string, (system: System) => Promise<unknown>][] = [
  ['at once', async () => undefined],
  ['after it came to rest', (system) => system.settle()],
  ['after eviction', (system) => system.evictAll()],
  ['after a restart', (system) => system.restart()],
  ['after a crash', (system) => system.crash()],
  ['after the run closed', (system) => system.signal('w', 'finish').value()],
];

test.each(between)(
  'the same signal with start again %s is acknowledged, and starts and signals once',
  async (when, pass) => {
    const system = await System.open({ workflows });
    const first = signalWithStart(system, 'a', {}, 'r');
    if (when !== 'at once') await first.value();
    await pass(system);
    expect(await signalWithStart(system, 'a', {}, 'r').value()).toBe('started');
    expect(await system.query('w', 'entries').value()).toEqual(['a', 'begun']);
    expect(system.histories().size).toBe(when === 'after eviction' ? 2 : 1);
    await expectInvariants(system);
  },
);

test.each(between)('the same signal to an open run again %s is applied once', async (when, pass) => {
  const system = await System.open({ workflows });
  await system.start('w', 'list').value();
  const first = signalWithStart(system, 'a', {}, 'r');
  if (when !== 'at once') await first.value();
  await pass(system);
  const again = signalWithStart(system, 'a', {}, 'r');
  expect(await again.value()).toBe('started');
  expect(again.reply).toMatchObject({ started: false });
  expect(await system.query('w', 'entries').value()).toEqual(['begun', 'a']);
  await expectInvariants(system);
});

test.each(between)(
  'an update with start whose id is known %s has its outcome, and starts nothing',
  async (when, pass) => {
    const system = await System.open({ workflows });
    const first = updateWithStart(system, 'a', {}, 'u');
    if (when !== 'at once') await first.update.value();
    await pass(system);
    const again = updateWithStart(system, 'again', { conflictPolicy: 'FAIL' }, 'u');
    expect(await again.update.value()).toBe(1);
    expect(again.start.reply).toMatchObject({ kind: 'started', started: false });
    expect(await system.query('w', 'entries').value()).toEqual(['a', 'begun']);
    await expectInvariants(system);
  },
);

test('a start group whose close is void runs again with the signal that made it so', async () => {
  const system = await System.open({ workflows });
  system.workers.returns.shut();
  const { start, update } = updateWithStart(system, 'a', { workflowType: 'brief' });
  expect(await start.value()).toBe('started');
  expect(await system.signal('w', 'add', 'b').value()).toBe('done');
  system.workers.returns.open();
  expect(await system.result('w').value()).toEqual(['a', 'b']);
  expect(await update.value()).toBe(1);
  expect(system.history('w').find(({ ran }) => ran !== undefined)).toMatchObject({ ran: [[1, 2, 3]] });
  await expectInvariants(system);
});

test('a worker lost in a start group: it is one step again, and what came later is not part of it', async () => {
  const system = await System.open({ workflows });
  let turns = 0;
  system.workers.fate = (slices) => (turns++ < 2 ? slices[0]!.run : undefined);
  system.workers.returns.shut();
  const call = signalWithStart(system, 'a');
  await call.value();
  const later = [system.signal('w', 'add', 'b'), system.query('w', 'entries')];
  expect(await later[0]!.value()).toBe('done');
  system.workers.returns.open();
  expect(await later[1]!.value()).toEqual(['a', 'begun', 'b']);
  expect(turns).toBeGreaterThan(2);
  await expectInvariants(system);
});

test.each(['lost', 'kept'] as const)(
  'a crash before the start group is known to have run, its flush %s',
  async (flush) => {
    const system = await System.open({ workflows });
    system.store.flushes.shut();
    const signaled = signalWithStart(system, 'a');
    const { start, update } = updateWithStart(system, 'b', { workflowId: 'v' });
    await system.settle();
    await system.crash(flush);
    await system.settle();
    for (const call of [signaled, start, update]) expect(call.answered).toBe(false);
    if (flush === 'lost') expect(system.histories().size).toBe(0);
    else {
      await system.signal('w', 'add', 'c').value();
      expect(await system.query('w', 'entries').value()).toEqual(['a', 'begun', 'c']);
      // Nobody was told of the update: it is gone, and its place is not given again.
      await system.signal('v', 'add', 'c').value();
      expect(await system.query('v', 'entries').value()).toEqual(['begun', 'c']);
    }
    await expectInvariants(system);
  },
);

test('a start group that breaks is tried again as one step, without the update, whose caller is told', async () => {
  let broken = true;
  async function fragile(): Promise<void> {
    setHandler(entries, () => ['mended']);
    setHandler(append, () => 1);
    if (broken) throw new TypeError('broken');
    await condition(() => false);
  }
  const system = await System.open({ workflows: { list: fragile } });
  const { start, update } = updateWithStart(system, 'a');
  expect(await start.value()).toBe('started');
  expect(await update.error()).toMatchObject({ code: 'WORKFLOW_SUSPENDED', cause: { message: 'broken' } });
  expect(await signalWithStart(system, 'b').value()).toBe('started');
  broken = false;
  await system.pass(60_000);
  expect(await system.query('w', 'entries').value()).toEqual(['mended']);
  await expectInvariants(system);
});

test('what comes with a start waits with everything else while a void close is decided', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'list').value();
  system.workers.returns.shut();
  await system.signal('w', 'finish').value();
  await system.signal('w', 'add', 'late').value();
  system.workers.returns.letThrough();
  await system.settle();
  const calls = [signalWithStart(system, 'next')];
  const { start, update } = updateWithStart(system, 'last');
  await system.settle();
  expect([...calls, start, update].map(({ answered }) => answered)).toEqual([false, false, false]);
  system.workers.returns.open();
  expect(await calls[0]!.value()).toBe('started');
  expect(calls[0]!.reply).toMatchObject({ started: true });
  expect(await update.value()).toBe(3);
  expect(await system.query('w', 'entries').value()).toEqual(['next', 'begun', 'last']);
  await expectInvariants(system);
});
