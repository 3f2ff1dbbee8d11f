/**
 * What an event in Temporal's form may refer to, and where it stands: what all tables of events share.
 * Thread: any. In → out: types, and the names that every such history has in common.
 */
import type { EventOf, EventType, RunOptionsRecord, WorkflowEvent } from '../../../mailbox/events.js';
import { durationOf, type Fields, headerOf, retryPolicyOf, searchAttributesOf } from './values.js';

export const TASK_QUEUE = { name: 'default' };

/** What an event refers to. Ids are Temporal's. */
export interface Written {
  readonly history: readonly WorkflowEvent[];
  readonly runId: string;
  /** Of one of ours that has been written. */
  idOf(eventId: number): number;
  /** The start of the activity's attempt or of the child, whose begin is that event of ours. */
  startOf(eventId: number): number;
  /** What the messages of the update's step before it have come to. */
  readonly sequencedAfter: number;
  /** Epoch milliseconds: the step's clock. */
  readonly now: number;
  /** The completed workflow task of the step. */
  readonly task: number;
}

type Attributes<T extends EventType> = (event: EventOf<T>, written: Written) => Fields;
/** Null: nothing there. */
export type Role<T extends EventType> =
  | { readonly message: Attributes<T> }
  | { readonly command: Attributes<T> }
  | null;

/** What a start says, a child's too. */
export function runOptionsOf(options: RunOptionsRecord | undefined): Fields {
  if (options === undefined) return {};
  return {
    workflowExecutionTimeout: durationOf(options.executionTimeout),
    workflowRunTimeout: durationOf(options.runTimeout),
    workflowTaskTimeout: durationOf(options.taskTimeout),
    cronSchedule: options.cronSchedule,
    retryPolicy: retryPolicyOf(options.retry),
    searchAttributes: searchAttributesOf(options.searchAttributes),
    header: headerOf(options.headers),
  };
}
