/**
 * A batch with a sliding window: a child workflow for each record, never more than the window at once, over as many runs as it takes.
 * Thread: worker (the definitions also where clients are). In → out: a table of any length → each record processed, or listed as failed.
 */
import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  proxyActivities,
  setHandler,
  startChild,
  workflowInfo,
} from 'holdfast/workflow';
import type { activitiesOf, Sale } from './activities.js';

export interface Batch {
  pageSize: number;
  /** Children at once. 0 pauses the batch. */
  window: number;
  /** A run continues as new after so many records, or when its history is long. */
  recordsPerRun: number;
  /** Where the table is read next: not given by callers, but by one run to the next. */
  offset?: number;
  /** Ids of records whose child is still at work. */
  underWay?: string[];
  done?: number;
  failed?: string[];
}

export interface Progress {
  done: number;
  failed: string[];
  underWay: number;
}

export const getProgress = defineQuery<Progress>('getProgress');
/** Resolves to the window before. */
export const setWindow = defineUpdate<number, [children: number]>('setWindow');
/** A child says that it is through with its record. */
const finished = defineSignal<[id: string, ok: boolean]>('finished');

const { readPage, processSale } = proxyActivities<ReturnType<typeof activitiesOf>>({
  startToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 3, initialInterval: '10 ms' },
});

export async function batch({ pageSize, window, recordsPerRun, ...state }: Batch): Promise<Progress> {
  let { offset = 0, done = 0 } = state;
  const failed = [...(state.failed ?? [])];
  const underWay = new Set(state.underWay);
  const progress = (): Progress => ({ done, failed, underWay: underWay.size });

  setHandler(getProgress, progress);
  setHandler(
    setWindow,
    (children) => {
      const before = window;
      window = children;
      return before;
    },
    {
      validator: (children) => {
        if (!Number.isInteger(children) || children < 0) throw new RangeError('a window is a whole number from 0');
      },
    },
  );
  setHandler(finished, (id, ok) => {
    if (!underWay.delete(id)) return; // Said twice.
    if (ok) done += 1;
    else failed.push(id);
  });

  const end = offset + recordsPerRun;
  for (let page = await readPage(offset, pageSize); page.length > 0; page = await readPage(offset, pageSize)) {
    for (const sale of page) {
      // The window moves on as soon as any child is through, not when the slowest of some group is.
      await condition(() => underWay.size < window);
      underWay.add(sale.id);
      await startChild(processRecord, {
        args: [sale],
        workflowId: `${workflowInfo().workflowId}/${sale.id}`,
        // The child belongs to the batch, not to this run of it: it goes on when the next run takes over.
        parentClosePolicy: ParentClosePolicy.ABANDON,
      });
      offset += 1;
    }
    if (offset >= end || workflowInfo().continueAsNewSuggested) {
      // What children say at this very moment is not lost: signals that wait move on to the next run.
      const next = { pageSize, window, recordsPerRun, offset, underWay: [...underWay], done, failed };
      await continueAsNew<typeof batch>(next);
    }
  }
  await condition(() => underWay.size === 0);
  return progress();
}

export async function processRecord(sale: Sale): Promise<void> {
  let ok = false;
  try {
    await processSale(sale);
    ok = true;
  } finally {
    const { workflowId } = workflowInfo().parent!; // Only batches start it.
    await getExternalWorkflowHandle(workflowId).signal(finished, sale.id, ok);
  }
}
