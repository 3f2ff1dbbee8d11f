/**
 * The workflow's world is deterministic: its clock is the time of admission and never runs backwards, its randomness its own.
 */
import { expect, test } from 'vitest';
import { currentExecution } from '../../actors/current.js';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  sleep,
  uuid4,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { START_OF_TIME, System } from '../test-kit/system.test-kit.js';
import { workflowTime } from '../test-kit/workflows.test-kit.js';

routeRejections();

const look = defineSignal('look');
const nap = defineSignal<[ms: number]>('nap');
const lookAgain = defineUpdate<void, [accept: boolean]>('lookAgain');
const seen = defineQuery<unknown[]>('seen');
const now = defineQuery<number>('now');

const workflows = {
  async watch() {
    const times: number[] = [workflowTime()];
    setHandler(seen, () => times);
    setHandler(now, workflowTime);
    setHandler(look, () => {
      times.push(workflowTime());
    });
    setHandler(nap, async (ms) => {
      await sleep(ms);
      times.push(workflowTime());
    });
    setHandler(lookAgain, () => void times.push(workflowTime()), {
      validator: (accept) => {
        if (!accept) throw new Error('refused');
      },
    });
    await condition(() => false);
  },
  async dice() {
    const draws: unknown[] = [uuid4(), currentExecution().random()];
    setHandler(seen, () => draws);
    setHandler(look, () => {
      draws.push(uuid4(), currentExecution().random());
    });
    await condition(() => false);
  },
};

const times = async (system: System) =>
  ((await system.query('w', 'seen').value()) as number[]).map((t) => t - START_OF_TIME);

test('the clock is the time of admission, however late the step runs', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'watch').value();
  system.clock.advance(100);
  system.workers.returns.shut();
  system.signal('w', 'look');
  await system.settle();
  system.clock.advance(50);
  system.signal('w', 'look');
  await system.settle();
  system.clock.advance(5000);
  system.workers.returns.open();
  expect(await times(system)).toEqual([0, 100, 150]);
  await system.evictAll();
  system.clock.advance(5000);
  expect(await times(system)).toEqual([0, 100, 150]);
  await expectInvariants(system);
});

test('the clock stands still within a step and in queries, and a timer fires at or after its time', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'watch').value();
  await system.signal('w', 'nap', 1000).value();
  await system.pass(999);
  expect(await times(system)).toEqual([0]);
  await system.pass(500);
  expect(await times(system)).toEqual([0, 1000]);
  await system.pass(500);
  expect(await system.query('w', 'now').value()).toBe(START_OF_TIME + 1000);
  await expectInvariants(system);
});

test('the clock does not run backwards when that of the machine is set back', async () => {
  const system = await System.open({ workflows });
  system.clock.advance(1000);
  await system.start('w', 'watch').value();
  await system.signal('w', 'look').value();
  system.clock.jump(-3_600_000);
  await system.signal('w', 'look').value();
  await system.update('w', 'lookAgain', true).value();
  expect(await times(system)).toEqual([1000, 1000, 1000, 1000]);
  await system.evictAll();
  await system.signal('w', 'look').value();
  expect(await times(system)).toEqual([1000, 1000, 1000, 1000, 1000]);
  system.clock.jump(3_600_000 + 500);
  await system.signal('w', 'look').value();
  expect((await times(system)).at(-1)).toBe(1500);
  await expectInvariants(system);
});

test.each(['crash', 'restart'] as const)(
  'the clock does not run backwards across a %s on a machine that was set back',
  async (how) => {
    const system = await System.open({ workflows });
    await system.start('w', 'watch').value();
    system.clock.advance(2000);
    await system.signal('w', 'look').value();
    system.clock.jump(-3_600_000);
    await system[how]();
    await system.signal('w', 'look').value();
    expect(await times(system)).toEqual([0, 2000, 2000]);
    expect((await system.describe('w')).startTime).toBe(START_OF_TIME);
    await expectInvariants(system);
  },
);

test('a timer that came due while no process ran fires when one does', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'watch').value();
  await system.signal('w', 'nap', 1000).value();
  system.clock.jump(90_000);
  await system.restart();
  await system.pass(0);
  expect(await times(system)).toEqual([0, 90_000]);
  await expectInvariants(system);
});

test('a query sees the same time before and after eviction', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'watch').value();
  system.clock.advance(10);
  await system.signal('w', 'look').value();
  system.clock.advance(10);
  await system.update('w', 'lookAgain', false).error();
  const before = await system.query('w', 'now').value();
  await system.evictAll();
  expect(await system.query('w', 'now').value()).toBe(before);
  await expectInvariants(system);
});

test('an update without a handler does not move the clock that queries see', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'watch').value();
  system.clock.advance(10);
  await system.update('w', 'unheard of').error();
  const before = await system.query('w', 'now').value();
  await system.evictAll();
  expect(await system.query('w', 'now').value()).toBe(before);
  await expectInvariants(system);
});

test('draws are the same in every replay, and different between runs', async () => {
  const system = await System.open({ workflows });
  await system.start('w', 'dice').value();
  await system.start('v', 'dice').value();
  await system.signal('w', 'look').value();
  const before = await system.query('w', 'seen').value();
  await system.evictAll();
  await system.signal('w', 'look').value();
  const after = (await system.query('w', 'seen').value()) as unknown[];
  expect(after.slice(0, 4)).toEqual(before);
  expect(new Set(after).size).toBe(6);
  await system.restart();
  expect(await system.query('w', 'seen').value()).toEqual(after);
  const others = (await system.query('v', 'seen').value()) as unknown[];
  expect(after).not.toEqual(expect.arrayContaining([others[0]]));
  await expectInvariants(system);
});

test('draws of a step that did not come to pass are drawn again by the step that does', async () => {
  const world = { broken: true };
  const draws: string[] = [];
  const system = await System.open({
    workflows: {
      async retried() {
        const own: string[] = [];
        setHandler(seen, () => own);
        setHandler(look, () => {
          const draw = uuid4();
          draws.push(draw);
          if (world.broken) throw new Error('not yet');
          own.push(draw);
        });
        await condition(() => false);
      },
    },
  });
  await system.start('w', 'retried').value();
  await system.signal('w', 'look').value();
  world.broken = false;
  await system.pass(1000);
  expect(draws).toHaveLength(2);
  expect(draws[1]).toBe(draws[0]);
  expect(await system.query('w', 'seen').value()).toEqual([draws[0]]);
  await expectInvariants(system);
});

test('the clock of a merged step is the same in replay, whatever of it was rejected', async () => {
  const system = await System.open({
    workflows: {
      async closing() {
        const times: number[] = [];
        let done = false;
        setHandler(seen, () => times);
        setHandler(look, () => {
          times.push(workflowTime());
          done = times.length === 3;
        });
        setHandler(nap, async (ms) => {
          times.push(workflowTime());
          done = true;
          await sleep(ms);
        });
        setHandler(lookAgain, () => void times.push(workflowTime()), {
          validator: (accept) => {
            if (!accept) throw new Error('refused');
          },
        });
        await condition(() => done);
      },
    },
  });
  await system.start('w', 'closing').value();
  system.workers.returns.shut();
  system.signal('w', 'nap', 5000);
  await system.settle();
  system.clock.advance(10);
  system.signal('w', 'look');
  await system.settle();
  system.clock.advance(10);
  const updates = [system.update('w', 'lookAgain', true), system.update('w', 'lookAgain', false)];
  await system.settle();
  system.workers.returns.open();
  await updates[0]!.value();
  expect(await updates[1]!.error()).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED' });
  const before = await times(system);
  expect(before).toEqual([10, 10, 10]);
  await system.evictAll();
  expect(await times(system)).toEqual(before);
  await expectInvariants(system);
});

test('a timer says in the history what it is for, if it is told', async () => {
  const workflows = {
    async trial() {
      await sleep('30 days', { summary: 'until the trial ends' });
      await condition(() => false, '1 day', { summary: 'until a payment comes' });
      await sleep(1);
    },
    async mistaken() {
      const summaries = ['x'.repeat(401), 7 as unknown as string];
      const refused = [];
      for (const summary of summaries) {
        try {
          await sleep(1, { summary });
        } catch (error) {
          refused.push((error as Error).name);
        }
      }
      return refused;
    },
  };
  const system = await System.open({ workflows });
  await system.start('w', 'trial').value();
  system.clock.advance(31 * 24 * 3_600_000);
  await system.settle();
  await system.evictAll();
  system.clock.advance(24 * 3_600_000);
  await system.settle();
  const timers = system.history('w').filter((event) => event.eventType === 'TimerStarted');
  expect(timers.map(({ summary }) => summary)).toEqual(['until the trial ends', 'until a payment comes', undefined]);
  await system.start('m', 'mistaken').value();
  expect(await system.result('m').value()).toEqual(['InvalidOptionError', 'InvalidOptionError']);
  await expectInvariants(system);
});
