/**
 * What is awaited, and what the cancellation of one scope looks at of it.
 * Thread: test. In → out: scopes in which something is awaited, one of them cancelled → what is told, and which scopes are asked.
 */
import { expect, test } from 'vitest';
import { ENGINE_FLAGS } from './engine-flags.js';
import { Execution } from './execution.js';
import { InnerScope, type Scope } from './scopes.js';

/** An execution in its first step. */
function begun(): Execution {
  const info = { runId: 'r', workflowId: 'w', workflowType: 'main', firstRunId: 'r', startTime: 0 };
  const execution = new Execution(info, () => new Promise(() => undefined), {
    log: () => undefined,
    encode: () => new Uint8Array(),
    explain: (thrown) => thrown,
    failureTypeNames: [],
  });
  execution.begin([{ kind: 'start', seq: 1, time: 0, input: [], engineFlags: ENGINE_FLAGS }], undefined);
  return execution;
}

const drained = () => new Promise((resolve) => setImmediate(resolve));

test('who cancels a scope asks no scope outside of it', async () => {
  const execution = begun();
  const { pending } = execution;
  let asked = 0;
  const others: Scope[] = Array.from({ length: 100 }, () => ({
    parent: execution,
    order: pending.nextOrder(),
    get cancellation() {
      asked++;
      return undefined;
    },
  }));
  for (const scope of others) pending.onCancelled(() => undefined, scope);
  const scope = new InnerScope(execution, pending.nextOrder());
  const told: string[] = [];
  pending.onCancelled(({ message }) => told.push(message), scope);
  scope.cancel();
  pending.cancelled(scope);
  await drained();
  expect(told).toEqual(['Cancellation scope cancelled']);
  expect(asked).toBe(0);
});

test('a scope reaches what is awaited in scopes inside it, whatever has ended in those between, and who watches them', async () => {
  const execution = begun();
  const { pending } = execution;
  const outer = new InnerScope(execution, pending.nextOrder());
  const middle = new InnerScope(outer, pending.nextOrder());
  const inner = new InnerScope(middle, pending.nextOrder());
  const beside = new InnerScope(execution, pending.nextOrder());
  const told: string[] = [];
  const awaits = (name: string, scope: Scope) => pending.onCancelled(() => told.push(name), scope);
  awaits('beside', beside);
  awaits('innermost', inner);
  awaits('between', middle)();
  awaits('ended', inner)();
  awaits('outermost', outer);
  const watched = inner;
  awaits('watch', {
    watches: watched,
    get cancellation() {
      return watched.cancellation;
    },
  });
  outer.cancel();
  pending.cancelled(outer);
  await drained();
  expect(told).toEqual(['outermost', 'watch', 'innermost']);
  await drained();
  execution.cancelRoot('Workflow cancelled');
  await drained();
  expect(told.slice(3)).toEqual(['beside']);
});
