/**
 * What an error means to an HTTP client: each of the errors that the routes can meet, as a status and a body.
 * Thread: embedding. In → out: error → status, whether and when to come again.
 */
import {
  ClientClosedError,
  HoldfastError,
  ResourceExhaustedError,
  RuntimeClosedError,
  RuntimeFailedError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowSuspendedError,
  WorkflowUpdateFailedError,
} from 'holdfast';
import { rootCause } from 'holdfast/workflow';

export interface Problem {
  status: number;
  /** Stable, for programs. */
  code: string;
  detail: string;
  /** Seconds. The request had no effect, or may be sent again under the same id. */
  retryAfter?: number;
}

export function problemOf(error: unknown): Problem | undefined {
  if (!(error instanceof HoldfastError)) return undefined;
  const problem = { code: error.code, detail: rootCause(error.cause) ?? error.message };
  if (error instanceof WorkflowNotFoundError) return { ...problem, status: error.fields.closed === true ? 409 : 404 };
  if (error instanceof WorkflowExecutionAlreadyStartedError) return { ...problem, status: 409 };
  if (error instanceof WorkflowUpdateFailedError) return { ...problem, status: 409 };
  if (error instanceof WorkflowFailedError) return { ...problem, status: 410 };
  // Too much at once: refused at the door, so nothing was lost.
  if (error instanceof ResourceExhaustedError) return { ...problem, status: 429, retryAfter: 1 };
  const later = [WorkflowSuspendedError, RuntimeClosedError, RuntimeFailedError, ClientClosedError];
  if (later.some((type) => error instanceof type)) return { ...problem, status: 503, retryAfter: 5 };
  return { ...problem, status: 500 };
}
