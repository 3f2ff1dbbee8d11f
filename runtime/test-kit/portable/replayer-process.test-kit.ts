/**
 * The process in which Temporal's core replays: apart, for it listens to the whole process, and a history may keep it for ever.
 * Thread: its own process's. In → out: histories by message → verdicts by message, in their order.
 */

import type { HistoryForTemporal } from '../../testing/temporal-replay.js';
import { replayAtTemporal } from '../../testing/temporal-replay.js';

export interface ToldVerdict {
  /** Absent: accepted. */
  readonly refused?: { readonly name: string; readonly message: string };
}

const [folder, workflows] = process.argv.slice(2) as [string, string];

async function* received(): AsyncGenerator<HistoryForTemporal> {
  const queue: HistoryForTemporal[] = [];
  let more = () => {};
  process.on('message', (history: HistoryForTemporal) => {
    queue.push(history);
    more();
  });
  process.send!('ready');
  for (;;) {
    const next = queue.shift();
    if (next !== undefined) yield next;
    else
      await new Promise<void>((resolve) => {
        more = resolve;
      });
  }
}

for await (const { error } of replayAtTemporal(folder, workflows, received())) {
  const verdict: ToldVerdict = error === undefined ? {} : { refused: { name: error.name, message: error.message } };
  process.send!(verdict);
}
