/**
 * What the service knows: how many rounds each kind of document is worth.
 * Thread: embedding. In → out: kind → rounds.
 */
export type Kind = 'letter' | 'contract' | 'archive';

export class Rates {
  readonly #rounds: Record<Kind, number> = { letter: 10_000, contract: 20_000, archive: 1_000_000_000 };

  roundsFor(kind: Kind): number {
    return this.#rounds[kind];
  }
}

/** The activities that run where the service's own data is. */
export function activitiesOf(rates: Rates) {
  return { roundsFor: async (kind: Kind) => rates.roundsFor(kind) };
}
