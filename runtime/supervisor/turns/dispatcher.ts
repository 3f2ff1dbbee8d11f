/**
 * The dispatcher: which run is where, and what each worker gets next. Placement, turns, eviction, lost turns.
 * Thread: supervisor. In → out: runs with waiting messages → one turn a worker at a time → reports.
 */
import { encodeTurn, type LogEntry, type Slice, type SliceReport, type StepSinks } from '../../../mailbox/turn.js';
import type { Core, StoredFrame } from '../core.js';
import { readEarlierIds } from '../runs/chain-ids.js';
import type { MessageIds } from '../runs/message-ids.js';
import type { Live, Run } from '../runs/run.js';
import { ReadyRuns } from './ready-runs.js';
import { MalformedReport, readReport } from './report-checks.js';
import { sliceOf } from './slices.js';
import { Slot } from './slot.js';
import type { Suspects } from './suspects.js';
import type { Suspicion } from './suspicion.js';
import { WorkerLostError, type Workers } from './workers.js';

/** Where several runs wait: each leaves room for the others. */
const MAX_MESSAGES_A_RUN = 512;
/** Fewer go with the next turn: their actors take memory until then, and nothing else. */
const EVICTIONS_WORTH_A_TURN = 256;
/** Eviction is tried after every turn and flush: each time it passes over few that it cannot evict. */
const MAX_BUSY_LOOKED_AT = 256;
const MAX_LOADED_BYTES_A_TURN = 16 * 1024 * 1024;
/** While the store is under suspicion: whichever of them ends the process, the others are suspects as well. */
const MAX_RUNS_A_NOTED_TURN = 64;

export interface DispatcherEvents {
  /** The history of a run has been read: what was waiting for that can be taken from it. */
  historyRead(run: Run, frames: readonly StoredFrame[], earlierIds: MessageIds | undefined): void;
  report(run: Run, report: SliceReport): void;
  log(run: Run, entry: LogEntry): void;
  /** Once the report of its step has been dealt with. */
  sinks(run: Run, step: StepSinks): void;
  slow(run: Run, ms: number): void;
  /** A turn was lost while a step of this run was under way. False: the run must not be tried again. */
  lostIn(run: Run, lost: WorkerLostError): boolean;
  lost(lost: WorkerLostError, runs: number): void;
  /** History cannot be read, or a worker broke in a way that no restart mends. */
  failed(error: unknown): void;
}

export class Dispatcher {
  readonly #slots: Slot[];
  /** Least recently used first. */
  readonly #residents = new Set<Run>();
  /** For runs that may end their worker: the last of the slots. */
  readonly #spare: Slot;
  /** Runs that may end the process, each of which waits for a turn by itself, with no other under way. */
  #alone: Run[] = [];
  #aloneInFlight = false;
  /** A run that is slow once is slow often, and once says it. */
  readonly #toldSlow = new WeakSet<Run>();
  #stopped = false;
  /** Histories being read. */
  #loading = 0;
  #idle: (() => void)[] = [];

  constructor(
    private readonly core: Core,
    private readonly workers: Workers,
    private readonly suspects: Suspects,
    private readonly suspicion: Suspicion,
    private readonly events: DispatcherEvents,
  ) {
    this.#slots = Array.from({ length: workers.slots + 1 }, (_, number) => new Slot(number));
    this.#spare = this.#slots.at(-1)!;
  }

  get residents(): number {
    return this.#residents.size;
  }

  get turnsInFlight(): number {
    return this.#slots.filter((slot) => slot.flight !== undefined).length;
  }

  /** Runs that wait for a turn or for their history. */
  get backlog(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.ready.length, this.#loading + this.#alone.length);
  }

  dump(): unknown {
    return this.#slots.map((slot) => slot.dump());
  }

  /** Whatever waits for this run goes with the next turn of its worker. */
  schedule(run: Run): void {
    const { live } = run;
    if (live === undefined || live.inFlight || live.residence === 'loading') return;
    if (live.queued) {
      // Somebody may wait for it by now.
      if (!this.suspicion.isSuspect(run)) this.#slots[live.slot]?.ready.push(run, live);
      return;
    }
    if (live.mailboxStored) {
      this.load(run);
      return;
    }
    if (live.mailbox.waiting === 0 && !live.rebuild) return;
    if (live.suspension !== undefined && !live.suspension.retrying) return;
    // A live part without ids has not read its history yet, and must before it becomes resident. Before its first step the mailbox holds
    // everything.
    if (
      live.residence === 'none' &&
      live.frames === undefined &&
      (live.ids === undefined || run.processedThrough > 0)
    ) {
      this.load(run);
      return;
    }
    if (this.suspects.any && this.#isMisplaced(run, live)) {
      this.#move(run);
      return;
    }
    const slot = this.#slots[live.slot < 0 ? this.#place(run, live) : live.slot]!;
    if (!this.suspicion.isSuspect(run)) slot.ready.push(run, live);
    else {
      live.queued = true;
      this.#alone.push(run);
    }
  }

  /** It lives among others and may end their worker, or the other way round. */
  #isMisplaced(run: Run, live: Live): boolean {
    if (live.slot < 0) return false;
    const apart = live.slot === this.#spare.number;
    return this.suspects.has(run, live, apart) !== apart;
  }

  #move(run: Run): void {
    this.discard(run);
    this.schedule(run);
  }

  /** Makes the actor of a run for which nothing waits, to find out what it has under way. */
  rebuild(run: Run): void {
    this.core.live(run).rebuild = true;
    this.schedule(run);
  }

  /** Sends a turn to every idle worker that has something to do. */
  kick(): void {
    if (this.#stopped || this.#aloneInFlight) return;
    if (this.#alone.length > 0) {
      if (this.turnsInFlight === 0) this.#sendAlone();
      // What is under way ends before, and nothing else begins.
      if (this.#alone.length > 0 || this.#aloneInFlight) return;
    }
    for (const slot of this.#slots) if (slot.flight === undefined) this.#send(slot);
  }

  #sendAlone(): void {
    for (let run = this.#alone.shift(); run !== undefined; run = this.#alone.shift()) {
      const slot = this.#slots[run.live?.slot ?? -1];
      if (slot === undefined) continue;
      const { ready } = slot;
      slot.ready = new ReadyRuns();
      if (run.live !== undefined) {
        run.live.queued = false;
        slot.ready.push(run, run.live);
      }
      this.#send(slot);
      slot.ready = ready;
      this.#aloneInFlight = slot.flight !== undefined;
      if (this.#aloneInFlight) return;
    }
  }

  /** Forgets the actor: its worker drops it, its outstanding report is not heard, its messages wait again. */
  discard(run: Run): void {
    const live = run.live!;
    const wasInFlight = live.inFlight;
    const slot = this.#slots[live.slot];
    const old = this.core.renameActor(run);
    if (live.residence === 'resident') slot!.evictions.push(old);
    this.#leave(run, live);
    live.inFlight = false;
    if (wasInFlight && slot?.flight !== undefined) {
      slot.flight.runs.splice(slot.flight.runs.indexOf(run), 1);
    }
    live.mailbox.redeliver();
  }

  /** Discards the actor, and sends no turn for the run until `unpause`. */
  pause(run: Run): void {
    const live = this.core.live(run);
    this.discard(run);
    live.residence = 'loading';
  }

  unpause(run: Run): void {
    // It may have been terminated meanwhile, and woken again.
    if (run.live?.residence === 'loading') run.live.residence = 'none';
  }

  /** Evicts the least recently used actors past `maxResident`: only idle ones with all events durable. */
  evict(): void {
    let excess = this.#residents.size - this.core.options.config.maxResident;
    if (excess <= 0) return;
    let busy = 0;
    for (const run of this.#residents) {
      if (excess <= 0 || busy > MAX_BUSY_LOOKED_AT) return;
      if (run.live!.idle && this.core.committer.isDurable(run)) {
        this.discard(run);
        this.core.release(run);
        excess--;
      } else {
        // In use, then: not looked at again before the others.
        this.#residents.delete(run);
        this.#residents.add(run);
        busy++;
      }
    }
  }

  /** Resolves once no turn is in flight. */
  settled(): Promise<void> {
    if (this.turnsInFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** No further turns. */
  stop(): void {
    this.#stopped = true;
  }

  #place(run: Run, live: Live): number {
    let best = 0;
    for (let i = 1; i < this.#spare.number; i++) {
      if (this.#slots[i]!.load < this.#slots[best]!.load) best = i;
    }
    if (this.suspects.any && this.suspects.has(run, live, false)) best = this.#spare.number;
    live.slot = best;
    return best;
  }

  /** Reads the history, for an actor to be rebuilt from it or ids to be looked up in it. */
  load(run: Run): void {
    const live = this.core.live(run);
    if (live.residence !== 'none') return;
    live.residence = 'loading';
    this.#loading++;
    const { actor } = live;
    const earlierIds = live.ids === undefined && run.idsIn !== undefined ? readEarlierIds(this.core, run) : undefined;
    Promise.all([this.core.readHistory(run), earlierIds]).then(
      ([frames, earlier]) => {
        this.#loading--;
        this.core.moved();
        if (run.live?.actor !== actor) return;
        live.residence = 'none';
        this.events.historyRead(run, frames, earlier);
        if (live.mailbox.waiting > 0 || live.rebuild) live.frames = frames.map(({ frame }) => frame.events);
        this.schedule(run);
        this.core.release(run);
      },
      (error) => this.events.failed(error),
    );
  }

  #send(slot: Slot): void {
    if (slot.ready.length === 0 && slot.evictions.length < EVICTIONS_WORTH_A_TURN) return;
    const slices: Slice[] = slot.evictions.map((run) => ({ run, evict: true, steps: [] }));
    slot.evictions = [];
    const runs: Run[] = [];
    let messages = 0;
    let loaded = 0;
    const isSpare = slot === this.#spare;
    const most = isSpare ? 1 : this.suspicion.watching ? MAX_RUNS_A_NOTED_TURN : Number.POSITIVE_INFINITY;
    const share = isSpare ? 1 : slot.ready.length === 1 ? slot.limit : MAX_MESSAGES_A_RUN;
    while (messages < slot.limit && loaded < MAX_LOADED_BYTES_A_TURN && runs.length < most) {
      const run = slot.ready.take();
      if (run === undefined) break;
      const { live } = run;
      // Since it was scheduled it may have been released, moved, emptied or suspended; the list is not searched for it then.
      if (live === undefined || live.slot !== slot.number || !live.queued) continue;
      live.queued = false;
      if ((live.mailbox.waiting === 0 && !live.rebuild) || live.inFlight) continue;
      if (this.suspects.any && !isSpare && this.#isMisplaced(run, live)) {
        this.#move(run);
        continue;
      }
      const slice = this.#slice(run, live, Math.min(share, slot.limit - messages));
      messages += slice.steps.length;
      for (const frame of slice.load?.frames ?? []) loaded += frame.byteLength;
      slices.push(slice);
      runs.push(run);
    }
    if (slices.length === 0) return;
    slot.flight = { runs, messages };
    const turn = encodeTurn(slices);
    const noted = this.suspicion.begins(runs);
    const returns =
      noted === undefined ? this.workers.run(slot.number, turn) : noted.then(() => this.workers.run(slot.number, turn));
    returns.then(
      (bytes) => this.#returned(slot, bytes),
      (error) => this.#lost(slot, error),
    );
  }

  #slice(run: Run, live: Live, limit: number): Slice {
    live.inFlight = true;
    this.#residents.delete(run);
    this.#residents.add(run);
    if (live.residence !== 'resident') this.#slots[live.slot]!.residents++;
    return sliceOf(run, live, limit);
  }

  #returned(slot: Slot, bytes: Uint8Array): void {
    const report = readReport(bytes);
    if (report instanceof MalformedReport) {
      this.#lost(slot, this.workers.lose(slot.number, `its report is malformed: ${report.reason}`, report.actor));
      return;
    }
    const { runs, messages } = slot.flight!;
    slot.flight = undefined;
    this.#aloneInFlight = false;
    this.suspicion.ended(runs);
    for (const run of runs) run.live!.inFlight = false;
    let undone = 0;
    for (const entry of report.logs) {
      const run = this.core.actors.get(entry.run);
      if (run !== undefined) this.events.log(run, entry);
    }
    for (const { run: actor, ms } of report.slow) {
      const run = this.core.actors.get(actor);
      if (run === undefined || this.#toldSlow.has(run)) continue;
      this.#toldSlow.add(run);
      this.events.slow(run, ms);
    }
    for (const slice of report.slices) {
      const run = this.core.actors.get(slice.run);
      if (run === undefined) continue;
      const live = run.live!;
      if (slice.end.kind === 'resident') live.rebuild = false;
      else {
        this.core.renameActor(run);
        this.#leave(run, live);
      }
      this.events.report(run, slice);
      for (const step of report.sinks) if (step.run === slice.run) this.events.sinks(run, step);
      undone += live.mailbox.taken;
      live.mailbox.redeliver();
      if (this.suspicion.isSuspect(run)) this.suspicion.steppedWell(run);
      if (slot === this.#spare && this.#isMisplaced(run, live)) this.discard(run);
      this.schedule(run);
    }
    slot.learn(messages, undone);
    this.core.moved();
    this.#tellIdle();
  }

  #lost(slot: Slot, error: unknown): void {
    const { runs } = slot.flight!;
    slot.flight = undefined;
    this.#aloneInFlight = false;
    this.suspicion.ended(runs);
    if (!(error instanceof WorkerLostError)) {
      this.events.failed(error);
      return;
    }
    const culprit = error.actor === undefined ? undefined : this.core.actors.get(error.actor);
    const gone = [...this.#residents].filter((run) => run.live!.slot === slot.number);
    slot.evictions = [];
    for (const run of new Set([...runs, ...gone])) {
      const live = run.live!;
      live.inFlight = false;
      live.mailbox.redeliver();
      this.core.renameActor(run);
      this.#leave(run, live);
      if (run !== culprit || this.events.lostIn(run, error)) this.schedule(run);
    }
    this.events.lost(error, gone.length);
    this.core.moved();
    this.#tellIdle();
  }

  #leave(run: Run, live: Live): void {
    if (live.residence === 'resident') this.#slots[live.slot]!.residents--;
    this.#residents.delete(run);
    live.residence = 'none';
    live.frames = undefined;
    live.queued = false;
    live.slot = -1;
  }

  #tellIdle(): void {
    if (this.#idle.length === 0 || this.turnsInFlight > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}
