/**
 * The base of all errors in the catalogue.
 * Thread: any. A leaf: imports nothing. In → out: message and fields → error.
 */

/** Base of all errors in this catalogue. Failures of user code are `TemporalFailure`s and appear as `cause`. */
export abstract class HoldfastError<F extends object = object> extends Error {
  abstract readonly code: string;
  constructor(
    message: string,
    /** What the error is about, by name; also readable as properties of the error. */
    readonly fields: F,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}
