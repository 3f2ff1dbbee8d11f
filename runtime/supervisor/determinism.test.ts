/**
 * Replay is exact, and what does not fit suspends: changed code, thrown errors, rejections that nobody handles.
 */
import { expect, test } from 'vitest';
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import { ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const go = defineSignal('go');
const state = defineQuery<string>('state');
const { charge, refund } = proxyActivities<{ charge(): Promise<void>; refund(): Promise<void> }>({
  startToCloseTimeout: 60_000,
});

/** A workflow whose first step is `begin`, and which ends once told to go. */
function workflow(begin: () => unknown): () => Promise<string> {
  return async () => {
    let told = false;
    setHandler(state, () => 'waiting');
    setHandler(go, () => {
      told = true;
    });
    void begin();
    await condition(() => told);
    return 'ended';
  };
}

const changes: [change: string, before: () => unknown, after: () => unknown, recorded: string, made: string][] = [
  ['a timer is missing', () => sleep(60_000), () => undefined, 'TimerStarted(1)', 'nothing'],
  [
    'an activity has another name',
    () => charge(),
    () => refund(),
    'ActivityTaskScheduled(1, charge)',
    'ActivityTaskScheduled(1, refund)',
  ],
  [
    'a command is added',
    () => charge(),
    () => {
      void charge();
      void sleep(60_000);
    },
    'nothing',
    'TimerStarted(1)',
  ],
  [
    'a timer became an activity',
    () => sleep(60_000),
    () => charge(),
    'TimerStarted(1)',
    'ActivityTaskScheduled(1, charge)',
  ],
  [
    'two commands changed places',
    () => {
      void charge();
      void sleep(60_000);
    },
    () => {
      void sleep(60_000);
      void charge();
    },
    'ActivityTaskScheduled(1, charge)',
    'TimerStarted(1)',
  ],
];

test.each(changes)(
  '%s: the run is suspended, both sides are named, and fitting code resumes it',
  async (_, before, after, recorded, made) => {
    const system = await System.open({ workflows: { changing: workflow(before) } });
    await system.start('w', 'changing').value();
    const history = system.types('w');
    system.deploy({ changing: workflow(after) });
    await system.restart();
    const error = await system.query('w', 'state').error();
    expect(error).toMatchObject({ code: 'WORKFLOW_SUSPENDED', cause: { type: 'DeterminismViolationError' } });
    expect(error.message).toContain(`recorded ${recorded}`);
    expect(error.message).toContain(`code made ${made}`);
    const { status, suspended } = await system.describe('w');
    expect(status).toBe('RUNNING');
    expect(suspended?.error.name).toBe('WorkflowSuspendedError');
    // What became of activities apart: the restart has cut one off.
    expect(system.types('w').filter((type) => type !== 'ActivityTaskRetryScheduled')).toEqual(history);
    // A signal is kept for when the code fits.
    expect(await system.signal('w', 'go').value()).toBe('done');
    system.deploy({ changing: workflow(before) });
    await system.restart();
    expect(await system.result('w').value()).toBe('ended');
    await expectInvariants(system);
  },
);

test('other arguments are no difference', async () => {
  const system = await System.open({ workflows: { changing: workflow(() => sleep(1000)) } });
  await system.start('w', 'changing').value();
  await system.evictAll();
  system.deploy({ changing: workflow(() => sleep(2000)) });
  expect(await system.query('w', 'state').value()).toBe('waiting');
  system.deploy({ changing: workflow(() => sleep(1000)) });
  await expectInvariants(system);
});

test('a run suspended for its code resumes by itself, in the process that runs, once fitting code is there', async () => {
  const system = await System.open({ workflows: { changing: workflow(() => sleep(60_000)) } });
  await system.start('w', 'changing').value();
  await system.evictAll();
  system.deploy({ changing: workflow(() => undefined) });
  await system.signal('w', 'go').value();
  expect((await system.describe('w')).suspended).toMatchObject({ attempts: 1 });
  system.deploy({ changing: workflow(() => sleep(60_000)) });
  await system.pass(999);
  expect((await system.describe('w')).suspended).toBeDefined();
  await system.pass(1);
  expect(await system.result('w').value()).toBe('ended');
  await expectInvariants(system);
});

test('a run whose type is no longer deployed is suspended, and resumes when it is', async () => {
  const system = await System.open({ workflows: { changing: workflow(() => undefined), ledger } });
  await system.start('w', 'changing').value();
  const main = system.deployed.get('changing')!;
  system.deployed.delete('changing');
  await system.restart();
  const error = await system.query('w', 'state').error();
  expect(error).toMatchObject({ code: 'WORKFLOW_SUSPENDED' });
  expect(error.message).toContain("Workflow type 'changing' is not exported");
  system.deployed.set('changing', main);
  await system.restart();
  expect(await system.query('w', 'state').value()).toBe('waiting');
  await expectInvariants(system);
});

/** A workflow that throws an ordinary error on `go` until it is mended, writing down the signals it handled. */
function fragile() {
  const world = { broken: true, runs: 0 };
  const fragileWorkflow = async () => {
    const log: string[] = [];
    setHandler(state, () => log.join());
    setHandler(defineUpdate<string, []>('update'), () => 'updated');
    setHandler(defineSignal<[string]>('note'), (text) => {
      log.push(text);
    });
    setHandler(go, () => {
      world.runs++;
      void sleep(5000);
      log.push('go');
      if (world.broken) throw new TypeError('it is broken');
    });
    await condition(() => log.includes('last'));
    return log.join();
  };
  return { world, workflows: { fragile: fragileWorkflow } };
}

test('an ordinary error suspends the run: nothing is recorded, it is tried again ever later, and goes on once mended', async () => {
  const { world, workflows } = fragile();
  const system = await System.open({ workflows });
  await system.start('w', 'fragile').value();
  await system.signal('w', 'note', 'first').value();
  expect(await system.signal('w', 'go').value()).toBe('done');
  expect(await system.signal('w', 'note', 'behind').value()).toBe('done');
  const history = system.types('w');
  expect(history).not.toContain('TimerStarted');
  const begun = system.clock.now();
  const retried: number[] = [];
  for (let second = 0; second < 130; second++) {
    const before = world.runs;
    await system.pass(1000);
    if (world.runs > before) retried.push((system.clock.now() - begun) / 1000);
  }
  expect(retried).toEqual([1, 3, 7, 15, 31, 63, 123]);
  expect(system.types('w')).toEqual(history);
  const { suspended, status } = await system.describe('w');
  expect(status).toBe('RUNNING');
  expect(suspended).toMatchObject({ attempts: 8, nextRetryTime: begun + 183_000 });
  world.broken = false;
  await system.pass(60_000);
  expect((await system.describe('w')).suspended).toBeUndefined();
  expect(await system.query('w', 'state').value()).toBe('first,go,behind');
  expect(system.lifecycle.map(({ name }) => name)).toContain('runResumed');
  await system.signal('w', 'note', 'last').value();
  expect(await system.result('w').value()).toBe('first,go,behind,last');
  await expectInvariants(system);
});

test('a suspended run is tried again at once after a restart', async () => {
  const { world, workflows } = fragile();
  const system = await System.open({ workflows });
  await system.start('w', 'fragile').value();
  await system.signal('w', 'go').value();
  expect((await system.describe('w')).suspended).toBeDefined();
  world.broken = false;
  await system.restart();
  await system.settle();
  expect(world.runs).toBe(2);
  expect(await system.query('w', 'state').value()).toBe('go');
  await expectInvariants(system);
});

test('an update that has completed in the turn that then suspends its run is told so', async () => {
  const note = defineUpdate<string, [string]>('note');
  async function fragile(): Promise<void> {
    setHandler(note, (text) => text);
    setHandler(defineSignal('break'), () => {
      throw new TypeError('broken');
    });
    await condition(() => false);
  }
  const system = await System.open({ workflows: { fragile } });
  await system.start('w', 'fragile').value();
  const update = system.update('w', 'note', 'a');
  const breaking = system.signal('w', 'break');
  expect(await update.value()).toBe('a');
  expect(await breaking.value()).toBe('done');
  expect((await system.describe('w')).suspended).toMatchObject({ attempts: 1 });
  await expectInvariants(system);
});

test('callers of a suspended run are answered at once with the cause; describe and terminate work', async () => {
  const { workflows } = fragile();
  const system = await System.open({ workflows });
  await system.start('w', 'fragile').value();
  system.workers.returns.shut();
  const go = system.signal('w', 'go');
  const waiting = [system.query('w', 'state'), system.update('w', 'update')];
  await system.settle();
  system.workers.returns.open();
  const late = [system.query('w', 'state'), system.update('w', 'update')];
  expect(await go.value()).toBe('done');
  for (const call of [...waiting, ...late, system.query('w', 'state'), system.update('w', 'update')]) {
    expect(await call.error()).toMatchObject({
      code: 'WORKFLOW_SUSPENDED',
      cause: { message: 'it is broken', type: 'TypeError' },
    });
  }
  expect((await system.describe('w')).waitingMessages).toBe(1);
  expect(await system.terminate('w', 'enough').value()).toBe('done');
  expect(await system.result('w').error()).toMatchObject({ code: 'WORKFLOW_FAILED', cause: { message: 'enough' } });
  expect(system.lifecycle.filter(({ name }) => name === 'runSuspended')).toHaveLength(1);
  await expectInvariants(system);
});

test('a retry whose turn is lost with its worker is made up for', async () => {
  const { world, workflows } = fragile();
  const system = await System.open({ workflows });
  await system.start('w', 'fragile').value();
  await system.signal('w', 'go').value();
  world.broken = false;
  let lost = 0;
  system.workers.fate = () => (lost++ === 0 ? 'between' : undefined);
  await system.pass(1000);
  expect(lost).toBeGreaterThan(1);
  expect(await system.query('w', 'state').value()).toBe('go');
  await expectInvariants(system);
});

test('a retry that its turn had no time for is made up for', async () => {
  const { world, workflows } = fragile();
  const system = await System.open({ workflows: { ...workflows, ledger }, slots: 1 });
  await system.start('w', 'fragile').value();
  for (const id of ['u', 'v']) await system.start(id, 'ledger').value();
  await system.signal('w', 'go').value();
  world.broken = false;
  // While one neighbour's turn is under way, the other one gets in line before the retry, and its step takes all of the next turn's time.
  let now = 0;
  system.workers.monotonic = () => {
    now += 100;
    return now;
  };
  system.workers.returns.shut();
  system.signal('u', 'add', 'first');
  await system.settle();
  system.signal('v', 'add', 'second');
  await system.settle();
  await system.pass(1000);
  system.workers.returns.open();
  await system.settle();
  expect(await system.query('w', 'state').value()).toBe('go');
  const retries = system.workers.turns.filter(({ slices }) => slices.some(({ load }) => load?.workflowId === 'w'));
  expect(retries.length).toBeGreaterThanOrEqual(3);
  expect(await system.query('v', 'entries').value()).toEqual(['second']);
  await expectInvariants(system);
});

test('a resumed run that closes while signals wait sees them first', async () => {
  const world = { broken: true };
  const workflows = {
    async closing() {
      const log: string[] = [];
      let done = false;
      setHandler(go, () => {
        if (world.broken) throw new Error('not yet');
        done = true;
      });
      setHandler(defineSignal<[string]>('note'), (text) => {
        log.push(text);
      });
      await condition(() => done);
      return log.join();
    },
  };
  const system = await System.open({ workflows });
  await system.start('w', 'closing').value();
  await system.signal('w', 'go').value();
  await system.signal('w', 'note', 'a').value();
  await system.signal('w', 'note', 'b').value();
  world.broken = false;
  await system.pass(1000);
  expect(await system.result('w').value()).toBe('a,b');
  await expectInvariants(system);
});

const rejections: [string, () => unknown][] = [
  ['a promise rejected in main', () => void Promise.reject(new Error('nobody looks'))],
  [
    'an async function that nobody awaits',
    () => {
      void (async () => {
        await null;
        throw new Error('nobody looks');
      })();
    },
  ],
];

test.each(rejections)('%s and not handled by the end of its step suspends the run', async (_, act) => {
  const system = await System.open({ workflows: { careless: workflow(act) } });
  await system.start('w', 'careless').value();
  expect(await system.query('w', 'state').error()).toMatchObject({
    code: 'WORKFLOW_SUSPENDED',
    cause: { message: 'nobody looks' },
  });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  system.deploy({ careless: workflow(() => undefined) });
  await system.pass(1000);
  expect(await system.query('w', 'state').value()).toBe('waiting');
  await expectInvariants(system);
});

test('a rejection that is handled before its step ends suspends nothing', async () => {
  const late = () => {
    const promise = Promise.reject(new Error('looked at late'));
    void (async () => {
      for (let i = 0; i < 10; i++) await null;
      await promise.catch(() => undefined);
    })();
  };
  const system = await System.open({ workflows: { late: workflow(late) } });
  await system.start('w', 'late').value();
  expect(await system.query('w', 'state').value()).toBe('waiting');
  await expectInvariants(system);
});

test('a failure thrown on purpose fails the run, from main and from a signal handler', async () => {
  const fail = () => {
    throw ApplicationFailure.nonRetryable('no such order', 'OrderNotFound', 7);
  };
  const system = await System.open({
    workflows: {
      fromMain: async () => fail(),
      fromHandler: async () => {
        setHandler(go, async () => {
          await null;
          fail();
        });
        await condition(() => false);
      },
    },
  });
  await system.start('m', 'fromMain').value();
  await system.start('h', 'fromHandler').value();
  await system.signal('h', 'go').value();
  for (const id of ['m', 'h']) {
    expect(await system.result(id).error()).toMatchObject({
      code: 'WORKFLOW_FAILED',
      fields: { status: 'FAILED' },
      cause: { message: 'no such order', type: 'OrderNotFound', nonRetryable: true, details: [7] },
    });
    expect(system.types(id).at(-1)).toBe('WorkflowExecutionFailed');
  }
  await expectInvariants(system);
});

test('an update that breaks in its own first step is not accepted, leaves no trace and suspends nothing', async () => {
  const workflows = {
    async breaking() {
      let changed = 0;
      setHandler(state, () => `changed ${changed} times`);
      setHandler(defineUpdate<number, [boolean]>('change'), (breaks) => {
        changed++;
        void sleep(1000);
        if (breaks) throw new RangeError('out of range');
        return changed;
      });
      await condition(() => false);
    },
  };
  const system = await System.open({ workflows });
  await system.start('w', 'breaking').value();
  expect(await system.update('w', 'change', true).error()).toMatchObject({
    code: 'WORKFLOW_UPDATE_FAILED',
    cause: { message: 'out of range', type: 'RangeError' },
  });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  expect((await system.describe('w')).suspended).toBeUndefined();
  expect(await system.query('w', 'state').value()).toBe('changed 0 times');
  expect(await system.update('w', 'change', false).value()).toBe(1);
  await expectInvariants(system);
});

test('an accepted update that breaks later suspends the run; its caller is told, asks again and gets the outcome', async () => {
  const world = { broken: true };
  const workflows = {
    async breaking() {
      setHandler(defineUpdate<string, []>('slow'), async () => {
        await sleep(1000);
        if (world.broken) throw new Error('broke later');
        return 'outcome';
      });
      await condition(() => false);
    },
  };
  const system = await System.open({ workflows });
  await system.start('w', 'breaking').value();
  const call = system.updateWith({ workflowId: 'w', name: 'slow', updateId: 'u' });
  await system.settle();
  await system.pass(1000);
  expect(await call.error()).toMatchObject({ code: 'WORKFLOW_SUSPENDED', cause: { message: 'broke later' } });
  world.broken = false;
  await system.pass(1000);
  expect(await system.updateWith({ workflowId: 'w', name: 'slow', updateId: 'u' }).value()).toBe('outcome');
  await expectInvariants(system);
});
