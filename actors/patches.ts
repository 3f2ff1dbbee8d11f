/**
 * Patches: which changes of its code a run has taken up, as its history or its live steps have decided.
 * Thread: worker. In → out: patch id → whether the run goes the new way; the first time, a marker.
 */
import type { WorkflowEvent } from '../mailbox/events.js';
import { NotAvailableInWorkflowError } from '../runtime/errors.js';
import type { Outbox } from './outbox.js';

/** What asks: a live step, one that is replayed, or something that only reads. */
export type Asking = 'live' | 'replaying' | 'query' | 'validator';

export class Patches {
  /** With a marker in the steps so far. */
  readonly #known = new Set<string>();
  /** Markers of the step being replayed that the code has not asked for: it may no longer, once they are deprecated. */
  readonly #unasked = new Set<string>();

  /** A step of a replay begins. Markers of later steps are not known yet: live, they were not there either. */
  recorded(events: readonly WorkflowEvent[]): void {
    this.#unasked.clear();
    for (const event of events) {
      if (event.eventType !== 'MarkerRecorded' || event.marker.kind !== 'patch') continue;
      this.#known.add(event.marker.patchId);
      this.#unasked.add(event.marker.patchId);
    }
  }

  /** Recorded by the step that ends and not asked for by its code. */
  get unasked(): number {
    return this.#unasked.size;
  }

  /**
   * Only a yes is kept: a run that goes the old way while it is replayed may go the new way in its next live step. A query is told of the way
   * so far, and neither it nor a validator decides anything.
   */
  has(patchId: string, asking: Asking, outbox: Outbox, deprecated: boolean): boolean {
    if (this.#known.has(patchId)) {
      // The command belongs where the marker stands: asked for later, it has been made already.
      if (asking === 'replaying' && this.#unasked.delete(patchId)) push(outbox, patchId, deprecated);
      return true;
    }
    // A validator runs just before a live step, and only there.
    if (asking !== 'live') return asking === 'validator';
    this.#known.add(patchId);
    push(outbox, patchId, deprecated);
    return true;
  }
}

function push(outbox: Outbox, patchId: string, deprecated: boolean): void {
  outbox.push(deprecated ? { kind: 'recordPatch', patchId, deprecated } : { kind: 'recordPatch', patchId });
}

/** Whether a step records any: most do not, and need nothing of this. */
export function recordsPatch(events: readonly WorkflowEvent[]): boolean {
  return events.some((event) => event.eventType === 'MarkerRecorded' && event.marker.kind === 'patch');
}

/** @throws NotAvailableInWorkflowError: what a module decides as it is loaded stands in no step */
export function assertStepping(isStepping: boolean): void {
  if (isStepping) return;
  throw new NotAvailableInWorkflowError({
    name: 'patched() at the top level of a module',
    hint: 'ask in the workflow function or in a handler, where the answer can be recorded',
  });
}
