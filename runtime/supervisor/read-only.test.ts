/**
 * Queries and validators only read: whatever else they do is an error to the caller, and changes nothing.
 */
import { expect, test } from 'vitest';
import { currentExecution } from '../../actors/current.js';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
  sleep,
  uuid4,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const { charge } = proxyActivities<{ charge(): Promise<void> }>({ startToCloseTimeout: 1000 });
const state = defineQuery<number>('state');
const bump = defineSignal('bump');
const offend = defineQuery<string, [trespass: string]>('offend');
const guarded = defineUpdate<string, [trespass: string]>('guarded');

const later = (act: () => unknown) => {
  void (async () => {
    await null;
    await null;
    act();
  })();
};

const TRESPASSES: Record<string, () => unknown> = {
  'a timer': () => void sleep(10).catch(() => undefined),
  'an activity': () => void charge().catch(() => undefined),
  'a UUID': () => uuid4(),
  'a random number': () => currentExecution().random(),
  'a handler': () => setHandler(bump, () => undefined),
  'the removal of a handler': () => setHandler(bump, undefined),
  'a condition': () => void condition(() => false).catch(() => undefined),
  'a UUID, the error of which it catches': () => {
    try {
      uuid4();
    } catch {}
  },
  'a UUID in a microtask': () => later(() => uuid4()),
  'a timer in a microtask': () => later(() => sleep(10)),
  'a handler in a microtask': () => later(() => setHandler(bump, () => undefined)),
  'a UUID in a microtask, the error of which it catches': () =>
    later(() => {
      try {
        uuid4();
      } catch {}
    }),
};

const workflows = {
  async guardedState() {
    let count = 0;
    const trespass = (name: string) => {
      // Plain state is changed as well, which only a rebuilt actor undoes.
      count += 100;
      TRESPASSES[name]?.();
    };
    setHandler(state, () => count);
    setHandler(bump, () => {
      count++;
    });
    setHandler(offend, (name) => {
      trespass(name);
      return 'unharmed';
    });
    setHandler(guarded, () => 'accepted', { validator: (name) => trespass(name) });
    await condition(() => count === 1000);
  },
};

const names = Object.keys(TRESPASSES);

test.each(names)('a query that makes %s fails, and the state is as before', async (name) => {
  const system = await System.open({ workflows });
  await system.start('w', 'guardedState').value();
  await system.signal('w', 'bump').value();
  const history = system.types('w');
  system.workers.returns.shut();
  const calls = [system.signal('w', 'bump'), system.query('w', 'offend', name), system.signal('w', 'bump')];
  const behind = system.query('w', 'state');
  await system.settle();
  system.workers.returns.open();
  const error = await calls[1]!.error();
  expect(error).toMatchObject({ code: 'QUERY_FAILED' });
  expect(error.message).toContain("not allowed in the handler of query 'offend'");
  expect(await behind.value()).toBe(3);
  expect(system.types('w')).toEqual([...history, 'WorkflowExecutionSignaled', 'WorkflowExecutionSignaled']);
  await expectInvariants(system);
});

test.each(names)('an update whose validator makes %s is rejected, and the state is as before', async (name) => {
  const system = await System.open({ workflows });
  await system.start('w', 'guardedState').value();
  await system.signal('w', 'bump').value();
  const history = system.types('w');
  const error = await system.update('w', 'guarded', name).error();
  expect(error).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED' });
  expect((error.cause as Error).message).toContain("not allowed in the validator of update 'guarded'");
  expect(await system.query('w', 'state').value()).toBe(1);
  expect(system.types('w')).toEqual(history);
  await system.signal('w', 'bump').value();
  expect(await system.query('w', 'state').value()).toBe(2);
  await expectInvariants(system);
});

test('a query and a validator that throw are told of with their message, and nothing is recorded', async () => {
  const system = await System.open({
    workflows: {
      async throwing() {
        setHandler(defineQuery<void>('q'), () => {
          throw new RangeError('no such page');
        });
        setHandler(defineUpdate<void>('u'), () => undefined, {
          validator: () => {
            throw new RangeError('no such page');
          },
        });
        await condition(() => false);
      },
    },
  });
  await system.start('w', 'throwing').value();
  const query = await system.query('w', 'q').error();
  expect(query).toMatchObject({ code: 'QUERY_FAILED', cause: { message: 'no such page', type: 'RangeError' } });
  expect(query.message).toContain('no such page');
  expect(await system.update('w', 'u').error()).toMatchObject({
    code: 'WORKFLOW_UPDATE_FAILED',
    cause: { message: 'no such page', type: 'RangeError' },
  });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});

test('a query that returns a promise is refused, also if the promise rejects', async () => {
  const system = await System.open({
    workflows: {
      async promising() {
        setHandler(defineQuery<unknown>('resolves'), async () => 1);
        setHandler(defineQuery<unknown>('rejects'), async () => {
          throw new Error('inside');
        });
        await condition(() => false);
      },
    },
  });
  await system.start('w', 'promising').value();
  for (const name of ['resolves', 'rejects']) {
    expect(await system.query('w', name).error()).toMatchObject({
      code: 'QUERY_FAILED',
      fields: { reason: 'Query handlers should not return a Promise' },
    });
  }
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});

test('a validator cannot change what the handler sees', async () => {
  const system = await System.open({
    workflows: {
      async changing() {
        setHandler(defineUpdate<unknown, [{ list: number[] }]>('u'), (argument) => argument, {
          validator: (argument) => {
            argument.list.push(99);
            Object.assign(argument, { added: true });
          },
        });
        await condition(() => false);
      },
    },
  });
  await system.start('w', 'changing').value();
  expect(await system.update('w', 'u', { list: [1] }).value()).toEqual({ list: [1] });
  await expectInvariants(system);
});

test('a query makes no condition fire, and what it changes unseen changes no step', async () => {
  const system = await System.open({
    workflows: {
      async impure() {
        let touched = false;
        setHandler(defineQuery<boolean>('touch'), () => {
          touched = true;
          return touched;
        });
        setHandler(defineQuery<string>('status'), () => 'waiting');
        await condition(() => touched);
      },
    },
  });
  await system.start('w', 'impure').value();
  expect(await system.query('w', 'touch').value()).toBe(true);
  expect(await system.query('w', 'status').value()).toBe('waiting');
  expect((await system.describe('w')).status).toBe('RUNNING');
  await expectInvariants(system);
});

test('a query in whose microtasks something is rejected fails, and the run goes on', async () => {
  const system = await System.open({
    workflows: {
      async careless() {
        let count = 0;
        setHandler(state, () => count);
        setHandler(offend, () => {
          count++;
          later(() => {
            throw new Error('nobody looks');
          });
          return 'fine';
        });
        await condition(() => false);
      },
    },
  });
  await system.start('w', 'careless').value();
  expect(await system.query('w', 'offend', '').error()).toMatchObject({
    code: 'QUERY_FAILED',
    fields: { reason: 'nobody looks' },
  });
  expect(await system.query('w', 'state').value()).toBe(0);
  expect((await system.describe('w')).suspended).toBeUndefined();
  await expectInvariants(system);
});

test('queries work on a closed run, also after eviction and restart, and cannot change it', async () => {
  const system = await System.open({
    workflows: {
      async brief() {
        const calls = 0;
        setHandler(state, () => calls + 7);
        setHandler(offend, (name) => {
          TRESPASSES[name]!();
          return 'unharmed';
        });
      },
    },
  });
  await system.start('w', 'brief').value();
  const history = system.types('w');
  expect(history.at(-1)).toBe('WorkflowExecutionCompleted');
  const ask = async () => {
    expect(await system.query('w', 'state').value()).toBe(7);
    expect(await system.query('w', 'offend', 'a timer').error()).toMatchObject({ code: 'QUERY_FAILED' });
    expect(await system.query('w', 'state').value()).toBe(7);
  };
  await ask();
  await system.evictAll();
  await ask();
  await system.restart();
  await ask();
  expect(system.types('w')).toEqual(history);
  await expectInvariants(system);
});
