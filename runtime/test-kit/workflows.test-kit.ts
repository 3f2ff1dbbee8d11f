/**
 * Workflows that several test files use.
 * Thread: stepped in the test's. In → out: signals and updates → what queries and results show of them.
 */
import { currentExecution } from '../../actors/current.js';
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';

export const add = defineSignal<[entry: string]>('add');
export const finish = defineSignal('finish');
export const entries = defineQuery<string[]>('entries');
export const append = defineUpdate<number, [entry: string]>('append');
export const appendLater = defineUpdate<number, [entry: string, ms: number]>('appendLater');

/** Writes down what comes, in the order in which it comes; ends with all of it once told to finish. */
export async function ledger(): Promise<string[]> {
  const log: string[] = [];
  let finished = false;
  setHandler(add, (entry) => {
    log.push(entry);
  });
  setHandler(finish, () => {
    finished = true;
  });
  setHandler(entries, () => log);
  setHandler(append, (entry) => log.push(entry), {
    validator: (entry) => {
      if (entry === '') throw ApplicationFailure.nonRetryable('nothing to append', 'Empty');
    },
  });
  setHandler(appendLater, async (entry, ms) => {
    await sleep(ms);
    return log.push(entry);
  });
  await condition(() => finished);
  return log;
}

/** The workflow's `Date.now()`, which in a worker the sandbox provides. */
export function workflowTime(): number {
  return currentExecution().now;
}
