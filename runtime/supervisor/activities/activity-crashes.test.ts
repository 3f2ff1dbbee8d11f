/**
 * Activities across crashes: whatever moment the process ends in, attempts are counted on, and no outcome or progress is lost.
 */
import { expect, test } from 'vitest';
import {
  ActivityFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  sleep,
} from '../../../actors/workflow/index.js';
import type { WorkflowEvent } from '../../../mailbox/events.js';
import { decodePayload, encodePayload } from '../../../mailbox/payload.js';
import type { ActivityTask } from '../../host/protocol.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { type Call, System } from '../../test-kit/system.test-kit.js';

routeRejections();

interface Activities {
  flaky(): Promise<number>;
  once(): Promise<string>;
  patient(): Promise<string>;
  approval(): Promise<string>;
  silent(): Promise<string>;
  hopeless(): Promise<string>;
}

const retry = { initialInterval: 100, backoffCoefficient: 1 };
const { flaky, approval } = proxyActivities<Activities>({ startToCloseTimeout: '1 hour', retry });
const { once } = proxyActivities<Activities>({ startToCloseTimeout: '1 hour', retry: { maximumAttempts: 1 } });
const { patient } = proxyActivities<Activities>({
  startToCloseTimeout: '1 hour',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});
const { silent } = proxyActivities<Activities>({ startToCloseTimeout: '1 hour', heartbeatTimeout: 120, retry });
const { hopeless } = proxyActivities<Activities>({ scheduleToCloseTimeout: 450, retry });

/** How one ended that did not succeed. */
const tell = (error: unknown): unknown =>
  error instanceof ActivityFailure ? [isCancellation(error), error.retryState] : String(error);

/** An activity of every fate, one after the other. */
async function everything(): Promise<unknown[]> {
  const outcomes: unknown[] = [await flaky()];
  outcomes.push(await once().catch(tell));
  const scope = new CancellationScope();
  const waiting = scope.run(() => patient()).catch(tell);
  await sleep(100);
  scope.cancel();
  outcomes.push(await waiting, await approval(), await silent());
  outcomes.push(await hopeless().catch(tell));
  return outcomes;
}

/** The world outside of the process: what the host's activities do, and a client that has the token of whoever is to be approved. */
class World {
  /** Of each type, the numbers of the attempts that the host was told to run. */
  readonly attempts = new Map<string, number[]>();
  readonly details: unknown[] = [];
  /** The client was told that its word is durable. */
  approved = false;
  #read = 0;
  #answers: (() => void)[] = [];
  #token: number | undefined;
  #asked: Call | undefined;

  constructor(private readonly system: System) {}

  /** The host dies with its process, and whoever has asked hears nothing. */
  async crash(fate: 'lost' | 'kept'): Promise<void> {
    this.#read = this.system.toHost.length;
    this.#answers = [];
    this.#asked = undefined;
    await this.system.crash(fate);
    this.system.store.flushes.shut();
  }

  /** One thing at a time, so that crashes come between. */
  act(): void {
    const message = this.system.toHost[this.#read];
    if (message !== undefined) {
      this.#read++;
      if (message.kind === 'runActivity') this.#begin(message);
      else if (message.kind === 'cancelActivity' && message.cause === 'cancelRequested') this.#cancelled(message.token);
    } else if (this.#answers.length > 0) this.#answers.shift()!();
    else this.#approve();
  }

  #begin(task: ActivityTask): void {
    const { system } = this;
    const numbers = this.attempts.get(task.activityType) ?? [];
    const { activityType, attempt } = task;
    expect(attempt, `attempts of ${activityType} after ${numbers}`).toBeGreaterThan(numbers.at(-1) ?? 0);
    this.attempts.set(activityType, [...numbers, attempt]);
    expectWritten(system.history('w'), task);
    system.activityStarts(task);
    const answers: { [type: string]: () => void } = {
      flaky: () => this.#flaky(task),
      once: () => system.activityReturns(task, 'once'),
      approval: () => {
        system.fromHost({ kind: 'activityDone', token: task.token, completesLater: true });
        this.#token = attempt;
      },
      silent: () => attempt > 1 && system.activityReturns(task, 'heard'),
      hopeless: () => system.activityThrows(task, { kind: 'application', message: 'no' }),
    };
    if (activityType === 'flaky') system.activityBeats(task, attempt);
    const answer = answers[activityType];
    if (answer !== undefined) this.#answers.push(answer);
  }

  /** Fails twice, each time with a heartbeat that was held back. */
  #flaky(task: ActivityTask): void {
    const { token, attempt, heartbeatDetails } = task;
    const details = heartbeatDetails === undefined ? 0 : (decodePayload(heartbeatDetails) as number);
    this.details.push(details);
    if (attempt > 2) {
      this.system.activityReturns(task, details);
      return;
    }
    const failure = { kind: 'application', message: 'no' } as const;
    const held = encodePayload(attempt + 0.5);
    this.system.fromHost({ kind: 'activityDone', token, failure, heartbeatDetails: held });
  }

  #cancelled(token: number): void {
    const task = this.system.attempts.findLast((each) => each.token === token)!;
    expect(task.activityType).toBe('patient');
    this.#answers.push(() => this.system.activityThrows(task, { kind: 'cancelled', message: 'cleaned up' }));
  }

  /** Says so until it is told that this is known. */
  #approve(): void {
    const reply = this.#asked?.reply;
    if (reply?.kind === 'done') this.approved = true;
    if (this.#token === undefined || this.approved || (this.#asked !== undefined && reply === undefined)) return;
    const attempt = this.#token;
    const activityId = this.system.attempts.find(({ activityType }) => activityType === 'approval')!.activityId;
    const report = { kind: 'completed', result: encodePayload('approved') } as const;
    this.#asked = this.system.request({ kind: 'reportActivity', workflowId: 'w', activityId, attempt, report });
  }
}

/** The attempt was durable before it began, and has the last details that are. */
function expectWritten(history: readonly WorkflowEvent[], task: ActivityTask): void {
  let attempt = 0;
  let details: unknown;
  for (const event of history) {
    if (!('activityId' in event) || event.activityId !== task.activityId) continue;
    if (event.eventType === 'ActivityTaskScheduled') attempt = 1;
    if (event.eventType === 'ActivityTaskRetryScheduled') attempt = event.attempt;
    if (event.eventType === 'ActivityTaskRetryScheduled' || event.eventType === 'ActivityTaskHeartbeatRecorded') {
      const { heartbeatDetails } = event;
      details = heartbeatDetails === undefined ? undefined : decodePayload(heartbeatDetails);
    }
  }
  expect(task.attempt).toBe(attempt);
  expect(task.heartbeatDetails === undefined ? undefined : decodePayload(task.heartbeatDetails)).toEqual(details);
}

/** @param crashes whether the process is to end at this moment; asked at each, before the flush under way is let through */
async function runThrough(
  crashes: (moment: number) => boolean,
  fate: 'lost' | 'kept' = 'lost',
): Promise<{ system: System; world: World; moments: number }> {
  const system = await System.open({ workflows: { everything } });
  const world = new World(system);
  const start = () => system.startWith({ workflowId: 'w', workflowType: 'everything', requestId: 'once' });
  system.store.flushes.shut();
  start();
  let moment = 0;
  for (; system.types('w').at(-1) !== 'WorkflowExecutionCompleted'; moment++) {
    expect(moment, 'it comes to an end').toBeLessThan(500);
    await system.settle();
    if (crashes(moment)) {
      await world.crash(fate);
      await system.settle();
    }
    if (system.store.flushes.waiting > 0) system.store.flushes.letThrough();
    else if (system.types('w').length === 0) start();
    await system.settle();
    world.act();
    await system.pass(20);
  }
  system.store.flushes.open();
  await system.settle();
  return { system, world, moments: moment };
}

const CUT_OFF = [false, 'MAXIMUM_ATTEMPTS_REACHED'];

async function expectEveryFate({ system, world }: { system: System; world: World }): Promise<void> {
  const [details, onceOutcome, ...others] = (await system.result('w').value()) as unknown[];
  expect(others).toEqual([[true, 'CANCEL_REQUESTED'], 'approved', 'heard', [false, 'TIMEOUT']]);
  expect(details).toBeGreaterThan(0);
  expect([...world.details].sort()).toEqual(world.details);
  expect(world.attempts.get('once')?.length ?? 0).toBeLessThanOrEqual(1);
  expect(['once', CUT_OFF]).toContainEqual(onceOutcome);
  const history = system.history('w');
  const hopelessly = history.findLast(({ eventType }) => eventType === 'ActivityTaskScheduled')!;
  const end = history.at(-1)!;
  expect(end.eventTime - hopelessly.eventTime, 'all attempts have their time together').toBeLessThan(600);
  expect(system.supervisor.activities.underWay + system.supervisor.activities.outside).toBe(0);
  await expectInvariants(system);
}

test('undisturbed, every activity has its fate', async () => {
  const undisturbed = await runThrough(() => false);
  await expectEveryFate(undisturbed);
  const { system, world } = undisturbed;
  expect(world.details).toEqual([0, 1.5, 2.5]);
  expect((await system.result('w').value()) as unknown[]).toContain('once');
  expect(world.attempts.get('silent')).toEqual([1, 2]);
});

test.each(['lost', 'kept'] as const)(
  'whatever moment a crash comes in, the flush under way %s, every activity has its fate',
  async (fate) => {
    let crashed = true;
    for (let at = 0; crashed; at++) {
      const disturbed = await runThrough((moment) => moment === at, fate);
      await expectEveryFate(disturbed).catch((error) => {
        throw new Error(`Crash at moment ${at}`, { cause: error });
      });
      crashed = at < disturbed.moments;
    }
  },
);

test.each([
  [3, 'lost'],
  [5, 'kept'],
  [7, 'lost'],
  [11, 'kept'],
] as const)('with a crash at every moment that is a multiple of %i, every activity has its fate', async (n, fate) => {
  await expectEveryFate(await runThrough((moment) => moment > 0 && moment % n === 0 && moment < 200, fate));
});
