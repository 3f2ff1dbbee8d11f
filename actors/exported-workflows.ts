/**
 * The exports of a workflow file, seen as workflows: which types they run, and how each is called.
 * Thread: worker. In → out: exports and a workflow type → what to call with the start's arguments.
 */
import type { Payload } from '../mailbox/payload.js';
import { callWithPayloads } from '../mailbox/raw-args.js';

/** What a workflow file exports, by export name. */
export type Exports = Readonly<Record<string, unknown>>;

export type WorkflowFunction = (...args: never[]) => unknown;

/** Runs every type that no other export has. */
const DYNAMIC = 'default';

export interface ExportedTypes {
  readonly types: string[];
  /** Whether types beyond those are run too. */
  readonly dynamic: boolean;
}

export function exportedTypes(exports: Exports): ExportedTypes {
  const types = Object.keys(exports).filter((name) => typeof exports[name] === 'function');
  return { types: types.filter((name) => name !== DYNAMIC), dynamic: types.includes(DYNAMIC) };
}

/** Own exports only: a type is a caller's word, which must not reach what every object inherits. */
export function findWorkflow(exports: Exports, type: string): WorkflowFunction | undefined {
  const named = Object.hasOwn(exports, type) ? exports[type] : undefined;
  const found = typeof named === 'function' || !Object.hasOwn(exports, DYNAMIC) ? named : exports[DYNAMIC];
  return typeof found === 'function' ? (found as WorkflowFunction) : undefined;
}

/** Calls the workflow with the arguments of its start. */
export function runWorkflow(workflow: WorkflowFunction, input: readonly Payload[]): unknown {
  return callWithPayloads(workflow, undefined, [], input);
}
