/**
 * The command that lists runs: `holdfast list <store> [query]`.
 * Thread: main. In → out: a store and a list filter → a line for each run, and how many there are.
 */
import type { PageToken } from '../client/control.js';
import type { Disk } from '../store/log/disk.js';
import type { Processes } from '../store/log/owner.js';
import { Listing } from '../supervisor/listing/listing.js';
import type { Run } from '../supervisor/runs/run.js';
import type { Outcome } from './commands.js';
import { withStore } from './opened-store.js';

const PAGE = 1000;

/** @throws InvalidListFilterError, and what opening the store throws */
export function listRuns(disk: Disk, processes: Processes, query: string): Promise<Outcome> {
  return withStore(disk, processes, async (_, index) => {
    const listing = new Listing(index, setImmediate);
    const lines: string[] = [];
    let after: PageToken | undefined;
    do {
      const page = await listing.page(query, PAGE, after, (chunk, at) => lineOf(chunk.runs[at]!));
      lines.push(...page.rows);
      after = page.next;
    } while (after !== undefined);
    return { lines: [...lines, `${lines.length} runs`], exitCode: 0 };
  });
}

/** Ids as JSON has them if they hold what would spoil the columns. */
function lineOf({ workflowId, runId, workflowType, status, startTime, closeTime, open }: Run): string {
  const times = [startTime, ...(open ? [] : [closeTime])].map((time) => new Date(time).toISOString());
  const [id, type] = [workflowId, workflowType].map((text) =>
    /^[\w.:/@-]+$/.test(text) ? text : JSON.stringify(text),
  );
  return [id, runId, type, status, ...times].join('  ');
}
