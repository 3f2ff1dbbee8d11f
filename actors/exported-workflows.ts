/**
 * The exports of a workflow file, seen as workflows: which types they run, and how each is called.
 * Thread: worker. In → out: exports and a workflow type → what to call with the start's arguments.
 */
import { headersFrom } from '../mailbox/headers.js';
import type { Payload } from '../mailbox/payload.js';
import { argsFor, callWithArgs } from '../mailbox/raw-args.js';
import { WorkflowDefinitionError } from '../runtime/errors.js';
import { currentExecution } from './current.js';
import { type ClassDefinition, definitionOf } from './workflow/classes/class-definition.js';
import { classArgs, runClass } from './workflow/classes/instance.js';
import { isClass } from './workflow/names.js';
import { failureTypesOf } from './workflow/workflow-options.js';

/** What a workflow file exports, by export name. */
export type Exports = Readonly<Record<string, unknown>>;

/** A function, or a class with a definition. */
export type ExportedWorkflow = (...args: never[]) => unknown;

/** This export runs every type that no other has. */
const DYNAMIC = 'default';

/** The same for all executions of a bundle, though each may have exports of its own. */
export class ExportedWorkflows {
  readonly #names = new Map<string, string>();
  #dynamic: string | undefined;

  /** @throws WorkflowDefinitionError if two run the same types */
  constructor(exports: Exports) {
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value !== 'function') continue;
      const definition = definitionOf(value);
      // A base class, an error: what is exported for others to use.
      if (definition === undefined && isClass(value)) continue;
      if (name === DYNAMIC || definition?.dynamic === true) {
        this.#dynamic = this.#only(exports, this.#dynamic, name, 'all types that no other export has');
      }
      if (name === DYNAMIC) continue;
      const type = definition?.name ?? name;
      this.#names.set(type, this.#only(exports, this.#names.get(type), name, `workflow type '${type}'`));
    }
  }

  get types(): string[] {
    return [...this.#names.keys()];
  }

  /** Whether types beyond those are run too. */
  get dynamic(): boolean {
    return this.#dynamic !== undefined;
  }

  /** Own exports only: a type is a caller's word, which must not reach what every object inherits. */
  find(exports: Exports, type: string): ExportedWorkflow | undefined {
    const name = this.#names.get(type) ?? this.#dynamic;
    return name === undefined ? undefined : (exports[name] as ExportedWorkflow); // It was one when this was made.
  }

  #only(exports: Exports, before: string | undefined, name: string, what: string): string {
    if (before === undefined || exports[before] === exports[name]) return before ?? name;
    const { name: className } = exports[name] as ExportedWorkflow;
    throw new WorkflowDefinitionError({ className, reason: `it runs ${what}, as the export '${before}' does` });
  }
}

/** Calls the workflow of the current execution with the arguments of its start. */
export function runWorkflow(workflow: ExportedWorkflow, input: readonly Payload[]): unknown {
  const definition = definitionOf(workflow);
  const execution = currentExecution();
  const { interceptors, origin } = execution;
  execution.failureTypes = definition?.failureExceptionTypes ?? failureTypesOf(workflow);
  const args = definition === undefined ? argsFor(workflow, input) : classArgs(definition, input);
  if (interceptors?.has('execute') !== true) return call(workflow, definition, args);
  const headers = headersFrom(origin?.options?.headers);
  return interceptors.through('execute', { args, headers }, async (given) => call(workflow, definition, given.args));
}

function call(workflow: ExportedWorkflow, definition: ClassDefinition | undefined, args: readonly unknown[]): unknown {
  if (definition === undefined) return callWithArgs(workflow, undefined, [], args);
  return runClass(workflow as unknown as new () => object, definition, args); // Only classes have one.
}
