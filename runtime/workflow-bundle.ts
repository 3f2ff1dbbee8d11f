/**
 * The bundle that a workflow file becomes, or was made into ahead of time.
 * Thread: embedding. In → out: what the options name → WorkflowBundle, and what it warns of.
 */
import type { WorkflowBundle } from '../actors/sandbox/bundle.js';
import { InvalidOptionError } from './errors.js';
import type { ResolvedInterceptors } from './interceptor-options.js';

export interface BundleSource {
  readonly workflows: string | URL | WorkflowBundle;
  /** URL of its module. */
  readonly payloadConverter: string | undefined;
  /** URL of the file. */
  readonly tsconfig: string | undefined;
  readonly interceptors: Pick<ResolvedInterceptors, 'workflowModules'>;
}

/** One line for each warning of the bundle: `/app/workflows.ts:3:5: …`. */
export function warningsOf({ warnings = [] }: WorkflowBundle): string[] {
  return warnings.map(
    ({ filename, line, column, text }) => `${filename}:${line}:${column}: ${text}. It is an error if this code runs`,
  );
}

/** @throws WorkflowBundleError, InvalidOptionError */
export async function bundleOf(source: BundleSource): Promise<WorkflowBundle> {
  const { workflows, payloadConverter, tsconfig } = source;
  const { workflowModules } = source.interceptors;
  if (typeof workflows !== 'string' && !(workflows instanceof URL)) {
    if (workflowModules.length > 0 && workflows.interceptors === undefined) {
      const reason = 'the workflow bundle was made without them. Make the bundle with the same interceptors';
      throw new InvalidOptionError({ option: 'interceptors.workflowModules', reason });
    }
    if ((payloadConverter === undefined) === (workflows.payloadConverter === undefined)) return workflows;
    const reason =
      payloadConverter === undefined
        ? 'it is missing: the workflow bundle was made with one. Give the same here'
        : 'the workflow bundle was made without it. Make the bundle with the same payloadConverter';
    throw new InvalidOptionError({ option: 'payloadConverter', reason });
  }
  // Not before it is needed: a bundle made ahead of time does without the bundler and its dependencies.
  const { bundleWorkflows } = await import('./bundler/bundle-workflows.js');
  return bundleWorkflows(workflows, { payloadConverter, interceptors: workflowModules, tsconfig });
}
