/**
 * Failure types: which thrown errors fail a run or an update, where others suspend the run.
 */
import { expect, test } from 'vitest';
import {
  ApplicationFailure,
  condition,
  defineSignal,
  defineUpdate,
  setHandler,
  setWorkflowOptions,
  sleep,
  type WorkflowDefinitionOptions,
  workflowInfo,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System, type Workflows } from '../test-kit/system.test-kit.js';

routeRejections();

class OutOfStock extends Error {}
class OutOfScrews extends OutOfStock {}

const order = defineSignal<[what: string, later: boolean]>('order');
const reserve = defineUpdate<string, [what: string, later: boolean]>('reserve');

const THROWN: Record<string, () => unknown> = {
  listed: () => new OutOfStock('no nails', { cause: new RangeError('-1 nails') }),
  derived: () => new OutOfScrews('no screws'),
  failure: () => ApplicationFailure.nonRetryable('no glue', 'NoGlue'),
  other: () => new RangeError('no idea'),
  text: () => 'no error',
  nothing: () => null,
};

async function raise(what: string, later: boolean): Promise<never> {
  if (later) await sleep(10);
  throw THROWN[what]!();
}

function raiseNow(what: string): never {
  throw THROWN[what]!();
}

async function main(what?: string, later = false): Promise<void> {
  setHandler(order, (thing, afterwards) => (afterwards ? raise(thing, true) : raiseNow(thing)));
  setHandler(reserve, (thing, afterwards) => (afterwards ? raise(thing, true) : raiseNow(thing)));
  if (what !== undefined) await (later ? raise(what, true) : raiseNow(what));
  await condition(() => false);
}

async function open(
  options: WorkflowDefinitionOptions | (() => WorkflowDefinitionOptions),
  everywhere: string[] = [],
  workflows: Workflows = {},
): Promise<System> {
  const own = (...args: []) => main(...args);
  setWorkflowOptions(options, own);
  const system = await System.open({ workflows: { main: own, ...workflows } });
  system.deployed.failureTypeNames = everywhere;
  return system;
}

const FAILURES: Record<string, object> = {
  listed: { type: 'OutOfStock', message: 'no nails', cause: { type: 'RangeError', message: '-1 nails' } },
  derived: { type: 'OutOfScrews', message: 'no screws' },
  failure: { type: 'NoGlue', message: 'no glue', nonRetryable: true },
  other: { type: 'RangeError', message: 'no idea' },
};

const lists: [string, WorkflowDefinitionOptions, string[], string[]][] = [
  ['nothing', {}, [], ['failure']],
  ['a class', { failureExceptionTypes: [OutOfStock] }, [], ['listed', 'derived', 'failure']],
  ['a class that another extends', { failureExceptionTypes: [OutOfScrews] }, [], ['derived', 'failure']],
  ['every class', { failureExceptionTypes: [Error] }, [], ['listed', 'derived', 'failure', 'other']],
  ['a name', {}, ['OutOfStock'], ['listed', 'derived', 'failure']],
  ['the name of every class', {}, ['Error'], ['listed', 'derived', 'failure', 'other']],
  ['a class and a name', { failureExceptionTypes: [OutOfScrews] }, ['RangeError'], ['derived', 'failure', 'other']],
];

for (const [list, options, everywhere, fails] of lists) {
  test.each([false, true])(
    `with ${list} listed, what fails a run and an update is just that (later: %s)`,
    async (later) => {
      for (const what of Object.keys(THROWN)) {
        const expected = fails.includes(what) ? FAILURES[what] : undefined;
        const system = await open(options, everywhere);
        const ways: [string, () => Promise<unknown>][] = [
          ['main', () => system.start('main', 'main', what, later).value()],
          ['signal', () => system.start('signal', 'main').value()],
          ['update', () => system.start('update', 'main').value()],
        ];
        for (const [, begin] of ways) await begin();
        await system.signal('signal', 'order', what, later).value();
        const update = system.update('update', 'reserve', what, later);
        await system.settle();
        await system.pass(10);
        for (const id of ['main', 'signal']) {
          const { status, suspended } = await system.describe(id);
          if (expected === undefined) expect([id, status, suspended === undefined]).toEqual([id, 'RUNNING', false]);
          else {
            expect([id, status]).toEqual([id, 'FAILED']);
            expect((await system.result(id).error()).cause).toMatchObject(expected);
          }
        }
        const error = await update.error();
        const { status, suspended } = await system.describe('update');
        expect(status).toBe('RUNNING');
        if (expected === undefined) {
          // Its first step, it leaves no trace; a later one, the run waits for better code.
          expect([suspended !== undefined, error.name]).toEqual([
            later,
            later ? 'WorkflowSuspendedError' : 'WorkflowUpdateFailedError',
          ]);
          expect(system.types('update').includes('WorkflowExecutionUpdateAccepted')).toBe(later);
        } else {
          expect(suspended).toBeUndefined();
          expect(error).toMatchObject({ name: 'WorkflowUpdateFailedError', cause: expected });
          expect(system.types('update')).toContain('WorkflowExecutionUpdateCompleted');
        }
        // What is suspended could not be replayed: its code still throws.
        if (expected !== undefined) {
          await system.evictAll();
          await expectInvariants(system);
        }
      }
    },
  );
}

test('options may be given by a function, called in each run before the workflow', async () => {
  const asked: string[] = [];
  const system = await open(() => {
    asked.push(workflowInfo().workflowId);
    return { failureExceptionTypes: [OutOfStock] };
  });
  for (const id of ['a', 'b']) {
    await system.start(id, 'main', 'listed').value();
    expect((await system.describe(id)).status).toBe('FAILED');
  }
  expect(asked).toEqual(['a', 'b']);
  await expectInvariants(system);
});

test('a result that cannot be passed on suspends the run, unless it is listed', async () => {
  const workflows = {
    async unpassable() {
      return () => 1;
    },
  };
  const strict = await open({}, [], workflows);
  await strict.start('w', 'unpassable').value();
  expect((await strict.describe('w')).suspended).toBeDefined();
  const system = await open({}, ['PayloadConverterError'], workflows);
  await system.start('w', 'unpassable').value();
  expect((await system.result('w').error()).cause).toMatchObject({ type: 'PayloadConverterError' });
  await expectInvariants(system);
});

test('an unhandled rejection suspends the run whatever is listed: nobody threw it', async () => {
  const system = await open({}, ['Error'], {
    async forgetful() {
      void raise('listed', false);
      await condition(() => false);
    },
  });
  await system.start('w', 'forgetful').value();
  expect((await system.describe('w')).suspended).toBeDefined();
});

const wrong: [string, unknown, unknown][] = [
  ['options that are none', undefined, main],
  ['an unknown option', { failureTypes: [] }, main],
  ['names instead of classes', { failureExceptionTypes: ['Error'] }, main],
  ['a class that is no error', { failureExceptionTypes: [Map] }, main],
  ['no array', { failureExceptionTypes: Error }, main],
  ['a function that is none', {}, 'main'],
];

test.each(wrong)('%s is refused', (_what, options, fn) => {
  expect(() => setWorkflowOptions(options as WorkflowDefinitionOptions, fn as () => Promise<void>)).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^INVALID_(ARGUMENT|OPTION)$/) }),
  );
});

test('what a function gives is checked when it gives it: the run waits for better code', async () => {
  const system = await open(() => ({ failureExceptionTypes: ['Error'] as never }));
  await system.start('w', 'main').value();
  expect((await system.describe('w')).suspended).toMatchObject({
    error: { fields: { reason: expect.stringContaining('failureExceptionTypes') } },
  });
});
