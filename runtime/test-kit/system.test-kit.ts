/**
 * The whole system in one thread: a supervisor over a disk that survives it, workers without threads, a clock that tests move.
 * Thread: the test's. In → out: requests → calls that hold their replies.
 */

import { type ExportedWorkflow, ExportedWorkflows } from '../../actors/exported-workflows.js';
import type { WorkflowEvent } from '../../mailbox/events.js';
import type { FailureRecord } from '../../mailbox/failures.js';
import { decodePayload, encodePayload, encodePayloads } from '../../mailbox/payload.js';
import { decodeEvents } from '../../mailbox/turn.js';
import { uuidFromBytes } from '../../mailbox/uuid.js';
import type { Lifecycle, WorkflowDescriptionRecord } from '../client/control.js';
import { fromErrorRecord } from '../client/error-record.js';
import {
  decodeReplies,
  decodeRequests,
  encodeReplies,
  encodeRequests,
  type Reply,
  type Request,
  type UpdateStage,
} from '../client/protocol.js';
import type { Clock } from '../clock.js';
import type { ActivityTask, FromAttempt, ToHost } from '../host/protocol.js';
import type { ActivityLimits } from '../supervisor/activities/activity-queue.js';
import type { Limits, UnknownTypes } from '../supervisor/config.js';
import { Supervisor } from '../supervisor/supervisor.js';
import { WorkflowTypes } from '../supervisor/workflow-types.js';
import { type Deployed, InProcessWorkers } from './in-process-workers.test-kit.js';
import { SteeredClock } from './steered-clock.test-kit.js';
import { Disk, SteeredStore } from './steered-store.test-kit.js';

export const START_OF_TIME = Date.UTC(2026, 0, 1);

// biome-ignore lint/suspicious/noExplicitAny: workflow functions of any parameters
export type Workflows = Record<string, ((...args: any[]) => unknown) | (new () => object)>;

export interface SystemOptions {
  workflows: Workflows;
  slots?: number;
  maxResident?: number;
  limits?: Partial<Limits>;
  dedupe?: { ids: number; ms: number };
  activities?: Partial<ActivityLimits>;
  /** Rules that the engine knows: those of an earlier version. Default: all. */
  engineFlags?: number;
  unknownTypes?: UnknownTypes;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
export type RequestBody = DistributiveOmit<Request, 'id'>;

/** A request under way. */
export class Call {
  reply: Reply | undefined;
  refused: ((reply: Reply) => void) | undefined;
  constructor(private readonly system: System) {}

  get answered(): boolean {
    return this.reply !== undefined;
  }

  /** What the caller is told, once everything has come to rest. @throws what the caller would see thrown */
  async value(): Promise<unknown> {
    await this.system.settle();
    const { reply } = this;
    if (reply === undefined) throw new Error('The call has not been answered');
    if (reply.kind === 'error') throw fromErrorRecord(reply.error);
    return 'result' in reply ? decodePayload(reply.result) : reply.kind;
  }

  /** The error that the caller sees. */
  async error(): Promise<Error & { code?: string; cause?: unknown }> {
    try {
      await this.value();
    } catch (error) {
      return error as Error;
    }
    throw new Error(`The call succeeded: ${JSON.stringify(this.reply)}`);
  }
}

/** What dies in a crash. */
interface Life {
  alive: boolean;
  readonly store: SteeredStore;
  readonly workers: InProcessWorkers;
  readonly supervisor: Supervisor;
}

export class System {
  disk = new Disk();
  readonly clock = new SteeredClock(START_OF_TIME);
  readonly deployed: Deployed = new Map();
  /** Of the next process. */
  build = 'test';
  readonly limits: Limits;
  /** Changed at will: how many actors may stay in memory. */
  readonly config: {
    limits: Limits;
    dedupe: { ids: number; ms: number };
    maxResident: number;
    activities: ActivityLimits;
    unknownTypes: UnknownTypes;
  };
  readonly lifecycle: Lifecycle[] = [];
  /** Everything told to the host, lifecycle events apart. */
  readonly toHost: ToHost[] = [];
  /** Why the supervisor stopped, if it did. */
  readonly failures: unknown[] = [];
  #life: Life | undefined;
  #activity = 0;
  #nextRequest = 1;
  #nextRun = 1;
  #calls = new Map<number, Call>();

  private constructor(private readonly options: SystemOptions) {
    this.deploy({ idle: () => new Promise(() => undefined), ...options.workflows });
    if (options.engineFlags !== undefined) this.know(options.engineFlags);
    this.limits = {
      payloadBytes: 2 ** 21,
      historyEvents: 51_200,
      historyBytes: 50 * 2 ** 20,
      mailboxMessages: 20_000,
      updatesInFlight: 1000,
      requestsInFlight: 50_000,
      ...options.limits,
    };
    this.config = {
      limits: this.limits,
      dedupe: options.dedupe ?? { ids: 100_000, ms: 86_400_000 },
      maxResident: options.maxResident ?? 1000,
      activities: { concurrent: 100, perSecond: undefined, perSecondOf: {}, ...options.activities },
      unknownTypes: options.unknownTypes ?? 'refuse',
    };
  }

  static async open(options: SystemOptions): Promise<System> {
    const system = new System(options);
    await system.begin();
    return system;
  }

  get store(): SteeredStore {
    return this.#life!.store;
  }
  get workers(): InProcessWorkers {
    return this.#life!.workers;
  }
  get supervisor(): Supervisor {
    return this.#life!.supervisor;
  }

  /** Replaces functions; actors made from now on run the new ones. */
  deploy(workflows: Workflows): void {
    for (const [type, main] of Object.entries(workflows)) this.deployed.set(type, main as ExportedWorkflow);
  }

  /** From the next process on, and in actors made from now on: the rules of another version. */
  know(engineFlags: number): void {
    this.deployed.engineFlags = engineFlags;
  }

  /** From the next crash on the store tells of unclean stops, as one on disk does. */
  tellUncleanStops(): void {
    this.disk.uncleanStops = [];
    this.disk.crashed = false;
  }

  /** A supervisor on what the disk holds. */
  async begin(): Promise<void> {
    const moved = () => {
      this.#activity++;
    };
    const life: { alive: boolean } = { alive: true };
    const store = new SteeredStore(this.disk, moved, () => this.clock.now());
    const workers = new InProcessWorkers(this.options.slots ?? 2, this.deployed, moved);
    const { types, dynamic } = new ExportedWorkflows(Object.fromEntries(this.deployed));
    const clock: Clock = {
      now: () => this.clock.now(),
      monotonic: () => this.clock.monotonic(),
      end: (ms) => this.clock.end(ms),
      after: (ms, ring) =>
        this.clock.after(ms, () => {
          moved();
          if (life.alive) ring();
        }),
    };
    const supervisor = new Supervisor({
      config: this.config,
      build: this.build,
      ...(this.deployed.engineFlags !== undefined && { engineFlags: this.deployed.engineFlags }),
      store,
      workers,
      clock,
      machine: clock,
      workflowTypes: new WorkflowTypes(types, dynamic),
      newRunId: () => `00000000-0000-4000-8000-${(this.#nextRun++).toString(16).padStart(12, '0')}`,
      emit: (event) => {
        if (life.alive) this.lifecycle.push(event);
      },
      subscribed: () => true,
      onFailed: (error) => {
        if (life.alive) this.failures.push(error);
      },
      host: (message) => {
        if (life.alive) this.toHost.push(message);
      },
      later: (callback) => {
        moved();
        setImmediate(() => {
          moved();
          if (life.alive) callback();
        });
      },
    });
    this.#life = Object.assign(life, { store, workers, supervisor });
    await supervisor.open();
  }

  /** The process dies now and another one begins. Nobody hears anything more of what was under way. */
  async crash(flushUnderWay: 'lost' | 'kept' = 'lost'): Promise<void> {
    await this.stop(flushUnderWay);
    await this.begin();
  }

  /** A clean shutdown, and another process begins. */
  async restart(): Promise<void> {
    await this.stop('clean');
    await this.begin();
  }

  /** The process ends, and `begin` is next. */
  async stop(how: 'clean' | 'lost' | 'kept'): Promise<void> {
    const life = this.#life!;
    if (how === 'clean') {
      await life.supervisor.close();
      await this.settle();
      life.alive = false;
    } else {
      life.alive = false;
      life.workers.crash();
      await life.store.crash(how);
    }
    this.#calls.clear();
  }

  /** Of a system that has stopped: another one on the same log, at the same time, that finds no checkpoint. `begin` is next. */
  async withoutCheckpoints(): Promise<System> {
    const other = new System(this.options);
    other.disk = await this.disk.withoutCheckpoints();
    other.clock.advance(this.clock.now() - START_OF_TIME);
    for (const [type, main] of this.deployed) other.deployed.set(type, main);
    Object.assign(other.config, this.config);
    other.#nextRun = this.#nextRun;
    other.#nextRequest = this.#nextRequest;
    return other;
  }

  /** Until nothing moves any more except what is held. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 4; quiet++) {
      const before = this.#activity;
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      if (this.#activity !== before) quiet = -1;
    }
  }

  /** Time passes, and what is due then comes to rest. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  request(body: RequestBody): Call {
    const id = this.#nextRequest++;
    const call = new Call(this);
    this.#calls.set(id, call);
    const life = this.#life!;
    const [request] = decodeRequests(encodeRequests([{ ...body, id } as Request])); // Omit has split the union.
    life.supervisor.request(request!, {
      send: (reply) => {
        if (!life.alive) return;
        this.#activity++;
        const waiting = this.#calls.get(reply.id);
        if (waiting === undefined) throw new Error(`Request ${reply.id} was answered twice`);
        this.#calls.delete(reply.id);
        [waiting.reply] = decodeReplies(encodeReplies([reply]));
        if (reply.kind === 'error') waiting.refused?.(reply);
      },
    });
    return call;
  }

  /** Requests that nobody has answered yet. */
  get unanswered(): number {
    return this.#calls.size;
  }

  start(workflowId: string, workflowType: string, ...args: unknown[]): Call {
    return this.startWith({ workflowId, workflowType }, ...args);
  }

  startWith(
    options: Omit<Extract<Request, { kind: 'start' }>, 'id' | 'kind' | 'input' | 'requestId'> & { requestId?: string },
    ...args: unknown[]
  ): Call {
    const requestId = options.requestId ?? `start ${this.#nextRequest}`;
    return this.request({ kind: 'start', input: encodePayloads(args), ...options, requestId });
  }

  /** Two calls, for the start and the update are answered apart; a start that is refused answers both. */
  updateWithStart(
    options: Parameters<System['startWith']>[0],
    update: { name: string; updateId?: string; stage?: UpdateStage; args?: unknown[] },
  ): { start: Call; update: Call } {
    const replyTo = this.#nextRequest++;
    const { name, updateId = `update ${replyTo}`, stage = 'COMPLETED', args = [] } = update;
    const call = new Call(this);
    this.#calls.set(replyTo, call);
    const input = encodePayloads(args);
    const start = this.startWith({ ...options, brings: { kind: 'update', replyTo, name, updateId, stage, input } });
    const refused = (reply: Reply) => {
      this.#calls.delete(replyTo);
      call.reply = reply;
    };
    if (start.reply?.kind === 'error') refused(start.reply);
    else start.refused = refused;
    return { start, update: call };
  }

  signal(workflowId: string, name: string, ...args: unknown[]): Call {
    return this.request({ kind: 'signal', workflowId, name, input: encodePayloads(args) });
  }

  signalOnce(requestId: string, workflowId: string, name: string, ...args: unknown[]): Call {
    return this.request({ kind: 'signal', workflowId, name, input: encodePayloads(args), requestId });
  }

  query(workflowId: string, name: string, ...args: unknown[]): Call {
    return this.request({ kind: 'query', workflowId, name, input: encodePayloads(args) });
  }

  update(workflowId: string, name: string, ...args: unknown[]): Call {
    return this.updateWith({ workflowId, name }, ...args);
  }

  updateWith(
    options: { workflowId: string; name: string; updateId?: string; stage?: UpdateStage; runId?: string },
    ...args: unknown[]
  ): Call {
    const { updateId = `update ${this.#nextRequest}`, stage = 'COMPLETED', ...target } = options;
    return this.request({ kind: 'update', ...target, updateId, stage, input: encodePayloads(args) });
  }

  pollUpdate(workflowId: string, updateId: string, stage: UpdateStage = 'COMPLETED'): Call {
    return this.request({ kind: 'pollUpdate', workflowId, updateId, stage });
  }

  result(workflowId: string): Call {
    return this.request({ kind: 'result', workflowId, followRuns: true });
  }

  cancel(workflowId: string, reason?: string): Call {
    return this.request({ kind: 'cancel', workflowId, ...(reason === undefined ? {} : { reason }) });
  }

  terminate(workflowId: string, reason?: string): Call {
    return this.request({ kind: 'terminate', workflowId, ...(reason === undefined ? {} : { reason }) });
  }

  reset(
    workflowId: string,
    eventId: number,
    options: Omit<Extract<Request, { kind: 'reset' }>, 'id' | 'kind' | 'workflowId' | 'eventId'> = {},
  ): Call {
    return this.request({ kind: 'reset', workflowId, eventId, ...options });
  }

  resume(workflowId: string): Call {
    return this.request({ kind: 'resume', workflowId });
  }

  async describe(workflowId: string): Promise<WorkflowDescriptionRecord> {
    const outcome = await this.supervisor.controlPlane.describe(workflowId);
    if (outcome.ok) return outcome.value;
    throw fromErrorRecord(outcome.error);
  }

  /** Attempts that the host was told to run. */
  get attempts(): ActivityTask[] {
    return this.toHost.flatMap((message) => (message.kind === 'runActivity' ? [message] : []));
  }

  /** The host has a place for the attempt: its own time runs. */
  activityStarts({ token }: ActivityTask): void {
    this.fromHost({ kind: 'activityStarted', token });
  }

  activityBeats({ token }: ActivityTask, details?: unknown): void {
    const payload = details === undefined ? undefined : encodePayload(details);
    this.fromHost({ kind: 'activityHeartbeat', token, details: payload });
  }

  activityReturns({ token }: ActivityTask, value: unknown): void {
    this.fromHost({ kind: 'activityDone', token, result: encodePayload(value) });
  }

  activityThrows({ token }: ActivityTask, failure: FailureRecord): void {
    this.fromHost({ kind: 'activityDone', token, failure });
  }

  /** What the host would say. */
  fromHost(message: FromAttempt): void {
    this.#activity++;
    this.supervisor.fromHost(message);
  }

  /** Drops every actor that is idle. */
  async evictAll(): Promise<void> {
    const { maxResident } = this.config;
    this.config.maxResident = 0;
    await this.settle();
    // Any turn's return evicts.
    const other = `evictor ${this.#nextRequest}`;
    await this.start(other, 'idle').value();
    await this.query(other, 'nothing').error();
    await this.terminate(other).value();
    await this.settle();
    this.config.maxResident = maxResident;
  }

  /** The durable history of the newest run under that workflow id. */
  history(workflowId: string): WorkflowEvent[] {
    const found = [...this.histories().values()].filter(
      ([started]) => started?.eventType === 'WorkflowExecutionStarted' && started.workflowId === workflowId,
    );
    return found[found.length - 1] ?? [];
  }

  /** Every durable history by run id, read from the disk itself. */
  histories(): Map<string, WorkflowEvent[]> {
    const histories = new Map<string, WorkflowEvent[]>();
    for (const { runId, events, firstEventId } of this.disk.frames) {
      const id = uuidFromBytes(runId);
      const history = histories.get(id) ?? [];
      history.push(...decodeEvents(events, firstEventId));
      histories.set(id, history);
    }
    return histories;
  }

  types(workflowId: string): string[] {
    return this.history(workflowId).map(({ eventType }) => eventType);
  }
}
