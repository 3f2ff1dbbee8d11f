/**
 * Suspicion: whose step ends the process. While the store is under it, runs are noted before their step, so that the next process knows.
 * Thread: supervisor. In → out: unclean stops and notes of earlier processes, turns that go and return → suspects, quarantined runs, notes.
 */
import { StoreUnavailableError } from '../../errors.js';
import type { NoteName, StoreOpened } from '../../store/store.js';
import type { Core } from '../core.js';
import type { Run } from '../runs/run.js';
import type { Timers } from '../time/timers.js';

/** Two unclean stops within this begin it, and it ends after as long without one. */
const SUSPICION_MS = 60_000;
/** Stops at which a run was noted alone, with no step of it that ended well in between. Whoever kills a process from outside hits one by chance. */
const QUARANTINE_AFTER = 3;
/** Older ones are forgotten: at worst they are found again. */
const MAX_SUSPECTS = 1000;

export interface Quarantined {
  readonly times: number;
  readonly why: string;
}

interface Suspect {
  /** Stops at which it was noted alone. */
  times: number;
  /** The newest seq when it was first stepped by itself: once that is processed, what has ended the process is behind it. */
  through: number | undefined;
}

/** As in the store; names are for ever. `life` counts judgements, so that no stop is judged twice. */
interface StepsUnderWayNote {
  readonly build: string;
  readonly life: number;
  readonly runs: readonly string[];
}
interface SuspectsNote {
  readonly build: string;
  readonly life: number;
  readonly suspects: readonly (readonly [runId: string, times: number])[];
  readonly quarantined: readonly (readonly [runId: string, times: number, why: string])[];
}

export class Suspicion {
  /** Every run is noted. */
  #watching = false;
  #life = 0;
  /** By run id. */
  readonly #suspects = new Map<string, Suspect>();
  readonly #quarantined = new Map<string, Quarantined>();
  /** Run ids. */
  readonly #underWay = new Set<string>();
  /** Each note is written by itself: that of what is under way must not wait until the other is synced. */
  readonly #lines: { readonly [N in NoteName]: { written: Promise<void>; waiting: Promise<void> | undefined } } = {
    'steps-under-way': { written: Promise.resolve(), waiting: undefined },
    suspects: { written: Promise.resolve(), waiting: undefined },
  };

  constructor(
    private readonly core: Core,
    private readonly timers: Timers,
  ) {}

  /** Before any turn. Resolves once what the last stop has told is on record. */
  async open({ clean, uncleanStops, notes }: StoreOpened): Promise<void> {
    const { build } = this.core.options;
    const known = notes.get('suspects') as SuspectsNote | undefined; // Written by #suspectsNote.
    const underWay = notes.get('steps-under-way') as StepsUnderWayNote | undefined; // By #stepsUnderWayNote.
    this.#life = known?.life ?? 0;
    // What other code did says nothing of this one.
    if (known?.build === build) {
      for (const [runId, times] of known.suspects) this.#suspects.set(runId, { times, through: undefined });
      for (const [runId, times, why] of known.quarantined) this.#quarantined.set(runId, { times, why });
    }
    const tells = !clean && underWay?.build === build && underWay.life === this.#life;
    const judged = tells && underWay.runs.length > 0;
    if (judged) this.#judge(underWay.runs);
    const [before = Number.NEGATIVE_INFINITY, last = Number.POSITIVE_INFINITY] = uncleanStops.slice(-2);
    this.#watching = judged || (!clean && last - before <= SUSPICION_MS);
    if (this.#watching) {
      this.timers.after(SUSPICION_MS, () => {
        this.#watching = false;
      });
    }
    if (judged || (known !== undefined && known.build !== build)) await this.#save('suspects');
  }

  #judge(runs: readonly string[]): void {
    this.#life++;
    for (const runId of runs) {
      const { times } = this.#suspects.get(runId) ?? { times: 0 };
      // Moved behind those that are older.
      this.#suspects.delete(runId);
      this.#suspects.set(runId, { times: runs.length === 1 ? times + 1 : times, through: undefined });
      if (runs.length > 1 || times + 1 < QUARANTINE_AFTER) continue;
      this.#suspects.delete(runId);
      this.#quarantined.set(runId, { times: times + 1, why: 'the process ended while it was under way' });
    }
    for (const runId of this.#suspects.keys()) {
      if (this.#suspects.size <= MAX_SUSPECTS) break;
      this.#suspects.delete(runId);
    }
  }

  /** Turns are to have few runs: each is noted. */
  get watching(): boolean {
    return this.#watching;
  }

  /** Runs that are not to be stepped before their owners say so, or other code comes. */
  get quarantined(): ReadonlyMap<string, Quarantined> {
    return this.#quarantined;
  }

  /** It is to be stepped by itself, with no other turn under way. */
  isSuspect(run: Run): boolean {
    return this.#suspects.size > 0 && this.#suspects.has(run.runId);
  }

  /**
   * Before a turn with these runs goes to its worker; undefined if it need not wait. Resolves once they are noted, and what they have written
   * is durable: a run that nobody knew of afterwards could not be judged.
   */
  begins(runs: readonly Run[]): Promise<unknown> | undefined {
    if (!this.#watching && !runs.some((run) => this.isSuspect(run))) return undefined;
    for (const run of runs) {
      this.#underWay.add(run.runId);
      const suspect = this.#suspects.get(run.runId);
      if (suspect !== undefined) suspect.through ??= Math.max(run.lastSeq, run.live?.lastSeq ?? 0);
    }
    return Promise.all([this.core.committer.durable(), this.#save('steps-under-way')]);
  }

  /** That turn is over, or its worker is, and the process is still there. */
  ended(runs: Iterable<Run>): void {
    if (this.#underWay.size === 0) return;
    for (const run of runs) this.#underWay.delete(run.runId);
    void this.#save('steps-under-way');
  }

  /** A step of it ended well. It is no suspect any more, if nothing is left of what it had before it when it became one. */
  steppedWell(run: Run): void {
    const suspect = this.#suspects.get(run.runId);
    if (suspect === undefined) return;
    const isBehind = run.processedThrough >= (suspect.through ?? Number.POSITIVE_INFINITY);
    if (isBehind || run.live?.suspension !== undefined || (run.live?.mailbox.size ?? 0) === 0) this.#clear(run);
  }

  quarantine(run: Run, quarantined: Quarantined): void {
    this.#suspects.delete(run.runId);
    this.#quarantined.set(run.runId, quarantined);
    void this.#save('suspects');
  }

  /** It has closed, or is to be tried again. */
  release(run: Run): void {
    if (this.#quarantined.delete(run.runId)) void this.#save('suspects');
  }

  /** Those that are not among the open runs. */
  forget(runIds: Iterable<string>): void {
    let changed = false;
    for (const runId of runIds) changed = this.#quarantined.delete(runId) || changed;
    if (changed) void this.#save('suspects');
  }

  /** Resolves once all notes that were changed by now are written. */
  async written(): Promise<void> {
    await Promise.all(Object.values(this.#lines).map(({ written }) => written));
  }

  #clear(run: Run): void {
    this.#suspects.delete(run.runId);
    void this.#save('suspects');
  }

  /** One after the other, each with what is so when it is written: whoever comes while one waits is served by that. */
  #save(name: NoteName): Promise<void> {
    const line = this.#lines[name];
    if (line.waiting !== undefined) return line.waiting;
    const write = () => {
      line.waiting = undefined;
      return name === 'suspects'
        ? this.core.options.store.note(name, this.#suspectsNote(), 'disk')
        : // What ends a process leaves what it has written to the operating system.
          this.core.options.store.note(name, this.#stepsUnderWayNote(), 'process');
    };
    line.waiting = line.written.then(write).catch((error: unknown) => {
      // Notes help the next process, and this one does without: a disk that takes nothing ends it with the next flush.
      if (!(error instanceof StoreUnavailableError)) this.core.options.onFailed(error);
    });
    line.written = line.waiting;
    return line.written;
  }

  #suspectsNote(): SuspectsNote {
    return {
      build: this.core.options.build,
      life: this.#life,
      suspects: Array.from(this.#suspects, ([runId, { times }]) => [runId, times] as const),
      quarantined: Array.from(this.#quarantined, ([runId, { times, why }]) => [runId, times, why] as const),
    };
  }

  #stepsUnderWayNote(): StepsUnderWayNote {
    return { build: this.core.options.build, life: this.#life, runs: [...this.#underWay] };
  }
}
