/**
 * The process in which Temporal's core replays: apart, for it listens to the whole process, and a history may keep it for ever.
 * Thread: its own process's. In → out: histories by message → verdicts by message, in their order.
 */

import { fileURLToPath } from 'node:url';
import { type HistoryForTemporal, replayAtTemporal } from '../../testing/temporal/replay.js';

export interface ToldVerdict {
  /** Absent: accepted. */
  readonly refused?: { readonly name: string; readonly message: string; readonly activations?: readonly string[] };
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

let activations: string[] = [];
const observation = {
  workflowModules: [fileURLToPath(new URL('./observed-commands.test-kit.js', import.meta.url))],
  sinks: {
    observed: {
      activation: {
        callDuringReplay: true,
        fn: (_info: unknown, jobs: string[], commands: string[]) => {
          activations.push(`${jobs.join(', ')} → ${commands.join(', ')}`);
        },
      },
    },
  },
};

for await (const { error } of replayAtTemporal(folder, workflows, received(), observation)) {
  const verdict: ToldVerdict =
    error === undefined ? {} : { refused: { name: error.name, message: error.message, activations } };
  process.send!(verdict);
  activations = [];
}
