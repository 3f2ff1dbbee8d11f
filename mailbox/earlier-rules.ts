/**
 * Earlier rules: whether what earlier versions took is taken now, in the replay of a run that passed it then. Nothing else is to come of it there:
 * what a replay makes is compared by its names and thrown away.
 * Thread: any; only on a worker is there somebody to ask. In → out: who is asked → yes or no.
 */
let asked: () => boolean = () => false;

export function askForEarlierRules(ask: () => boolean): void {
  asked = ask;
}

export function letsThrough(): boolean {
  return asked();
}
