/**
 * A runtime for tests: all of the real one but the disk.
 * Thread: the test's. In → out: options without a store → Runtime.
 */
import type { RuntimeOptions } from '../options.js';
import { Runtime } from '../runtime.js';

export type TestRuntimeOptions = Omit<RuntimeOptions, 'store' | 'durability'>;

/** The options of a runtime whose store is memory, with one worker unless they say otherwise. */
export function inMemory(options: TestRuntimeOptions): RuntimeOptions {
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
export function createTestRuntime(options: TestRuntimeOptions): Promise<Runtime> {
  return Runtime.create(inMemory({ logger: 'silent', ...options }));
}
