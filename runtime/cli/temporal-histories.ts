/**
 * `holdfast replay --temporal`: saved histories against a workflow file, by Temporal's own core.
 * Thread: main. In → out: arguments → lines and an exit code. Needs `@temporalio/worker`, which the user installs.
 */
import { dirname, resolve } from 'node:path';
import { historyFromJSON, storedHistoryOf } from '../client/saved-history.js';
import { HistoryNotPortableError } from '../errors.js';
import { toTemporalHistory } from '../testing/temporal/history.js';
import { type HistoryForTemporal, replayAtTemporal, toldBy } from '../testing/temporal/replay.js';
import type { Outcome } from './commands.js';
import { readHistories } from './histories.js';

/** @throws TemporalWorkerMissingError if it cannot be loaded from the folder of the workflow file */
export async function replayFilesAtTemporal(workflows: string, files: readonly string[]): Promise<Outcome> {
  const path = resolve(workflows);
  const { readable, errors } = await readHistories(files);
  const lines: string[] = [];
  let exitCode: Outcome['exitCode'] = errors.length > 0 ? 2 : 0;
  const written: (HistoryForTemporal & { readonly file: string })[] = [];
  for (const { file, text } of readable) {
    try {
      const { workflowId } = storedHistoryOf(text);
      written.push({ file, workflowId, history: toTemporalHistory(historyFromJSON(text)) });
    } catch (error) {
      if (!(error instanceof HistoryNotPortableError)) throw error;
      errors.push(`${file}: ${error.message}`);
      exitCode = 2;
    }
  }
  const all = async function* () {
    yield* written;
  };
  let next = 0;
  for await (const { workflowId, error } of replayAtTemporal(dirname(path), path, all())) {
    const { file } = written[next++]!;
    lines.push(error === undefined ? `${file}: fits (workflow '${workflowId}')` : `${file}: ${toldBy(error.message)}`);
    if (error !== undefined && exitCode === 0) exitCode = 1;
  }
  return { lines, errors, exitCode };
}
