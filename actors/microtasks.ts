/**
 * Microtasks: what takes as many of them as in Temporal's SDK, where another async function lies between.
 * Thread: worker. In → out: outcomes → the same, so many microtasks later.
 */

/** So many microtasks later. */
export async function after(microtasks: number, act: () => void): Promise<void> {
  for (let i = 0; i < microtasks; i++) await undefined;
  act();
}

/** One microtask later than the outcome is there; one that is no promise is there at once. */
export async function awaited(outcome: unknown): Promise<unknown> {
  return await outcome;
}
