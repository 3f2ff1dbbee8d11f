/**
 * Validators that return a promise: drained with the guard up, and never among the steps of others.
 */
import { expect, test } from 'vitest';
import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  log,
  setHandler,
  sleep,
  uuid4,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const append = defineUpdate<number, [entry: string]>('append');
const add = defineSignal<[entry: string]>('add');
const finish = defineSignal('finish');
const entries = defineQuery<string[]>('entries');
const ACCEPTED = 'WorkflowExecutionUpdateAccepted';

/** A list whose updates pass an asynchronous validator, which notes what it saw; `last` ends it. */
function listIn(validated: string[], world = { broken: false }): () => Promise<string[]> {
  return async () => {
    const list: string[] = [];
    let release: () => void = () => undefined;
    let finished = false;
    setHandler(entries, () => list);
    setHandler(
      append,
      (entry) => {
        if (entry === 'last') finished = true;
        return list.push(entry);
      },
      {
        validator: async (entry) => {
          await null;
          validated.push(`${entry} after ${list.join(', ')}`);
          if (entry === '') throw new Error('nothing to append');
          if (entry === 'draws') uuid4();
          if (entry === 'sleeps') await sleep(1000);
          if (entry !== 'waits') return;
          await new Promise<void>((resolve) => {
            release = resolve;
          });
          list.push('after all');
          void sleep(1000);
        },
      },
    );
    setHandler(add, (entry) => {
      list.push(entry);
      if (entry === 'release') release();
      if (world.broken) throw new Error('broken');
    });
    setHandler(finish, () => {
      finished = true;
    });
    list.push('begun');
    log.info('begun');
    await condition(() => finished);
    return list;
  };
}

async function begin(): Promise<{ system: System; validated: string[] }> {
  const validated: string[] = [];
  return { system: await System.open({ workflows: { list: listIn(validated) } }), validated };
}

const withStart = (system: System, entry: string) =>
  system.updateWithStart({ workflowId: 'w', workflowType: 'list' }, { name: 'append', args: [entry] });

test('its outcome counts, and a rejection leaves nothing', async () => {
  const { system, validated } = await begin();
  await system.start('w', 'list').value();
  expect(await system.update('w', 'append', 'a').value()).toBe(2);
  const error = await system.update('w', 'append', '').error();
  expect(error).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED', cause: { message: 'nothing to append' } });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', ACCEPTED, 'WorkflowExecutionUpdateCompleted']);
  await system.crash();
  expect(await system.query('w', 'entries').value()).toEqual(['begun', 'a']);
  expect(validated).toHaveLength(2);
  await expectInvariants(system);
});

test.each(['draws', 'sleeps'])('what it does after its first await is guarded: one that %s', async (entry) => {
  const { system } = await begin();
  await system.start('w', 'list').value();
  expect(await system.update('w', 'append', entry).error()).toMatchObject({
    code: 'WORKFLOW_UPDATE_FAILED',
    cause: { message: expect.stringContaining("the validator of update 'append'") },
  });
  await system.pass(2000);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  expect(await system.update('w', 'append', 'a').value()).toBe(2);
  await expectInvariants(system);
});

test('one that waits for another step rejects, and nothing of it goes on', async () => {
  const { system } = await begin();
  await system.start('w', 'list').value();
  const error = await system.update('w', 'append', 'waits').error();
  expect(error.cause).toMatchObject({ message: 'Update validators must be synchronous' });
  await system.signal('w', 'add', 'release').value();
  expect(await system.query('w', 'entries').value()).toEqual(['begun', 'release']);
  await system.evictAll();
  await system.pass(2000);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'WorkflowExecutionSignaled']);
  await expectInvariants(system);
});

test('an update that came with a start is a step of its own after that of the start', async () => {
  const { system, validated } = await begin();
  const { start, update } = withStart(system, 'a');
  expect(await start.value()).toBe('started');
  expect(await update.value()).toBe(2);
  expect(validated.at(-1)).toBe('a after begun');
  expect(system.lifecycle.filter((event) => event.name === 'log')).toHaveLength(1);
  expect(system.history('w').find(({ eventType }) => eventType === ACCEPTED)).toMatchObject({ cause: 3, seq: 3 });
  await system.crash();
  expect(await system.query('w', 'entries').value()).toEqual(['begun', 'a']);
  await expectInvariants(system);
});

test('one that came with a start and is rejected leaves the start', async () => {
  const { system } = await begin();
  const { start, update } = withStart(system, '');
  expect(await start.value()).toBe('started');
  expect((await update.error()).cause).toMatchObject({ message: 'nothing to append' });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});

test('after a void close it is no part of the merged step, and is told that the run is closed if that step closes it', async () => {
  const { system } = await begin();
  await system.start('w', 'list').value();
  system.workers.returns.shut();
  await system.signal('w', 'finish').value();
  const update = system.update('w', 'append', 'a');
  const rejected = system.update('w', 'append', '');
  await system.signal('w', 'add', 'late').value();
  await system.settle();
  system.workers.returns.open();
  expect(await system.result('w').value()).toEqual(['begun', 'late']);
  for (const call of [update, rejected]) expect((await call.error()).code).toBe('WORKFLOW_NOT_FOUND');
  expect(system.history('w').at(-1)).toMatchObject({ ran: [1, [2, 5]] });
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(['begun', 'late']);
  await expectInvariants(system);
});

test('if the merged step does not close its run, it comes next, and requests that were held after it', async () => {
  const main = listIn([]);
  const undecided = async () => {
    let more = 0;
    setHandler(defineSignal('more'), () => {
      more++;
    });
    const list = main();
    await condition(() => more > 0);
    // A second one takes it back.
    if (more > 1) await list;
    return [];
  };
  const system = await System.open({ workflows: { undecided } });
  await system.start('w', 'undecided').value();
  system.workers.returns.shut();
  await system.signal('w', 'more').value();
  const updates = ['a', 'b'].map((entry) => system.update('w', 'append', entry));
  await system.signal('w', 'more').value();
  await system.settle();
  system.workers.returns.letThrough();
  await system.settle();
  const held = system.signal('w', 'add', 'held');
  system.workers.returns.open();
  expect(await Promise.all(updates.map((update) => update.value()))).toEqual([2, 3]);
  expect(await held.value()).toBe('done');
  expect(await system.query('w', 'entries').value()).toEqual(['begun', 'a', 'b', 'held']);
  await system.crash();
  expect(await system.query('w', 'entries').value()).toEqual(['begun', 'a', 'b', 'held']);
  await expectInvariants(system);
});

test('what is acknowledged while the merged step without it is suspended is part of that step', async () => {
  const world = { broken: true };
  const system = await System.open({ workflows: { list: listIn([], world) } });
  await system.start('w', 'list').value();
  system.workers.returns.shut();
  await system.signal('w', 'finish').value();
  const update = system.update('w', 'append', 'a');
  await system.signal('w', 'add', 'late').value();
  await system.settle();
  system.workers.returns.open();
  expect((await update.error()).code).toBe('WORKFLOW_SUSPENDED');
  await system.signal('w', 'add', 'later').value();
  world.broken = false;
  await system.pass(1000);
  expect(await system.result('w').value()).toEqual(['begun', 'late', 'later']);
  await expectInvariants(system);
});

test('one that closes its run while a signal waits is the first of the merged step, and is not validated again', async () => {
  const { system, validated } = await begin();
  await system.start('w', 'list').value();
  system.workers.returns.shut();
  const update = system.update('w', 'append', 'last');
  await system.settle();
  await system.signal('w', 'add', 'late').value();
  system.workers.returns.open();
  expect(await system.result('w').value()).toEqual(['begun', 'last', 'late']);
  expect(await update.value()).toBe(2);
  expect(validated).toEqual(['last after begun']);
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(['begun', 'last', 'late']);
  await expectInvariants(system);
});

test('one that moves on to the next run comes after that run has begun', async () => {
  const main = listIn([]);
  const twice = async (run = 1): Promise<unknown> => {
    if (run === 2) return main();
    let done = false;
    setHandler(finish, () => {
      done = true;
    });
    await condition(() => done);
    return continueAsNew<typeof twice>(2);
  };
  const system = await System.open({ workflows: { twice } });
  await system.start('w', 'twice').value();
  system.workers.returns.shut();
  await system.signal('w', 'finish').value();
  const update = system.update('w', 'append', 'a');
  await system.signal('w', 'add', 'b').value();
  await system.settle();
  system.workers.returns.open();
  expect(await update.value()).toBe(3);
  expect(await system.query('w', 'entries').value()).toEqual(['b', 'begun', 'a']);
  await system.restart();
  expect(await system.query('w', 'entries').value()).toEqual(['b', 'begun', 'a']);
  await expectInvariants(system);
});

test('a worker lost at any turn changes nothing', async () => {
  for (let lost = 0; lost < 4; lost++) {
    const { system } = await begin();
    let turn = 0;
    system.workers.fate = () => (turn++ === lost ? 'between' : undefined);
    const { start, update } = withStart(system, 'a');
    expect(await start.value()).toBe('started');
    expect(await update.value()).toBe(2);
    expect(await system.query('w', 'entries').value()).toEqual(['begun', 'a']);
    await expectInvariants(system);
  }
});
