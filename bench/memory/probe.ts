/**
 * The probe: preloaded (`--import`) into every thread of the measured process, so that each can be told to collect its garbage and say how
 * much it holds. A heap belongs to one thread: no thread can see another's.
 * Thread: every. In → out: a broadcast → bytes.
 */
import { getHeapStatistics } from 'node:v8';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import { ASK, CHANNEL, type ThreadBytes } from './protocol.js';

/** Collects until nothing more is let go: what one collection finds dead may free buffers only in the next. */
export async function heldBytes(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc!(); // The process runs with --expose-gc.
    await new Promise(setImmediate);
  }
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

if (!isMainThread) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.unref();
  channel.onmessage = async (event) => {
    if ((event as { data: unknown }).data !== ASK) return;
    channel.postMessage({ bytes: await heldBytes() } satisfies ThreadBytes);
  };
}
