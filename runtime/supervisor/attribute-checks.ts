/**
 * Attribute checks: whether what a start or a step says of search attributes fits what the runs of the store have.
 * Thread: supervisor. In → out: attributes → nothing, or why they are refused.
 */
import type { Command } from '../../mailbox/commands.js';
import type { SearchAttributeRecord } from '../../mailbox/events.js';
import type { StepReport } from '../../mailbox/turn.js';
import { type HoldfastError, SearchAttributeTypeConflictError } from '../errors.js';
import type { AttributeColumns } from './listing/attribute-columns.js';

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
  let first: Map<string, SearchAttributeRecord> | undefined;
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

function attributesIn(command: Command): Record<string, SearchAttributeRecord | null> | undefined {
  if (command.kind === 'upsertSearchAttributes') return command.searchAttributes;
  return command.kind === 'continueAsNew' ? command.options?.searchAttributes : undefined;
}

function conflict(
  attributes: Record<string, SearchAttributeRecord | null>,
  first: Map<string, SearchAttributeRecord>,
): HoldfastError | undefined {
  for (const [attribute, record] of Object.entries(attributes)) {
    if (record === null) continue;
    const { type: existing } = first.get(attribute) ?? record;
    if (existing !== record.type) {
      return new SearchAttributeTypeConflictError({ attribute, type: record.type, existing });
    }
    first.set(attribute, record);
  }
  return undefined;
}
