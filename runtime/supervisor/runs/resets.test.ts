/**
 * Resets: a run goes on from an earlier step of another's history, with what was said to that one since.
 */
import { expect, test } from 'vitest';
import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  patched,
  proxyActivities,
  setHandler,
  sleep,
  startChild,
  uuid4,
  workflowInfo,
} from '../../../actors/workflow/index.js';
import type { WorkflowEvent } from '../../../mailbox/events.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { System } from '../../test-kit/system.test-kit.js';
import { whyNotAt } from './reset-points.js';

routeRejections();

const note = defineSignal<[text: string]>('note');
const end = defineSignal('end');
const change = defineUpdate<string, [text: string]>('change');
const slow = defineUpdate<string, [text: string]>('slow');
const entries = defineQuery<string[]>('entries');
const { charge } = proxyActivities<{ charge(): Promise<string> }>({
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '2 hours',
});

/** Notes what it is told, draws a number with every note, and ends when told to. */
async function ledger(): Promise<string> {
  const seen: string[] = [];
  let over = false;
  setHandler(entries, () => seen);
  setHandler(note, (text) => {
    seen.push(text);
    void sleep(3_600_000);
  });
  setHandler(change, (text) => {
    seen.push(`changed to ${text}`);
    return `was changed to ${text}`;
  });
  setHandler(slow, async (text) => {
    seen.push(`slowly ${text}`);
    await sleep(1000);
    seen.push(`done ${text}`);
    return `was done ${text}`;
  });
  setHandler(end, () => {
    over = true;
  });
  await condition(() => over);
  return seen.join();
}

const open = (workflows: ConstructorParameters<typeof Map>[0] | object = {}): Promise<System> =>
  System.open({ workflows: { ledger, ...workflows } as never });

const last = (events: readonly WorkflowEvent[], eventType: WorkflowEvent['eventType']): number =>
  events.findLast((event) => event.eventType === eventType)!.eventId;

async function seen(system: System): Promise<unknown> {
  const live = await system.query('w', 'entries').value();
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(live);
  return live;
}

test('a run goes on from an earlier step; what it was told since is told again, in order', async () => {
  const system = await open();
  await system.start('w', 'ledger').value();
  await system.signal('w', 'note', 'a').value();
  await system.settle();
  const base = system.history('w');
  const at = last(base, 'TimerStarted');
  await system.signal('w', 'note', 'b').value();
  expect(await system.update('w', 'change', 'c').value()).toBe('was changed to c');
  await system.signal('w', 'note', 'd').value();
  await system.settle();
  expect(await system.reset('w', at, { reason: 'a mistake' }).value()).toBe('started');
  expect(await seen(system)).toEqual(['a', 'b', 'changed to c', 'd']);
  const [old, fresh] = [...system.histories().values()] as [WorkflowEvent[], WorkflowEvent[]];
  expect(old.at(-1)).toMatchObject({
    eventType: 'WorkflowExecutionTerminated',
    reason: `reset to event ${at}: a mistake`,
    resetTo: { eventId: at },
  });
  const { firstRunId, runId } = await system.describe('w');
  expect(runId).not.toBe(firstRunId);
  expect(fresh.slice(1, at)).toEqual(old.slice(1, at));
  expect(fresh.slice(at).map(({ eventType }) => eventType)).toEqual([
    'WorkflowTaskFailed',
    'WorkflowExecutionSignaled',
    'WorkflowExecutionUpdateAdmitted',
    'WorkflowExecutionSignaled',
    'TimerStarted',
    'WorkflowExecutionUpdateAccepted',
    'WorkflowExecutionUpdateCompleted',
    'TimerStarted',
  ]);
  expect(fresh[at]).toMatchObject({ failureCause: 'RESET_WORKFLOW', baseRunId: firstRunId, reason: 'a mistake' });
  await system.signal('w', 'end').value();
  expect(await system.result('w').value()).toBe('a,b,changed to c,d');
  await expectInvariants(system);
});

test('who waits for the chain gets the outcome of the run that took over; who named the old run is told of its end', async () => {
  const system = await open();
  await system.start('w', 'ledger').value();
  const { runId } = await system.describe('w');
  const following = system.result('w');
  const named = system.request({ kind: 'result', workflowId: 'w', runId, followRuns: false });
  await system.reset('w', 1).value();
  expect(await named.error()).toMatchObject({ code: 'WORKFLOW_FAILED', fields: { status: 'TERMINATED' } });
  await system.signal('w', 'end').value();
  expect(await following.value()).toBe('');
  await system.crash('kept');
  const late = system.request({ kind: 'result', workflowId: 'w', runId, followRuns: true });
  expect(await late.value()).toBe('');
  await expectInvariants(system);
});

test('random numbers and ids before the reset point are as they were, and others afterwards', async () => {
  const drawing = async () => {
    const drawn = [uuid4(), uuid4()];
    setHandler(entries, () => [...drawn, workflowInfo().originalExecutionRunId]);
    setHandler(note, () => {
      drawn.push(uuid4());
      void sleep(3_600_000);
    });
    await sleep(3_600_000);
    await condition(() => false);
  };
  const system = await open({ drawing });
  await system.start('w', 'drawing').value();
  const first = await system.describe('w');
  await system.signal('w', 'note', 'a').value();
  const before = (await seen(system)) as string[];
  await system.reset('w', 2).value();
  const after = (await seen(system)) as string[];
  expect(after).toHaveLength(4);
  expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
  expect(after[2]).not.toBe(before[2]);
  expect(after[3]).toBe(first.runId);
  // And once more, from the run that was made by a reset.
  const at = last(system.history('w'), 'TimerStarted');
  await system.signal('w', 'note', 'b').value();
  const longer = (await seen(system)) as string[];
  await system.reset('w', at).value();
  const again = (await seen(system)) as string[];
  expect(again.slice(0, 3)).toEqual(longer.slice(0, 3));
  expect(again[3]).not.toBe(longer[3]);
  expect(again[4]).toBe(first.runId);
  await expectInvariants(system);
});

test('only places between two steps are reset points, and the nearest ones are named', async () => {
  const workflow = async () => {
    void sleep(1000);
    void sleep(2000);
    setHandler(end, () => undefined);
    await condition(() => false);
  };
  const system = await open({ workflow });
  await system
    .request({
      kind: 'start',
      workflowId: 'w',
      workflowType: 'workflow',
      input: [],
      requestId: 'r',
      brings: { kind: 'signal', name: 'end', input: [] },
    })
    .value();
  await system.pass(1500);
  await system.terminate('w').value();
  const history = system.history('w');
  expect(history.map(({ eventType }) => eventType)).toEqual([
    'WorkflowExecutionStarted',
    'WorkflowExecutionSignaled',
    'TimerStarted',
    'TimerStarted',
    'TimerFired',
    'WorkflowExecutionTerminated',
  ]);
  const runs = system.histories().size;
  const wanted: [eventId: number, reason: string, nearest: number[]][] = [
    [1, 'one step', [2]],
    [3, 'in the middle of a step', [2, 4]],
    [6, 'closes it', [5]],
    [7, 'events 1 to 6', [5]],
    [99, 'events 1 to 6', [5]],
  ];
  for (const [eventId, reason, nearest] of wanted) {
    const error = await system.reset('w', eventId).error();
    expect(error).toMatchObject({ code: 'WORKFLOW_RESET', fields: { eventId, nearest } });
    expect(error.message).toContain(reason);
    expect(whyNotAt(history, eventId)).toMatchObject({ nearest });
  }
  expect(whyNotAt(history, 0)).toMatchObject({ nearest: [2] });
  expect([2, 4, 5].map((eventId) => whyNotAt(history, eventId))).toEqual([undefined, undefined, undefined]);
  expect(await system.reset('x', 1).error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
  expect(system.histories().size).toBe(runs);
  await expectInvariants(system);
});

test('a closed run can be reset; its outcome stays its own, and one that another has followed cannot', async () => {
  const failing = async () => {
    setHandler(entries, () => [`${world.broken}`]);
    await sleep(1000);
    if (world.broken) throw ApplicationFailure.nonRetryable('broken');
    return 'mended';
  };
  const world = { broken: true };
  const system = await open({ failing });
  await system.start('w', 'failing').value();
  const { runId } = await system.describe('w');
  await system.pass(1000);
  expect(await system.result('w').error()).toMatchObject({ code: 'WORKFLOW_FAILED' });
  world.broken = false;
  await system.reset('w', last(system.history('w'), 'TimerStarted')).value();
  await system.pass(0);
  expect(await system.result('w').value()).toBe('mended');
  const named = system.request({ kind: 'result', workflowId: 'w', runId, followRuns: true });
  expect(await named.error()).toMatchObject({ cause: { message: 'broken' } });
  const error = await system.reset('w', 1, { runId }).error();
  expect(error).toMatchObject({ code: 'WORKFLOW_RESET', message: expect.stringContaining('has followed it') });
});

test('a timer that was pending is set again, and fires at once if its time has come', async () => {
  const system = await open();
  await system.start('w', 'ledger').value();
  const done = system.updateWith({ workflowId: 'w', name: 'slow', updateId: 'u' }, 'a');
  await system.settle();
  const at = last(system.history('w'), 'TimerStarted');
  await system.pass(1000);
  expect(await done.value()).toBe('was done a');
  await system.pass(10_000);
  await system.reset('w', at).value();
  expect(await seen(system)).toEqual(['slowly a']);
  await system.pass(0);
  expect(await seen(system)).toEqual(['slowly a', 'done a']);
  expect(await system.pollUpdate('w', 'u').value()).toBe('was done a');
  await expectInvariants(system);
});

test('callers of updates go on waiting: for the new run if it has the update', async () => {
  const system = await open();
  await system.start('w', 'ledger').value();
  const before = system.updateWith({ workflowId: 'w', name: 'slow', updateId: 'before' }, 'a');
  await system.settle();
  const at = last(system.history('w'), 'TimerStarted');
  const after = system.updateWith({ workflowId: 'w', name: 'slow', updateId: 'after' }, 'b');
  await system.settle();
  await system.reset('w', at).value();
  expect(before.answered || after.answered).toBe(false);
  await system.pass(1000);
  expect([await before.value(), await after.value()]).toEqual(['was done a', 'was done b']);
  await expectInvariants(system);
});

test('signals and updates can be left out; what was known of them in the chain stays known', async () => {
  const system = await open();
  await system.start('w', 'ledger').value();
  await system.signalOnce('s', 'w', 'note', 'a').value();
  await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'b').value();
  await system.reset('w', 1, { exclude: ['SIGNAL'] }).value();
  expect(await seen(system)).toEqual(['changed to b']);
  await system.signalOnce('s', 'w', 'note', 'a').value();
  expect(await seen(system)).toEqual(['changed to b']);
  await system.reset('w', 1, { exclude: ['SIGNAL', 'UPDATE'] }).value();
  expect(await seen(system)).toEqual([]);
  expect(await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'b').value()).toBe(
    'was changed to b',
  );
  expect(await seen(system)).toEqual([]);
  await expectInvariants(system);
});

test('an update that is accepted again keeps its id, and its caller is told once', async () => {
  const system = await open();
  await system.start('w', 'ledger').value();
  await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'b').value();
  await system.reset('w', 1).value();
  expect(await seen(system)).toEqual(['changed to b']);
  await system.crash('kept');
  expect(await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'b').value()).toBe(
    'was changed to b',
  );
  expect(await seen(system)).toEqual(['changed to b']);
  await expectInvariants(system);
});

test('an activity that was pending is scheduled again, with all of its time', async () => {
  const charging = async () => {
    setHandler(entries, () => []);
    return await charge();
  };
  const system = await open({ charging });
  await system.start('w', 'charging').value();
  await system.settle();
  const [first] = system.attempts;
  system.activityReturns(first!, 'first');
  expect(await system.result('w').value()).toBe('first');
  await system.pass(3 * 3_600_000);
  await system.reset('w', last(system.history('w'), 'ActivityTaskScheduled')).value();
  await system.settle();
  const [, second] = system.attempts;
  expect(second).toMatchObject({ activityId: first!.activityId, attempt: 1 });
  await system.pass(1.9 * 3_600_000);
  system.activityReturns(second!, 'second');
  expect(await system.result('w').value()).toBe('second');
  await expectInvariants(system);
});

test('of a run under way the activities are given up, and begun again', async () => {
  const charging = async () => charge();
  const system = await open({ charging });
  await system.start('w', 'charging').value();
  await system.reset('w', last(system.history('w'), 'ActivityTaskScheduled')).value();
  await system.settle();
  expect(system.toHost.map(({ kind }) => kind)).toContain('cancelActivity');
  const [, second] = system.attempts;
  system.activityReturns(second!, 'second');
  expect(await system.result('w').value()).toBe('second');
  await expectInvariants(system);
});

test("a child that was begun before is the new run's, one begun since gets what its policy says", async () => {
  const parent = async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    const early = executeChild('ledger', { workflowId: 'early' });
    void early.then((result) => seen.push(`early ${result}`));
    await condition(() => seen.length > 5, 1000);
    const late = await startChild('ledger', { workflowId: 'late' });
    await late.result();
  };
  const system = await open({ parent });
  await system.start('w', 'parent').value();
  await system.settle();
  const at = last(system.history('w'), 'ChildWorkflowExecutionStarted');
  await system.pass(1000);
  const late = await system.describe('late');
  expect(late.status).toBe('RUNNING');
  await system.reset('w', at).value();
  await system.settle();
  expect((await system.describe('early')).status).toBe('RUNNING');
  expect((await system.describe('late')).status).toBe('TERMINATED');
  await system.pass(0);
  const again = await system.describe('late');
  expect(again.status).toBe('RUNNING');
  expect(again.runId).not.toBe(late.runId);
  await system.signal('early', 'end').value();
  await system.settle();
  expect(await seen(system)).toEqual(['early ']);
  await system.crash('kept');
  await system.settle();
  expect(await seen(system)).toEqual(['early ']);
  await system.terminate('w').value();
  await system.settle();
  expect((await system.describe('late')).status).toBe('TERMINATED');
  await expectInvariants(system);
});

test('a child that had not begun is not begun twice', async () => {
  const parent = async () => executeChild('ledger', { workflowId: 'c' });
  const system = await open({ parent });
  await system.start('w', 'parent').value();
  await system.settle();
  const { runId } = await system.describe('c');
  await system.reset('w', last(system.history('w'), 'StartChildWorkflowExecutionInitiated')).value();
  await system.settle();
  expect((await system.describe('c')).runId).toBe(runId);
  await system.signal('c', 'note', 'x').value();
  await system.signal('c', 'end').value();
  expect(await system.result('w').value()).toBe('x');
  await expectInvariants(system);
});

test('what was asked of another workflow and had no answer is asked again, and applied once', async () => {
  const sender = async () => {
    setHandler(entries, () => []);
    await getExternalWorkflowHandle('l').signal(note, 'hello');
    return 'sent';
  };
  const system = await open({ sender });
  await system.start('l', 'ledger').value();
  await system.start('w', 'sender').value();
  await system.settle();
  expect(await system.result('w').value()).toBe('sent');
  await system.reset('w', last(system.history('w'), 'SignalExternalWorkflowExecutionInitiated')).value();
  expect(await system.result('w').value()).toBe('sent');
  expect(await system.query('l', 'entries').value()).toEqual(['hello']);
  await expectInvariants(system);
});

test('a suspended run is reset to before what its code no longer does, or does wrong', async () => {
  const system = await open();
  await system.start('w', 'ledger').value();
  await system.signal('w', 'note', 'a').value();
  await system.evictAll();
  const changed = async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    setHandler(note, (text) => {
      seen.push(`${text} ${patched('new')}`);
    });
    await condition(() => false);
  };
  system.deploy({ ledger: changed });
  expect(await system.query('w', 'entries').error()).toMatchObject({ code: 'WORKFLOW_SUSPENDED' });
  await system.reset('w', 1).value();
  expect(await seen(system)).toEqual(['a true']);
  system.deploy({ ledger });
  await system.terminate('w').value();
});

test('a run that continues as new after a reset goes on as any other', async () => {
  const looping = async (round: number): Promise<string> => {
    let told = false;
    setHandler(entries, () => [`${round}`]);
    setHandler(note, () => {
      told = true;
    });
    await condition(() => told);
    if (round === 2) return `round ${round}`;
    return continueAsNew(round + 1);
  };
  const system = await open({ looping });
  await system.start('w', 'looping', 1).value();
  const result = system.result('w');
  await system.reset('w', 1).value();
  await system.signal('w', 'note', 'a').value();
  expect(await seen(system)).toEqual(['2']);
  await system.reset('w', 1).value();
  expect(await seen(system)).toEqual(['2']);
  await system.signal('w', 'note', 'b').value();
  expect(await result.value()).toBe('round 2');
  await expectInvariants(system);
});

test('a run that is stepping all the time is reset from what it had come to', async () => {
  const busy = async () => {
    let rounds = 0;
    setHandler(entries, () => [`${rounds > 0}`]);
    for (;;) {
      await sleep(1);
      rounds++;
    }
  };
  const system = await open({ busy });
  await system.start('w', 'busy').value();
  await system.settle();
  system.store.reads.shut();
  const reset = system.reset('w', 2);
  for (let i = 0; i < 5; i++) {
    await system.pass(1);
    if (i % 2 === 1) system.store.reads.letThrough();
  }
  system.store.reads.open();
  expect(await reset.value()).toBe('started');
  await system.pass(3);
  expect(await seen(system)).toEqual(['true']);
  await expectInvariants(system);
});

/** Resets a run with a bit of everything; `disturb` is called before each flush is let through and may end the process. */
async function resetThrough(disturb: (system: System, flush: number) => Promise<void>): Promise<System> {
  const system = await open();
  await system.start('w', 'ledger').value();
  await system.signalOnce('first', 'w', 'note', 'a').value();
  await system.settle();
  const at = last(system.history('w'), 'TimerStarted');
  await system.signalOnce('second', 'w', 'note', 'b').value();
  await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'c').value();
  await system.settle();
  system.store.flushes.shut();
  system.reset('w', at);
  await system.settle();
  for (let flush = 0; flush < 20; flush++) {
    await system.settle();
    await disturb(system, flush);
    if (system.store.flushes.waiting === 0) break;
    system.store.flushes.letThrough();
  }
  system.store.flushes.open();
  await system.settle();
  return system;
}

test.each(['lost', 'kept'] as const)(
  'with a crash at any flush, its batch %s, a reset has happened wholly or not at all',
  async (fate) => {
    const outcomes = new Set<number>();
    for (let at = 0; at < 20; at++) {
      let crashed = false;
      const system = await resetThrough(async (it, flush) => {
        if (flush !== at || it.store.flushes.waiting === 0) return;
        crashed = true;
        await it.crash(fate);
        it.store.flushes.shut();
      });
      const runs = system.histories().size;
      outcomes.add(runs);
      const base = [...system.histories().values()][0]!;
      expect(base.at(-1)!.eventType === 'WorkflowExecutionTerminated').toBe(runs === 2);
      expect(await seen(system)).toEqual(['a', 'b', 'changed to c']);
      // Known in either run.
      for (const id of ['first', 'second']) await system.signalOnce(id, 'w', 'note', 'again').value();
      expect(await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'c').value()).toBe(
        'was changed to c',
      );
      expect(await seen(system)).toEqual(['a', 'b', 'changed to c']);
      await expectInvariants(system);
      if (!crashed) break;
      expect(at).toBeLessThan(19);
    }
    expect(outcomes.has(2)).toBe(true);
    expect(outcomes.has(1)).toBe(fate === 'lost');
  },
);

test('an update to be applied again survives that its run is suspended first', async () => {
  const world = { broken: false };
  const fragile = async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    setHandler(note, (text) => {
      if (world.broken) throw new Error('broken');
      seen.push(text);
    });
    setHandler(change, (text) => {
      seen.push(`changed to ${text}`);
      return text;
    });
    await condition(() => false);
  };
  const system = await open({ fragile });
  await system.start('w', 'fragile').value();
  await system.signal('w', 'note', 'a').value();
  await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'b').value();
  world.broken = true;
  await system.reset('w', 1).value();
  await system.settle();
  expect((await system.describe('w')).suspended).toBeDefined();
  world.broken = false;
  await system.pass(1000);
  expect(await seen(system)).toEqual(['a', 'changed to b']);
  await expectInvariants(system);
});

test('an update that is rejected the second time leaves no more than that it was to be applied', async () => {
  const world = { strict: false };
  const strict = async () => {
    setHandler(entries, () => []);
    setHandler(change, (text) => text, {
      validator: () => {
        if (world.strict) throw new Error('no');
      },
    });
    await condition(() => false);
  };
  const system = await open({ strict });
  await system.start('w', 'strict').value();
  await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'b').value();
  world.strict = true;
  await system.reset('w', 1).value();
  await system.settle();
  expect(system.types('w').at(-1)).toBe('WorkflowExecutionUpdateAdmitted');
  await system.signal('w', 'note', 'x').value();
  expect(await seen(system)).toEqual([]);
  await system.crash('kept');
  expect(await seen(system)).toEqual([]);
  await expectInvariants(system);
});
