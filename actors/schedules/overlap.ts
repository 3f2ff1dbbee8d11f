/**
 * Overlap: which of the wanted actions are taken now, given what still runs.
 * Thread: worker. In → out: wanted and running actions → those to take, those that stay wanted, what becomes of those that run.
 */
import type { OverlapPolicy, RunningAction, WantedAction } from './schedule-record.js';

export interface Decision {
  /** In order; `alongside` ones are in nobody's way. */
  readonly take: readonly { readonly action: WantedAction; readonly alongside: boolean }[];
  /** They wait for what runs to end. */
  readonly keep: readonly WantedAction[];
  readonly skipped: number;
  /** What is to be done to those that run, if anything. */
  readonly end: 'cancel' | 'terminate' | undefined;
}

/** @param policy of those that have none of their own */
export function decide(
  wanted: readonly WantedAction[],
  running: readonly RunningAction[],
  policy: OverlapPolicy,
): Decision {
  const take: { action: WantedAction; alongside: boolean }[] = [];
  let keep: WantedAction[] = [];
  let skipped = 0;
  let end: Decision['end'];
  let busy = running.some(({ alongside }) => alongside !== true);
  const overlapOf = (action: WantedAction) => action.overlap ?? policy;
  for (const action of wanted) {
    const overlap = overlapOf(action);
    if (overlap === 'ALLOW_ALL') {
      take.push({ action, alongside: true });
      continue;
    }
    if (!busy) {
      take.push({ action, alongside: false });
      busy = true;
      continue;
    }
    switch (overlap) {
      case 'SKIP':
        skipped++;
        break;
      case 'BUFFER_ONE':
        if (keep.some((other) => overlapOf(other) === 'BUFFER_ONE')) skipped++;
        else keep.push(action);
        break;
      case 'BUFFER_ALL':
        keep.push(action);
        break;
      case 'CANCEL_OTHER':
      case 'TERMINATE_OTHER': {
        // It would end at once whatever waits to end the same run.
        const others = keep.filter((other) => !ENDS_OTHERS.has(overlapOf(other)));
        skipped += keep.length - others.length;
        keep = [...others, action];
        if (end !== 'terminate') end = overlap === 'CANCEL_OTHER' ? 'cancel' : 'terminate';
      }
    }
  }
  return { take, keep, skipped, end };
}

const ENDS_OTHERS: ReadonlySet<OverlapPolicy> = new Set<OverlapPolicy>(['CANCEL_OTHER', 'TERMINATE_OTHER']);
