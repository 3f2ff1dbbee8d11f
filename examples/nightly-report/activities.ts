/**
 * The report example: where its figures come from.
 * Thread: main. In → out: region and day → figure.
 */

/** A real one would ask a database. */
export async function salesOf(region: string, day: string): Promise<number> {
  return region.length * Number(day.slice(-2));
}
