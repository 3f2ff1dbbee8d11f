/**
 * The runtime: what a backend creates. It starts the supervisor thread, hosts activities, hands out clients, and ends all of it.
 * Thread: embedding. In → out: options → client, events, stats.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { WorkflowBundle } from '../actors/sandbox/bundle.js';
import { toFailureRecord } from '../mailbox/failures.js';
import { loadPayloadCodec } from '../mailbox/payload-codec.js';
import { loadPayloadConverter } from '../mailbox/payload-converter.js';
import { SdkComponent } from '../mailbox/sdk-component.js';
import { Client } from './client/client.js';
import { openClientPort } from './client/client-port.js';
import { Connection } from './client/connection.js';
import type { DataConverters } from './client/connection-setting.js';
import type { Lifecycle, RuntimeControl, RuntimeStats } from './client/control.js';
import { ControlPort } from './client/control-port.js';
import { fromErrorRecord } from './client/error-record.js';
import type { ErrorRecord } from './client/protocol.js';
import { endsInTime } from './ending.js';
import { InvalidArgumentError, RuntimeFailedError } from './errors.js';
import { ActivityHost } from './host/activity-host.js';
import type { AttemptRunner } from './host/attempt-runner.js';
import { type LifecycleName, RuntimeEvents } from './host/lifecycle-events.js';
import { LOGGED, logLifecycle, STUCK } from './host/lifecycle-log.js';
import { withFields } from './host/logger.js';
import { SinkHost } from './host/sinks.js';
import type { HostTime } from './host/virtual-time.js';
import { type ResolvedOptions, type RuntimeOptions, resolveOptions } from './options.js';
import { newNonce, refuseIfOpenHere, releaseStore } from './store/index.js';
import { type SupervisorThreadData, YOUNG_GENERATION_MB } from './supervisor/config.js';
import { bundleOf, warningsOf } from './workflow-bundle.js';

const NEEDS = ['payloadConverter', 'payloadCodec'] as const;
const CLOSED: ErrorRecord = { name: 'RuntimeClosedError', fields: {} };
/** Holds on stores whose runtimes are about to let go of them: worth waiting for, unlike others of this process. */
const ending = new Set<string>();

/**
 * A durable workflow runtime inside this process.
 * @example
 * await using runtime = await Runtime.create({
 *   workflows: new URL('./workflows.js', import.meta.url),
 *   store: './data',
 *   activities,
 * });
 * const handle = await runtime.client.workflow.start(order, { workflowId: 'order-1', args: ['apples', 3] });
 */
export class Runtime implements AsyncDisposable {
  /** The embedding thread's own client. */
  readonly client: Client;
  /** What happens to runs, workers and the runtime. `failed` is the last one of a runtime that stops by itself. */
  readonly events = new RuntimeEvents();
  readonly #options: ResolvedOptions;
  readonly #data: DataConverters;
  readonly #worker: Worker;
  readonly #control: ControlPort<RuntimeControl>;
  readonly #host: ActivityHost;
  readonly #activityPool: AttemptRunner | undefined;
  readonly #connection: Connection;
  readonly #time: HostTime | undefined;
  /** Of the hold on the store. */
  readonly #nonce = newNonce();
  #opened = false;
  #ended: ErrorRecord | undefined;
  /** After a failure: the supervisor thread's end. */
  #ending: Promise<void> | undefined;
  #shutdown: Promise<void> | undefined;
  #subscribed: readonly LifecycleName[] = [];

  /**
   * Bundles the workflows, opens the store as soon as no other process has it open (see `lockWait`), recovers what was open when it was closed or lost, and starts the workers. The process stays
   * alive until `shutdown`.
   * @throws InvalidOptionError, WorkflowBundleError
   * @throws StoreLockedError, StoreCorruptError, StoreFormatError, StoreUnavailableError
   */
  static create(options: RuntimeOptions): Promise<Runtime> {
    return Runtime.createOn(options, undefined);
  }

  /** @internal With a clock that stands still, and is moved for whoever sleeps in `time`. */
  static async createOn(options: RuntimeOptions, time: HostTime | undefined): Promise<Runtime> {
    const resolved = resolveOptions(options);
    // Before all that takes longer, the bundling of the workflows above all.
    await refuseIfOpenHere(resolved.config.store, ending);
    const { payloadCodec } = resolved.config;
    const { payloadConverter } = resolved;
    const data: DataConverters = {
      payloadConverter: payloadConverter === undefined ? undefined : await loadPayloadConverter(payloadConverter),
      payloadCodec: payloadCodec === undefined ? undefined : await loadPayloadCodec(payloadCodec),
    };
    const bundle = await bundleOf(resolved);
    const logger = withFields(resolved.logger, { sdkComponent: SdkComponent.worker });
    for (const warning of warningsOf(bundle)) logger.warn(warning);
    const runtime = new Runtime(resolved, bundle, data, await activityPoolOf(resolved, time !== undefined), time);
    await runtime.#open();
    return runtime;
  }

  private constructor(
    options: ResolvedOptions,
    bundle: WorkflowBundle,
    data: DataConverters,
    activityPool: AttemptRunner | undefined,
    time: HostTime | undefined,
  ) {
    // By JavaScript, or past the types.
    if (bundle === undefined) {
      const reason = 'a runtime opens its store before it is there: await Runtime.create(options)';
      throw new InvalidArgumentError({ argument: 'new Runtime()', reason });
    }
    this.#time = time;
    this.#activityPool = activityPool;
    this.#options = options;
    this.#data = data;
    const control = new MessageChannel();
    const host = new MessageChannel();
    const activities = { ...options.config.activities, elsewhere: activityPool?.places };
    const { store } = options.config;
    const held = store.kind === 'log' ? { ...store, nonce: this.#nonce } : store;
    const config = { ...options.config, activities, bundle, store: held };
    const workerData: SupervisorThreadData = {
      config,
      controlPort: control.port2,
      hostPort: host.port2,
      virtualTime: time?.start,
    };
    const transferList = [control.port2, host.port2];
    const thread = new URL('./supervisor/thread.js', import.meta.url);
    this.#worker = new Worker(thread, {
      workerData,
      transferList,
      name: 'holdfast-supervisor',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.#worker.on('error', (error) => this.#died(error));
    // Not before what it said last has arrived, which an answer to `close` may be.
    this.#worker.on('exit', (code) => setImmediate(() => this.#died(new Error(`it exited with code ${code}`))));
    this.#control = new ControlPort(control.port1, time?.work);
    this.#host = new ActivityHost(host.port1, {
      activities: options.activities,
      defaultActivity: options.defaultActivity,
      logger: options.logger,
      client: () => this.client,
      interceptors: options.interceptors.activity,
      sinks: new SinkHost(options.sinks, options.logger),
      payloadBytes: config.limits.payloadBytes,
      ...data,
      maxConcurrentActivities: config.activities.concurrent,
      elsewhere: activityPool,
      time,
      onLifecycle: (event) => this.#onLifecycle(event),
    });
    // Its port closes with the thread, whose own end says more.
    const { client: calls } = options.interceptors;
    this.#connection = Connection.open(
      this.createClientPort(),
      { ...data, calls, work: time?.work, attempt: time?.currentAttempt },
      () => {},
    )!; // The welcome is in it.
    this.client = Client.over(this.#connection);
  }

  async #open(): Promise<void> {
    this.events.onChange(() => this.#subscribe());
    this.#subscribe(); // First: recovery may have something to log.
    try {
      const { warnings } = await this.#control.demand((remote) => remote.open());
      this.#opened = true;
      for (const warning of warnings) this.#options.logger.warn(warning);
    } catch (error) {
      this.#end(CLOSED);
      await this.#letGo();
      throw error;
    }
  }

  /**
   * The supervisor's end goes to it, the other is for `Client.connect` in any thread: send it there in a transfer list. Each serves one
   * client.
   * @throws RuntimeClosedError, RuntimeFailedError
   */
  createClientPort(): MessagePort {
    if (this.#ended !== undefined) throw fromErrorRecord(this.#ended);
    const { limits } = this.#options.config;
    const needs = NEEDS.filter((name) => this.#data[name] !== undefined);
    const { client, supervisor } = openClientPort({ payloadBytes: limits.payloadBytes, needs }, this.#host.catchUp);
    this.#host.attach(supervisor);
    return client;
  }

  /** @internal What the clock shows that the runtime runs on, in epoch milliseconds. */
  currentTime(): Promise<number> {
    return this.#control.call((remote) => remote.currentTime());
  }

  /** Counts of now. */
  stats(): Promise<RuntimeStats> {
    return this.#control.call((remote) => remote.stats());
  }

  /** Everything that helps to see why nothing moves: runs with work, mailboxes, turns in flight, pending flush. Its shape may change. */
  dump(): Promise<unknown> {
    return this.#control.call((remote) => remote.dump());
  }

  /**
   * Admits nothing more, lets turns in flight and the last flush end, writes the checkpoint and closes the store. Activities under way
   * are cancelled, and made again when a runtime opens the store. Safe to call again, and after a failure.
   * @throws StoreFailedError if the last flush or the checkpoint could not be written; all is closed nevertheless
   */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#close();
    return this.#shutdown;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #close(): Promise<void> {
    ending.add(this.#nonce);
    try {
      if (this.#ended === undefined) await this.#control.demand((remote) => remote.close());
    } catch (error) {
      // What was told by `failed` (also while this waited) is not told again: a shutdown after that has nothing left to do.
      if (this.#ending === undefined) throw error;
    } finally {
      this.#end(CLOSED);
      await Promise.all([this.#ending ?? this.#endThread(), this.#activityPool?.stop()]);
      ending.delete(this.#nonce);
    }
  }

  /** The first end counts. Returns whether this was it. */
  #end(error: ErrorRecord): boolean {
    if (this.#ended !== undefined) return false;
    this.#ended = error;
    this.#connection.end(error);
    this.#control.end(error);
    this.#host.stop();
    this.#time?.end(error);
    return true;
  }

  #fail(error: ErrorRecord): void {
    if (!this.#end(error)) return;
    this.#ending = this.#letGo();
    if (!this.#opened) return; // `create` throws it.
    const event: Lifecycle = { name: 'failed', error };
    logLifecycle(this.#options.logger, event);
    this.events.tell(event);
  }

  /** Ends the supervisor thread, and the hold on the store that it could not let go of itself, so that a new runtime can open it. */
  async #letGo(): Promise<void> {
    ending.add(this.#nonce);
    await Promise.all([this.#endThread(), this.#activityPool?.stop()]);
    await releaseStore(this.#options.config.store, this.#nonce);
    ending.delete(this.#nonce);
  }

  /** It ends once its workers have, which one that nothing interrupts keeps it from: that is told, and not waited for. */
  async #endThread(): Promise<void> {
    if (await endsInTime(this.#worker.terminate())) return;
    this.#worker.unref();
    const logger = withFields(this.#options.logger, { sdkComponent: SdkComponent.worker });
    logger.error(`The runtime has ended, but one of its threads has not: ${STUCK}`);
  }

  #died(error: unknown): void {
    const cause = toFailureRecord(error);
    const { name, fields } = new RuntimeFailedError({ reason: `its supervisor thread died: ${cause.message}` });
    this.#fail({ name, fields, cause });
  }

  #onLifecycle(event: Lifecycle): void {
    if (event.name === 'failed') {
      this.#fail(event.error);
      return;
    }
    logLifecycle(this.#options.logger, event);
    this.events.tell(event);
  }

  #subscribe(): void {
    if (this.#ended !== undefined) return;
    const names = [...new Set([...LOGGED, ...this.events.eventNames()])].sort() as LifecycleName[];
    const before = this.#subscribed;
    if (names.join() === before.join()) return;
    this.#subscribed = names;
    // It can only fail by the runtime's end, which is told elsewhere.
    const told = this.#control.call((remote) => remote.subscribe(names)).catch(() => {});
    // Who first listens and then calls, hears what the call does.
    if (names.some((name) => !before.includes(name))) this.#connection.hold(told);
  }
}

async function activityPoolOf(options: ResolvedOptions, isTimeVirtual: boolean): Promise<AttemptRunner | undefined> {
  const { activityPool, activities, config, payloadConverter, logger } = options;
  if (activityPool === undefined) return undefined;
  const { ActivityPool } = await import('./host/activity-pool.js');
  const { limits, payloadCodec } = config;
  const taken = Object.entries(activities).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
  return ActivityPool.open(activityPool, {
    payloadBytes: limits.payloadBytes,
    payloadConverter,
    payloadCodec,
    isTimeVirtual,
    logger,
    taken,
  });
}
