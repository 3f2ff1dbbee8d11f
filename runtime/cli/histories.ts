/**
 * The commands about histories: one run's out of a store, and saved ones against today's code.
 * Thread: main. In → out: arguments → lines and an exit code.
 */
import { readFile } from 'node:fs/promises';
import { eventsOf } from '../client/history.js';
import { historyToJSON, storedHistoryOf, withStored } from '../client/saved-history.js';
import { HistoryFormatError, WorkflowNotFoundError } from '../errors.js';
import type { Disk } from '../store/log/disk.js';
import type { Processes } from '../store/log/owner.js';
import { runReplayHistories } from '../testing/replay-histories.js';
import { bundleOf, warningsOf } from '../workflow-bundle.js';
import { impossible, type Outcome } from './commands.js';
import { withStore } from './opened-store.js';

/** Opens the store, which no runtime may have open meanwhile. */
export function printHistory(
  disk: Disk,
  processes: Processes,
  workflowId: string,
  runId: string | undefined,
): Promise<Outcome> {
  return withStore(disk, processes, async (store, index) => {
    const run = index.find(workflowId, runId);
    if (run === undefined) {
      const error = new WorkflowNotFoundError({ workflowId, ...(runId === undefined ? {} : { runId }) });
      return impossible(error.message);
    }
    const frames = await store.readHistory(run.head);
    const events = eventsOf(frames.map(({ firstEventId, events }) => [firstEventId, events]));
    const history = withStored({ events: [] }, { workflowId, runId: run.runId, events });
    return { lines: [historyToJSON(history).trimEnd()], exitCode: 0 };
  });
}

/** Saved histories, and an error for each file that is none. */
export interface ReadFiles {
  readonly readable: readonly { readonly file: string; readonly text: string }[];
  readonly errors: string[];
}

export async function readHistories(files: readonly string[]): Promise<ReadFiles> {
  const errors: string[] = [];
  const readable: { readonly file: string; readonly text: string }[] = [];
  for (const file of files) {
    try {
      const text = await readFile(file, 'utf8');
      storedHistoryOf(text);
      readable.push({ file, text });
    } catch (error) {
      if (!(error instanceof HistoryFormatError || (error instanceof Error && 'code' in error))) throw error;
      errors.push(`${file}: ${error.message}`);
    }
  }
  return { readable, errors };
}

/** Every file, whatever the ones before were like. */
export async function replayFiles(workflows: string, files: readonly string[]): Promise<Outcome> {
  const bundle = await bundleOf({
    workflows,
    payloadConverter: undefined,
    tsconfig: undefined,
    interceptors: { workflowModules: [] },
  });
  const { readable, errors } = await readHistories(files);
  let exitCode: Outcome['exitCode'] = errors.length > 0 ? 2 : 0;
  const lines = warningsOf(bundle).map((warning) => `warning: ${warning}`);
  let next = 0;
  for await (const { workflowId, runId, error } of runReplayHistories(
    { workflows: bundle },
    readable.map(({ text }) => text),
  )) {
    const { file } = readable[next++]!;
    lines.push(
      error === undefined ? `${file}: fits (workflow '${workflowId}', run ${runId})` : `${file}: ${error.message}`,
    );
    if (error !== undefined && exitCode === 0) exitCode = 1;
  }
  return { lines, errors, exitCode };
}
