/**
 * Semantics, section 3: updates, from the gate to their outcome.
 */
import { afterEach, expect } from 'vitest';
import { enableCodeContext } from '../../actors/code-context.js';
import { currentExecution } from '../../actors/current.js';
import {
  ApplicationFailure,
  condition,
  currentUpdateInfo,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  sleep,
  uuid4,
} from '../../actors/workflow/index.js';
import { WorkflowUpdateHandle } from '../client/update-handle.js';
import { WithStartWorkflowOperation } from '../client/with-start.js';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '../errors.js';
import { DEFAULT_LIMITS } from '../options.js';
import { type Connected, connect } from '../test-kit/connected.test-kit.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { made, running } from '../test-kit/running.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const go = defineSignal('go');
const entries = defineQuery<unknown[]>('entries');
const update = defineUpdate<unknown, [entry: string]>('update');
const MUST = 'Update validators must be synchronous';
const ACCEPTED = 'WorkflowExecutionUpdateAccepted';
const COMPLETED = 'WorkflowExecutionUpdateCompleted';
const forEver = () => condition(() => false);

/** Refuses 'no', fails for 'fails', waits for `go` if it is 'waits'; says otherwise how many it took. */
async function moody(): Promise<string> {
  const seen: string[] = [];
  let open = false;
  setHandler(entries, () => seen);
  setHandler(go, () => {
    open = true;
  });
  setHandler(
    update,
    async (entry) => {
      seen.push(entry);
      await null;
      if (entry === 'fails') throw ApplicationFailure.nonRetryable('failed on purpose', 'OnPurpose', { code: 7 });
      if (entry === 'waits') await condition(() => open);
      if (entry === 'sleeps') await sleep(1000);
      return `${entry} is number ${seen.length}`;
    },
    {
      validator: (entry) => {
        if (entry === 'no') throw ApplicationFailure.nonRetryable('not this one', 'Refused');
      },
    },
  );
  await condition(() => open);
  return 'over';
}

let connected: Connected | undefined;
afterEach(() => connected?.close());

/** A client of the system, as users have it, and its handle of `w`. */
function handleOf(system: System) {
  connected = connect(system);
  return connected.client.workflow.getHandle('w');
}

/** The error with which a promise rejects, once the system has come to rest. */
async function thrown(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    (value) => expect.unreachable(`it resolved with ${String(value)}`),
    (error: Error) => error,
  );
}

const throwns: [string, unknown, object][] = [
  ['an ApplicationFailure', ApplicationFailure.retryable('no', 'Mine'), { message: 'no', type: 'Mine' }],
  ['a plain error', new RangeError('no'), { message: 'no', type: 'RangeError' }],
  ['what is no error', 7, { message: 'A value that is not an Error was thrown: 7' }],
];

for (const [what, value, cause] of throwns) {
  row('updates/validator-throws', `${what}, and the handler never runs`, async () => {
    let handled = false;
    const system = await running(async () => {
      const handle = () => {
        handled = true;
      };
      setHandler(update, handle, {
        validator: () => {
          throw value;
        },
      });
      await forEver();
    });
    expect(await system.update('w', 'update', 'a').error()).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED', cause });
    expect(handled).toBe(false);
    expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
    await expectInvariants(system);
  });
}

row('updates/validator-own-arguments', 'deep inside them neither', async () => {
  const change = defineUpdate<unknown, [{ list: { n: number }[] }]>('change');
  const system = await running(async () => {
    setHandler(change, (argument) => argument, {
      validator: (argument) => {
        argument.list[0]!.n = 99;
        argument.list.push({ n: 100 });
        Object.assign(argument, { added: true });
      },
    });
    await forEver();
  });
  expect(await system.update('w', 'change', { list: [{ n: 1 }] }).value()).toEqual({ list: [{ n: 1 }] });
  await expectInvariants(system);
});

row('updates/undecodable-arguments', 'with nothing in the history, and the run goes on', async () => {
  const system = await running(moody);
  const input = [new Uint8Array([0xc1, 0xff, 0x00])];
  const target = { kind: 'update', workflowId: 'w', name: 'update', stage: 'COMPLETED' } as const;
  const error = await system.request({ ...target, updateId: 'u', input }).error();
  expect(error).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED' });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  expect((await system.describe('w')).suspended).toBeUndefined();
  expect(await system.update('w', 'update', 'a').value()).toBe('a is number 1');
  await expectInvariants(system);
});

row('updates/validator-async', 'as soon as it has settled, or not at all', async () => {
  const outcomes: Record<string, () => unknown> = {
    resolves: async () => undefined,
    'resolves later': async () => {
      for (let i = 0; i < 20; i++) await null;
    },
    rejects: async () => {
      await null;
      throw ApplicationFailure.create({ message: 'not this one', type: 'Refused' });
    },
    waits: () => new Promise(() => undefined),
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what this is about
    thenable: () => ({ then: () => undefined }),
  };
  const system = await running(async () => {
    setHandler(update, () => 'handled', { validator: (entry) => outcomes[entry]!() as undefined });
    await forEver();
  });
  const refusals = { rejects: 'not this one', waits: MUST, thenable: MUST };
  for (const [name, message] of Object.entries(refusals)) {
    expect(await system.update('w', 'update', name).error()).toMatchObject({
      code: 'WORKFLOW_UPDATE_FAILED',
      cause: { message },
    });
  }
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  for (const name of ['resolves', 'resolves later']) {
    expect(await system.update('w', 'update', name).value()).toBe('handled');
  }
  await expectInvariants(system);
});

row('updates/validator-async', 'of an update that comes with its start, after the step of that', async () => {
  const main = async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    setHandler(update, (entry) => seen.push(entry), { validator: async () => undefined });
    seen.push('begun');
    await forEver();
  };
  const system = await System.open({ workflows: { main } });
  const start = { workflowId: 'w', workflowType: 'main' };
  const call = system.updateWithStart(start, { name: 'update', args: ['a'] });
  expect(await call.update.value()).toBe(2);
  await system.crash();
  expect(await system.query('w', 'entries').value()).toEqual(['begun', 'a']);
  await expectInvariants(system);
});

const trespasses: [string, () => unknown][] = [
  ['a timer', () => sleep(1).catch(() => undefined)],
  ['a draw of Math.random', () => currentExecution().random()],
  ['a draw of uuid4', () => uuid4()],
  [
    'a draw after an await of an asynchronous one',
    async () => {
      await null;
      uuid4();
    },
  ],
  ['a draw in a microtask', () => void Promise.resolve().then(() => uuid4())],
];

for (const [what, trespass] of trespasses) {
  row('updates/validator-reads-only', what, async () => {
    const system = await running(async () => {
      let touched = 0;
      setHandler(entries, () => [touched]);
      setHandler(update, () => uuid4(), {
        validator: (entry) => {
          if (entry !== 'trespass') return;
          touched++;
          trespass();
        },
      });
      await forEver();
    });
    const error = await system.update('w', 'update', 'trespass').error();
    expect(error).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED' });
    expect((error.cause as Error).message).toContain("not allowed in the validator of update 'update'");
    expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
    expect(await system.query('w', 'entries').value()).toEqual([0]);
    // Had the validator drawn, a replay would draw another one here.
    const drawn = await system.update('w', 'update', 'a').value();
    expect(system.history('w').find(({ eventType }) => eventType === COMPLETED)).toBeDefined();
    expect(drawn).toMatch(/^[0-9a-f-]{36}$/);
    await expectInvariants(system);
  });
}

row('updates/accepted-then-handled', 'what the handler starts at once is behind it in one step', async () => {
  const system = await running(async () => {
    setHandler(update, async () => {
      await sleep(1000);
    });
    await forEver();
  });
  system.update('w', 'update', 'a');
  await system.settle();
  const [, accepted, timer] = system.history('w');
  expect([accepted!.eventType, timer!.eventType]).toEqual([ACCEPTED, 'TimerStarted']);
  expect(accepted).toMatchObject({ updateName: 'update', seq: accepted!.cause });
  expect(timer!.cause).toBe(accepted!.cause);
  await expectInvariants(system);
});

row('updates/completed-with-outcome', 'in the step in which the handler ends', async () => {
  const system = await running(moody);
  for (const entry of ['a', 'sleeps']) system.updateWith({ workflowId: 'w', name: 'update', updateId: entry }, entry);
  const failing = system.updateWith({ workflowId: 'w', name: 'update', updateId: 'fails' }, 'fails');
  await failing.error();
  await system.pass(1000);
  const history = system.history('w');
  const ofUpdate = (updateId: string) => history.filter((event) => 'updateId' in event && event.updateId === updateId);
  for (const updateId of ['a', 'fails']) {
    const [accepted, completed] = ofUpdate(updateId);
    expect(completed).toMatchObject({
      eventType: COMPLETED,
      cause: accepted!.cause,
      acceptedEventId: accepted!.eventId,
    });
  }
  const [accepted, completed] = ofUpdate('sleeps');
  expect(completed!.cause).toBeGreaterThan(accepted!.cause!);
  expect(ofUpdate('fails')[1]).toMatchObject({ failure: { message: 'failed on purpose', type: 'OnPurpose' } });
  expect(ofUpdate('a')[1]).toHaveProperty('result');
  await expectInvariants(system);
});

row('updates/completed-with-outcome', 'also where the handler ends main in the same step', async () => {
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

row('updates/current-info', 'in the validator and the handler, beyond their awaits', async () => {
  enableCodeContext();
  const system = await running(async () => {
    const seen: unknown[] = [];
    setHandler(entries, () => [...seen, currentUpdateInfo()]);
    const see = () => void seen.push(currentUpdateInfo());
    setHandler(
      update,
      async () => {
        see();
        await sleep(1000);
        see();
      },
      {
        validator: () => {
          see();
          void Promise.resolve().then(see);
        },
      },
    );
    see();
    await forEver();
  });
  const call = system.updateWith({ workflowId: 'w', name: 'update', updateId: 'u' }, '');
  await system.settle();
  await system.pass(1000);
  await call.value();
  const info = { id: 'u', name: 'update' };
  expect(await system.query('w', 'entries').value()).toEqual([undefined, info, info, info, info, undefined]);
  await system.update('w', 'unheard of').error();
});

row('updates/replay-skips-validators', 'one that would refuse by now changes nothing', async () => {
  let validated = 0;
  const system = await running(async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    setHandler(update, (entry) => void seen.push(entry), {
      validator: () => {
        validated++;
        if (validated > 1) throw new Error('only once');
      },
    });
    await forEver();
  });
  await system.update('w', 'update', 'a').value();
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(['a']);
  await system.restart();
  expect(await system.query('w', 'entries').value()).toEqual(['a']);
  expect(validated).toBe(1);
  await expectInvariants(system);
});

row('updates/start-until-accepted', 'not before that is durable, and not only once it is done', async () => {
  const system = await running(moody);
  const handle = handleOf(system);
  system.store.flushes.shut();
  let resolved = false;
  const started = handle.startUpdate(update, { args: ['waits'], waitForStage: 'ACCEPTED', updateId: 'u' });
  void started.then(() => {
    resolved = true;
  });
  await connected!.settle();
  expect(resolved).toBe(false);
  system.store.flushes.open();
  const updateHandle = await started;
  expect(updateHandle).toBeInstanceOf(WorkflowUpdateHandle);
  expect(updateHandle).toMatchObject({ updateId: 'u', workflowId: 'w' });
  expect(made(system)).toEqual([ACCEPTED]);
  await handle.signal(go);
  expect(await updateHandle.result()).toBe('waits is number 1');
  await expectInvariants(system);
});

row('updates/start-until-rejected', 'which the handle tells as often as it is asked', async () => {
  const system = await running(moody);
  const handle = handleOf(system);
  const updateHandle = await handle.startUpdate(update, { args: ['no'], waitForStage: 'ACCEPTED' });
  for (let i = 0; i < 2; i++) {
    const error = await thrown(updateHandle.result());
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(error.cause).toMatchObject({ message: 'not this one', type: 'Refused' });
  }
  expect(made(system)).toEqual([]);
  await expectInvariants(system);
});

row('updates/execute-until-durable', 'with what the handler returned', async () => {
  const system = await running(moody);
  const handle = handleOf(system);
  system.store.flushes.shut();
  let result: unknown;
  const executed = handle.executeUpdate(update, { args: ['a'] }).then((value) => {
    result = value;
  });
  await connected!.settle();
  expect(result).toBeUndefined();
  system.store.flushes.open();
  await executed;
  expect(result).toBe('a is number 1');
  expect(made(system)).toEqual([ACCEPTED, COMPLETED]);
  await expectInvariants(system);
});

for (const [entry, cause] of [
  ['no', { message: 'not this one', type: 'Refused', nonRetryable: true }],
  ['fails', { message: 'failed on purpose', type: 'OnPurpose', details: [{ code: 7 }] }],
] as const) {
  row('updates/execute-throws', `when it ${entry === 'no' ? 'is rejected' : 'fails'}`, async () => {
    const system = await running(moody);
    const error = await thrown(handleOf(system).executeUpdate(update, { args: [entry] }));
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(error.cause).toBeInstanceOf(ApplicationFailure);
    expect(error.cause).toMatchObject(cause);
    expect((await system.describe('w')).status).toBe('RUNNING');
    await expectInvariants(system);
  });
}

row('updates/same-id-same-outcome', 'a result, a failure, and one that is still under way', async () => {
  const system = await running(moody);
  const send = (updateId: string, entry: string) =>
    system.updateWith({ workflowId: 'w', name: 'update', updateId }, entry);
  expect(await send('a', 'a').value()).toBe('a is number 1');
  expect(await send('a', 'other').value()).toBe('a is number 1');
  for (let i = 0; i < 2; i++) expect(await send('f', 'fails').error()).toMatchObject({ cause: { type: 'OnPurpose' } });
  const both = [send('w', 'waits'), send('w', 'waits')];
  await system.settle();
  await system.signal('w', 'go').value();
  for (const call of both) expect(await call.value()).toBe('waits is number 3');
  expect(await system.query('w', 'entries').value()).toEqual(['a', 'fails', 'waits']);
  expect(made(system).filter((type) => type === ACCEPTED)).toHaveLength(3);
  await expectInvariants(system);
});

row('updates/outcome-kept', 'and is the same then', async () => {
  const system = await running(moody);
  const send = (updateId: string, entry: string) =>
    system.updateWith({ workflowId: 'w', name: 'update', updateId }, entry);
  await send('a', 'a').value();
  await send('f', 'fails').error();
  await system.signal('w', 'go').value();
  expect(await system.result('w').value()).toBe('over');
  const ask = async () => {
    expect(await system.pollUpdate('w', 'a').value()).toBe('a is number 1');
    expect(await send('a', 'a').value()).toBe('a is number 1');
    expect(await system.pollUpdate('w', 'f').error()).toMatchObject({
      cause: { type: 'OnPurpose', details: [{ code: 7 }] },
    });
  };
  await ask();
  await system.evictAll();
  await ask();
  await system.restart();
  await ask();
  await system.crash();
  await ask();
  await expectInvariants(system);
});

row('updates/handle-by-id', 'waiting for it if need be; an unknown id is told', async () => {
  const system = await running(moody);
  await system.updateWith({ workflowId: 'w', name: 'update', updateId: 'u', stage: 'ACCEPTED' }, 'waits').value();
  const handle = handleOf(system);
  const result = handle.getUpdateHandle('u').result();
  await handle.signal(go);
  expect(await result).toBe('waits is number 1');
  expect(await thrown(handle.getUpdateHandle('nothing').result())).toMatchObject({ code: 'WORKFLOW_UPDATE_NOT_FOUND' });
  await expectInvariants(system);
});

row('updates/id-told-to-nobody', 'it is remembered while its caller waits, and no longer', async () => {
  const system = await running(moody);
  const handle = handleOf(system);
  const idOf = async () => {
    const { events } = await handle.fetchHistory();
    return events
      .flatMap((event) => (event.eventType === 'WorkflowExecutionUpdateAccepted' ? event.updateId : []))
      .at(-1)!;
  };
  const waiting = handle.executeUpdate(update, { args: ['waits'] });
  await handle.executeUpdate(update, { args: ['a'], updateId: 'given' });
  const { events } = await handle.fetchHistory();
  const accepted = events.filter(({ eventType }) => eventType === 'WorkflowExecutionUpdateAccepted');
  expect(accepted.map((event) => 'anonymous' in event && event.anonymous)).toEqual([true, false]);
  // Whoever is told an id may ask by it.
  await handle.executeUpdate(update, { args: ['b'], timeout: '1 hour' });
  expect(await system.pollUpdate('w', await idOf()).value()).toBe('b is number 3');
  const { updateId } = accepted[0] as { updateId: string };
  const asked = handle.getUpdateHandle(updateId).result();
  await handle.signal(go);
  expect([await waiting, await asked]).toEqual(['waits is number 3', 'waits is number 3']);
  const askLater = async () => {
    expect(await system.pollUpdate('w', 'given').value()).toBe('a is number 2');
    expect(await system.pollUpdate('w', updateId).error()).toMatchObject({ name: 'WorkflowUpdateNotFoundError' });
  };
  await askLater();
  await system.evictAll();
  await askLater();
  await system.crash();
  await askLater();
  await expectInvariants(system);
});

row('updates/closed-accepted', 'to whoever waits and to whoever asks afterwards', async () => {
  const system = await running(async () => {
    let over = false;
    setHandler(go, () => {
      over = true;
    });
    setHandler(update, forEver);
    await condition(() => over);
  });
  const handle = handleOf(system);
  const updateHandle = await handle.startUpdate(update, { args: ['a'], waitForStage: 'ACCEPTED' });
  const waiting = thrown(updateHandle.result());
  await connected!.settle();
  await handle.signal(go);
  for (const error of [await waiting, await thrown(updateHandle.result())]) {
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(error.cause).toMatchObject({
      type: 'AcceptedUpdateCompletedWorkflow',
      message: 'Workflow completed before the Update completed',
    });
  }
  await expectInvariants(system);
});

row('updates/closed-not-accepted', 'whether it waited behind the close or came after it', async () => {
  const system = await running(moody);
  const handle = handleOf(system);
  system.workers.returns.shut();
  await handle.signal(go);
  const waiting = thrown(handle.executeUpdate(update, { args: ['a'] }));
  await connected!.settle();
  system.workers.returns.open();
  for (const error of [await waiting, await thrown(handle.executeUpdate(update, { args: ['b'] }))]) {
    expect(error).toBeInstanceOf(WorkflowNotFoundError);
    expect(error.message).toContain('workflow execution already completed');
  }
  expect(made(system)).toEqual(['WorkflowExecutionCompleted']);
  await expectInvariants(system);
});

row('updates/unknown-workflow', 'both ways of sending one', async () => {
  const system = await running(moody);
  connected = connect(system);
  const handle = connected.client.workflow.getHandle('nobody');
  for (const sent of [
    handle.executeUpdate(update, { args: ['a'] }),
    handle.startUpdate(update, { args: ['a'], waitForStage: 'ACCEPTED' }),
  ]) {
    const error = await thrown(sent);
    expect(error).toBeInstanceOf(WorkflowNotFoundError);
    expect(error).toMatchObject({ workflowId: 'nobody' });
  }
  await expectInvariants(system);
});

row('updates/in-flight-limit', 'counts those accepted and those waiting, and frees their places', async () => {
  expect(DEFAULT_LIMITS.updatesInFlight).toBe(1000);
  const system = await running(moody, { limits: { updatesInFlight: 2 } });
  const open = [system.update('w', 'update', 'waits'), system.update('w', 'update', 'sleeps')];
  await system.settle();
  expect(await system.update('w', 'update', 'a').error()).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    fields: { limit: 2, workflowId: 'w' },
  });
  await system.pass(1000);
  expect(await open[1]!.value()).toBe('sleeps is number 2');
  expect(await system.update('w', 'update', 'b').value()).toBe('b is number 3');
  await expectInvariants(system);
});

const withStart = (workflowIdConflictPolicy: 'USE_EXISTING' | 'FAIL') =>
  new WithStartWorkflowOperation<() => Promise<unknown>>('main', { workflowId: 'v', workflowIdConflictPolicy });

row('updates/with-start', 'one that starts a run, one that uses it, and one that may not', async () => {
  const system = await running(moody);
  connected = connect(system);
  const { workflow } = connected.client;
  const first = withStart('USE_EXISTING');
  expect(await workflow.executeUpdateWithStart(update, { startWorkflowOperation: first, args: ['a'] })).toBe(
    'a is number 1',
  );
  const second = withStart('USE_EXISTING');
  const started = await workflow.startUpdateWithStart(update, {
    startWorkflowOperation: second,
    args: ['b'],
    waitForStage: 'ACCEPTED',
  });
  expect(await started.result()).toBe('b is number 2');
  const [one, other] = await Promise.all([first.workflowHandle(), second.workflowHandle()]);
  expect(other.workflowId).toBe(one.workflowId);
  expect(await other.query(entries)).toEqual(['a', 'b']);
  const refused = withStart('FAIL');
  expect(
    await thrown(workflow.executeUpdateWithStart(update, { startWorkflowOperation: refused, args: ['c'] })),
  ).toMatchObject({ code: 'WORKFLOW_ALREADY_STARTED' });
  expect(await one.query(entries)).toEqual(['a', 'b']);
  await expectInvariants(system);
});

row('updates/with-start', 'a rejection rejects the update, and the run goes on', async () => {
  const system = await running(moody);
  connected = connect(system);
  const startWorkflowOperation = withStart('USE_EXISTING');
  const error = await thrown(
    connected.client.workflow.executeUpdateWithStart(update, { startWorkflowOperation, args: ['no'] }),
  );
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  expect(error.cause).toMatchObject({ type: 'Refused' });
  const handle = await startWorkflowOperation.workflowHandle();
  expect(await handle.executeUpdate(update, { args: ['a'] })).toBe('a is number 1');
  await expectInvariants(system);
});
