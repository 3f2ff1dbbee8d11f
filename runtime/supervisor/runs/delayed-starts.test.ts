/**
 * Delayed starts: the run is there at once, and begins when its delay is over or somebody wants something of it.
 */
import { expect, test } from 'vitest';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  workflowInfo,
} from '../../../actors/workflow/index.js';
import { encodePayloads } from '../../../mailbox/payload.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { START_OF_TIME, System } from '../../test-kit/system.test-kit.js';
import { workflowTime } from '../../test-kit/workflows.test-kit.js';

routeRejections();

const DELAY = 60_000;
const add = defineSignal<[entry: string]>('add');
const entries = defineQuery<(string | number)[]>('entries');
const append = defineUpdate<number, [entry: string]>('append');

/** Notes when it began, in milliseconds, among what came. */
async function list(argument: string): Promise<void> {
  const log: (string | number)[] = [argument];
  setHandler(add, (entry) => {
    log.push(entry);
  });
  setHandler(append, (entry) => log.push(entry));
  setHandler(entries, () => log);
  log.push(workflowTime() - START_OF_TIME, workflowInfo().startTime.getTime() - START_OF_TIME);
  await condition(() => false);
}

async function delayed(brings: Partial<Parameters<System['startWith']>[0]> = {}): Promise<System> {
  const system = await System.open({ workflows: { list } });
  const start = { workflowId: 'w', workflowType: 'list', startDelay: DELAY, ...brings };
  expect(await system.startWith(start, 'x').value()).toBe('started');
  expect(system.workers.turns).toEqual([]);
  return system;
}

const signal = { brings: { kind: 'signal' as const, name: 'add', input: encodePayloads(['with it']) } };

test('a delayed run is described and listed at once, and begins when its delay is over', async () => {
  const system = await delayed();
  expect(await system.describe('w')).toMatchObject({ status: 'RUNNING', historyLength: 1, waitingMessages: 0 });
  expect(await system.supervisor.controlPlane.count(`ExecutionStatus = 'Running'`)).toMatchObject({
    value: { count: 1 },
  });
  expect(system.supervisor.core.actors.size, 'nothing is kept in memory of a run that waits').toBe(0);
  await system.pass(DELAY - 1);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await system.pass(1);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'WorkflowTaskScheduled']);
  expect(await system.query('w', 'entries').value()).toEqual(['x', DELAY, 0]);
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(['x', DELAY, 0]);
  await expectInvariants(system);
});

test.each([
  ['a crash', (system: System) => system.crash()],
  ['a restart', (system: System) => system.restart()],
])('the delay goes on over %s', async (_, pass) => {
  const system = await delayed(signal);
  await system.pass(DELAY / 2);
  await pass(system);
  await system.pass(DELAY / 2 - 1);
  expect(system.workers.turns).toEqual([]);
  await pass(system);
  await system.pass(1);
  expect(await system.query('w', 'entries').value()).toEqual(['x', 'with it', DELAY, 0]);
  await expectInvariants(system);
});

test('a delay that is over while nothing runs ends with the next process', async () => {
  const system = await delayed();
  const { store } = system;
  store.flushes.shut();
  await system.crash();
  system.clock.jump(DELAY * 2);
  await system.restart();
  await system.pass(0);
  expect(await system.query('w', 'entries').value()).toEqual(['x', DELAY * 2, 0]);
  await expectInvariants(system);
});

test('the first signal ends the delay, and is there before main runs', async () => {
  const system = await delayed(signal);
  await system.pass(1000);
  await system.signal('w', 'add', 'early').value();
  await system.signal('w', 'add', 'later').value();
  expect(await system.query('w', 'entries').value()).toEqual(['x', 'with it', 'early', 1000, 0, 'later']);
  expect(system.history('w').slice(0, 4)).toMatchObject([
    { startDelay: DELAY, startThrough: 1 },
    { seq: 1, signalName: 'add' },
    { eventType: 'WorkflowTaskScheduled', seq: 2, startThrough: 3 },
    { seq: 3, signalName: 'add' },
  ]);
  await system.pass(DELAY);
  expect(system.types('w').filter((type) => type === 'WorkflowTaskScheduled')).toHaveLength(1);
  await system.crash();
  expect(await system.query('w', 'entries').value()).toEqual(['x', 'with it', 'early', 1000, 0, 'later']);
  await expectInvariants(system);
});

test('an update and a query end the delay too', async () => {
  const system = await delayed();
  expect(await system.update('w', 'append', 'early').value()).toBe(2);
  expect(await system.query('w', 'entries').value()).toEqual(['x', 'early', 0, 0]);
  await expectInvariants(system);
  const other = await delayed(signal);
  expect(await other.query('w', 'entries').value()).toEqual(['x', 'with it', 0, 0]);
  await expectInvariants(other);
});

test('a cancel request begins the run and cancels it; a termination ends it before it began', async () => {
  const system = await delayed();
  await system.cancel('w').value();
  await system.settle();
  expect((await system.describe('w')).status).toBe('CANCELLED');
  const other = await delayed(signal);
  await other.terminate('w').value();
  await other.pass(DELAY);
  expect(other.types('w')).toEqual([
    'WorkflowExecutionStarted',
    'WorkflowExecutionSignaled',
    'WorkflowExecutionTerminated',
  ]);
  expect(other.workers.turns).toEqual([]);
  for (const each of [system, other]) await expectInvariants(each);
});

test('a start that is admitted while ids are read for another request is not lost', async () => {
  const requestId = 'r';
  const system = await delayed({ requestId, brings: { ...signal.brings, requestId } });
  system.store.reads.shut();
  const again = system.signalOnce('r', 'w', 'add', 'again');
  await system.settle();
  await system.pass(DELAY);
  system.store.reads.open();
  expect(await again.value()).toBe('done');
  expect(await system.query('w', 'entries').value()).toEqual(['x', 'with it', DELAY, 0]);
  expect(system.unanswered).toBe(0);
  await expectInvariants(system);
});

test.each(['lost', 'kept'] as const)(
  'a crash while the first message is being written, its flush %s',
  async (flush) => {
    const system = await delayed(signal);
    system.store.flushes.shut();
    const early = system.signal('w', 'add', 'early');
    await system.settle();
    await system.crash(flush);
    expect(early.answered).toBe(false);
    await system.pass(DELAY);
    const expected = flush === 'lost' ? ['x', 'with it', DELAY, 0] : ['x', 'with it', 'early', 0, 0];
    expect(await system.query('w', 'entries').value()).toEqual(expected);
    await expectInvariants(system);
  },
);

test('a worker lost in the first step of a delayed run: it is one step again', async () => {
  const system = await delayed(signal);
  let turns = 0;
  system.workers.fate = (slices) => (turns++ < 2 ? slices[0]!.run : undefined);
  await system.signal('w', 'add', 'early').value();
  expect(await system.query('w', 'entries').value()).toEqual(['x', 'with it', 'early', 0, 0]);
  await expectInvariants(system);
});
