/**
 * The activities of the campaign. Each attempt tells before it does anything, and before it returns.
 * Thread: main of the child process. In → out: part → a text that names the attempt; lines.
 */
import { activityInfo, cancellationSignal, heartbeat } from 'holdfast/activity';
import { ApplicationFailure } from '../../runtime/index.js';
import type { Line } from './protocol.js';

const CHUNK_MS = 15;

export function activitiesOf(tell: (line: Line) => void) {
  const begun = (part: string, resumed?: number) => {
    const { idempotencyKey: key, attempt, isLocal } = activityInfo();
    tell({ line: 'began', part, key, attempt, isLocal, ...(resumed === undefined ? {} : { resumed }) });
    return (): string => {
      const value = `${key} by attempt ${attempt}`;
      tell({ line: 'returned', part, value });
      return value;
    };
  };
  const charge = async (part: string, fails: number): Promise<string> => {
    const returned = begun(part);
    if (activityInfo().attempt <= fails) throw ApplicationFailure.retryable('not yet');
    return returned();
  };
  return {
    charge,
    look: charge,
    async crunch(part: string, chunks: number): Promise<string> {
      const details = activityInfo().heartbeatDetails as number | undefined;
      const returned = begun(part, details ?? 0);
      for (let done = details ?? 0; done < chunks; done++) {
        await new Promise((resolve) => setTimeout(resolve, CHUNK_MS));
        if (cancellationSignal().aborted) break;
        tell({ line: 'beat', part, done: done + 1 });
        heartbeat(done + 1);
      }
      return returned();
    },
  };
}
