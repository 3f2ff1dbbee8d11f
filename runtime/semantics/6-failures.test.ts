/**
 * Semantics, section 6: what is thrown, where, and what becomes of it.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import {
  ApplicationFailure,
  CancelledFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
  sleep,
  TemporalFailure,
} from '../../actors/workflow/index.js';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '../errors.js';
import { logLifecycle } from '../host/lifecycle-log.js';
import { loggerFrom } from '../host/logger.js';
import type { Runtime } from '../runtime.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { made, running } from '../test-kit/running.test-kit.js';
import type { System } from '../test-kit/system.test-kit.js';
import { createTestRuntime } from '../testing/index.js';
import { anyOf, charging, enough, fail, failing, throwing, told, toldLocally, tried } from './fixtures/failing.js';

routeRejections();

const add = defineSignal<[entry: string]>('add');
const go = defineSignal('go');
const entries = defineQuery<string[]>('entries');
const update = defineUpdate<unknown, [entry: string]>('update');
const { charge } = proxyActivities<{ charge(): Promise<void> }>({
  startToCloseTimeout: 1000,
  retry: { maximumAttempts: 1 },
});
const forEver = () => condition(() => false);
const FAILED = { code: 'WORKFLOW_FAILED', fields: { status: 'FAILED' } };

const temporalFailures: [string, () => Promise<void> | never][] = [
  [
    'an ApplicationFailure',
    () => {
      throw ApplicationFailure.nonRetryable('on purpose', 'OnPurpose', 7);
    },
  ],
  [
    'a CancelledFailure that nobody asked for',
    () => {
      throw new CancelledFailure('on purpose');
    },
  ],
  ['the ActivityFailure of what it awaited', () => charge()],
];

/** The failure that `what` ends in, as the caller of a result sees it. */
const causes: Record<string, object> = {
  'an ApplicationFailure': { message: 'on purpose', type: 'OnPurpose', nonRetryable: true, details: [7] },
  'a CancelledFailure that nobody asked for': { name: 'CancelledFailure', message: 'on purpose' },
  'the ActivityFailure of what it awaited': { name: 'ActivityFailure', cause: { message: 'no funds' } },
};

async function activityFails(system: System): Promise<void> {
  await system.settle();
  for (const attempt of system.attempts) {
    system.activityThrows(attempt, { kind: 'application', message: 'no funds', nonRetryable: true });
  }
  await system.settle();
}

for (const [what, thrower] of temporalFailures) {
  row('failures/main-fails-run', what, async () => {
    const system = await running(async () => {
      await null;
      await thrower();
    });
    await activityFails(system);
    expect(await system.result('w').error()).toMatchObject({ ...FAILED, cause: causes[what]! });
    expect(system.types('w').at(-1)).toBe('WorkflowExecutionFailed');
    await expectInvariants(system);
  });

  row('failures/signal-handler-fails-run', what, async () => {
    const system = await running(async () => {
      setHandler(go, async () => thrower());
      await forEver();
    });
    await system.signal('w', 'go').value();
    await activityFails(system);
    expect(await system.result('w').error()).toMatchObject({ ...FAILED, cause: causes[what]! });
    await expectInvariants(system);
  });

  row('failures/update-handler-fails-update', what, async () => {
    const system = await running(async () => {
      setHandler(update, async () => thrower());
      await forEver();
    });
    const call = system.update('w', 'update', 'a');
    await activityFails(system);
    expect(await call.error()).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED', cause: causes[what]! });
    expect((await system.describe('w')).status).toBe('RUNNING');
    expect(made(system).at(-1)).toBe('WorkflowExecutionUpdateCompleted');
    await expectInvariants(system);
  });
}

row('failures/signal-handler-fails-run', 'thrown synchronously as well', async () => {
  const system = await running(async () => {
    setHandler(go, () => {
      throw ApplicationFailure.nonRetryable('at once');
    });
    await forEver();
  });
  await system.signal('w', 'go').value();
  expect(await system.result('w').error()).toMatchObject({ ...FAILED, cause: { message: 'at once' } });
  await expectInvariants(system);
});

/** Breaks on `go` and on the update 'breaks', at once or `later`, until it is mended. */
function fragile() {
  const world = { broken: true, tries: 0 };
  const main = async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    setHandler(add, (entry) => {
      seen.push(entry);
    });
    const breaks = (entry: string) => {
      world.tries++;
      void sleep(5000);
      seen.push(entry);
      if (world.broken) throw new TypeError('it is broken');
    };
    setHandler(go, () => breaks('go'));
    setHandler(update, async (entry) => {
      if (entry === 'later') await sleep(1000);
      breaks(entry);
      return 'outcome';
    });
    await condition(() => seen.includes('last'));
    return seen;
  };
  return { world, main };
}

row('failures/other-suspends', 'thrown in main', async () => {
  const world = { broken: true };
  const system = await running(async () => {
    setHandler(entries, () => ['waiting']);
    void sleep(1000);
    if (world.broken) throw new TypeError('it is broken');
    await forEver();
  });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  const { status, suspended } = await system.describe('w');
  expect(status).toBe('RUNNING');
  expect(suspended).toBeDefined();
  world.broken = false;
  await system.pass(1000);
  expect(made(system)).toEqual(['TimerStarted']);
  expect(await system.query('w', 'entries').value()).toEqual(['waiting']);
  await expectInvariants(system);
});

row('failures/other-suspends', 'thrown in a signal handler', async () => {
  const { world, main } = fragile();
  const system = await running(main);
  expect(await system.signal('w', 'go').value()).toBe('done');
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'WorkflowExecutionSignaled']);
  expect((await system.describe('w')).suspended).toBeDefined();
  world.broken = false;
  await system.pass(1000);
  expect(made(system)).toEqual(['TimerStarted']);
  expect(await system.query('w', 'entries').value()).toEqual(['go']);
  await expectInvariants(system);
});

row(
  'failures/unhandled-rejection-suspends',
  'of an async function that nobody awaits; a handled one does not',
  async () => {
    const world = { handled: false };
    const system = await running(async () => {
      setHandler(entries, () => ['waiting']);
      const careless = (async () => {
        await null;
        throw new Error('nobody looks');
      })();
      if (world.handled) {
        void (async () => {
          for (let i = 0; i < 10; i++) await null;
          await careless.catch(() => undefined);
        })();
      }
      await forEver();
    });
    expect(await system.query('w', 'entries').error()).toMatchObject({
      code: 'WORKFLOW_SUSPENDED',
      cause: { message: 'nobody looks' },
    });
    world.handled = true;
    await system.pass(1000);
    expect(await system.query('w', 'entries').value()).toEqual(['waiting']);
    await expectInvariants(system);
  },
);

row('failures/suspension-told', 'with the run and the cause', async () => {
  const { main } = fragile();
  const system = await running(main);
  await system.signal('w', 'go').value();
  const { suspended } = await system.describe('w');
  expect(suspended).toMatchObject({ attempts: 1, error: { cause: { message: 'it is broken', type: 'TypeError' } } });
  const told = system.lifecycle.filter(({ name }) => name === 'runSuspended');
  expect(told).toMatchObject([{ workflowId: 'w', attempts: 1 }]);
  const lines: unknown[][] = [];
  for (const event of told)
    logLifecycle(
      loggerFrom((...line) => lines.push(line)),
      event,
    );
  expect(lines).toHaveLength(1);
  expect(String(lines[0]![1])).toMatch(
    /is suspended: it is broken\..*throw an ApplicationFailure.*failureExceptionTypes/,
  );
  await expectInvariants(system);
});

row('failures/suspended-message-stays-first', 'what came later is handled after it', async () => {
  const { world, main } = fragile();
  const system = await running(main);
  await system.signal('w', 'go').value();
  await system.signal('w', 'add', 'behind').value();
  expect((await system.describe('w')).waitingMessages).toBe(2);
  world.broken = false;
  await system.pass(1000);
  expect(await system.query('w', 'entries').value()).toEqual(['go', 'behind']);
  await expectInvariants(system);
});

row(
  'failures/retried-with-back-off',
  'after 1, 2, 4 … 60 seconds, its state as before the message each time',
  async () => {
    const { world, main } = fragile();
    const system = await running(main);
    await system.signal('w', 'add', 'before').value();
    await system.signal('w', 'go').value();
    const tries: number[] = [];
    for (let second = 1; second <= 183; second++) {
      const before = world.tries;
      await system.pass(1000);
      if (world.tries > before) tries.push(second);
    }
    expect(tries).toEqual([1, 3, 7, 15, 31, 63, 123, 183]);
    world.broken = false;
    await system.pass(60_000);
    expect(await system.query('w', 'entries').value()).toEqual(['before', 'go']);
    await expectInvariants(system);
  },
);

row('failures/retried-after-restart', 'though its next try was far off', async () => {
  const { world, main } = fragile();
  const system = await running(main);
  await system.signal('w', 'go').value();
  for (let i = 0; i < 5; i++) await system.pass(20_000);
  world.broken = false;
  await system.restart();
  expect(await system.query('w', 'entries').value()).toEqual(['go']);
  expect(system.clock.now() - system.history('w')[0]!.eventTime).toBe(100_000);
  await expectInvariants(system);
});

row('failures/update-first-step', 'nothing that it changed is left', async () => {
  const { world, main } = fragile();
  const system = await running(main);
  expect(await system.update('w', 'update', 'at once').error()).toMatchObject({
    code: 'WORKFLOW_UPDATE_FAILED',
    cause: { message: 'it is broken', type: 'TypeError' },
  });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  expect((await system.describe('w')).suspended).toBeUndefined();
  expect(await system.query('w', 'entries').value()).toEqual([]);
  world.broken = false;
  expect(await system.update('w', 'update', 'at once').value()).toBe('outcome');
  await expectInvariants(system);
});

row('failures/update-later-step', 'with the timer that woke it as the message to try again', async () => {
  const { world, main } = fragile();
  const system = await running(main);
  const call = system.update('w', 'update', 'later');
  await system.settle();
  await system.pass(1000);
  await call.error();
  expect((await system.describe('w')).suspended).toBeDefined();
  expect(made(system)).toEqual(['WorkflowExecutionUpdateAccepted', 'TimerStarted']);
  world.broken = false;
  await system.pass(1000);
  expect(made(system)).toContain('WorkflowExecutionUpdateCompleted');
  await expectInvariants(system);
});

row('failures/update-caller-told', 'at once, and gets the outcome once there is one', async () => {
  const { world, main } = fragile();
  const system = await running(main);
  const send = () => system.updateWith({ workflowId: 'w', name: 'update', updateId: 'u' }, 'later');
  const call = send();
  await system.settle();
  await system.pass(1000);
  const suspended = { code: 'WORKFLOW_SUSPENDED', cause: { message: 'it is broken' } };
  expect(await call.error()).toMatchObject(suspended);
  expect(await send().error()).toMatchObject(suspended);
  world.broken = false;
  await system.pass(2000);
  expect(await send().value()).toBe('outcome');
  expect(await system.query('w', 'entries').value()).toEqual(['later']);
  await expectInvariants(system);
});

row('failures/suspended-keeps-signals', 'also across a restart', async () => {
  const { world, main } = fragile();
  const system = await running(main);
  await system.signal('w', 'go').value();
  for (const entry of ['a', 'b']) expect(await system.signal('w', 'add', entry).value()).toBe('done');
  await system.crash();
  expect(await system.signal('w', 'add', 'c').value()).toBe('done');
  world.broken = false;
  await system.pass(1000);
  expect(await system.query('w', 'entries').value()).toEqual(['go', 'a', 'b', 'c']);
  await expectInvariants(system);
});

row('failures/suspended-answers', 'those that waited behind the step, and those that come later', async () => {
  const { main } = fragile();
  const system = await running(main);
  system.workers.returns.shut();
  await system.signal('w', 'go').value();
  const waiting = [system.query('w', 'entries'), system.update('w', 'update', 'a')];
  await system.settle();
  system.workers.returns.open();
  await system.settle();
  for (const call of [...waiting, system.query('w', 'entries'), system.update('w', 'update', 'a')]) {
    expect(await call.error()).toMatchObject({
      code: 'WORKFLOW_SUSPENDED',
      cause: { message: 'it is broken', type: 'TypeError' },
    });
  }
  await expectInvariants(system);
});

row('failures/suspended-terminate-describe', 'and it then stays closed', async () => {
  const { world, main } = fragile();
  const system = await running(main);
  await system.signal('w', 'go').value();
  expect(await system.describe('w')).toMatchObject({ status: 'RUNNING', suspended: { attempts: 1 } });
  expect(await system.terminate('w', 'enough').value()).toBe('done');
  expect(await system.describe('w')).toMatchObject({ status: 'TERMINATED' });
  world.broken = false;
  await system.pass(120_000);
  expect(system.types('w').at(-1)).toBe('WorkflowExecutionTerminated');
  await expectInvariants(system);
});

row('failures/quarantine', 'across restarts, until other code is deployed; signals are kept', async () => {
  const system = await running(() => forEver());
  system.workers.fate = ([slice]) => slice?.run;
  await system.signal('w', 'go').value();
  await system.settle();
  expect(system.workers.turns).toHaveLength(1 + 3);
  const suspended = {
    attempts: 1,
    error: { name: 'WorkflowSuspendedError', cause: { type: 'StepFailedWorkerError' } },
  };
  await system.restart();
  await system.pass(120_000);
  expect(await system.describe('w')).toMatchObject({ status: 'RUNNING', suspended });
  await system.crash();
  await system.signal('w', 'go').value();
  expect(await system.describe('w')).toMatchObject({ status: 'RUNNING', suspended });
  expect(system.workers.turns).toHaveLength(0);
  system.build = 'mended';
  await system.restart();
  await system.settle();
  expect((await system.describe('w')).suspended).toBeUndefined();
  expect(system.workers.turns).not.toHaveLength(0);
  await expectInvariants(system);
});

row('failures/resume', 'one whose code threw, and one that ended its worker', async () => {
  const { world, main } = fragile();
  const system = await running(main);
  await system.signal('w', 'go').value();
  expect(await system.describe('w')).toMatchObject({ suspended: { attempts: 1 } });
  world.broken = false;
  expect(await system.resume('w').value()).toBe('done');
  expect((await system.describe('w')).suspended).toBeUndefined();
  // Of one that is not suspended there is nothing to do.
  expect(await system.resume('w').value()).toBe('done');
  for (const lostBefore of [0, 3]) {
    let lost = lostBefore;
    system.workers.fate = (slices) =>
      lost++ < lostBefore + 3 ? slices.find(({ steps }) => steps.length > 0)?.run : undefined;
    await system.signal('w', 'go').value();
    await system.settle();
    expect((await system.describe('w')).suspended).toMatchObject({ attempts: 1 });
    expect(await system.resume('w').value()).toBe('done');
    await system.settle();
    expect((await system.describe('w')).suspended).toBeUndefined();
  }
  await expectInvariants(system);
});

class NoSuchPageError extends Error {}

row('failures/plain-error-type', 'in a validator, in a query, and as a cause', async () => {
  const plain = () => new NoSuchPageError('no such page');
  const system = await running(async () => {
    setHandler(entries, () => {
      throw plain();
    });
    setHandler(update, () => undefined, {
      validator: () => {
        throw plain();
      },
    });
    setHandler(go, () => {
      throw ApplicationFailure.create({ message: 'outer', cause: plain() });
    });
    await forEver();
  });
  const cause = { name: 'ApplicationFailure', type: 'NoSuchPageError', message: 'no such page' };
  expect(await system.query('w', 'entries').error()).toMatchObject({ cause });
  expect(await system.update('w', 'update', 'a').error()).toMatchObject({ cause });
  await system.signal('w', 'go').value();
  expect(await system.result('w').error()).toMatchObject({ cause: { message: 'outer', cause } });
  await expectInvariants(system);
});

row('failures/non-error-says-so', 'and shows it', async () => {
  const values: Record<string, unknown> = { number: 7, undefined: undefined, object: { code: 7 } };
  const system = await running(async () => {
    setHandler(update, () => undefined, {
      validator: (name) => {
        throw values[name];
      },
    });
    await forEver();
  });
  for (const name of Object.keys(values)) {
    const error = await system.update('w', 'update', name).error();
    expect((error.cause as Error).message).toContain('A value that is not an Error was thrown');
  }
  Object.assign(values, { text: 'no', record: { message: 'no' } });
  for (const name of ['text', 'record']) {
    expect((await system.update('w', 'update', name).error()).cause).toMatchObject({ message: 'no' });
  }
  await expectInvariants(system);
});

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createTestRuntime({
    workflows: new URL('./fixtures/failing.js', import.meta.url),
    activities: { throwing, charging, enough, anyOf },
  });
});
afterAll(() => runtime.shutdown());

const thrown = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    (value) => expect.unreachable(`it resolved with ${String(value)}`),
    (error: Error) => error,
  );

const chain = {
  message: 'outer',
  type: 'Outer',
  nonRetryable: true,
  details: [{ code: 7 }, [1, 2]],
  cause: { message: 'middle', type: 'Middle', details: ['m'], cause: { message: 'inner', type: 'RangeError' } },
};

row(
  'failures/fields-kept',
  'from a worker thread to the client, with the stack of the workflow’s own file',
  async () => {
    const handle = await runtime.client.workflow.start(failing, { workflowId: 'fields' });
    const updateError = await thrown(handle.executeUpdate(fail));
    expect(updateError.cause).toMatchObject(chain);
    expect((updateError.cause as Error).stack).toContain('failing.');
    const error = await thrown(handle.result());
    expect(error.cause).toMatchObject(chain);
    expect((error.cause as Error).stack).toContain('failing.');
  },
);

row('failures/fields-kept', 'across a restart', async () => {
  const system = await running(async () => {
    const middle = ApplicationFailure.create({
      message: 'middle',
      type: 'Middle',
      details: ['m'],
      cause: new RangeError('inner'),
    });
    throw new ApplicationFailure('outer', 'Outer', true, [{ code: 7 }, [1, 2]], middle);
  });
  const before = await system.result('w').error();
  expect(before.cause).toMatchObject(chain);
  await system.crash();
  const after = await system.result('w').error();
  expect(after.cause).toMatchObject(chain);
  expect((after.cause as Error).stack).toBe((before.cause as Error).stack);
  await expectInvariants(system);
});

row('failures/shortened', 'in the history, at the caller and after a restart', async () => {
  const system = await running(async () => {
    throw new ApplicationFailure('x'.repeat(50 * 2 ** 20), 'Huge', true, ['y'.repeat(3 * 2 ** 20)]);
  });
  const before = (await system.result('w').error()).cause as ApplicationFailure;
  expect(before.message).toMatch(/^x{10000}… \(52418800 more characters\)$/);
  expect(before.stack!.length).toBeLessThan(25_000);
  expect(before.details![0]).toContain('details[0] has');
  await system.crash();
  expect((await system.result('w').error()).cause).toMatchObject({ message: before.message, stack: before.stack });
});

row('failures/instanceof', 'in the workflow, for what an activity threw, and at the client', async () => {
  const handle = await runtime.client.workflow.start(failing, { workflowId: 'instances' });
  const updateError = await thrown(handle.executeUpdate(fail));
  expect(updateError).toBeInstanceOf(WorkflowUpdateFailedError);
  expect(updateError.cause).toBeInstanceOf(ApplicationFailure);
  expect(updateError.cause).toBeInstanceOf(TemporalFailure);
  const error = await thrown(handle.result());
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect(error.cause).toBeInstanceOf(ApplicationFailure);
  expect(error.cause).toBeInstanceOf(Error);
  expect(await handle.query('seen')).toEqual(['Error', 'TemporalFailure', 'ActivityFailure', 'ApplicationFailure']);
});

const declined = { message: 'refused', type: 'CardDeclined', nonRetryable: true, errors: undefined };

row('failures/from-error', 'and the card is tried once', async () => {
  for (const workflow of [told, toldLocally]) {
    const card = `card of ${workflow.name}`;
    const seen = await runtime.client.workflow.execute(workflow, { workflowId: card, args: ['charging', card] });
    expect(seen.at(-1)).toEqual({ name: 'ApplicationFailure', ...declined, details: [card] });
    expect(seen).toHaveLength(workflow === toldLocally ? 1 : 2);
    expect(tried.get(card)).toBe(1);
  }
});

row('activities/cancelled-unasked', 'and tried again', async () => {
  const seen = await runtime.client.workflow.execute(told, { workflowId: 'enough', args: ['enough', 'enough'] });
  expect(seen).toMatchObject([
    { name: 'ActivityFailure', message: 'Activity task failed' },
    { name: 'ApplicationFailure', message: 'enough', type: 'CancelledFailure', nonRetryable: false },
  ]);
  expect(tried.get('enough')).toBe(4);
});

row('activities/not-registered', 'and is not tried again', async () => {
  const missing = { name: 'ApplicationFailure', type: 'NotFoundError', nonRetryable: true };
  const known =
    'available activities: ["throwing","charging","enough","anyOf"]. ' +
    "Add it to the runtime's activities, or give the runtime a defaultActivity";
  const seen = await runtime.client.workflow.execute(told, { workflowId: 'm', args: ['missing', ''] });
  expect(seen).toMatchObject([
    { name: 'ActivityFailure' },
    { ...missing, message: `Activity function missing is not registered on this Worker, ${known}` },
  ]);
  const local = await runtime.client.workflow.execute(toldLocally, { workflowId: 'l', args: ['missing', ''] });
  expect(local).toMatchObject([
    { ...missing, message: `Local activity of type 'missing' not registered on worker, ${known}` },
  ]);
});

row('failures/aggregate', 'from an activity to its workflow', async () => {
  const seen = await runtime.client.workflow.execute(told, { workflowId: 'any', args: ['anyOf', ''] });
  expect(seen.at(-1)).toMatchObject({ type: 'AggregateError', errors: ['a', 'b'] });
});

row('failures/as-given', 'in whatever is made', () => {
  expect(ApplicationFailure.retryable('m')).toMatchObject({ type: 'Error', nonRetryable: false });
  expect(ApplicationFailure.nonRetryable('m')).toMatchObject({ type: 'Error', nonRetryable: true });
  expect(new ApplicationFailure('m').nonRetryable).toBe(undefined);
  expect(Object.keys(new ApplicationFailure('m'))).not.toContain('name');
});

row('failures/texts', 'and errors go on with ids', async () => {
  const system = await running(() => charge());
  await activityFails(system);
  const error = await system.result('w').error();
  expect(error.message).toMatch(/^Workflow execution failed: 'w' \(run [-0-9a-f]+\), see cause$/);
  expect(error.cause).toMatchObject({ message: 'Activity task failed', cause: { message: 'no funds' } });
});

row('failures/texts', 'and the cause of a cancelled activity says what was cancelled', async () => {
  const system = await running(() => charge().catch(({ message, cause }) => [message, cause.message]));
  await system.cancel('w').value();
  expect(await system.result('w').value()).toEqual(['Activity cancelled', 'Workflow cancelled']);
});
