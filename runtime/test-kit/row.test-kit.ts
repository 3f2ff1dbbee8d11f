/**
 * A row of docs/semantics.md, and the test that holds it.
 * Thread: the test's. In → out: row id and a sentence → a vitest test, under a name from which the coverage table is made.
 */
import { test } from 'vitest';

/**
 * A row may have several tests, a test has one row.
 * @param id as docs/semantics.md gives it
 * @param promise what the test shows, as the rest of a sentence about the row
 * @example row('signals/return-value-ignored', 'gives its sender nothing', async () => { … });
 */
export function row(id: string, promise: string, body: () => Promise<void> | void): void {
  test(`${id}${SEPARATOR}${promise}`, body);
}

/** Between the row's id and the sentence in the name of a test. */
export const SEPARATOR = ': ';
