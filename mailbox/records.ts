/**
 * Rows: the compact form in which a closed union of records crosses a thread or reaches the disk.
 * Thread: any. In → out: record ⇄ array `[code, ...fields]`, for msgpackr to pack.
 */

/** For every kind of the union its number, which is for ever once persisted, and its fields in order; new fields go last. */
export type RecordTable<T, D extends keyof T & string> = {
  readonly [K in T[D] & string]: readonly [
    code: number,
    ...fields: Exclude<keyof Extract<T, Record<D, K>> & string, D>[],
  ];
};

export type Row = unknown[];

export interface RecordCodec<T> {
  toRow(record: T): Row;
  /** @throws RangeError for a code that the table does not have: the row was written by newer code. */
  fromRow(row: Row): T;
}

export function recordCodec<T extends object, D extends keyof T & string>(
  discriminant: D,
  table: RecordTable<T, D>,
): RecordCodec<T> {
  const byKind = new Map<string, readonly [number, ...string[]]>();
  const byCode: { kind: string; fields: string[] }[] = [];
  for (const [kind, entry] of Object.entries(table) as [string, readonly [number, ...string[]]][]) {
    const [code, ...fields] = entry;
    if (byCode[code] !== undefined) throw new RangeError(`Record code ${code} stands for two kinds`);
    byKind.set(kind, entry);
    byCode[code] = { kind, fields };
  }
  return {
    toRow(record) {
      const source = record as Record<string, unknown>;
      const entry = byKind.get(source[discriminant] as string)!;
      const row: Row = [entry[0]];
      for (let i = 1; i < entry.length; i++) row.push(source[entry[i] as string]);
      while (row[row.length - 1] === undefined) row.pop();
      return row;
    },
    fromRow(row) {
      const entry = byCode[row[0] as number];
      if (entry === undefined) throw new RangeError(`Unknown record code ${String(row[0])}`);
      const record: Record<string, unknown> = { [discriminant]: entry.kind };
      for (let i = 0; i < entry.fields.length && i + 1 < row.length; i++) {
        const value = row[i + 1];
        if (value !== undefined && value !== null) record[entry.fields[i]!] = value;
      }
      return record as T;
    },
  };
}
