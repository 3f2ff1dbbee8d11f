/**
 * The supervisor: wires admission, dispatcher, committer, timers and activities around one core. A plain class without threads.
 * Thread: supervisor. In → out: requests and turn reports → replies, turns, activity tasks, lifecycle events.
 */
import { decodePayload } from '../../mailbox/payload.js';
import type { LogEntry, StepSinks } from '../../mailbox/turn.js';
import type { Request } from '../client/protocol.js';
import { type Clock, monotonicClock } from '../clock.js';
import { RuntimeClosedError, StoreUnavailableError } from '../errors.js';
import type { FromAttempt, ToHost } from '../host/protocol.js';
import { Activities } from './activities/activities.js';
import { ActivityRecovery } from './activities/activity-recovery.js';
import { ActivityReports } from './activities/activity-reports.js';
import { isLocalToken, LocalActivities } from './activities/local-activities.js';
import { Admission } from './admission/admission.js';
import { HeldStarts } from './admission/held-starts.js';
import { ControlPlane } from './control-plane.js';
import { Core, type CoreOptions } from './core.js';
import { Listing } from './listing/listing.js';
import { Children } from './outgoing/children.js';
import { InternalClient } from './outgoing/internal-client.js';
import { Outgoing } from './outgoing/outgoing.js';
import { resolutions } from './outgoing/resolutions.js';
import { errorRecord, type ReplySink } from './replies.js';
import { Chains } from './runs/chains.js';
import { Closing } from './runs/closing.js';
import { DelayedStarts } from './runs/delayed-starts.js';
import { HistoryReader } from './runs/history-reader.js';
import type { Run, Waiter } from './runs/run.js';
import { RunStarts } from './runs/run-starts.js';
import { RunTimeouts } from './runs/run-timeouts.js';
import { timersOf } from './time/pending-timers.js';
import { Timers } from './time/timers.js';
import { Dispatcher } from './turns/dispatcher.js';
import { Effects } from './turns/effects.js';
import { Reports } from './turns/reports.js';
import { SilentSteps } from './turns/silent-steps.js';
import { Suspects } from './turns/suspects.js';
import { Suspensions } from './turns/suspensions.js';
import { Suspicion } from './turns/suspicion.js';
import type { WorkerLostError, Workers } from './turns/workers.js';
import type { WorkflowTypes } from './workflow-types.js';

export interface SupervisorOptions extends CoreOptions {
  readonly workers: Workers;
  readonly workflowTypes: WorkflowTypes;
  readonly host: (message: ToHost) => void;
  /** Of what clients wait for in the machine's time. Default: its own. */
  readonly machine?: Pick<Clock, 'after'>;
  /** Calls back after everything that is due now. */
  readonly later: (callback: () => void) => void;
  /** Called when whatever moved has been handed to the workers and the store. */
  readonly moved?: () => void;
}

/** A run that a restart has to do something about, and the newest event that it had then. */
interface Unfinished {
  readonly run: Run;
  readonly through: number;
}

function isUnfinished(run: Run): boolean {
  if (run.delayedUntil !== 0) return false;
  const waits = run.activities !== undefined || run.children !== undefined || run.externals !== undefined;
  return waits || run.localActivitiesNow !== undefined || run.lastStoredSeq > run.processedThrough;
}

/** Log bytes after which the index is written out, so that a restart reads no more than that. */
const CHECKPOINT_BYTES = 64 * 1024 * 1024;
/** Runs woken at once after a restart: few, for what clients ask of other runs meanwhile waits behind them. */
const WAKE_AHEAD = 32;

export class Supervisor {
  readonly core: Core;
  readonly controlPlane: ControlPlane;
  readonly #dispatcher: Dispatcher;
  readonly #timers: Timers;
  readonly #delayed: DelayedStarts;
  readonly #timeouts: RunTimeouts;
  readonly activities: Activities;
  readonly #suspensions: Suspensions;
  readonly #suspicion: Suspicion;
  readonly #localActivities: LocalActivities;
  readonly #silentSteps: SilentSteps;
  readonly #activityRecovery: ActivityRecovery;
  readonly #internalClient: InternalClient;
  readonly #outgoing: Outgoing;
  readonly #children: Children;
  readonly #heldStarts: HeldStarts;
  readonly #admission: Admission;
  #partitions = 1;
  #moving = false;
  #closed = false;
  #checkpointing: Promise<void> | undefined;
  /** Entries of a checkpoint that could not be written are in no file: the next one has to have all. */
  #checkpointMissed = false;
  /** Log bytes since the last checkpoint at which the next is tried. */
  #checkpointDue = CHECKPOINT_BYTES;

  constructor(private readonly options: SupervisorOptions) {
    const core = new Core(options, () => this.#moved());
    this.core = core;
    const readmit = (waiters: Waiter[]) => this.#admission.readmit(waiters);
    const wake = (run: Run) => this.#dispatcher.schedule(run);
    this.#timers = new Timers(core, wake);
    this.#delayed = new DelayedStarts(core, this.#timers, () => this.#dispatcher);
    this.#timeouts = new RunTimeouts(core, this.#timers, () => chains);
    const { resolve, resolvePatiently } = resolutions(core, wake);
    this.activities = new Activities(core, this.#timers, options.host, resolvePatiently);
    this.#localActivities = new LocalActivities(core, this.#timers, options.host, wake);
    this.#silentSteps = new SilentSteps(core, this.#localActivities);
    this.#activityRecovery = new ActivityRecovery(core, this.activities);
    this.#heldStarts = new HeldStarts(core, options.machine ?? monotonicClock);
    this.#internalClient = new InternalClient((request, port) => {
      this.#admission.admitInternal(request, port);
      this.#moved();
    });
    this.#outgoing = new Outgoing(core, this.#internalClient, resolve);
    this.#children = new Children(core, this.#internalClient, resolve);
    const historyReader = new HistoryReader(core, readmit);
    const suspects = new Suspects(this.#timers);
    this.#suspicion = new Suspicion(core, this.#timers);
    const suspensions = new Suspensions(core, () => this.#dispatcher, this.#timers, readmit, suspects, this.#suspicion);
    this.#suspensions = suspensions;
    const closing = new Closing({
      core,
      dispatcher: () => this.#dispatcher,
      activities: this.activities,
      localActivities: this.#localActivities,
      suspensions,
      parentClosed: (run) => this.#children.parentClosed(run),
      readmit,
    });
    this.#dispatcher = new Dispatcher(core, options.workers, suspects, this.#suspicion, {
      historyRead: (run, frames, earlierIds) => historyReader.read(run, frames, earlierIds),
      report: (run, report) => reports.handle(run, report),
      log: (run, entry) => this.#log(run, entry),
      sinks: (run, step) => this.#sinks(run, step),
      slow: (run, ms) => core.tell(run, { name: 'slowStep', workflowId: run.workflowId, runId: run.runId, ms }),
      lostIn: (run, lost) => suspensions.lostWorker(run, lost),
      lost: (lost, runs) => this.#lostWorker(lost, runs),
      failed: options.onFailed,
    });
    const starts = new RunStarts(core, this.#dispatcher, this.#delayed, this.#timeouts, () => this.#partitions);
    const chains = new Chains({ core, starts, closing, readmit });
    this.#admission = new Admission({
      core,
      activityReports: new ActivityReports(core, this.activities, this.#activityRecovery),
      delayed: this.#delayed,
      dispatcher: this.#dispatcher,
      closing,
      starts,
      workflowTypes: () => options.workflowTypes,
      resume: (run) => this.#resume(run),
      later: options.later,
      heldStarts: this.#heldStarts,
      suspensions,
    });
    const effects = new Effects({
      core,
      chains,
      timers: this.#timers,
      activities: this.activities,
      localActivities: this.#localActivities,
      children: this.#children,
      outgoing: this.#outgoing,
      closing,
    });
    const reports = new Reports({
      core,
      effects,
      localActivities: this.#localActivities,
      workflowTypes: () => options.workflowTypes,
      dispatcher: this.#dispatcher,
      suspensions,
      readmit,
    });
    this.controlPlane = new ControlPlane(
      core,
      this.#dispatcher,
      this.activities,
      this.#localActivities,
      new Listing(core.index, options.later),
      this.#heldStarts,
    );
  }

  /** Loads the index, arms timers, and wakes the runs that have something left to do. */
  async open(): Promise<{ openRuns: number; clean: boolean; warnings: readonly string[] }> {
    const { core } = this;
    const reader = core.index.reader();
    const opened = await this.options.store.open(reader);
    reader.loaded();
    this.#partitions = opened.partitions;
    await this.#suspicion.open(opened);
    const { quarantined } = this.#suspicion;
    const gone = new Set(quarantined.keys());
    this.#timers.armAll(core.index.all());
    const unfinished: Unfinished[] = [];
    for (const run of core.index.all()) {
      if (!run.open) {
        if (run.children !== undefined || run.externals !== undefined)
          unfinished.push({ run, through: run.lastEventId });
        continue;
      }
      const inQuarantine = quarantined.get(run.runId);
      if (inQuarantine !== undefined) {
        gone.delete(run.runId);
        this.#suspensions.quarantine(run, inQuarantine);
      }
      this.#await(run);
      if (isUnfinished(run)) unfinished.push({ run, through: run.lastEventId });
    }
    this.#suspicion.forget(gone);
    void this.#wakeAll(unfinished).catch(this.options.onFailed);
    return { openRuns: core.index.open, clean: opened.clean, warnings: this.options.store.warnings };
  }

  /** No turn, flush or deferred work: without a request or an activity's outcome nothing happens but what is due later. */
  get atRest(): boolean {
    const { turnsInFlight, backlog } = this.#dispatcher;
    return !this.#moving && turnsInFlight === 0 && backlog === 0 && this.core.committer.isIdle;
  }

  /** Attempts of activities of which somebody awaits the outcome. */
  get attempts(): number {
    return this.activities.underWay + this.#localActivities.underWay;
  }

  isUnderWay(attempt: number): boolean {
    return (isLocalToken(attempt) ? this.#localActivities : this.activities).isUnderWay(attempt);
  }

  get anySuspended(): boolean {
    return this.#suspensions.count > 0;
  }

  /** A client's request. Refused once the runtime shuts down. */
  request(request: Request, port: ReplySink): void {
    if (this.#closed) {
      if (request.kind === 'withdraw') return;
      port.send({ id: request.id, kind: 'error', error: errorRecord(new RuntimeClosedError()) });
      return;
    }
    this.#admission.admit(request, port);
    this.#moved();
  }

  /** The client behind the port is gone: nobody waits for what it has asked. */
  portClosed(port: ReplySink): void {
    if (!this.#closed) this.#admission.portClosed(port);
  }

  /** What the host says of an attempt. */
  fromHost(message: FromAttempt): void {
    if (this.#closed) return;
    if (isLocalToken(message.token)) this.#localActivities.fromHost(message);
    else this.activities.fromHost(message);
  }

  /** Admits nothing more, finishes the turns in flight and their flush, writes the checkpoint and closes the store. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timers.stop();
    this.#heldStarts.stop();
    this.#internalClient.stop();
    this.#dispatcher.stop();
    await this.#dispatcher.settled();
    this.core.committer.flush();
    await this.core.committer.settled();
    await this.#checkpointing;
    await this.#checkpoint();
    await this.#suspicion.written();
    await this.options.store.close();
  }

  /** Of a step that counts, once it is durable. */
  #sinks(run: Run, { cause, calls }: StepSinks): void {
    // A closed run's are of queries, which move nothing.
    if (run.open && cause > run.processedThrough) return;
    this.core.committer.after(run, () => this.options.host({ kind: 'sinkCalls', calls }));
  }

  /** Once for everything that one turn of the event loop brings: dispatch first, so that workers run while the flush does. */
  #moved(): void {
    if (this.#moving) return;
    this.#moving = true;
    this.options.later(() => {
      this.#moving = false;
      this.#dispatcher.evict();
      this.#dispatcher.kick();
      this.core.committer.flush(this.#dispatcher.turnsInFlight > 0);
      this.options.moved?.();
      if (
        this.options.store.sinceCheckpoint >= this.#checkpointDue &&
        this.#checkpointing === undefined &&
        !this.#closed
      ) {
        this.#checkpointing = this.#checkpoint()
          .catch(this.options.onFailed)
          .finally(() => {
            this.#checkpointing = undefined;
          });
      }
    });
  }

  /** One that cannot be written costs only time at the next opening, which then reads more of the log. */
  async #checkpoint(): Promise<void> {
    const { store } = this.options;
    await this.#silentSteps.tellAll();
    // Not between the moment in which the store has a flush and the one in which the runs know: entries would be without their newest frames.
    await new Promise<void>((resolve) => this.options.later(resolve));
    // A full one pays once the incremental ones are as large as it would be; some 300 bytes a run.
    const full =
      this.#checkpointMissed || store.incrementalBytes > Math.max(CHECKPOINT_BYTES / 4, this.core.index.size * 300);
    const caughtUp = () => {
      this.core.committer.flush();
      return this.core.committer.durable();
    };
    try {
      await store.checkpoint(this.core.index.entries(full), { full, caughtUp });
      this.#checkpointMissed = false;
      this.#checkpointDue = CHECKPOINT_BYTES;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      this.#checkpointMissed = true;
      this.#checkpointDue = store.sinceCheckpoint + CHECKPOINT_BYTES;
    }
  }

  async #wakeAll(runs: readonly Unfinished[]): Promise<void> {
    for (const unfinished of runs) {
      while (this.#dispatcher.backlog > WAKE_AHEAD && !this.#closed) await this.#pause();
      if (this.#closed) return;
      await this.#wake(unfinished, (run) => this.#activityRecovery.recover(run));
    }
  }

  async #wake({ run, through }: Unfinished, wakeActivities: (run: Run) => Promise<void>): Promise<void> {
    if (run.children !== undefined) await this.#children.recover(run, through);
    await this.#outgoing.recover(run, through);
    if (!run.open) return;
    if (run.activities !== undefined) await wakeActivities(run);
    if (run.localActivitiesNow !== undefined) {
      this.#dispatcher.rebuild(run);
      return;
    }
    if (run.delayedUntil !== 0 || run.lastStoredSeq <= run.processedThrough) return;
    this.core.live(run);
    this.#dispatcher.schedule(run);
  }

  /** What is to come of an open run whose history was not written by this process, timers apart. */
  #await(run: Run): void {
    this.#timeouts.arm(run);
    if (run.delayedUntil !== 0) this.#delayed.arm(run);
    // A cancel request may be for a child that is yet to be started again.
    if (run.externals !== undefined || run.children !== undefined) this.#outgoing.expectRecovery(run);
  }

  /** A run made by a reset is taken up as after a restart, as soon as it is durable. */
  #resume(run: Run): void {
    const through = run.lastEventId;
    this.core.committer.after(run, () => {
      if (!run.open) return;
      for (const { timerId } of timersOf(run)) this.#timers.arm(run, timerId);
      this.#await(run);
      const begin = (begun: Run) => this.#activityRecovery.begin(begun);
      void this.#wake({ run, through }, begin).catch(this.options.onFailed);
    });
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#moved();
      this.options.later(resolve);
    });
  }

  #lostWorker(lost: WorkerLostError, runs: number): void {
    if (this.options.subscribed('workerLost')) {
      this.options.emit({ name: 'workerLost', worker: lost.slot, reason: lost.reason, runs });
    }
  }

  #log(run: Run, { level, message, meta }: LogEntry): void {
    const { workflowId, runId, workflowType } = run;
    const attributes = meta === undefined ? {} : { meta: decodePayload(meta) };
    this.core.tell(run, { name: 'log', workflowId, runId, workflowType, level, message, ...attributes });
  }
}
