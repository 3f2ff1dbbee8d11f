/**
 * The test environment: a runtime in memory whose time is its own, so that a year passes in milliseconds.
 * Thread: the test's. In → out: options without a store → client, runtime, sleep.
 */
import { type Duration, msToNumber } from '../../actors/workflow/definitions.js';
import type { Client } from '../client/client.js';
import { InvalidArgumentError, InvalidOptionError, RuntimeClosedError } from '../errors.js';
import { HostTime } from '../host/virtual-time.js';
import { checkObject } from '../option-checks.js';
import { Runtime } from '../runtime.js';
import { type EnvironmentTime, MachineTime, OwnTime } from './environment-time.js';
import { inMemory, type TestRuntimeOptions } from './test-runtime.js';

export type LocalTestWorkflowEnvironmentOptions = TestRuntimeOptions;

export interface TimeSkippingTestWorkflowEnvironmentOptions extends TestRuntimeOptions {
  /** What the clock shows first. Default: the machine's time. */
  startTime?: Date | number | string;
}

/** The last time that a Date can be. */
const END_OF_TIME = 8.64e15;

/**
 * A runtime for tests, with a clock of its own or with the machine's. It is the worker as well: workflows and activities are options here.
 *
 * **Skipping time.** Such a clock stands still. It moves, straight to whatever is due next, while somebody awaits the outcome of a run or of
 * an update (`execute`, `handle.result()`, `executeUpdate`, the `result()` of an update's handle), and in `sleep`; and only when nothing is
 * under way: no message, no step, no activity. While an activity runs, what is due comes as late as it would on the machine's clock. All
 * that is durable goes by this clock: timers, delays, retries, time-outs, schedules, `Date` in workflows.
 *
 * Every environment has its own clock, threads and histories: as many as you like at the same time, in one process or in many.
 * @example
 * await using env = await TestWorkflowEnvironment.createTimeSkipping({ workflows: new URL('./workflows.js', import.meta.url), activities });
 * const handle = await env.client.workflow.start(reminder, { workflowId: 'r' });
 * await env.sleep('3 days');
 * expect(await handle.query(reminders)).toBe(3);
 */
export class TestWorkflowEnvironment implements AsyncDisposable {
  /** The same as `runtime.client`. */
  readonly client: Client;
  #tornDown: Promise<void> | undefined;

  private constructor(
    readonly runtime: Runtime,
    /** Whether its clock is its own. */
    readonly supportsTimeSkipping: boolean,
    private readonly time: EnvironmentTime,
  ) {
    this.client = runtime.client;
  }

  /**
   * With a clock of its own. One worker, and only warnings and errors in the log, unless the options say otherwise.
   * @throws what `Runtime.create` throws
   */
  static async createTimeSkipping(
    options: TimeSkippingTestWorkflowEnvironmentOptions,
  ): Promise<TestWorkflowEnvironment> {
    checkObject('options', options);
    const { startTime = Date.now(), ...rest } = options;
    const host = new HostTime(startOf(startTime));
    const runtime = await Runtime.createOn(inMemory({ logger: 'warn', ...rest }), host);
    return new TestWorkflowEnvironment(runtime, true, new OwnTime(host, runtime));
  }

  /**
   * With the machine's clock: `sleep` takes as long as it says.
   * @throws what `Runtime.create` throws
   */
  static async createLocal(options: LocalTestWorkflowEnvironmentOptions): Promise<TestWorkflowEnvironment> {
    checkObject('options', options);
    const runtime = await Runtime.create(inMemory({ logger: 'warn', ...options }));
    return new TestWorkflowEnvironment(runtime, false, new MachineTime(() => new RuntimeClosedError()));
  }

  /**
   * Resolves when so much of the environment's time has passed, and all that was due by then has come to rest: timers have fired, steps
   * and the activities that they started are done. It does not wait for an activity that was at work before it is over, and for one that
   * began at its end a second of the machine's clock. An activity that calls it is not at work meanwhile: that is how a test makes one exceed
   * its time.
   * @throws InvalidArgumentError; RuntimeClosedError after `teardown`, or if that comes before the end
   * @example await env.sleep('3 days');
   */
  readonly sleep = async (duration: Duration): Promise<void> => {
    const argument = 'duration';
    let ms: number;
    try {
      ms = msToNumber(duration);
    } catch (error) {
      const { reason } = (error as InvalidArgumentError).fields;
      throw new InvalidArgumentError({ argument, reason }, { cause: error });
    }
    const now = await this.currentTimeMs();
    if (!(ms >= 0 && now + ms <= END_OF_TIME)) {
      const reason = `it must be a duration from 0 ms that ends before the last Date, not ${String(duration)}`;
      throw new InvalidArgumentError({ argument, reason });
    }
    await this.time.sleep(ms);
  };

  /**
   * Epoch milliseconds on the environment's clock.
   * @throws RuntimeClosedError after `teardown`
   */
  async currentTimeMs(): Promise<number> {
    if (this.#tornDown !== undefined) throw new RuntimeClosedError();
    return await this.time.now();
  }

  /** Shuts the runtime down. Every later call rejects; safe to call again. Leaves nothing open that would keep the process. */
  teardown(): Promise<void> {
    if (this.#tornDown === undefined) {
      this.time.end();
      this.#tornDown = this.runtime.shutdown();
    }
    return this.#tornDown;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.teardown();
  }
}

function startOf(startTime: Date | number | string): number {
  const ms = new Date(startTime).getTime();
  if (ms >= 0) return ms;
  throw new InvalidOptionError({
    option: 'startTime',
    reason: `it must be a Date, a text that one can be made of, or milliseconds, from 1970 on; not ${String(startTime)}`,
  });
}
