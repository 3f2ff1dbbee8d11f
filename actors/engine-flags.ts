/**
 * Engine flags: which of the engine's own rules of order, numbering and commands a history is made under, one bit each.
 * Thread: worker (consulted), supervisor (recorded). In → out: flags of a history, and what its next step asks for → rules.
 *
 * A change of such a rule would make open runs differ from their histories. So each stands behind a flag, and a history says which flags it
 * goes by: `WorkflowExecutionStarted.engineFlags` all of those known when it began; for a run that began before there was a flag,
 * `WorkflowTaskCompleted.engineFlags` of the first live step that asked for it. Replay goes by what is recorded and by nothing else: without a
 * flag the earlier rule holds. Bits are persisted: never given to another rule, never taken away.
 */
import type { WorkflowEvent } from '../mailbox/events.js';
import { HistoryTooNewError } from '../runtime/errors.js';

export const EngineFlag = {
  /**
   * Since 0.2.0. Steps go as activations do in Temporal's TypeScript SDK under its flags 1 and 2: in a merged step conditions are examined after
   * each message; handlers, conditions, scopes and the end of main take as many microtasks; cancellation reaches what is awaited scope by
   * scope, and activities and children once everything else has come to rest; numbers of timers and activities are used up also where
   * nothing is begun; commands made after the end is computed count; a condition that throws breaks its step.
   */
  TemporalActivations: 1,
  /**
   * Since 0.2.0. `workflowInfo().historyLength` is that of the history in Temporal's form, through the start of the step's workflow task, and
   * `historySize` includes what the step processes. Before, both told of the steps that had ended.
   */
  TemporalHistoryLength: 2,
  /**
   * Since 0.2.0. A local activity whose call is told of its cancellation before it has ended leaves a marker, as in Temporal's core. Before, it
   * left nothing.
   */
  LocalCancellationMarkers: 4,
  /**
   * Since 0.2.0. Values that do not arrive whole (what hides what it holds, more than 900 levels), and texts and names that are too long or hold
   * half a surrogate pair, are refused where workflow code passes them. Before, they were taken.
   */
  RefusedValues: 8,
} as const;
export type EngineFlag = (typeof EngineFlag)[keyof typeof EngineFlag];

/** All flags that this version knows, and by which new runs go. */
export const ENGINE_FLAGS: number = Object.values(EngineFlag).reduce((all, flag) => all | flag, 0);

/** Why a history cannot be replayed: it goes by rules that only a newer version knows. Undefined for nearly all. */
export function newerFlags(events: readonly WorkflowEvent[]): HistoryTooNewError | undefined {
  for (const event of events) {
    const flags = 'engineFlags' in event ? (event.engineFlags ?? 0) & ~ENGINE_FLAGS : 0;
    if (flags !== 0) return new HistoryTooNewError({ eventId: event.eventId, flags });
  }
  return undefined;
}

/** The rules of one run. */
export class EngineRules {
  #recorded = 0;
  #taken = 0;

  /** @param offered what a live step may take up */
  constructor(private readonly offered: number) {}

  /** Its history says so. */
  record(flags: number | undefined): void {
    if (flags !== undefined) this.#recorded |= flags;
  }

  /** @param live code of a step that is recorded runs for the first time: it may take the flag up */
  has(flag: EngineFlag, live: boolean): boolean {
    if ((this.#recorded & flag) !== 0) return true;
    if (!live || (this.offered & flag) === 0) return false;
    this.#recorded |= flag;
    this.#taken |= flag;
    return true;
  }

  /** What the step that ends has taken up, to be recorded with it; 0 for nearly all. */
  take(): number {
    const taken = this.#taken;
    this.#taken = 0;
    return taken;
  }
}
