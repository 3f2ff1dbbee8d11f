/**
 * Semantics, section 1: messages that come with a start, and what moves from one run of a chain to the next.
 */
import { expect } from 'vitest';
import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { encodePayloads } from '../../mailbox/payload.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { warnings } from '../test-kit/running.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const add = defineSignal<[entry: string]>('add');
const late = defineSignal<[entry: string]>('late');
const next = defineSignal('next');
const entries = defineQuery<string[]>('entries');
const append = defineUpdate<number, [entry: string]>('append');
const appendLater = defineUpdate<number, [entry: string]>('appendLater');

/** Notes what comes and when its handlers were set; `late` has a handler in the second run only. */
async function chain(log: string[] = [], run = 1): Promise<string[]> {
  let goOn = false;
  setHandler(entries, () => log);
  log.push(`run ${run}`);
  setHandler(add, (entry) => {
    log.push(entry);
  });
  setHandler(append, (entry) => log.push(entry));
  log.push('handlers set');
  setHandler(appendLater, async (entry) => {
    await sleep(1000);
    return log.push(entry);
  });
  setHandler(next, () => {
    goOn = true;
  });
  if (run === 2) setHandler(late, (entry) => void log.push(`late ${entry}`));
  else void sleep(1000).then(() => log.push('rang'));
  await condition(() => goOn);
  return continueAsNew<typeof chain>(log, run + 1);
}

const FIRST = ['run 1', 'handlers set'];
const query = (system: System) => system.query('w', 'entries').value();
const runIds = (system: System) => [...system.histories().keys()];

/** Its `next` is computed and on its way back, not yet seen by the supervisor. */
async function continuing(): Promise<System> {
  const system = await System.open({ workflows: { chain } });
  await system.start('w', 'chain').value();
  system.workers.returns.shut();
  await system.signal('w', 'next').value();
  return system;
}

row('steps/with-start-in-buffer', 'a signal that comes with the start', async () => {
  const system = await System.open({ workflows: { chain } });
  const brings = { kind: 'signal' as const, name: 'add', input: encodePayloads(['a']) };
  await system.startWith({ workflowId: 'w', workflowType: 'chain', brings }).value();
  expect(await query(system)).toEqual(['run 1', 'a', 'handlers set']);
  expect(system.workers.turns[0]!.slices[0]!.steps.map((step) => step.length)).toEqual([2]);
  await expectInvariants(system);
});

row('steps/with-start-in-buffer', 'an update that comes with the start', async () => {
  const system = await System.open({ workflows: { chain } });
  const target = { workflowId: 'w', workflowType: 'chain' };
  const { start, update } = system.updateWithStart(target, { name: 'append', args: ['a'] });
  expect(await start.value()).toBe('started');
  expect(await update.value()).toBe(2);
  expect(await query(system)).toEqual(['run 1', 'a', 'handlers set']);
  await system.evictAll();
  expect(await query(system)).toEqual(['run 1', 'a', 'handlers set']);
  await expectInvariants(system);
});

row('steps/continue-never-void', 'signals that wait do not call it off', async () => {
  const system = await continuing();
  await system.signal('w', 'add', 'a').value();
  system.workers.returns.open();
  await system.settle();
  const [first, second] = [...system.histories().values()];
  expect(first!.at(-1)?.eventType).toBe('WorkflowExecutionContinuedAsNew');
  expect(first!.flatMap(({ ran = [] }) => ran.filter((entry) => typeof entry !== 'number'))).toEqual([]);
  expect(second![0]?.eventType).toBe('WorkflowExecutionStarted');
  await expectInvariants(system);
});

row('steps/continue-moves', 'what waits is there before main runs', async () => {
  const system = await continuing();
  const calls = [
    system.signal('w', 'add', 'a'),
    system.update('w', 'append', 'b'),
    system.query('w', 'entries'),
    system.signal('w', 'add', 'c'),
  ];
  await system.settle();
  system.workers.returns.open();
  const expected = [...FIRST, 'run 2', 'a', 'c', 'b', 'handlers set'];
  expect(await calls[1]!.value()).toBe(6);
  expect(await calls[2]!.value()).toEqual(expected);
  expect(await query(system)).toEqual(expected);
  await system.restart();
  expect(await query(system)).toEqual(expected);
  await expectInvariants(system);
});

row('steps/continue-moves', 'a buffered signal, before those that were not stepped', async () => {
  const system = await System.open({ workflows: { chain } });
  await system.start('w', 'chain').value();
  await system.signal('w', 'late', 'a').value();
  system.workers.returns.shut();
  await system.signal('w', 'next').value();
  await system.signal('w', 'late', 'b').value();
  system.workers.returns.open();
  expect(await query(system)).toEqual([...FIRST, 'run 2', 'handlers set', 'late a', 'late b']);
  await expectInvariants(system);
});

row('steps/continue-moves', 'a cancel request', async () => {
  const system = await continuing();
  await system.cancel('w', 'enough').value();
  system.workers.returns.open();
  await system.settle();
  expect(runIds(system)).toHaveLength(2);
  expect(system.types('w')).toEqual([
    'WorkflowExecutionStarted',
    'WorkflowExecutionCancelRequested',
    'WorkflowExecutionCanceled',
  ]);
  await expectInvariants(system);
});

row('steps/continue-leaves', 'a timer of the old run does not ring in the new one', async () => {
  const system = await System.open({ workflows: { chain } });
  await system.start('w', 'chain').value();
  await system.signal('w', 'next').value();
  await system.pass(2000);
  expect(await query(system)).toEqual([...FIRST, 'run 2', 'handlers set']);
  expect([...system.histories().values()].flat().map(({ eventType }) => eventType)).not.toContain('TimerFired');
  await expectInvariants(system);
});

row(
  'steps/continue-carried-from',
  'in the same flush, each copy with the run and seq it comes from and who sent it',
  async () => {
    const system = await continuing();
    await system.request({ kind: 'signal', workflowId: 'w', name: 'add', input: [], identity: 'ann' }).value();
    await system.signalOnce('r', 'w', 'add', 'b').value();
    const flushes = system.disk.frames.length;
    system.store.flushes.shut();
    system.workers.returns.open();
    await system.settle();
    system.store.flushes.letThrough();
    await system.settle();
    const [first, second] = runIds(system);
    expect(system.disk.frames.length).toBeGreaterThanOrEqual(flushes + 2);
    expect(system.histories().get(second!)!.slice(0, 3)).toMatchObject([
      { eventType: 'WorkflowExecutionStarted', seq: 1, startThrough: 3, continuedFromRunId: first },
      { signalName: 'add', seq: 2, identity: 'ann', carriedFrom: { runId: first, seq: 3 } },
      { signalName: 'add', seq: 3, carriedFrom: { runId: first, seq: 4 }, requestId: 'r' },
    ]);
    system.store.flushes.open();
    await expectInvariants(system);
  },
);

row('steps/continue-pinned', 'who asked that very run is told that it is closed', async () => {
  const system = await continuing();
  const [runId] = runIds(system);
  const pinned = [
    system.updateWith({ workflowId: 'w', name: 'append', runId: runId! }, 'pinned'),
    system.request({ kind: 'query', workflowId: 'w', runId: runId!, name: 'entries', input: [] }),
  ];
  await system.settle();
  system.workers.returns.open();
  for (const call of pinned) {
    expect(await call.error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND', fields: { closed: true, runId } });
  }
  expect(await query(system)).toEqual([...FIRST, 'run 2', 'handlers set']);
  await expectInvariants(system);
});

row('signals/request-id-once', 'along the chain: in the next run, and in the one after it', async () => {
  const system = await System.open({ workflows: { chain } });
  await system.start('w', 'chain').value();
  await system.signalOnce('r', 'w', 'add', 'a').value();
  for (const run of [2, 3]) {
    await system.signal('w', 'next').value();
    expect(await system.signalOnce('r', 'w', 'add', 'a').value()).toBe('done');
    const log = (await query(system)) as string[];
    expect(log).toContain(`run ${run}`);
    expect(log.filter((entry) => entry === 'a')).toHaveLength(1);
    await system.crash();
  }
  await expectInvariants(system);
});

row('updates/same-id-same-outcome', 'along the chain, also after a crash', async () => {
  const system = await System.open({ workflows: { chain } });
  await system.start('w', 'chain').value();
  const send = () => system.updateWith({ workflowId: 'w', name: 'append', updateId: 'u' }, 'a');
  expect(await send().value()).toBe(3);
  for (let run = 2; run <= 3; run++) {
    await system.signal('w', 'next').value();
    expect(await send().value()).toBe(3);
    await system.crash();
    expect(await send().value()).toBe(3);
  }
  expect(((await query(system)) as string[]).filter((entry) => entry === 'a')).toHaveLength(1);
  await expectInvariants(system);
});

row('unfinished/warned-on-continue-as-new', 'once, by name, and the caller of the update is told', async () => {
  const system = await System.open({ workflows: { chain } });
  await system.start('w', 'chain').value();
  const cut = system.updateWith({ workflowId: 'w', name: 'appendLater', updateId: 'u' }, 'a');
  await system.settle();
  await system.signal('w', 'next').value();
  expect(await cut.error()).toMatchObject({ cause: { type: 'AcceptedUpdateCompletedWorkflow' } });
  expect(warnings(system)).toHaveLength(1);
  expect(warnings(system)[0]).toContain('update appendLater (u)');
  await expectInvariants(system);
});
