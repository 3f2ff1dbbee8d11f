/**
 * The errors of moving to Temporal: a history that has no form there, and a core that is not installed.
 * Thread: any. A leaf. In → out: fields → error.
 */
import { HoldfastError } from './base-error.js';

interface NotPortableFields {
  workflowId: string;
  runId: string;
  eventId: number;
  eventType: string;
  /** Of the value within the event, such as `input[0].when`; empty: it is about the event as a whole. */
  path: string;
  reason: string;
}

/** A history holds what has no counterpart at Temporal: a value that is not JSON, or something that its workflows cannot do. */
export class HistoryNotPortableError extends HoldfastError<NotPortableFields> {
  readonly code = 'HISTORY_NOT_PORTABLE';
  constructor(fields: NotPortableFields, options?: ErrorOptions) {
    const { workflowId, runId, eventId, eventType, path, reason } = fields;
    super(
      `The history of workflow '${workflowId}' (run ${runId}) cannot be written in Temporal's form: event ${eventId} (${eventType})` +
        `${path === '' ? '' : ` at ${path}`}: ${reason}`,
      fields,
      options,
    );
  }
}

/** What needs Temporal's own core was asked for where `@temporalio/worker` is not installed, or does not load. */
export class TemporalWorkerMissingError extends HoldfastError<{ folder: string; reason: string }> {
  readonly code = 'TEMPORAL_WORKER_MISSING';
  constructor(fields: { folder: string; reason: string }, options?: ErrorOptions) {
    super(
      `@temporalio/worker cannot be loaded from '${fields.folder}': ${fields.reason}. Install it there: npm install @temporalio/worker`,
      fields,
      options,
    );
  }
}
