/**
 * The part of the error catalogue that is about the store.
 * Thread: any. A leaf: imports only leaves. In → out: fields → error.
 */
import { HoldfastError } from './base-error.js';

/** The store is open in another process (or another runtime of this one). */
export class StoreLockedError extends HoldfastError<{ path: string; pid: number }> {
  readonly code = 'STORE_LOCKED';
  constructor(fields: { path: string; pid: number }, options?: ErrorOptions) {
    super(
      `Store ${fields.path} is open in process ${fields.pid}. Stop that process, or use another store folder`,
      fields,
      options,
    );
  }
}

/** The store is damaged. Nothing was changed. */
export class StoreCorruptError extends HoldfastError<{ file: string; offset: number; reason: string }> {
  readonly code = 'STORE_CORRUPT';
  constructor(fields: { file: string; offset: number; reason: string }, options?: ErrorOptions) {
    super(
      `Store file ${fields.file} is damaged at byte ${fields.offset}: ${fields.reason}. Nothing was changed. Run 'holdfast verify' to ` +
        "see what is affected, then restore a backup or run 'holdfast repair'",
      fields,
      options,
    );
  }
}

/** The store was written by a newer version, or is not a store. */
export class StoreFormatError extends HoldfastError<{ path: string; reason: string }> {
  readonly code = 'STORE_FORMAT';
  constructor(fields: { path: string; reason: string }, options?: ErrorOptions) {
    super(`Cannot open store ${fields.path}: ${fields.reason}`, fields, options);
  }
}

/** The store's folder cannot be created, read or written. */
export class StoreUnavailableError extends HoldfastError<{ path: string; reason: string }> {
  readonly code = 'STORE_UNAVAILABLE';
  constructor(fields: { path: string; reason: string }, options?: ErrorOptions) {
    super(
      `Store ${fields.path} cannot be used: ${fields.reason}. Check the path, its permissions and free space`,
      fields,
      options,
    );
  }
}

/** A write or sync failed; the store acknowledges nothing more. */
export class StoreFailedError extends HoldfastError<{ path: string; reason: string }> {
  readonly code = 'STORE_FAILED';
  constructor(fields: { path: string; reason: string }, options?: ErrorOptions) {
    super(
      `Store ${fields.path} failed and is closed for writing: ${fields.reason}. What was acknowledged is safe; mend the disk and start again`,
      fields,
      options,
    );
  }
}
