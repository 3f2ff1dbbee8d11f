/**
 * Remembered ids: updates with ids on open runs, then some of the ids once more.
 * Thread: main. In → out: settings → memory in each quarter, and whether ids that were sent again met their outcomes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime } from '../../runtime/index.js';
import { driveOperations } from '../drive.js';
import { startMany } from '../workloads.js';
import { counting, take } from './workflows.js';

export interface RememberedSettings {
  readonly updates: number;
  readonly runs: number;
  readonly callers: number;
}

export interface RememberedResult {
  readonly quarters: readonly { readonly rssBytes: number; readonly updatesPerSecond: number }[];
  readonly sentAgain: number;
  readonly metOutcome: number;
}

/** Sent again at the end. */
const AGAIN = 200;
/** Samples of the resident set in each quarter, of which the middle one counts: a garbage collection moves single ones by more than ids do. */
const SAMPLES = 25;

export async function remember({ updates, runs, callers }: RememberedSettings): Promise<RememberedResult> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-ids-'));
  const runtime = await Runtime.create({
    workflows: new URL('../../../bench/remembered-ids/workflows.ts', import.meta.url),
    store: join(directory, 'store'),
    logger: 'error',
    limits: { historyEvents: 4 * Math.ceil(updates / runs) + 100, historyBytes: 2 ** 40 },
  });
  try {
    const { workflow } = runtime.client;
    await startMany((n) => workflow.start(counting, { workflowId: `run ${n}` }), runs);
    const send = (n: number) => workflow.getHandle(`run ${n % runs}`).executeUpdate(take, { updateId: `update ${n}` });
    const every = Math.max(1, Math.floor(updates / AGAIN));
    const outcomes = new Map<number, number>();
    const quarter = Math.ceil(updates / 4);
    const quarters: { rssBytes: number; updatesPerSecond: number }[] = [];
    for (let from = 0; from < updates; from += quarter) {
      const part = Math.min(quarter, updates - from);
      const samples: number[] = [];
      const operation = async (n: number) => {
        const outcome = await send(from + n);
        if ((from + n) % every === 0) outcomes.set(from + n, outcome);
        if (n % Math.ceil(part / SAMPLES) === 0) samples.push(process.memoryUsage.rss());
      };
      const { elapsedMs } = await driveOperations(operation, callers, part);
      const middle = samples.sort((a, b) => a - b)[samples.length >> 1]!;
      quarters.push({ rssBytes: middle, updatesPerSecond: (part * 1000) / elapsedMs });
    }
    let metOutcome = 0;
    for (const [n, outcome] of outcomes) if ((await send(n)) === outcome) metOutcome++;
    return { quarters, sentAgain: outcomes.size, metOutcome };
  } finally {
    await runtime.shutdown();
    await rm(directory, { recursive: true });
  }
}
