/**
 * Semantics: a step of several messages is what one activation with the same jobs is in Temporal, and a run ends with a step, not within it.
 */
import { expect } from 'vitest';
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  proxyActivities,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { made, running, warnings } from '../test-kit/running.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import { ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const add = defineSignal<[entry: string]>('add');
const go = defineSignal('go');
const approve = defineSignal('approve');
const entries = defineQuery<unknown>('entries');
const change = defineUpdate<string, [entry: string]>('change');
const { charge } = proxyActivities<{ charge(): Promise<string> }>({ startToCloseTimeout: 60_000 });
const forEver = () => condition(() => false);

row(
  'steps/merged-conditions',
  'a signal that comes while the timer of a condition ends the run meets the condition',
  async () => {
    const system = await running(async () => {
      let approved = false;
      setHandler(approve, () => {
        approved = true;
      });
      const inTime = await condition(() => approved, 200);
      return { inTime, approved };
    });
    system.workers.returns.shut();
    await system.pass(200);
    await system.signal('w', 'approve').value();
    system.workers.returns.open();
    expect(await system.result('w').value()).toEqual({ inTime: true, approved: true });
    // The timer has fired, though it was the condition that won.
    expect(system.types('w').slice(-2)).toEqual(['TimerFired', 'WorkflowExecutionCompleted']);
    await expectInvariants(system);
  },
);

row('steps/merged-conditions', 'one that only the first of two signals makes true is met', async () => {
  const system = await running(async () => {
    let n = 0;
    let met = false;
    let over = false;
    setHandler(add, () => {
      n++;
    });
    setHandler(go, () => {
      over = true;
    });
    void condition(() => n === 1).then(() => {
      met = true;
    });
    await condition(() => over);
    for (let i = 0; i < 20; i++) await null;
    return { n, met };
  });
  system.workers.returns.shut();
  await system.signal('w', 'go').value();
  await system.signal('w', 'add', 'a').value();
  await system.signal('w', 'add', 'b').value();
  system.workers.returns.open();
  expect(await system.result('w').value()).toEqual({ n: 2, met: true });
  await expectInvariants(system);
});

row(
  'steps/end-with-step',
  'what a handler asks of others after main has returned is asked, also of a closed run’s',
  async () => {
    const system = await System.open({
      workflows: {
        ledger,
        async w() {
          let over = false;
          setHandler(go, async () => {
            over = true;
            for (let i = 0; i < 20; i++) await null;
            await getExternalWorkflowHandle('l').signal(add, 'after the end');
          });
          await condition(() => over);
          return 'over';
        },
      },
    });
    await system.start('l', 'ledger').value();
    await system.start('w', 'w').value();
    await system.signal('w', 'go').value();
    expect(await system.result('w').value()).toBe('over');
    expect(made(system)).toEqual(['SignalExternalWorkflowExecutionInitiated', 'WorkflowExecutionCompleted']);
    expect(await system.query('l', 'entries').value()).toEqual(['after the end']);
    await expectInvariants(system);
  },
);

row('steps/end-with-step', 'timers and activities too, which end with the run', async () => {
  const system = await running(async () => {
    let over = false;
    setHandler(go, async () => {
      over = true;
      for (let i = 0; i < 20; i++) await null;
      void charge();
      await sleep(1000);
    });
    await condition(() => over);
    return 'over';
  });
  await system.signal('w', 'go').value();
  expect(await system.result('w').value()).toBe('over');
  expect(made(system)).toEqual(['ActivityTaskScheduled', 'TimerStarted', 'WorkflowExecutionCompleted']);
  await system.pass(2000);
  expect(system.attempts).toEqual([]);
  await expectInvariants(system);
});

row('unfinished/ended-in-time', 'a handler that ends in the step in which main returns is not named', async () => {
  const system = await running(async () => {
    let over = false;
    setHandler(change, async (entry) => {
      over = true;
      for (let i = 0; i < 20; i++) await null;
      return entry;
    });
    await condition(() => over);
    return 'over';
  });
  expect(await system.update('w', 'change', 'in time').value()).toBe('in time');
  expect(await system.result('w').value()).toBe('over');
  expect(warnings(system)).toEqual([]);
  await expectInvariants(system);
});

row(
  'unfinished/all-handlers-finished',
  'not from the first instruction of a handler on, even of one that awaits nothing',
  async () => {
    const system = await running(async () => {
      const seen: unknown[] = [];
      let over = false;
      setHandler(entries, () => seen);
      setHandler(add, () => {
        seen.push(['within', allHandlersFinished()]);
      });
      setHandler(go, async () => {
        seen.push(['within the other', allHandlersFinished()]);
        over = true;
      });
      await condition(() => over && allHandlersFinished());
      seen.push(['afterwards', allHandlersFinished()]);
      await forEver();
    });
    await system.signal('w', 'add', 'a').value();
    await system.signal('w', 'go').value();
    const seen = [
      ['within', false],
      ['within the other', false],
      ['afterwards', true],
    ];
    expect(await system.query('w', 'entries').value()).toEqual(seen);
    await system.evictAll();
    expect(await system.query('w', 'entries').value()).toEqual(seen);
    await expectInvariants(system);
  },
);

row('time/condition-throws', 'when it is made, to who makes it; later it suspends the run', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    let broken = false;
    setHandler(entries, () => seen);
    setHandler(go, () => {
      broken = true;
    });
    await condition(() => {
      throw ApplicationFailure.create({ message: 'at once' });
    }).catch((error) => seen.push(error.message));
    await condition(() => {
      if (broken) throw new Error('later');
      return false;
    }).catch((error) => seen.push(error.message));
  });
  await system.signal('w', 'go').value();
  await system.settle();
  expect((await system.describe('w')).suspended?.error).toMatchObject({ cause: { message: 'later' } });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'WorkflowExecutionSignaled']);
});

row(
  'steps/end-with-step',
  'what is told once all else has come to rest, a run that has computed its end hears no more',
  async () => {
    const system = await running(async () => {
      setHandler(change, async () => {
        await charge().catch(() => undefined);
        return 'told';
      });
      await forEver();
    });
    const update = system.update('w', 'change', 'a');
    await system.settle();
    await system.cancel('w').value();
    expect(await update.error()).toMatchObject({ cause: { type: 'AcceptedUpdateCompletedWorkflow' } });
    expect(made(system)).toEqual([
      'WorkflowExecutionUpdateAccepted',
      'ActivityTaskScheduled',
      'ActivityTaskCancelRequested',
      'WorkflowExecutionCanceled',
    ]);
    await expectInvariants(system);
  },
);
