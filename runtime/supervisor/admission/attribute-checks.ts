/**
 * Attribute checks: whether what a start or a step says of search attributes fits what the runs of the store have.
 * Thread: supervisor. In → out: attributes → nothing, or why they are refused.
 */
import { isSet } from '../../../mailbox/attribute-records.js';
import type { Command } from '../../../mailbox/commands.js';
import type { SearchAttributeUpdateRecord } from '../../../mailbox/events.js';
import type { SearchAttributeType } from '../../../mailbox/search-attributes.js';
import type { StepReport } from '../../../mailbox/turn.js';
import { type HoldfastError, SearchAttributeTypeConflictError } from '../../errors.js';
import type { AttributeColumns } from '../listing/attribute-columns.js';

export interface RefusedStep {
  /** Of the step. */
  readonly index: number;
  readonly error: HoldfastError;
}

/**
 * The first step that sets an attribute as another type than it has. Were it carried out, a name would have two types, and no filter could
 * say which it means.
 */
export function refusedStep(steps: readonly StepReport[], columns: AttributeColumns): RefusedStep | undefined {
  // Types of names that no run has yet, by the first step of these that sets one.
  let first: Map<string, SearchAttributeType> | undefined;
  for (let index = 0; index < steps.length; index++) {
    for (const command of steps[index]!.commands) {
      const attributes = attributesIn(command);
      if (attributes === undefined) continue;
      first ??= new Map();
      const error = columns.refusal(attributes) ?? conflict(attributes, first);
      if (error !== undefined) return { index, error };
    }
  }
  return undefined;
}

function attributesIn(command: Command): readonly SearchAttributeUpdateRecord[] | undefined {
  if (command.kind === 'upsertSearchAttributes') return command.searchAttributes;
  return command.kind === 'continueAsNew' ? command.options?.searchAttributes : undefined;
}

function conflict(
  attributes: readonly SearchAttributeUpdateRecord[],
  first: Map<string, SearchAttributeType>,
): HoldfastError | undefined {
  for (const record of attributes) {
    if (!isSet(record)) continue;
    const [attribute, type] = record;
    const existing = first.get(attribute) ?? type;
    if (existing !== type) return new SearchAttributeTypeConflictError({ attribute, type, existing });
    first.set(attribute, type);
  }
  return undefined;
}
