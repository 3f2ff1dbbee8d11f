/**
 * Errors of the catalogue across threads.
 * Thread: any. In → out: error ⇄ ErrorRecord.
 */
import { fromFailureRecord, toFailureRecord } from '../../mailbox/failures.js';
import { ERROR_CLASSES, HoldfastError, RuntimeFailedError } from '../errors.js';
import type { ErrorRecord, Reply, ReplyKind, ReplyOf } from './protocol.js';

/** The instance that a record stands for. Its stack is the caller's if the caller awaits the function that calls this. */
export function fromErrorRecord(record: ErrorRecord): HoldfastError {
  const type = ERROR_CLASSES.get(record.name);
  const options = record.cause === undefined ? undefined : { cause: fromFailureRecord(record.cause) };
  const error =
    type === undefined
      ? new RuntimeFailedError({ reason: `it reported an error by the unknown name '${record.name}'` }, options)
      : new type(record.fields, options);
  Error.captureStackTrace(error, fromErrorRecord);
  return error;
}

/** Anything outside the catalogue means that the runtime could not go on, and is told as the cause of that. */
export function toErrorRecord(error: unknown): ErrorRecord {
  if (!(error instanceof HoldfastError)) {
    const cause = toFailureRecord(error);
    return { name: 'RuntimeFailedError', fields: { reason: cause.message }, cause };
  }
  const record: ErrorRecord = { name: error.name, fields: error.fields };
  if (error.cause !== undefined) record.cause = toFailureRecord(error.cause);
  return record;
}

/** @throws the error that the reply carries, if it is not of the expected kind */
export function expectReply<K extends Exclude<ReplyKind, 'error'>>(reply: Reply, kind: K): ReplyOf<K> {
  if (reply.kind === kind) return reply as ReplyOf<K>; // Narrowing by a type parameter is beyond the compiler.
  if (reply.kind === 'error') throw fromErrorRecord(reply.error);
  throw new RuntimeFailedError({ reason: `it replied '${reply.kind}' where only '${kind}' makes sense` });
}
