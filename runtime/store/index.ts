/**
 * The stores, and how one is made from configuration.
 * Thread: supervisor. In → out: StoreConfig in, a Store (not yet open) out.
 */
import type { HoldfastError } from '../errors.js';
import { StoreLockedError } from '../errors.js';
import type { StoreConfig } from '../supervisor/config.js';
import { codeOf, nodeDisk } from './log/disk.js';
import { locksOf, releaseAbandonedLock } from './log/lock.js';
import { LogStore } from './log/log-store.js';
import { systemProcesses } from './log/owner.js';
import { MemoryStore } from './memory-store.js';
import type { Store } from './store.js';

/** `onLost`: called when it turns out, with no call under way, that the store has another owner, or is gone. */
export function createStore(config: StoreConfig, onLost: (error: HoldfastError) => void): Store {
  return config.kind === 'log' ? new LogStore({ ...config, onLost }) : new MemoryStore(config);
}

/** Embedding thread, once the supervisor thread that had the store open has ended without closing it. */
export async function releaseStore(config: StoreConfig, nonce: string): Promise<void> {
  if (config.kind !== 'log') return;
  try {
    await releaseAbandonedLock(nodeDisk(config.path), nonce);
  } catch (error) {
    // What is wrong with the folder has been told, or the next opening tells it.
    if (codeOf(error) === undefined) throw error;
  }
}

/**
 * Embedding thread. Refuses at once what waiting does not help: this process has the store open, and is not about to end that.
 * @param ending the nonces of openings that are
 * @throws StoreLockedError
 */
export async function refuseIfOpenHere(config: StoreConfig, ending: ReadonlySet<string>): Promise<void> {
  if (config.kind !== 'log') return;
  const disk = nodeDisk(config.path);
  // What is wrong with the folder, opening it says.
  const nonces = await locksOf(disk, systemProcesses).catch((error: unknown) => {
    if (codeOf(error) === undefined) throw error;
    return [];
  });
  if (nonces.every((nonce) => ending.has(nonce))) return;
  throw new StoreLockedError({ path: config.path, pid: process.pid, where: 'this process' });
}

export { newNonce } from './log/owner.js';
export type { Durability, Frame, NoteName, Store, StoreOpened, StoreReader } from './store.js';
