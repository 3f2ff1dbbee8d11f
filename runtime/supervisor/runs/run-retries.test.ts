/**
 * Retries and cron schedules of workflows: the next run begins when it should, once, with what the one before it leaves.
 */
import { describe, expect, test } from 'vitest';
import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  makeContinueAsNewFunc,
  setHandler,
  sleep,
  workflowInfo,
} from '../../../actors/workflow/index.js';
import type { RunOptionsRecord, WorkflowEvent } from '../../../mailbox/events.js';
import { decodePayload, encodePayload } from '../../../mailbox/payload.js';
import { type RunOptions, runOptionsRecord } from '../../../mailbox/run-options.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { type Call, START_OF_TIME, System, type Workflows } from '../../test-kit/system.test-kit.js';

routeRejections();

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const add = defineSignal<[entry: string]>('add');
const fail = defineSignal<[type?: string]>('fail');
const told = defineQuery<unknown>('told');
const append = defineUpdate<number, [entry: string]>('append');

const options = (given: RunOptions): RunOptionsRecord => runOptionsRecord(given)!;
const retry = (given: RunOptions['retry'] = {}): RunOptionsRecord =>
  options({ retry: { initialInterval: '1 second', ...given } });

/** Fails until the attempt that it is told; then returns what it knows of itself. */
async function failing(until: number, failure: object = {}): Promise<unknown> {
  const { attempt, lastFailure, runId, firstExecutionRunId, continuedFromExecutionRunId } = workflowInfo();
  if (attempt < until) throw ApplicationFailure.create({ message: `attempt ${attempt}`, ...failure });
  const last = (lastFailure as Error | undefined)?.message;
  return [attempt, last, runId === firstExecutionRunId, continuedFromExecutionRunId !== undefined];
}

/** Lives until a signal fails it; another is heard only by attempts from the second on. */
async function listening(): Promise<unknown> {
  const log: string[] = [];
  let failed: { type?: string } | undefined;
  const { attempt } = workflowInfo();
  setHandler(fail, (type) => {
    failed = type === undefined ? {} : { type };
  });
  setHandler(told, () => [`attempt ${attempt}`, ...log]);
  setHandler(append, (entry) => log.push(entry));
  if (attempt > 1) setHandler(add, (entry) => void log.push(entry));
  await condition(() => failed !== undefined);
  throw ApplicationFailure.create({ message: `failed ${attempt}`, ...failed });
}

async function open(workflows: Workflows): Promise<System> {
  return System.open({ workflows: { failing, listening, ...workflows } });
}

function start(system: System, workflowType: string, run: RunOptionsRecord, ...args: unknown[]): Call {
  return system.startWith({ workflowId: 'w', workflowType, options: run }, ...args);
}

/** When each run of the chain began to step, from the start of time. */
function begins(system: System): number[] {
  return [...system.histories().values()].map((history) => {
    const begun = history.find(({ eventType }) => eventType === 'WorkflowTaskScheduled') ?? history[0]!;
    return begun.eventTime - START_OF_TIME;
  });
}

function closes(system: System): WorkflowEvent[] {
  return [...system.histories().values()].map((history) => history.at(-1)!);
}

describe('a retry policy', () => {
  test('begins the next run after each failure, later each time, and the result is that of the last', async () => {
    const system = await open({});
    const memo = encodePayload({ a: 1 });
    system.startWith({ workflowId: 'w', workflowType: 'failing', options: retry(), memo }, 4);
    const result = system.result('w');
    await system.settle();
    expect(result.answered).toBe(false);
    await system.pass(999);
    expect(begins(system)).toEqual([0, 0]);
    await system.pass(1);
    await system.pass(2000);
    await system.pass(4000);
    expect(await result.value()).toEqual([4, 'attempt 3', false, true]);
    expect(begins(system)).toEqual([0, 1000, 3000, 7000]);
    const histories = [...system.histories()];
    for (const [index, [, [started]]] of histories.entries()) {
      expect('memo' in started! && decodePayload(started.memo!)).toEqual({ a: 1 });
      expect('input' in started! && started.input.map((each) => decodePayload(each))).toEqual([4]);
      if (index === 0) continue;
      expect(started).toMatchObject({
        workflowType: 'failing',
        firstRunId: histories[0]![0],
        continuedFromRunId: histories[index - 1]![0],
        startDelay: 1000 * 2 ** (index - 1),
        succession: { initiator: 'RETRY', attempt: index + 1, chainStartTime: START_OF_TIME },
      });
      expect(histories[index - 1]![1].at(-1)).toMatchObject({
        eventType: 'WorkflowExecutionFailed',
        newExecutionRunId: histories[index]![0],
      });
    }
    expect(system.supervisor.controlPlane.stats().openRuns).toBe(0);
    await expectInvariants(system);
  });

  test('ends with the failure of the last attempt that it allows', async () => {
    const system = await open({});
    start(system, 'failing', retry({ maximumAttempts: 2 }), 9);
    const result = system.result('w');
    await system.settle();
    await system.pass(1000);
    expect(await result.error()).toMatchObject({ code: 'WORKFLOW_FAILED', cause: { message: 'attempt 2' } });
    expect(closes(system).at(-1)).toMatchObject({ retryState: 'MAXIMUM_ATTEMPTS_REACHED' });
    await expectInvariants(system);
  });

  test('does not repeat what is not to be repeated', async () => {
    for (const [failure, state] of [
      [{ nonRetryable: true }, 'NON_RETRYABLE_FAILURE'],
      [{ type: 'NoSuchSong' }, 'NON_RETRYABLE_FAILURE'],
    ] as const) {
      const system = await open({});
      start(system, 'failing', retry({ nonRetryableErrorTypes: ['NoSuchSong'] }), 2, failure);
      await system.settle();
      expect(closes(system)).toMatchObject([{ eventType: 'WorkflowExecutionFailed', retryState: state }]);
      await expectInvariants(system);
    }
  });

  test('waits as long as the failure says', async () => {
    const system = await open({});
    start(system, 'failing', retry(), 2, { nextRetryDelay: 70_000 });
    await system.settle();
    await system.pass(69_999);
    expect(begins(system)).toEqual([0, 0]);
    await system.pass(1);
    expect(begins(system)).toEqual([0, 70_000]);
    await expectInvariants(system);
  });

  test('begins no attempt for which the execution has no time', async () => {
    const system = await open({});
    const run = { ...retry(), executionTimeout: 2500 };
    start(system, 'failing', run, 9);
    const result = system.result('w');
    await system.settle();
    await system.pass(1000);
    expect(await result.error()).toMatchObject({ cause: { message: 'attempt 2' } });
    expect(closes(system).at(-1)).toMatchObject({ retryState: 'TIMEOUT' });
    await expectInvariants(system);
  });

  test('keeps what waits: signals without a handler and those that come before the next attempt', async () => {
    const system = await open({});
    start(system, 'listening', retry());
    await system.signal('w', 'add', 'unheard').value();
    await system.signal('w', 'fail').value();
    await system.settle();
    await system.signal('w', 'add', 'between').value();
    await system.crash();
    await system.signal('w', 'add', 'after the crash').value();
    expect((await system.describe('w')).status).toBe('RUNNING');
    await system.pass(1000);
    expect(begins(system)).toEqual([0, 1000]);
    expect(await system.query('w', 'told').value()).toEqual(['attempt 2', 'unheard', 'between', 'after the crash']);
    const [first] = [...system.histories().keys()];
    expect(system.history('w')[1]).toMatchObject({ carriedFrom: { runId: first } });
    await expectInvariants(system);
  });

  test('a failure computed while admitted signals wait is void, as any is', async () => {
    const system = await open({});
    start(system, 'listening', retry());
    await system.settle();
    system.workers.returns.shut();
    system.signal('w', 'fail', 'first');
    await system.settle();
    system.signal('w', 'fail', 'second');
    await system.settle();
    system.workers.returns.open();
    await system.settle();
    expect(closes(system)[0]).toMatchObject({ failure: { type: 'second' } });
    await expectInvariants(system);
  });

  test('until the next attempt, updates and queries are refused with its time', async () => {
    const system = await open({});
    start(system, 'listening', retry());
    await system.signal('w', 'fail').value();
    await system.settle();
    const readyAt = START_OF_TIME + 1000;
    for (const call of [system.query('w', 'told'), system.update('w', 'append', 'x')]) {
      expect(await call.error()).toMatchObject({ code: 'WORKFLOW_NOT_READY', fields: { workflowId: 'w', readyAt } });
    }
    await system.pass(1000);
    expect(await system.update('w', 'append', 'x').value()).toBe(1);
    await expectInvariants(system);
  });

  test('a wait without end is told of as any other', async () => {
    const system = await open({});
    await start(system, 'failing', retry(), 2, { nextRetryDelay: 1e300 }).value();
    expect(await system.query('w', 'told').error()).toMatchObject({ code: 'WORKFLOW_NOT_READY' });
    expect(new Date((await system.describe('w')).executionTime).getTime()).toBe(START_OF_TIME + 1e15);
    await system.pass(100 * 365 * DAY);
    expect((await system.describe('w')).status).toBe('RUNNING');
    await expectInvariants(system);
  });

  test('an update that waits when its run fails is asked of the next one', async () => {
    const system = await open({});
    start(system, 'listening', retry());
    await system.settle();
    system.workers.returns.shut();
    system.signal('w', 'fail');
    await system.settle();
    const update = system.update('w', 'append', 'x');
    await system.settle();
    system.workers.returns.open();
    expect(await update.error()).toMatchObject({ code: 'WORKFLOW_NOT_READY' });
    await expectInvariants(system);
  });

  test('a run that was asked to cancel is the last', async () => {
    async function stubborn(): Promise<void> {
      await sleep(DAY).catch(() => undefined);
      throw ApplicationFailure.create({ message: 'after all' });
    }
    const system = await open({ stubborn });
    start(system, 'stubborn', retry());
    const result = system.result('w');
    await system.settle();
    await system.cancel('w').value();
    expect(await result.error()).toMatchObject({ cause: { message: 'after all' } });
    expect(closes(system)).toMatchObject([{ retryState: 'CANCEL_REQUESTED' }]);
    await expectInvariants(system);
  });

  test('a cancel request during the wait begins the attempt at once, and ends it', async () => {
    const system = await open({});
    start(system, 'listening', retry());
    await system.signal('w', 'fail').value();
    await system.signal('w', 'add', 'kept').value();
    await system.settle();
    const result = system.result('w');
    await system.cancel('w').value();
    expect(await result.error()).toMatchObject({ fields: { status: 'CANCELLED' } });
    expect(begins(system)).toEqual([0, 0]);
    await system.pass(5000);
    expect(closes(system)).toHaveLength(2);
    await expectInvariants(system);
  });

  test('a start that is sent again is the same start, attempts later', async () => {
    const system = await open({});
    const request = { workflowId: 'w', workflowType: 'listening', options: retry(), requestId: 'once' };
    const first = system.startWith(request);
    await first.value();
    await system.signal('w', 'fail').value();
    await system.pass(1000);
    const again = system.startWith(request);
    await again.value();
    expect(again.reply).toEqual({ ...first.reply, id: again.reply!.id });
    const used = system.startWith({ ...request, requestId: 'other', conflictPolicy: 'USE_EXISTING' });
    await used.value();
    expect(used.reply).toMatchObject({ runId: (await system.describe('w')).runId, started: false });
    await expectInvariants(system);
  });

  test('counts attempts anew where a run continues as new, and goes on with the same policy', async () => {
    async function turning(round: number): Promise<unknown> {
      const { attempt, retryPolicy } = workflowInfo();
      if (attempt < 2) throw ApplicationFailure.create({ message: 'once more' });
      if (round === 1) return [attempt, retryPolicy?.maximumAttempts];
      return makeContinueAsNewFunc<typeof turning>({ retry: { maximumAttempts: 7 } })(1);
    }
    const system = await open({ turning });
    start(system, 'turning', retry({ maximumAttempts: 2 }), 0);
    const result = system.result('w');
    await system.settle();
    for (let i = 0; i < 3; i++) await system.pass(1000);
    expect(await result.value()).toEqual([2, 7]);
    await expectInvariants(system);
  });
});

describe('a cron schedule', () => {
  /** Ends as its argument says for each run in turn, and tells of the run before. */
  async function ticking(...outcomes: string[]): Promise<unknown> {
    const { lastResult, lastFailure, cronSchedule, continuedFromExecutionRunId } = workflowInfo();
    const run = lastResult === undefined && lastFailure === undefined ? 0 : Number(await told0());
    const outcome = outcomes[run] ?? 'return';
    if (outcome === 'throw') throw ApplicationFailure.create({ message: `run ${run}` });
    return {
      run,
      lastResult,
      lastFailure: (lastFailure as Error | undefined)?.message,
      cronSchedule,
      first: continuedFromExecutionRunId === undefined,
    };
    async function told0(): Promise<number> {
      const last = lastResult as { run: number } | undefined;
      const failedRun = lastFailure === undefined ? -1 : Number((lastFailure as Error).message.replace('run ', ''));
      return Math.max(last?.run ?? -1, failedRun) + 1;
    }
  }
  const noon = options({ cronSchedule: '0 12 * * *' });

  test('runs at its times only, the first one too, whatever becomes of the runs', async () => {
    const system = await open({ ticking });
    start(system, 'ticking', noon, 'return', 'throw', 'return');
    const result = system.result('w');
    await system.settle();
    await system.pass(12 * HOUR - 1);
    expect(closes(system)).toMatchObject([{ eventType: 'WorkflowExecutionStarted', startDelay: 12 * HOUR }]);
    await system.pass(1);
    await system.pass(DAY);
    await system.pass(DAY);
    expect(begins(system)).toEqual([12 * HOUR, 12 * HOUR + DAY, 12 * HOUR + 2 * DAY, 12 * HOUR + 2 * DAY]);
    const ends = closes(system);
    expect(ends.map(({ eventType }) => eventType)).toEqual([
      'WorkflowExecutionCompleted',
      'WorkflowExecutionFailed',
      'WorkflowExecutionCompleted',
      'WorkflowExecutionStarted',
    ]);
    const results = ends.map((end) => ('result' in end ? decodePayload(end.result!) : undefined));
    const firstResult = { run: 0, cronSchedule: '0 12 * * *', first: true };
    expect(results[0]).toMatchObject(firstResult);
    // The failed run between leaves the last result as it was, beside its failure.
    expect(results[2]).toMatchObject({ run: 2, lastResult: firstResult, lastFailure: 'run 1', first: false });
    expect(ends[3]).toMatchObject({
      startDelay: DAY,
      succession: { initiator: 'CRON', attempt: 1, chainStartTime: START_OF_TIME },
    });
    expect(result.answered).toBe(false);
    await system.terminate('w').value();
    expect(await result.error()).toMatchObject({ fields: { status: 'TERMINATED' } });
    await system.pass(2 * DAY);
    expect(closes(system)).toHaveLength(4);
    await expectInvariants(system);
  });

  test('skips the times that pass while a run is at work', async () => {
    const system = await open({ slow: () => sleep(90_000) });
    start(system, 'slow', options({ cronSchedule: '* * * * *' }));
    await system.settle();
    await system.pass(60_000);
    await system.pass(90_000);
    expect(begins(system)).toEqual([60_000, 150_000]);
    await system.pass(30_000);
    expect(begins(system)).toEqual([60_000, 180_000]);
    await expectInvariants(system);
  });

  test('a failed run is retried first, if there is a policy, and the schedule goes on afterwards', async () => {
    const system = await open({});
    start(system, 'failing', { ...noon, ...retry({ maximumAttempts: 2 }) }, 9);
    await system.settle();
    await system.pass(12 * HOUR);
    await system.pass(1000);
    expect(begins(system).slice(0, 2)).toEqual([12 * HOUR, 12 * HOUR + 1000]);
    expect(closes(system)).toMatchObject([
      { eventType: 'WorkflowExecutionFailed' },
      { eventType: 'WorkflowExecutionFailed', retryState: 'MAXIMUM_ATTEMPTS_REACHED' },
      { succession: { initiator: 'CRON', attempt: 1 }, startDelay: DAY - 1000 },
    ]);
    await expectInvariants(system);
  });

  test('ends when a run is cancelled, while it waits or while it runs', async () => {
    const system = await open({ slow: () => sleep(DAY) });
    for (const wait of [0, 12 * HOUR]) {
      start(system, 'slow', noon);
      const result = system.result('w');
      await system.settle();
      await system.pass(wait);
      await system.cancel('w').value();
      expect(await result.error()).toMatchObject({ fields: { status: 'CANCELLED' } });
      expect(system.supervisor.controlPlane.stats().openRuns).toBe(0);
    }
    await expectInvariants(system);
  });

  test('ends after a run that returns although it was asked to cancel', async () => {
    const system = await open({ slow: () => sleep(DAY).catch(() => 'done') });
    start(system, 'slow', noon);
    const result = system.result('w');
    await system.settle();
    await system.pass(12 * HOUR);
    await system.cancel('w').value();
    expect(await result.value()).toBe('done');
    await expectInvariants(system);
  });

  test('a run that continues as new does so at once, and the schedule goes on after it', async () => {
    async function turning(round = 0): Promise<unknown> {
      if (round === 0) return continueAsNew<typeof turning>(1);
      return round;
    }
    const system = await open({ turning });
    start(system, 'turning', noon);
    await system.settle();
    await system.pass(12 * HOUR);
    expect(closes(system)).toMatchObject([
      { eventType: 'WorkflowExecutionContinuedAsNew' },
      { eventType: 'WorkflowExecutionCompleted' },
      { succession: { initiator: 'CRON' }, startDelay: DAY },
    ]);
    await expectInvariants(system);
  });

  // The last one waits for its time yet.
  test('@every counts from the start of the chain', async () => {
    const system = await open({ slow: () => sleep(70_000) });
    start(system, 'slow', options({ cronSchedule: '@every 1m' }));
    await system.settle();
    for (let i = 0; i < 26; i++) await system.pass(10_000);
    expect(begins(system)).toEqual([60_000, 180_000, 250_000]);
    await expectInvariants(system);
  });
});

/** A workflow that fails twice, then returns what it has heard; a signal is sent to each of its runs. */
async function runThrough(run: RunOptionsRecord, disturb: (system: System, flush: number) => Promise<void>) {
  async function heard(): Promise<unknown> {
    const log: string[] = [];
    const { attempt, lastResult } = workflowInfo();
    if (attempt === 3) setHandler(add, (entry) => void log.push(entry));
    await sleep(10);
    if (attempt < 3) throw ApplicationFailure.create({ message: `attempt ${attempt}` });
    return [...((lastResult as string[] | undefined) ?? []), ...log];
  }
  const system = await System.open({ workflows: { heard } });
  const begin = () => system.startWith({ workflowId: 'w', workflowType: 'heard', requestId: 'once', options: run });
  system.store.flushes.shut();
  begin();
  const told = new Set<number>();
  for (let flush = 0; flush < 60; flush++) {
    await system.settle();
    const runs = system.histories().size;
    if (closes(system).filter(({ eventType }) => eventType === 'WorkflowExecutionCompleted').length > 0) break;
    await disturb(system, flush);
    if (runs > 0 && runs <= 3 && !told.has(runs)) {
      told.add(runs);
      system.signalOnce(`signal ${runs}`, 'w', 'add', `to ${runs}`);
      await system.settle();
    }
    if (system.store.flushes.waiting > 0) system.store.flushes.letThrough();
    else {
      if (runs === 0) begin();
      for (const each of told) if (each === runs) system.signalOnce(`signal ${each}`, 'w', 'add', `to ${each}`);
      await system.settle();
      if (system.store.flushes.waiting === 0) system.clock.advance(5);
    }
  }
  await disturb(system, -1);
  system.store.flushes.open();
  await system.settle();
  return system;
}

const QUICK = options({ retry: { initialInterval: 20, backoffCoefficient: 1 } });

async function expectEachAttemptOnce(system: System): Promise<void> {
  const ends = closes(system);
  expect(ends.map(({ eventType }) => eventType)).toEqual([
    'WorkflowExecutionFailed',
    'WorkflowExecutionFailed',
    'WorkflowExecutionCompleted',
  ]);
  const last = ends[2]!;
  if ('result' in last) expect(decodePayload(last.result!)).toEqual(['to 1', 'to 2', 'to 3']);
  const began = begins(system);
  for (let i = 1; i < 3; i++) expect(began[i]! - (ends[i - 1]!.eventTime - START_OF_TIME)).toBeGreaterThanOrEqual(20);
  await expectInvariants(system);
}

test('undisturbed, each attempt begins once', async () => {
  await expectEachAttemptOnce(await runThrough(QUICK, async () => undefined));
});

test.each(['lost', 'kept'] as const)(
  'with a crash at any flush, its batch %s, each attempt begins once, none early, and no signal is lost',
  async (fate) => {
    for (let at = 0; ; at++) {
      let crashed = false;
      const system = await runThrough(QUICK, async (it, flush) => {
        if (flush !== at) return;
        crashed = true;
        await it.crash(fate);
        it.store.flushes.shut();
        await it.settle();
      });
      await expectEachAttemptOnce(system);
      if (!crashed) break;
    }
  },
);

/** As `failing` in its third attempt, after whatever was done to the system meanwhile. */
async function expectThirdAttempt(system: System): Promise<void> {
  for (let i = 0; i < 4; i++) await system.pass(1000);
  expect(await system.result('w').value()).toEqual([3, 'attempt 2', false, true]);
  expect(system.histories().size).toBe(3);
  await expectInvariants(system);
}

test('a worker lost at any turn changes nothing', async () => {
  for (let at = 0; ; at++) {
    const system = await open({});
    let turn = 0;
    system.workers.fate = () => (turn++ === at ? 'between' : undefined);
    start(system, 'failing', retry(), 3);
    await expectThirdAttempt(system);
    if (turn <= at) break;
  }
});

test('evicted at any moment, a chain goes on as it would', async () => {
  const system = await open({});
  system.config.maxResident = 0;
  start(system, 'failing', retry(), 3);
  await expectThirdAttempt(system);
});
