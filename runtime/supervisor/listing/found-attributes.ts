/**
 * Found attributes: what a store that is being opened says of search attributes, in columns from the start, though rows are not known yet.
 * Thread: supervisor. In → out: runs as they are found, what is said of each → the columns of the table.
 */
import { updatedAttributes } from '../../../mailbox/attribute-records.js';
import type { SearchAttributesRecord, SearchAttributeUpdateRecord } from '../../../mailbox/events.js';
import type { Run } from '../runs/run.js';
import { AttributeColumns } from './attribute-columns.js';

export class FoundAttributes {
  /** By the order in which runs are found, which is kept in `Run.row` for so long. */
  readonly #columns = new AttributeColumns();
  /** Of runs that for a while give a name another type: an entry may be ahead of the frames that are read after it. */
  readonly #apart = new Map<number, SearchAttributesRecord>();
  #found = 0;

  /** @param before what was found of the same run earlier, and counts no more */
  add(run: Run, before: Run | undefined): void {
    run.row = before?.row ?? this.#found++;
    if (before !== undefined) this.clear(run);
  }

  clear({ row }: Run): void {
    this.#apart.delete(row);
    const known = this.#columns.of(row);
    if (known !== undefined)
      this.#columns.update(
        row,
        known.map(([name]) => [name]),
      );
  }

  update(run: Run, updates: readonly SearchAttributeUpdateRecord[]): void {
    const { row } = run;
    const apart = this.#apart.get(row);
    if (apart === undefined && this.#columns.refusal(updates) === undefined) {
      this.#columns.update(row, updates);
      return;
    }
    const known = apart ?? this.#columns.of(row);
    this.clear(run);
    this.#apart.set(row, updatedAttributes(known, updates));
  }

  /** Once all is read, and before rows are given: runs by what their rows will be. */
  inOrder(runs: readonly Run[]): AttributeColumns {
    if (runs.every(({ row }, at) => row === at)) {
      for (const [row, attributes] of this.#apart) this.#columns.update(row, attributes);
      return this.#columns;
    }
    const columns = new AttributeColumns();
    for (const [at, { row }] of runs.entries()) {
      const attributes = this.#apart.get(row) ?? this.#columns.of(row);
      if (attributes !== undefined) columns.update(at, attributes);
    }
    return columns;
  }
}
