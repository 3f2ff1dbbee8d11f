/**
 * Names: what a definition or a workflow function is called in messages.
 * Thread: any. In → out: definition, function or bare name → checked name.
 */
import { checkId, nameOfType } from '../../mailbox/checks.js';
import { isSystemType } from '../../mailbox/system-types.js';
import { InvalidArgumentError } from '../../runtime/errors.js';
import { definitionOf } from './classes/class-definition.js';
import { checkHandlerName } from './definitions.js';

/** @throws InvalidArgumentError unless `def` is a definition of that kind or a possible name */
export function handlerNameOf(type: 'signal' | 'query' | 'update', def: object | string): string {
  if (typeof def === 'string') {
    checkHandlerName(type, def);
    return def;
  }
  const { type: given, name } = (def ?? {}) as { type?: unknown; name?: unknown };
  if (given === type && typeof name === 'string') return name; // Checked when it was defined.
  const reason = `expected one made by define${type[0]!.toUpperCase()}${type.slice(1)}, or a name; got ${
    typeof given === 'string' ? `one of a ${given}` : nameOfType(def)
  }`;
  throw new InvalidArgumentError({ argument: `${type} definition`, reason });
}

/** @throws InvalidArgumentError unless it is a workflow function that has a name, a workflow class, or a possible name */
export function workflowTypeOf(workflowTypeOrFunc: unknown): string {
  if (typeof workflowTypeOrFunc === 'string') {
    const type = checkId('workflow type', workflowTypeOrFunc);
    if (!isSystemType(type)) return type;
    throw new InvalidArgumentError({ argument: 'workflow type', reason: `${type} is one of Holdfast's own` });
  }
  if (typeof workflowTypeOrFunc === 'function') {
    const definition = definitionOf(workflowTypeOrFunc);
    if (definition !== undefined) return definition.name ?? definition.className;
    if (isClass(workflowTypeOrFunc)) {
      const reason = `class ${workflowTypeOrFunc.name} is no workflow: it has no @workflow.defn()`;
      throw new InvalidArgumentError({ argument: 'workflow type', reason });
    }
    if (workflowTypeOrFunc.name !== '') return workflowTypeOrFunc.name;
    const reason = 'the function has no name; pass the name under which the workflow file exports it';
    throw new InvalidArgumentError({ argument: 'workflow type', reason });
  }
  const reason = `it must be a workflow function or its name, not ${nameOfType(workflowTypeOrFunc)}`;
  throw new InvalidArgumentError({ argument: 'workflow type', reason });
}

export function isClass(value: object): boolean {
  // Of functions only classes cannot be assigned a prototype, unless they are frozen: then their text tells.
  if (Object.getOwnPropertyDescriptor(value, 'prototype')?.writable !== false) return false;
  return /^class\b/.test(Function.prototype.toString.call(value));
}
