/**
 * The command lines of the soak and of the campaigns: numbers with defaults, a seed, and how much to tell.
 * Thread: main. In → out: arguments → settings; an argument that it does not know ends the process with the usage.
 */
import { parseArgs } from 'node:util';

export type CampaignSettings<N extends string> = Readonly<Record<N | 'seed', number>> & { readonly verbose: boolean };

export function settingsOrExit<N extends string>(
  usage: string,
  defaults: Readonly<Record<N, number>>,
): CampaignSettings<N> {
  const numbers = { ...defaults, seed: Date.now() % 2 ** 31 };
  try {
    const { values } = parseArgs({
      options: {
        verbose: { type: 'boolean', default: false },
        ...Object.fromEntries(Object.keys(numbers).map((name) => [name, { type: 'string' }] as const)),
      },
    });
    const parsed = Object.entries(values as Record<string, string | boolean>).flatMap(([name, text]) => {
      if (typeof text !== 'string') return [];
      if (/^\d+$/.test(text)) return [[name, Number(text)] as const];
      throw new Error(`--${name}: '${text}' is not a whole number`);
    });
    return { ...numbers, ...Object.fromEntries(parsed), verbose: values.verbose === true };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}\n`);
    process.exit(2);
  }
}

export const SEED_AND_VERBOSE = `  --seed N       of the random instants and operations (default: a new one)
  --verbose      one line a cycle`;
const MOST_PRINTED = 20;

/** The violations, then one line; the exit code says whether there were any. */
export function conclude(violations: readonly { readonly kind: string; readonly what: string }[], line: string): void {
  for (const { kind, what } of violations.slice(0, MOST_PRINTED)) process.stderr.write(`${kind}: ${what}\n`);
  process.stdout.write(`${line}\n`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
