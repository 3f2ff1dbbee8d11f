/**
 * Semantics that workflow authors rely on: buffering, missing handlers, conditions, timers, cancellation, unfinished handlers.
 */
import { expect, test } from 'vitest';
import { setCurrent } from '../../actors/current.js';
import {
  ActivityFailure,
  ApplicationFailure,
  allHandlersFinished,
  CancelledFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  HandlerUnfinishedPolicy,
  isCancellation,
  log,
  proxyActivities,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const add = defineSignal<[entry: string]>('add');
const other = defineSignal<[entry: string]>('other');
const go = defineSignal('go');
const entries = defineQuery<unknown[]>('entries');
const update = defineUpdate<string, [entry: string]>('update');
const { charge } = proxyActivities<{ charge(): Promise<string> }>({
  startToCloseTimeout: 60_000,
  retry: { maximumAttempts: 1 },
});

/** One run, `w`, of this workflow. */
async function running(main: () => unknown, ...before: ((system: System) => void)[]): Promise<System> {
  const system = await System.open({ workflows: { main } });
  const start = system.start('w', 'main');
  for (const act of before) act(system);
  await start.value();
  return system;
}

const warnings = (system: System): string[] =>
  system.lifecycle.flatMap((event) => (event.name === 'log' && event.level === 'warn' ? [event.message] : []));

test('signals without a handler wait for it; setHandler hands them over in order before it returns', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    await condition(() => seen.includes('never'), 1000);
    seen.push('set');
    setHandler(add, (entry) => {
      seen.push(entry);
    });
    seen.push('returned');
    setHandler(other, (entry) => {
      seen.push(entry);
    });
    await condition(() => false);
  });
  for (const [name, entry] of [
    ['add', 'a'],
    ['other', 'b'],
    ['add', 'c'],
  ] as const) {
    await system.signal('w', name, entry).value();
  }
  await system.evictAll();
  await system.pass(1000);
  const expected = ['set', 'a', 'c', 'returned', 'b'];
  expect(await system.query('w', 'entries').value()).toEqual(expected);
  await system.signal('w', 'add', 'd').value();
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual([...expected, 'd']);
  await expectInvariants(system);
});

test('a handler that was removed keeps its signals waiting for the next one', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    const take = (entry: string) => {
      seen.push(entry);
    };
    setHandler(add, take);
    setHandler(go, () => setHandler(add, seen.includes('b') ? take : undefined));
    setHandler(other, (entry) => {
      seen.push(entry);
      setHandler(add, take);
    });
    await condition(() => false);
  });
  await system.signal('w', 'add', 'a').value();
  await system.signal('w', 'go').value();
  await system.signal('w', 'add', 'b').value();
  expect(await system.query('w', 'entries').value()).toEqual(['a']);
  await system.signal('w', 'other', 'again').value();
  expect(await system.query('w', 'entries').value()).toEqual(['a', 'again', 'b']);
  await expectInvariants(system);
});

test('an update without a handler by the end of its step is rejected by name and leaves no event', async () => {
  const system = await running(async () => {
    setHandler(update, () => 'handled');
    await condition(() => false);
  });
  expect(await system.update('w', 'unheard of').error()).toMatchObject({
    code: 'WORKFLOW_UPDATE_FAILED',
    cause: { message: 'No registered handler for update: unheard of' },
  });
  expect(await system.update('w', 'update', '').value()).toBe('handled');
  expect(system.types('w').filter((type) => type === 'WorkflowExecutionUpdateAccepted')).toHaveLength(1);
  await expectInvariants(system);
});

test('an update sent before the first step of its run finds the handlers that main sets', async () => {
  const system = await running(async () => {
    setHandler(update, (entry) => `handled ${entry}`);
    await condition(() => false);
  });
  expect(await system.update('w', 'update', 'a').value()).toBe('handled a');
  await expectInvariants(system);
});

test('an unknown query lists the names that exist', async () => {
  const system = await running(async () => {
    setHandler(entries, () => []);
    setHandler(defineQuery<number>('total'), () => 0);
    await condition(() => false);
  });
  const error = await system.query('w', 'unheard of').error();
  expect(error).toMatchObject({ code: 'QUERY_NOT_REGISTERED', fields: { registered: ['entries', 'total'] } });
  expect(error.message).toContain("Registered queries: 'entries', 'total'");
  await expectInvariants(system);
});

test('a condition with a time-out of zero is false after one round, true if that round makes it so', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    let ready = false;
    setHandler(entries, () => seen);
    setHandler(go, () => undefined);
    seen.push(await condition(() => false, 0));
    void Promise.resolve().then(() => {
      ready = true;
    });
    seen.push(await condition(() => ready, 0));
    seen.push(await condition(() => true, 0));
    await condition(() => false);
  });
  expect(await system.query('w', 'entries').value()).toEqual([false, true, true]);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});

test('a condition with a time-out is true in time, false after it, and cancels its timer', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    let ready = false;
    setHandler(entries, () => seen);
    setHandler(go, () => {
      ready = true;
    });
    seen.push(await condition(() => ready, '10s'));
    seen.push(await condition(() => !ready, 5000));
    await condition(() => false);
  });
  await system.signal('w', 'go').value();
  await system.pass(5000);
  expect(await system.query('w', 'entries').value()).toEqual([true, false]);
  expect(system.types('w')).toEqual([
    'WorkflowExecutionStarted',
    'TimerStarted',
    'WorkflowExecutionSignaled',
    'TimerCanceled',
    'TimerStarted',
    'TimerFired',
  ]);
  await expectInvariants(system);
});

test('a timer started and cancelled in one step leaves no event', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    let ready = false;
    setHandler(entries, () => seen);
    const waiting = condition(() => ready, 1000);
    await null;
    ready = true;
    seen.push(await waiting);
    await condition(() => false);
  });
  await system.pass(2000);
  expect(await system.query('w', 'entries').value()).toEqual([true]);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});

test('a sleep takes at least one millisecond, and sleeps that are due together wake in the order of their times', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    const nap = async (name: string, ms: number) => {
      await sleep(ms);
      seen.push(name);
    };
    await Promise.all([nap('long', 30), nap('short', 10), nap('none', 0), nap('negative', -5), nap('part', 0.2)]);
    seen.push('all');
    await condition(() => false);
  });
  expect(system.history('w').flatMap((e) => (e.eventType === 'TimerStarted' ? [e.fireAt - e.eventTime] : []))).toEqual([
    30, 10, 1, 1, 1,
  ]);
  await system.pass(1000);
  expect(await system.query('w', 'entries').value()).toEqual(['none', 'negative', 'part', 'short', 'long', 'all']);
  await expectInvariants(system);
});

test('a cancel request rejects what main awaits, and the run closes as cancelled', async () => {
  const system = await running(async () => {
    await Promise.all([sleep(60_000), charge(), condition(() => false)]);
  });
  expect(system.attempts).toHaveLength(1);
  const result = system.result('w');
  expect(await system.cancel('w', 'changed my mind').value()).toBe('done');
  const error = await result.error();
  expect(error).toMatchObject({ code: 'WORKFLOW_FAILED', fields: { status: 'CANCELLED' } });
  expect(error.cause).toBeInstanceOf(CancelledFailure);
  expect(system.types('w')).toEqual([
    'WorkflowExecutionStarted',
    'TimerStarted',
    'ActivityTaskScheduled',
    'WorkflowExecutionCancelRequested',
    'TimerCanceled',
    'ActivityTaskCancelRequested',
    'WorkflowExecutionCanceled',
  ]);
  expect(system.toHost.filter(({ kind }) => kind === 'cancelActivity')).toHaveLength(1);
  system.activityReturns(system.attempts[0]!, 'too late');
  await system.pass(100_000);
  expect(system.types('w')).toHaveLength(7);
  await expectInvariants(system);
});

test('a workflow may catch its cancellation and end otherwise', async () => {
  const system = await running(async () => {
    try {
      await sleep(60_000);
    } catch (error) {
      if (!isCancellation(error)) throw error;
      return 'cleaned up';
    }
    return 'slept';
  });
  await system.cancel('w').value();
  expect(await system.result('w').value()).toBe('cleaned up');
  expect(system.types('w').at(-1)).toBe('WorkflowExecutionCompleted');
  await expectInvariants(system);
});

test('an activity’s result, failure and time-out reach the workflow', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    setHandler(entries, () => seen);
    for (let i = 0; i < 3; i++) {
      try {
        seen.push(await charge());
      } catch (error) {
        const { cause, retryState } = error as ActivityFailure;
        seen.push([error instanceof ActivityFailure, (cause as Error).name, (cause as Error).message, retryState]);
      }
    }
    await condition(() => false);
  });
  system.activityReturns(system.attempts[0]!, 'paid');
  await system.settle();
  system.activityThrows(system.attempts[1]!, {
    kind: 'application',
    message: 'no funds',
    type: 'NoFunds',
    nonRetryable: true,
  });
  await system.settle();
  // One that waits for a place on its host is not timed out.
  await system.pass(60_000);
  expect(await system.query('w', 'entries').value()).toHaveLength(2);
  system.activityStarts(system.attempts[2]!);
  await system.pass(60_000);
  const expected = [
    'paid',
    [true, 'ApplicationFailure', 'no funds', 'NON_RETRYABLE_FAILURE'],
    [true, 'TimeoutFailure', 'Activity task timed out after startToCloseTimeout', 'MAXIMUM_ATTEMPTS_REACHED'],
  ];
  expect(await system.query('w', 'entries').value()).toEqual(expected);
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(expected);
  await expectInvariants(system);
});

test('an accepted update whose run closes first fails by its own type; its history keeps the acceptance', async () => {
  const system = await running(async () => {
    let done = false;
    setHandler(go, () => {
      done = true;
    });
    setHandler(update, async () => {
      await condition(() => false);
      return 'never';
    });
    await condition(() => done);
  });
  const accepted = system.updateWith({ workflowId: 'w', name: 'update', stage: 'ACCEPTED', updateId: 'u' }, 'a');
  expect(await accepted.value()).toBe('updateAccepted');
  const waiting = [system.pollUpdate('w', 'u'), system.update('w', 'update', 'b')];
  await system.settle();
  await system.signal('w', 'go').value();
  for (const call of [...waiting, system.pollUpdate('w', 'u')]) {
    expect(await call.error()).toMatchObject({
      code: 'WORKFLOW_UPDATE_FAILED',
      cause: { type: 'AcceptedUpdateCompletedWorkflow', message: 'Workflow completed before the Update completed' },
    });
  }
  expect(await system.update('w', 'update', 'c').error()).toMatchObject({
    code: 'WORKFLOW_NOT_FOUND',
    fields: { closed: true },
  });
  await expectInvariants(system);
});

test('an update that ends main in its own step is answered with its result', async () => {
  const system = await running(async () => {
    let done = false;
    setHandler(update, async (entry) => {
      done = true;
      await null;
      return `ended by ${entry}`;
    });
    await condition(() => done);
    return 'over';
  });
  const call = system.update('w', 'update', 'a');
  expect(await call.value()).toBe('ended by a');
  expect(await system.result('w').value()).toBe('over');
  await expectInvariants(system);
});

const ends: [string, () => unknown, boolean][] = [
  ['returns', () => 'over', true],
  [
    'fails',
    () => {
      throw ApplicationFailure.nonRetryable('over');
    },
    false,
  ],
  [
    'is cancelled',
    () => {
      throw new CancelledFailure('over');
    },
    true,
  ],
];

test.each(ends)(
  'a run that %s with handlers unfinished warns once, by name, where it should',
  async (how, end, warns) => {
    const system = await running(async () => {
      let done = false;
      const never = async () => {
        await condition(() => false).catch(() => condition(() => false));
      };
      setHandler(add, never);
      setHandler(other, never, { unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON });
      setHandler(update, async () => {
        await never();
        return '';
      });
      setHandler(go, () => {
        done = true;
      });
      await condition(() => done).catch(() => undefined);
      return end();
    });
    await system.signal('w', 'add', 'a').value();
    await system.signal('w', 'other', 'b').value();
    system.updateWith({ workflowId: 'w', name: 'update', updateId: 'u' }, 'c');
    await system.settle();
    await system.evictAll();
    await (how === 'is cancelled' ? system.cancel('w') : system.signal('w', 'go')).value();
    const told = warnings(system);
    if (warns) {
      expect(told).toHaveLength(1);
      expect(told[0]).toContain('signal add, update update (u)');
      expect(told[0]).not.toContain('other');
    } else expect(told).toEqual([]);
    await system.evictAll();
    await system.query('w', 'entries').error();
    expect(warnings(system)).toEqual(told);
    await expectInvariants(system);
  },
);

test('a run that waits for its handlers warns of none and cuts off nothing', async () => {
  const system = await running(async () => {
    let done = false;
    setHandler(update, async (entry) => {
      await sleep(1000);
      return entry;
    });
    setHandler(go, () => {
      done = true;
    });
    await condition(() => done);
    await condition(allHandlersFinished);
    return 'over';
  });
  const call = system.update('w', 'update', 'a');
  await system.settle();
  await system.signal('w', 'go').value();
  expect((await system.describe('w')).status).toBe('RUNNING');
  await system.pass(1000);
  expect(await call.value()).toBe('a');
  expect(await system.result('w').value()).toBe('over');
  expect(warnings(system)).toEqual([]);
  await expectInvariants(system);
});

test('the workflow’s log is told once: not in replay, not of steps that did not come to pass', async () => {
  const system = await running(async () => {
    log.info('began', { attempt: 1 });
    setHandler(add, (entry) => log.info(entry));
    await condition(() => false);
  });
  await system.signal('w', 'add', 'a').value();
  await system.evictAll();
  await system.signal('w', 'add', 'b').value();
  await system.restart();
  await system.signal('w', 'add', 'c').value();
  const told = system.lifecycle.flatMap((event) => (event.name === 'log' ? [event.message] : []));
  expect(told).toEqual(['began', 'a', 'b', 'c']);
  await expectInvariants(system);
});

test('what is thrown and not an Error says so, and failures keep their causes', async () => {
  const system = await running(async () => {
    setHandler(update, async (entry) => {
      if (entry === 'nested') throw new ApplicationFailure('outer', 'Outer', true, [1], new RangeError('inner'));
      throw 'a string';
    });
    await condition(() => false);
  });
  expect(await system.update('w', 'update', 'nested').error()).toMatchObject({
    cause: {
      message: 'outer',
      type: 'Outer',
      nonRetryable: true,
      details: [1],
      cause: { message: 'inner', type: 'RangeError' },
    },
  });
  expect(await system.update('w', 'update', 'string').error()).toMatchObject({
    cause: { message: 'A value that is not an Error was thrown: "a string"' },
  });
  expect((await system.describe('w')).suspended).toBeUndefined();
  await expectInvariants(system);
});

test('the authoring API outside of a workflow says where it works', () => {
  setCurrent(undefined);
  expect(() => sleep(1)).toThrow('only inside a workflow');
  expect(() => setHandler(go, () => undefined)).toThrow('only inside a workflow');
  expect(() => log.info('lost')).toThrow('only inside a workflow');
});

test('cancelling twice, and what is awaited after a cancellation, ends at once', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    for (let i = 0; i < 2; i++) {
      try {
        await sleep(1000);
      } catch (error) {
        seen.push((error as Error).name);
      }
    }
    return seen;
  });
  await system.cancel('w').value();
  expect(await system.result('w').value()).toEqual(['CancelledFailure', 'CancelledFailure']);
  expect(await system.cancel('w').error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
  await expectInvariants(system);
});
