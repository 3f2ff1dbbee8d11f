/**
 * What is sent again once its receiver has closed and another run has begun under the same workflow id is applied by one of the two: request ids
 * are those of the workflow id, whichever chain took them.
 */
import { expect, test } from 'vitest';
import {
  allHandlersFinished,
  condition,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import { ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const add = defineSignal<[entry: string]>('add');
const append = defineUpdate<string, [entry: string]>('append');

/** Closes with the first message. */
async function short(): Promise<void> {
  let taken = false;
  setHandler(add, () => {
    taken = true;
  });
  setHandler(append, async (entry) => {
    taken = true;
    await sleep(1);
    return `${entry} taken`;
  });
  await condition(() => taken && allHandlersFinished());
}

/** What it sends is taken, each by another run of `short`; one that nobody is there for is sent anew. */
async function sender(): Promise<string[]> {
  const told: string[] = [];
  const to = getExternalWorkflowHandle('short');
  for (const entry of ['a', 'b', 'c', 'd']) {
    for (let sent = false; !sent; ) {
      try {
        if (entry < 'c') await to.signal(add, entry);
        else told.push(await to.executeUpdate(append, { args: [entry], ...(entry === 'd' && { updateId: 'own' }) }));
        sent = true;
      } catch {
        await sleep(1);
      }
    }
  }
  return told;
}

const workflows = { ledger, short, sender };

const ways: [string, (system: System) => Promise<System>][] = [
  ['in the same process', async (system) => system],
  [
    'after a restart',
    async (system) => {
      await system.restart();
      return system;
    },
  ],
  [
    'after a crash',
    async (system) => {
      await system.crash();
      return system;
    },
  ],
  [
    'after a restart without checkpoints',
    async (system) => {
      await system.stop('clean');
      const other = await system.withoutCheckpoints();
      await other.begin();
      return other;
    },
  ],
];

test.each(ways)('a signal with a request id that an earlier chain took is not applied again, %s', async (_, pass) => {
  let system = await System.open({ workflows });
  for (const chain of ['first', 'second', 'third']) {
    await system.start('w', 'ledger').value();
    // The second chain takes none of its own.
    if (chain === 'first') await system.signalOnce('r', 'w', 'add', 'a').value();
    system = await pass(system);
    expect(await system.signalOnce('r', 'w', 'add', 'a').value()).toBe('done');
    expect(await system.query('w', 'entries').value()).toEqual(chain === 'first' ? ['a'] : []);
    await system.signal('w', 'finish').value();
    system = await pass(system);
  }
  // Nor is there anything to be told to a closed one.
  expect(await system.signalOnce('r', 'w', 'add', 'a').value()).toBe('done');
  expect(await system.signalOnce('another', 'w', 'add', 'a').error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
  await expectInvariants(system);
});

test('request ids are forgotten across chains as they are along one, and update ids are of one chain', async () => {
  const system = await System.open({ workflows, dedupe: { ids: 100_000, ms: 10_000 } });
  const begin = () => system.start('w', 'ledger').value();
  const close = () => system.signal('w', 'finish').value();
  await begin();
  await system.signalOnce('r', 'w', 'add', 'a').value();
  await system.updateWith({ workflowId: 'w', name: 'append', updateId: 'u' }, 'b').value();
  await close();
  await begin();
  expect(await system.updateWith({ workflowId: 'w', name: 'append', updateId: 'u' }, 'b').value()).toBe(1);
  await system.signalOnce('r', 'w', 'add', 'a').value();
  expect(await system.query('w', 'entries').value()).toEqual(['b']);
  await close();
  await system.pass(10_001);
  await begin();
  await system.signalOnce('r', 'w', 'add', 'a').value();
  expect(await system.query('w', 'entries').value()).toEqual(['a']);
  await expectInvariants(system);
});

test('a start with an update knows what the chain before took', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'ledger').value();
  await system.signalOnce('r', 'w', 'add', 'a').value();
  await system.signal('w', 'finish').value();
  await system.crash();
  const { update } = system.updateWithStart(
    { workflowId: 'w', workflowType: 'ledger' },
    { name: 'append', args: ['b'] },
  );
  expect(await update.value()).toBe(1);
  await system.signalOnce('r', 'w', 'add', 'a').value();
  expect(await system.query('w', 'entries').value()).toEqual(['b']);
  await expectInvariants(system);
});

/** The entries that any run has taken, in any order. */
function entriesTaken(system: System): string[] {
  const taken = [...system.histories().values()].flat().flatMap((event) => {
    if (event.eventType !== 'WorkflowExecutionSignaled' && event.eventType !== 'WorkflowExecutionUpdateAccepted')
      return [];
    return [JSON.stringify(event.input.map((payload) => Buffer.from(payload).toString('latin1').slice(-1)))];
  });
  return taken.sort();
}

test.each(['lost', 'kept'] as const)(
  'what a run asks is applied once, though the process ends at any flush, its batch %s, and another chain begins before it is asked again',
  async (fate) => {
    for (let at = 0; ; at++) {
      const system = await System.open({ workflows });
      const begin = () => system.startWith({ workflowId: 'short', workflowType: 'short', requestId: `short ${at}` });
      const ask = () => system.startWith({ workflowId: 's', workflowType: 'sender', requestId: 'once' });
      let chains = 0;
      const beginNext = () =>
        system.startWith({ workflowId: 'short', workflowType: 'short', requestId: `short ${at} ${chains++}` });
      await begin().value();
      system.store.flushes.shut();
      ask();
      let crashed = false;
      for (let flush = 0; flush < 200; flush++) {
        await system.settle();
        if (system.types('s').at(-1) === 'WorkflowExecutionCompleted') break;
        if (flush === at) {
          crashed = true;
          await system.crash(fate);
          // Another chain begins before anything that was asked is read back.
          system.store.reads.shut();
          system.store.flushes.shut();
          if (system.types('short').at(-1) === 'WorkflowExecutionCompleted') beginNext();
          await system.settle();
          system.store.reads.open();
          ask();
        } else if (system.store.flushes.waiting > 0) system.store.flushes.letThrough();
        else if (system.supervisor.core.index.current('short')?.open !== true) beginNext();
        else system.clock.advance(1);
      }
      system.store.flushes.open();
      await system.settle();
      expect(await system.result('s').value()).toEqual(['c taken', 'd taken']);
      expect(entriesTaken(system)).toEqual(['["a"]', '["b"]', '["c"]', '["d"]']);
      await expectInvariants(system);
      if (!crashed) break;
    }
  },
);
