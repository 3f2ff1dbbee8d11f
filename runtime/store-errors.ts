/**
 * The part of the error catalogue that is about the store.
 * Thread: any. A leaf: imports only leaves. In → out: fields → error.
 */
import { HoldfastError } from './base-error.js';

/** Who has a store open. 'elsewhere': a process of another container or machine, whose id says nothing here. */
export type StoreHolder = 'this process' | 'another process' | 'elsewhere';

const HELD_BY: Record<StoreHolder, (pid: number | undefined) => string> = {
  'this process': (pid) => `another runtime of this process (${pid})`,
  'another process': (pid) => `process ${pid}`,
  elsewhere: (pid) => (pid === undefined ? 'another process' : `process ${pid} of another container or machine`),
};

const WHAT_TO_DO: Record<StoreHolder, string> = {
  'this process': 'Await the shutdown of that runtime, or use another store folder',
  'another process': 'Stop that process, or use another store folder',
  elsewhere: 'Stop that process, or give it longer to end (lockWait), or use another store folder',
};

/**
 * The store is open in another process, or in another runtime of this one. `taken`: it was open here, and another process has taken it over
 * while this one stood still; what this one had acknowledged is there.
 */
export class StoreLockedError extends HoldfastError<{
  path: string;
  /** Undefined if the process that took the store over has closed it since. */
  pid: number | undefined;
  /** Default: 'another process'. */
  where?: StoreHolder;
  taken?: boolean;
}> {
  readonly code = 'STORE_LOCKED';
  constructor(
    fields: { path: string; pid: number | undefined; where?: StoreHolder; taken?: boolean },
    options?: ErrorOptions,
  ) {
    const { path, pid, where = 'another process', taken } = fields;
    const holder = HELD_BY[where](pid);
    super(
      taken === true
        ? `Store ${path} has been taken over by ${holder}, while this one stood still or its lock was removed. What was acknowledged ` +
            'before is there, and nothing was since. Send what was not acknowledged to that process, and end this one'
        : `Store ${path} is open in ${holder}. ${WHAT_TO_DO[where]}`,
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

/**
 * What is known of that which a failed store had acknowledged. 'unsure': with durability 'process', what came after the last sync, some
 * 50 ms, may be lost; what came before is safe. 'gone': the store's files have been removed.
 */
export type AcknowledgedState = 'safe' | 'unsure' | 'gone';

const ACKNOWLEDGED: Record<AcknowledgedState, string> = {
  safe: 'What was acknowledged is safe; mend the disk and start again',
  unsure:
    'What was acknowledged before the last sync is safe, and what came after it, within some 50 ms, may be lost; mend the disk and start again',
  gone: 'What was acknowledged is gone with them; restore a backup, and start again',
};

/** A write or sync failed, or the store's files have been removed; the store acknowledges nothing more. */
export class StoreFailedError extends HoldfastError<{
  path: string;
  reason: string;
  /** Absent: nothing is known. */
  acknowledged?: AcknowledgedState;
}> {
  readonly code = 'STORE_FAILED';
  constructor(fields: { path: string; reason: string; acknowledged?: AcknowledgedState }, options?: ErrorOptions) {
    const { path, reason, acknowledged } = fields;
    const known = acknowledged === undefined ? 'Mend the disk and start again' : ACKNOWLEDGED[acknowledged];
    super(`Store ${path} failed and is closed for writing: ${reason}. ${known}`, fields, options);
  }
}
