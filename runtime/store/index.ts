/**
 * The stores, and how one is made from configuration.
 * Thread: supervisor. In → out: StoreConfig in, a Store (not yet open) out.
 */
import type { StoreConfig } from '../supervisor/config.js';
import { nodeDisk } from './log/disk.js';
import { releaseAbandonedLock } from './log/lock.js';
import { LogStore } from './log/log-store.js';
import { MemoryStore } from './memory-store.js';
import type { Store } from './store.js';

export function createStore(config: StoreConfig): Store {
  return config.kind === 'log' ? new LogStore(config) : new MemoryStore(config);
}

/** Embedding thread, once the supervisor thread that had the store open has ended without closing it. */
export async function releaseStore(config: StoreConfig): Promise<void> {
  if (config.kind === 'log') await releaseAbandonedLock(nodeDisk(config.path));
}

export { nodeDisk } from './log/disk.js';
export { releaseAbandonedLock } from './log/lock.js';
export { LogStore, type LogStoreOptions } from './log/log-store.js';
export { MemoryStore } from './memory-store.js';
export type { Durability, Frame, NoteName, Store, StoreOpened, StoreReader } from './store.js';
