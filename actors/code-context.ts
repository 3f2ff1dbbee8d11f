/**
 * The code context: in which cancellation scope and which update code runs, also beyond its awaits.
 * Thread: worker. In → out: scope or update around a function → what is current inside it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Scope } from './scopes.js';

export interface UpdateInfoRecord {
  readonly id: string;
  readonly name: string;
}

interface CodeContext {
  /** Undefined in the root scope. */
  readonly scope: Scope | undefined;
  readonly update: UpdateInfoRecord | undefined;
}

/** Made when first needed: on Node 20 a context in use slows every `await` of its thread. What began before has none, and needs none. */
let storage: AsyncLocalStorage<CodeContext> | undefined;

/** For `currentUpdateInfo`, which asks about handlers that began long before: once, before any step, if workflow code mentions it. */
export function enableCodeContext(): void {
  storage ??= new AsyncLocalStorage();
}

/** @param scope undefined for the root scope */
export function inScope<T>(scope: Scope | undefined, run: () => T): T {
  if (scope === undefined && storage === undefined) return run();
  storage ??= new AsyncLocalStorage();
  return storage.run({ scope, update: storage.getStore()?.update }, run);
}

/** An update's handler stays in the scope of whoever hands it the message; a signal's is in no update. */
export function inUpdate<T>(update: UpdateInfoRecord | undefined, run: () => T): T {
  const context = storage?.getStore();
  if (storage === undefined || context?.update === update) return run();
  return storage.run({ scope: context?.scope, update }, run);
}

/** Undefined in the root scope. */
export function currentScope(): Scope | undefined {
  return storage?.getStore()?.scope;
}

export function currentUpdate(): UpdateInfoRecord | undefined {
  return storage?.getStore()?.update;
}
