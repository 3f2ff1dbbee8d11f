/**
 * Resets of what is not simply at work: runs made by a reset, runs that wait for their time, runs that are told something all the time.
 */
import { expect, test } from 'vitest';
import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  workflowInfo,
} from '../../../actors/workflow/index.js';
import { expectInvariants, expectWellFormed } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { System } from '../../test-kit/system.test-kit.js';

routeRejections();

const note = defineSignal<[text: string]>('note');
const change = defineUpdate<string, [text: string]>('change');
const entries = defineQuery<string[]>('entries');

const RETRY = {
  initialInterval: 60_000,
  backoffCoefficient: 1,
  maximumInterval: 60_000,
  maximumAttempts: 0,
  nonRetryableErrorTypes: [],
};

async function seen(system: System): Promise<unknown> {
  const live = await system.query('w', 'entries').value();
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(live);
  return live;
}

/** Of histories that no one code makes. */
function expectShapes(system: System): void {
  for (const history of system.histories().values()) expectWellFormed(history);
}

const world = { broken: false };
const fragile = async () => {
  const log: string[] = [];
  if (world.broken) throw new Error('broken');
  setHandler(entries, () => log);
  setHandler(note, (text) => void log.push(text));
  setHandler(change, (text) => {
    log.push(`changed to ${text}`);
    return text;
  });
  await condition(() => false);
};

test('an update to be applied again survives a second reset that comes before it could be', async () => {
  world.broken = false;
  const system = await System.open({ workflows: { fragile } });
  await system.start('w', 'fragile').value();
  await system.signal('w', 'note', 'a').value();
  await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'b').value();
  world.broken = true;
  await system.evictAll();
  await system.reset('w', 1).value();
  await system.settle();
  expect((await system.describe('w')).suspended).toBeDefined();
  await system.reset('w', 1).value();
  world.broken = false;
  await system.pass(1000);
  expect(await seen(system)).toEqual(['a', 'changed to b']);
  expect(await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'b').value()).toBe('b');
  expect(await seen(system)).toEqual(['a', 'changed to b']);
  await expectInvariants(system);
});

test('an update that the new run keeps waiting is not applied twice', async () => {
  world.broken = false;
  const system = await System.open({ workflows: { fragile } });
  await system.start('w', 'fragile').value();
  await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'b').value();
  await system.reset('w', 1).value();
  await system.settle();
  const admitted = system.types('w').indexOf('WorkflowExecutionUpdateAdmitted') + 1;
  await system.reset('w', admitted).value();
  expect(await seen(system)).toEqual(['changed to b']);
  await expectInvariants(system);
});

test.each([false, true])(
  'a run that waits for its next attempt can be reset, and waits on (with a crash: %s)',
  async (crashes) => {
    const failing = async () => {
      const log = [`attempt ${workflowInfo().attempt}`];
      setHandler(entries, () => log);
      setHandler(note, (text) => void log.push(text));
      if (workflowInfo().attempt === 1) throw new ApplicationFailure('once');
      await condition(() => false);
    };
    const system = await System.open({ workflows: { failing } });
    await system
      .startWith({ workflowId: 'w', workflowType: 'failing', options: { retry: RETRY, runTimeout: 30_000 } })
      .value();
    await system.signal('w', 'note', 'a').value();
    await system.pass(10_000);
    expect(await system.reset('w', 1).value()).toBe('started');
    await system.signal('w', 'note', 'b').value();
    if (crashes) await system.crash('kept');
    expect(system.types('w')).toEqual([
      'WorkflowExecutionStarted',
      'WorkflowTaskFailed',
      'WorkflowExecutionSignaled',
      'WorkflowExecutionSignaled',
    ]);
    await system.pass(50_000);
    expect(await seen(system)).toEqual(['attempt 2', 'a', 'b']);
    await system.pass(29_000);
    expect((await system.describe('w')).status).toBe('RUNNING');
    await expectInvariants(system);
  },
);

test('a run that is told something all the time can be reset', async () => {
  world.broken = false;
  const system = await System.open({ workflows: { fragile } });
  await system.start('w', 'fragile').value();
  const told: string[] = [];
  system.store.reads.shut();
  const reset = system.reset('w', 1);
  for (let i = 0; i < 10 && !reset.answered; i++) {
    told.push(`${i}`);
    system.signal('w', 'note', `${i}`);
    await system.settle();
    system.store.reads.letThrough();
    await system.settle();
  }
  expect(reset.answered).toBe(true);
  system.store.reads.open();
  expect(await seen(system)).toEqual(told);
  await expectInvariants(system);
});

test('an update to be applied again moves on, durably, if its run continues as new first', async () => {
  const moving = { on: false };
  const round = async (n: number) => {
    const log = [`round ${n}`];
    setHandler(entries, () => log);
    if (n === 1 && moving.on) await continueAsNew(2);
    setHandler(change, (text) => {
      log.push(`changed to ${text}`);
      return text;
    });
    await condition(() => false);
  };
  for (const fate of ['lost', 'kept', undefined] as const) {
    moving.on = false;
    const system = await System.open({ workflows: { round } });
    await system.start('w', 'round', 1).value();
    await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'b').value();
    moving.on = true;
    await system.evictAll();
    await system.reset('w', 1).value();
    if (fate !== undefined) await system.crash(fate);
    expect(await seen(system)).toEqual(['round 2', 'changed to b']);
    await system.crash('kept');
    expect(await seen(system)).toEqual(['round 2', 'changed to b']);
    expect(await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'b').value()).toBe('b');
    expect(await seen(system)).toEqual(['round 2', 'changed to b']);
    expectShapes(system);
  }
});

test.each(['lost', 'kept'] as const)(
  'with a crash at any flush, its batch %s, what is to be applied again is so once, in whichever run comes to it',
  async (fate) => {
    const trouble = { on: false };
    /** Continues as new first, then fails once. */
    const troubled = async (round: number) => {
      const { attempt } = workflowInfo();
      const log = [`round ${round}, attempt ${attempt}`];
      setHandler(entries, () => log);
      if (trouble.on && round === 1) await continueAsNew(2);
      if (trouble.on && attempt === 1) throw new ApplicationFailure('once');
      setHandler(note, (text) => void log.push(text));
      setHandler(change, (text) => {
        log.push(`changed to ${text}`);
        return text;
      });
      await condition(() => false);
    };
    for (let at = 0, crashed = true; crashed; at++) {
      crashed = false;
      trouble.on = false;
      const system = await System.open({ workflows: { troubled } });
      await system.startWith({ workflowId: 'w', workflowType: 'troubled', options: { retry: RETRY } }, 1).value();
      const update = () => system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'b');
      await system.signalOnce('s', 'w', 'note', 'a').value();
      await update().value();
      trouble.on = true;
      await system.evictAll();
      system.store.flushes.shut();
      system.reset('w', 1);
      for (let flush = 0; flush < 30; flush++) {
        await system.settle();
        if (flush === at && system.store.flushes.waiting > 0) {
          crashed = true;
          await system.crash(fate);
          system.store.flushes.shut();
        }
        if (system.store.flushes.waiting === 0) await system.pass(60_000);
        system.store.flushes.letThrough();
      }
      system.store.flushes.open();
      await system.settle();
      const isReset = system.histories().size > 2;
      if (isReset) expect(await seen(system)).toEqual(['round 2, attempt 2', 'a', 'changed to b']);
      else trouble.on = false;
      await system.signalOnce('s', 'w', 'note', 'a').value();
      expect(await update().value()).toBe('b');
      const first = isReset ? 'round 2, attempt 2' : 'round 1, attempt 1';
      expect(await seen(system)).toEqual([first, 'a', 'changed to b']);
      expectShapes(system);
      expect(at).toBeLessThan(20);
    }
  },
);

test('an update to be applied again waits for the next attempt if its run fails or times out first', async () => {
  const attempts = { failing: false };
  const trying = async () => {
    const log = [`attempt ${workflowInfo().attempt}`];
    setHandler(entries, () => log);
    if (workflowInfo().attempt === 1 && attempts.failing) throw new ApplicationFailure('once');
    setHandler(change, (text) => {
      log.push(`changed to ${text}`);
      return text;
    });
    await condition(() => false);
  };
  const system = await System.open({ workflows: { trying } });
  attempts.failing = false;
  await system.startWith({ workflowId: 'w', workflowType: 'trying', options: { retry: RETRY } }).value();
  await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'b').value();
  attempts.failing = true;
  await system.evictAll();
  await system.reset('w', 1).value();
  await system.crash('kept');
  await system.pass(60_000);
  expect(await seen(system)).toEqual(['attempt 2', 'changed to b']);
  expectShapes(system);
});
