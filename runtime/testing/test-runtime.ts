/**
 * A runtime for tests: all of the real one but the disk.
 * Thread: the test's. In → out: options without a store → Runtime.
 */
import { InvalidOptionError } from '../errors.js';
import { checkObject } from '../option-checks.js';
import type { RuntimeOptions } from '../options.js';
import { Runtime } from '../runtime.js';

export type TestRuntimeOptions = Omit<RuntimeOptions, 'store' | 'durability'>;

/**
 * The options of a runtime whose store is memory, with one worker unless they say otherwise.
 * @throws InvalidOptionError for a store
 */
export function inMemory(options: TestRuntimeOptions): RuntimeOptions {
  checkObject('options', options);
  for (const option of ['store', 'durability']) {
    const reason = 'leave it out: in tests the store is memory. Runtime.create has one on the disk';
    if (option in options) throw new InvalidOptionError({ option, reason });
  }
  return { workers: 1, ...options, store: { memory: true } };
}

/**
 * A runtime whose store is memory: nothing to clean up, nothing shared between tests, and gone with `shutdown`. One worker and no log
 * unless the options say otherwise.
 * @throws what `Runtime.create` throws
 * @example
 * await using runtime = await createTestRuntime({ workflows: new URL('./workflows.js', import.meta.url) });
 * expect(await runtime.client.workflow.execute(greet, { workflowId: 'g', args: ['Ada'] })).toBe('Hello, Ada');
 */
export async function createTestRuntime(options: TestRuntimeOptions): Promise<Runtime> {
  return await Runtime.create(inMemory({ logger: 'silent', ...options }));
}
