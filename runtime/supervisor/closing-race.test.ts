/**
 * An acknowledged message is never lost, not even by the run closing at that moment.
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
import { type Call, System } from '../test-kit/system.test-kit.js';
import { ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const COMPLETED = 'WorkflowExecutionCompleted';
const finish = defineSignal('finish');
const add = defineSignal<[entry: string]>('add');
const entries = defineQuery<string[]>('entries');
const { charge } = proxyActivities<{ charge(): Promise<string> }>({ startToCloseTimeout: 60_000 });

/** A ledger whose `finish` is computed and on its way back, not yet seen by the supervisor. */
async function closingLedger(): Promise<System> {
  const system = await System.open({ workflows: { ledger } });
  await system.start('w', 'ledger').value();
  system.workers.returns.shut();
  await system.signal('w', 'finish').value();
  return system;
}

test('a signal admitted while the closing step is under way is seen before the run closes', async () => {
  const system = await closingLedger();
  const result = system.result('w');
  expect(await system.signal('w', 'add', 'late').value()).toBe('done');
  system.workers.returns.open();
  expect(await result.value()).toEqual(['late']);
  expect(system.types('w')).toEqual([
    'WorkflowExecutionStarted',
    'WorkflowExecutionSignaled',
    'WorkflowExecutionSignaled',
    COMPLETED,
  ]);
  expect(system.history('w').at(-1)).toMatchObject({ cause: 3, ran: [1, [2, 3]] });
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(['late']);
  await expectInvariants(system);
});

test('signals and updates of a merged step run in the order of their admission, queries after it', async () => {
  const system = await closingLedger();
  const early = system.query('w', 'entries');
  const late = [
    system.signal('w', 'add', 'a'),
    system.update('w', 'append', 'b'),
    system.signal('w', 'add', 'c'),
    system.update('w', 'append', ''),
    system.update('w', 'append', 'd'),
  ];
  const query = system.query('w', 'entries');
  await system.settle();
  system.workers.returns.open();
  expect(await system.result('w').value()).toEqual(['a', 'b', 'c', 'd']);
  expect(await late[1]!.value()).toBe(2);
  expect(await late[3]!.error()).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED', cause: { type: 'Empty' } });
  expect(await late[4]!.value()).toBe(4);
  for (const asked of [early, query]) expect(await asked.value()).toEqual(['a', 'b', 'c', 'd']);
  await expectInvariants(system);
});

test('a query behind the closing step hides no signal behind it', async () => {
  const system = await System.open({ workflows: { ledger } });
  await system.start('w', 'ledger').value();
  // All in one turn.
  const calls = [
    system.signal('w', 'finish'),
    system.query('w', 'entries'),
    system.query('w', 'unheard of'),
    system.signal('w', 'add', 'late'),
    system.query('w', 'entries'),
  ];
  expect(await calls[3]!.value()).toBe('done');
  expect(await system.result('w').value()).toEqual(['late']);
  expect(await calls[1]!.value()).toEqual(['late']);
  expect(await calls[2]!.error()).toMatchObject({ code: 'QUERY_NOT_REGISTERED' });
  expect(await calls[4]!.value()).toEqual(['late']);
  await expectInvariants(system);
});

test('steps before a void close stand, and are neither repeated nor lost', async () => {
  const system = await System.open({ workflows: { ledger } });
  const start = system.start('w', 'ledger');
  const update = system.update('w', 'append', 'a');
  system.signal('w', 'add', 'b');
  system.signal('w', 'finish');
  system.signal('w', 'add', 'c');
  await start.value();
  expect(await update.value()).toBe(1);
  expect(await system.result('w').value()).toEqual(['a', 'b', 'c']);
  await expectInvariants(system);
});

test('an update waiting behind the close is not accepted, and its sender is told that the run is closed', async () => {
  const system = await closingLedger();
  const update = system.update('w', 'append', 'late');
  const query = system.query('w', 'entries');
  await system.settle();
  system.workers.returns.open();
  expect(await update.error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND', fields: { closed: true } });
  expect((await update.error()).message).toContain('workflow execution already completed');
  expect(await query.value()).toEqual([]);
  expect(await system.result('w').value()).toEqual([]);
  await expectInvariants(system);
});

/** A run whose `finish` is void, with the merged step under way and its report held. */
async function mergedLedger(workflows = { ledger }): Promise<System> {
  const system = await System.open({ workflows });
  await system.start('w', 'ledger').value();
  system.workers.returns.shut();
  await system.signal('w', 'finish').value();
  await system.signal('w', 'add', 'late').value();
  system.workers.returns.letThrough();
  await system.settle();
  return system;
}

test('until the merged step is decided, new messages are held unacknowledged', async () => {
  const system = await mergedLedger();
  const held: Call[] = [
    system.signal('w', 'add', 'too late'),
    system.update('w', 'append', 'too late'),
    system.query('w', 'entries'),
    system.cancel('w'),
  ];
  await system.settle();
  expect(held.map(({ answered }) => answered)).toEqual([false, false, false, false]);
  system.workers.returns.open();
  expect(await system.result('w').value()).toEqual(['late']);
  const closed = { code: 'WORKFLOW_NOT_FOUND', fields: { closed: true } };
  expect(await held[0]!.error()).toMatchObject(closed);
  expect(await held[1]!.error()).toMatchObject(closed);
  expect(await held[2]!.value()).toEqual(['late']);
  expect(await held[3]!.error()).toMatchObject(closed);
  expect(system.unanswered).toBe(0);
  await expectInvariants(system);
});

/** Goes on if something was added in the step that finished it. */
const reopening = {
  async ledger() {
    const log: string[] = [];
    let finished = false;
    setHandler(entries, () => log);
    setHandler(add, (entry) => {
      log.push(entry);
      finished = false;
    });
    setHandler(finish, () => {
      finished = true;
    });
    setHandler(defineUpdate<number, [string]>('append'), (entry) => log.push(entry));
    // The condition is true once; whether it still is when main goes on, the rest of the step decides.
    while (!finished) await condition(() => finished);
    return log;
  },
};

test('a merged step that goes on lets what was held in, in order', async () => {
  const system = await mergedLedger(reopening);
  const held = [
    system.signal('w', 'add', 'b'),
    system.update('w', 'append', 'c'),
    system.query('w', 'entries'),
    system.signal('w', 'add', 'd'),
  ];
  await system.settle();
  system.workers.returns.open();
  expect(await held[0]!.value()).toBe('done');
  expect(await held[1]!.value()).toBe(3);
  expect(await held[2]!.value()).toEqual(['late', 'b', 'c']);
  expect(await held[3]!.value()).toBe('done');
  expect((await system.describe('w')).status).toBe('RUNNING');
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(['late', 'b', 'c', 'd']);
  await system.crash();
  expect(await system.query('w', 'entries').value()).toEqual(['late', 'b', 'c', 'd']);
  await system.signal('w', 'finish').value();
  expect(await system.result('w').value()).toEqual(['late', 'b', 'c', 'd']);
  await expectInvariants(system);
});

test('a close that is void again and again is decided in the end', async () => {
  const system = await System.open({ workflows: reopening });
  await system.start('w', 'ledger').value();
  for (let i = 0; i < 5; i++) {
    system.workers.returns.shut();
    system.signal('w', 'finish');
    await system.settle();
    system.signal('w', 'add', `entry ${i}`);
    await system.settle();
    system.workers.returns.open();
    await system.settle();
    if (i === 2) await system.evictAll();
  }
  await system.signal('w', 'finish').value();
  expect(await system.result('w').value()).toHaveLength(5);
  await expectInvariants(system);
});

test('a crash before the merged step is durable loses no acknowledged signal', async () => {
  const system = await mergedLedger();
  await system.crash();
  expect(await system.result('w').value()).toEqual(['late']);
  await expectInvariants(system);
});

test('a worker lost during the merged step: it is run again as one step, and what was held still waits for it', async () => {
  const system = await System.open({ workflows: { ledger } });
  await system.start('w', 'ledger').value();
  let merged = 0;
  system.workers.fate = (slices) => {
    const slice = slices.find(({ steps }) => steps.some((step) => step.length > 1));
    return slice !== undefined && merged++ === 0 ? slice.run : undefined;
  };
  system.workers.returns.shut();
  await system.signal('w', 'finish').value();
  await system.signal('w', 'add', 'late').value();
  system.workers.returns.letThrough();
  await system.settle();
  const held = system.signal('w', 'add', 'too late');
  await system.settle();
  system.workers.returns.letThrough();
  await system.settle();
  expect(held.answered).toBe(false);
  system.workers.returns.open();
  expect(await system.result('w').value()).toEqual(['late']);
  expect(await held.error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
  expect(merged).toBe(2);
  expect(system.history('w').at(-1)).toMatchObject({ ran: [1, [2, 3]] });
  await expectInvariants(system);
});

test('a run quarantined in its merged step answers what was held', async () => {
  const system = await mergedLedger();
  system.workers.fate = (slices) => slices.find(({ steps }) => steps.some((step) => step.length > 1))?.run;
  const held = [
    system.signal('w', 'add', 'kept'),
    system.query('w', 'entries'),
    system.update('w', 'append', 'refused'),
  ];
  await system.settle();
  system.workers.returns.open();
  expect(await held[0]!.value()).toBe('done');
  for (const call of held.slice(1)) expect(await call.error()).toMatchObject({ code: 'WORKFLOW_SUSPENDED' });
  expect(await system.signal('w', 'add', 'kept too').value()).toBe('done');
  await system.restart();
  await system.resume('w').value();
  expect(await system.result('w').value()).toEqual(['late', 'kept', 'kept too']);
  await expectInvariants(system);
});

function breakable() {
  const world = { broken: true };
  const workflows = {
    async ledger() {
      const log: string[] = [];
      let finished = false;
      setHandler(entries, () => log);
      setHandler(finish, () => {
        finished = true;
      });
      setHandler(add, (entry) => {
        if (world.broken) throw new Error('not yet');
        log.push(entry);
      });
      setHandler(defineUpdate<number, [string]>('append'), (entry) => log.push(entry));
      await condition(() => finished);
      return log;
    },
  };
  return { world, workflows };
}

test('a merged step that suspends is tried again as one step with the signals that came meanwhile', async () => {
  const { world, workflows } = breakable();
  const system = await mergedLedger(workflows);
  const held = [system.signal('w', 'add', 'held'), system.update('w', 'append', 'u'), system.query('w', 'entries')];
  await system.settle();
  system.workers.returns.open();
  expect(await held[0]!.value()).toBe('done');
  for (const call of held.slice(1)) expect(await call.error()).toMatchObject({ code: 'WORKFLOW_SUSPENDED' });
  expect(await system.signal('w', 'add', 'meanwhile').value()).toBe('done');
  world.broken = false;
  await system.pass(60_000);
  expect(await system.result('w').value()).toEqual(['late', 'held', 'meanwhile']);
  await expectInvariants(system);
});

test('a signal that comes while a suspended merged step is tried again is not lost', async () => {
  const { world, workflows } = breakable();
  const system = await mergedLedger(workflows);
  system.workers.returns.open();
  await system.settle();
  world.broken = false;
  system.workers.returns.shut();
  await system.pass(60_000);
  const signal = system.signal('w', 'add', 'during the retry');
  await system.settle();
  const acknowledged = signal.answered;
  system.workers.returns.open();
  await system.settle();
  const result = (await system.result('w').value()) as string[];
  expect(acknowledged).toBe(false);
  if (signal.reply?.kind === 'done') expect(result).toContain('during the retry');
  else expect(await signal.error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
  await expectInvariants(system);
});

const enders: [string, () => Promise<unknown>, string][] = [
  ['a completion', async () => 'ended', COMPLETED],
  [
    'a failure',
    async () => {
      throw ApplicationFailure.nonRetryable('ended');
    },
    'WorkflowExecutionFailed',
  ],
];

test.each(enders)('%s computed in the very first step is void if signals wait', async (_, end, closing) => {
  const seen: string[] = [];
  const system = await System.open({
    workflows: {
      async immediate() {
        setHandler(add, (entry) => {
          seen.push(entry);
        });
        return end();
      },
    },
  });
  const start = system.start('w', 'immediate');
  const signal = system.signal('w', 'add', 'in time');
  await start.value();
  expect(await signal.value()).toBe('done');
  expect(seen).toContain('in time');
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'WorkflowExecutionSignaled', closing]);
  await expectInvariants(system);
});

test('a cancellation computed while a signal waits is void; a timer that fires in the same merged step has fired before it is cancelled', async () => {
  const system = await System.open({
    workflows: {
      async cancellable() {
        const log: string[] = [];
        setHandler(add, (entry) => {
          log.push(entry);
        });
        setHandler(entries, () => log);
        await sleep(1000);
        return log;
      },
    },
  });
  await system.start('w', 'cancellable').value();
  system.workers.returns.shut();
  await system.cancel('w', 'enough').value();
  await system.pass(1000);
  await system.signal('w', 'add', 'late').value();
  system.workers.returns.open();
  expect(await system.result('w').value()).toEqual(['late']);
  expect(system.types('w').slice(-2)).toEqual(['TimerFired', 'WorkflowExecutionCompleted']);
  expect(await system.query('w', 'entries').value()).toEqual(['late']);
  await expectInvariants(system);
});

test('a timer or an activity may close as well, and their merged steps take what came with them', async () => {
  const system = await System.open({
    workflows: {
      async timed() {
        const log: string[] = [];
        setHandler(add, (entry) => {
          log.push(entry);
        });
        await sleep(1000);
        return log;
      },
      async paid() {
        const log: string[] = [];
        setHandler(add, (entry) => {
          log.push(entry);
        });
        log.push(await charge());
        return log;
      },
    },
  });
  await system.start('t', 'timed').value();
  await system.start('p', 'paid').value();
  system.workers.returns.shut();
  await system.pass(1000);
  system.activityReturns(system.attempts[0]!, 'paid');
  await system.settle();
  await system.signal('t', 'add', 'late').value();
  await system.signal('p', 'add', 'late').value();
  system.workers.returns.open();
  expect(await system.result('t').value()).toEqual(['late']);
  expect(await system.result('p').value()).toEqual(['late', 'paid']);
  await expectInvariants(system);
});

test('a termination needs no merged step: it ends the run at once, whatever waits', async () => {
  const system = await mergedLedger();
  const held = [system.signal('w', 'add', 'too late'), system.query('w', 'entries')];
  await system.settle();
  const terminate = system.terminate('w', 'enough');
  await system.settle();
  expect(terminate.reply?.kind).toBe('done');
  system.workers.returns.open();
  expect(await held[0]!.error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
  await system.settle();
  expect(held[1]!.answered).toBe(true);
  expect(await system.result('w').error()).toMatchObject({ cause: { message: 'enough' } });
  expect(system.types('w').at(-1)).toBe('WorkflowExecutionTerminated');
  await expectInvariants(system);
});

test('a termination while queries and updates are under way leaves nobody waiting', async () => {
  const system = await System.open({ workflows: { ledger } });
  await system.start('w', 'ledger').value();
  await system.signal('w', 'add', 'a').value();
  system.workers.returns.shut();
  const query = system.query('w', 'entries');
  const update = system.update('w', 'append', 'b');
  await system.settle();
  const behind = system.query('w', 'entries');
  await system.terminate('w').value();
  system.workers.returns.open();
  expect(await query.value()).toEqual(['a']);
  expect(await behind.value()).toEqual(['a']);
  expect(await update.error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND', fields: { closed: true } });
  expect(system.unanswered).toBe(0);
  await expectInvariants(system);
});

test('a start that terminates the existing run leaves nobody waiting, whatever was under way', async () => {
  const system = await mergedLedger();
  const held = [system.signal('w', 'add', 'to whom it concerns'), system.query('w', 'entries')];
  const result = system.result('w');
  await system.settle();
  const start = system.startWith({ workflowId: 'w', workflowType: 'ledger', conflictPolicy: 'TERMINATE_EXISTING' });
  await system.settle();
  system.workers.returns.open();
  expect(await start.value()).toBe('started');
  await system.settle();
  expect(held.map(({ answered }) => answered)).toEqual([true, true]);
  expect(await result.error()).toMatchObject({ code: 'WORKFLOW_FAILED', fields: { status: 'TERMINATED' } });
  expect(system.unanswered).toBe(0);
  await expectInvariants(system);
});

test.each(['crash', 'restart'] as const)('what a terminated run showed before a %s it shows after it', async (how) => {
  const system = await System.open({ workflows: { ledger } });
  await system.start('w', 'ledger').value();
  await system.signal('w', 'add', 'seen').value();
  expect(await system.query('w', 'entries').value()).toEqual(['seen']);
  system.workers.returns.shut();
  await system.signal('w', 'add', 'not seen').value();
  await system.terminate('w').value();
  system.workers.returns.open();
  expect(await system.query('w', 'entries').value()).toEqual(['seen']);
  await system[how]();
  expect(await system.query('w', 'entries').value()).toEqual(['seen']);
  await expectInvariants(system);
});
