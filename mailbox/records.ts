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
  const toRows = new Map<string, (record: T) => Row>();
  const fromRows: ((row: Row) => T)[] = [];
  for (const [kind, [code, ...fields]] of Object.entries(table) as [string, readonly [number, ...string[]]][]) {
    if (fromRows[code] !== undefined) throw new RangeError(`Record code ${code} stands for two kinds`);
    toRows.set(kind, compileToRow<T>(code, fields));
    fromRows[code] = compileFromRow<T>(discriminant, kind, fields);
  }
  return {
    toRow: (record) => toRows.get(record[discriminant] as string)!(record),
    fromRow(row) {
      const fromRow = fromRows[row[0] as number];
      if (fromRow === undefined) throw new RangeError(`Unknown record code ${String(row[0])}`);
      return fromRow(row);
    },
  };
}

/**
 * Rows are made and read several times for every message, and a loop over field names looks each of them up by text: straight-line code,
 * compiled once from the table's own names (never from input), takes a fraction of that.
 */
function compileToRow<T>(code: number, fields: readonly string[]): (record: T) => Row {
  const values = fields.map((field) => `record.${identifier(field)}`);
  const body = `const row = [${[code, ...values].join(', ')}];
    while (row[row.length - 1] === undefined) row.pop();
    return row;`;
  return new Function('record', body) as (record: T) => Row;
}

/** A field that the row does not have is undefined. */
function compileFromRow<T>(discriminant: string, kind: string, fields: readonly string[]): (row: Row) => T {
  const values = fields.map((field, index) => `${identifier(field)}: row[${index + 1}]`);
  const body = `return { ${[`${identifier(discriminant)}: ${JSON.stringify(kind)}`, ...values].join(', ')} };`;
  return new Function('row', body) as (row: Row) => T;
}

function identifier(name: string): string {
  if (!/^[A-Za-z]\w*$/.test(name)) throw new RangeError(`'${name}' cannot name a field`);
  return name;
}
