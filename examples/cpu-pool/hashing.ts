/**
 * Computing: a chain of hashes, and the search for a number. Every thread of the pool has this module.
 * Thread: pool. In → out: text → digest, after many rounds.
 */
import { createHash } from 'node:crypto';
import { activityInfo, cancellationSignal, heartbeat } from 'holdfast/activity';

export interface Progress {
  round: number;
  digest: string;
}

export interface Sealed {
  digest: string;
  /** The round at which the last attempt took over. */
  from: number;
}

const ROUNDS_A_HEARTBEAT = 2_000;

/** Awaits nothing. It goes on where an earlier attempt last said that it was, and hears of its cancellation at each heartbeat. */
export function chain(text: string, rounds: number): Sealed {
  const before: Progress | undefined = activityInfo().heartbeatDetails;
  const from = before?.round ?? 0;
  let digest = before?.digest ?? text;
  for (let round = from + 1; round <= rounds; round++) {
    digest = createHash('sha256').update(digest).digest('hex');
    if (round % ROUNDS_A_HEARTBEAT !== 0) continue;
    heartbeat({ round, digest } satisfies Progress);
    cancellationSignal().throwIfAborted();
  }
  return { digest, from };
}

/** Says that it has begun, and hears of nothing from then on: only the end of its thread ends it before it has found one. */
export function search(prefix: string): number {
  heartbeat('searching');
  for (let number = 0; ; number++) {
    if (createHash('sha256').update(`${number}`).digest('hex').startsWith(prefix)) return number;
  }
}
