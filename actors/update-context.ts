/**
 * The update context: which update the code runs in, also beyond its handler's first await.
 * Thread: worker. In → out: update info around a handler.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface UpdateInfoRecord {
  readonly id: string;
  readonly name: string;
}

let storage: AsyncLocalStorage<UpdateInfoRecord> | undefined;

/** Once, before any step, and only if workflow code asks: on Node 20 a context in use slows every `await` of its thread. */
export function enableUpdateContext(): void {
  storage ??= new AsyncLocalStorage();
}

export function inUpdate<T>(info: UpdateInfoRecord, run: () => T): T {
  return storage === undefined ? run() : storage.run(info, run);
}

export function updateInfo(): UpdateInfoRecord | undefined {
  return storage?.getStore();
}
