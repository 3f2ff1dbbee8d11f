/**
 * What all threads of this process hold together, once nothing moves.
 * Thread: main of the measured process. In → out: runtime at rest → bytes.
 */
import { BroadcastChannel } from 'node:worker_threads';
import type { Runtime } from '../../runtime/index.js';
import { heldBytes } from './probe.js';
import { ASK, CHANNEL, type ThreadBytes } from './protocol.js';

const SETTLES_WITHIN_MS = 30_000;

const STEADY = 0.005;
const LOOKS = 20;
const BETWEEN_MS = 250;

/** Of this thread and `others`, each of which has the probe; once it no longer falls, as it does when a checkpoint is written to its end. */
export async function allBytes(others: number): Promise<number> {
  let lowest = await heldByAll(others);
  for (let look = 0; look < LOOKS; look++) {
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    const now = await heldByAll(others);
    if (now > lowest * (1 - STEADY)) return Math.min(now, lowest);
    lowest = now;
  }
  return lowest;
}

async function heldByAll(others: number): Promise<number> {
  const channel = new BroadcastChannel(CHANNEL);
  const sum = new Promise<number>((resolve) => {
    let missing = others;
    let sum = 0;
    channel.onmessage = (event) => {
      const { bytes } = (event as { data: ThreadBytes }).data;
      sum += bytes;
      if (--missing === 0) resolve(sum);
    };
    channel.postMessage(ASK);
  });
  const all = (await sum) + (await heldBytes());
  channel.close();
  return all;
}

/** Until nothing moves and no more runs are resident than may be. */
export async function settle(runtime: Runtime, maxResident: number): Promise<void> {
  const end = performance.now() + SETTLES_WITHIN_MS;
  for (;;) {
    const stats = await runtime.stats();
    const { waitingMessages, turnsInFlight, residentRuns } = stats;
    if (waitingMessages === 0 && turnsInFlight === 0 && residentRuns <= maxResident) return;
    if (performance.now() > end) throw new Error(`The runtime does not settle: ${JSON.stringify(stats)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
