/**
 * What a run says of itself while it goes on: `upsertSearchAttributes` and `upsertMemo`.
 * Thread: worker. In → out: changes → a command, and what `workflowInfo` tells from now on.
 */
import { attributeUpdates, checkCount, updatedAttributes } from '../../mailbox/attribute-records.js';
import { nameOfType } from '../../mailbox/checks.js';
import { decodePayload } from '../../mailbox/payload.js';
import type { SearchAttributes, SearchAttributeUpdatePair } from '../../mailbox/search-attributes.js';
import { InvalidArgumentError } from '../../runtime/errors.js';
import { currentExecution } from '../current.js';
import type { Execution } from '../execution.js';
import type { Origin } from '../surroundings.js';

const NOTHING: Origin = {
  memo: undefined,
  parent: undefined,
  continuedFromRunId: undefined,
  suggestAt: undefined,
  options: undefined,
  succession: undefined,
  startDelay: undefined,
  suggestAtBytes: undefined,
};

/**
 * Changes search attributes of this run: those named get new values, or are taken away with null; others stay. `workflowInfo()` has them
 * at once, lists once the step is durable. Runs that continue this one begin with what it has then.
 *
 * @param searchAttributes pairs of typed keys and values; or values in arrays by name, where undefined or an empty array takes one away
 * @throws InvalidSearchAttributeError
 * @example
 * const stage = defineSearchAttributeKey('Stage', 'KEYWORD');
 * upsertSearchAttributes([{ key: stage, value: 'packing' }]);
 */
export function upsertSearchAttributes(searchAttributes: SearchAttributes | SearchAttributeUpdatePair[]): void {
  const execution = currentExecution('Workflow.upsertSearchAttributes(...)');
  const updates = attributeUpdates(searchAttributes);
  const options = execution.origin?.options;
  const updated = updatedAttributes(options?.searchAttributes, updates);
  checkCount(updated);
  if (updates.length === 0) return;
  execution.outbox.push({ kind: 'upsertSearchAttributes', searchAttributes: updates });
  // None left is not the same as none given: the next run is to begin without those of this one's start.
  become(execution, { options: { ...options, searchAttributes: updated } });
}

/**
 * Changes the memo of this run: entries named get new values, or are taken away with null or undefined; others stay. Entries are replaced
 * as a whole. `workflowInfo()` has it at once, `describe()` and lists once the step is durable. Runs that continue this one begin with it.
 *
 * @throws InvalidArgumentError, PayloadConverterError, PayloadTooLargeError
 * @example upsertMemo({ note: 'waits for the customer', draft: null });
 */
export function upsertMemo(memo: Record<string, unknown>): void {
  const execution = currentExecution('Workflow.upsertMemo(...)');
  if (typeof memo !== 'object' || memo === null || Array.isArray(memo)) {
    throw new InvalidArgumentError({ argument: 'memo', reason: `it must be an object, not ${nameOfType(memo)}` });
  }
  const before = execution.origin?.memo;
  const merged = { ...(before === undefined ? {} : (decodePayload(before) as object)), ...memo };
  const entries = Object.entries(merged).filter(([, value]) => value !== null && value !== undefined);
  const payload = execution.encode(Object.fromEntries(entries), 'memo');
  execution.outbox.push({ kind: 'modifyProperties', memo: payload });
  become(execution, { memo: payload });
}

/** What the start said is replaced: nothing reads it but what tells of the run, and what begins the next one. */
function become(execution: Execution, change: Partial<Origin>): void {
  execution.origin = { ...(execution.origin ?? NOTHING), ...change };
}
