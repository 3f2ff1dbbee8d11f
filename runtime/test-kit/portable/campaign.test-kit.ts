/**
 * The campaign: random programs run here, and each of their histories is replayed by Temporal's core.
 * Thread: the command's. In → out: number of cases + seed → what was accepted, left out, and refused, each kind of refusal with its smallest program.
 */
import { asyncProperty, check } from 'fast-check';
import type { WorkflowEvent } from '../../../mailbox/events.js';
import { type HistoryForTemporal, toldBy } from '../../testing/temporal/replay.js';
import type { Program } from '../programs.test-kit.js';
import type { AlteredHistories } from './alterations.test-kit.js';
import { type PlayedRun, playedRuns, portableProgram } from './played.test-kit.js';
import { portableHistory } from './portable-history.test-kit.js';
import type { Replayer } from './replayer.test-kit.js';
import type { ToldVerdict } from './replayer-process.test-kit.js';

export interface Refusal {
  /** What the core says, without numbers and names. */
  readonly kind: string;
  readonly message: string;
  readonly activations: readonly string[];
  readonly events: readonly WorkflowEvent[];
  readonly history: HistoryForTemporal;
}

export interface Finding {
  cases: number;
  /** Once it has been made small. */
  readonly program: Program;
  readonly refusal: Refusal;
}

export interface Tally {
  cases: number;
  /** Histories. */
  accepted: number;
  /** Cases with a history that has no counterpart there, by kind. */
  readonly excluded: Map<string, number>;
  readonly findings: Map<string, Finding>;
}

export interface CampaignOptions {
  readonly cases: number;
  readonly seed: number;
  readonly replayer: Replayer;
  readonly altered: AlteredHistories;
}

class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.kind);
  }
}

export async function campaign({ cases, seed, replayer, altered }: CampaignOptions): Promise<Tally> {
  const tally: Tally = { cases: 0, accepted: 0, excluded: new Map(), findings: new Map() };
  for (let round = 0; tally.cases < cases; round++) {
    let found: Refusal | undefined;
    const property = asyncProperty(portableProgram, async (program) => {
      const { excluded, accepted, refusal } = await verdictOf(program, replayer);
      if (found === undefined) {
        tally.cases++;
        tally.accepted += accepted.length;
        for (const kind of excluded) tally.excluded.set(kind, (tally.excluded.get(kind) ?? 0) + 1);
        for (const history of accepted) await altered.tryOn(history);
      }
      if (refusal === undefined) return;
      const known = tally.findings.get(refusal.kind);
      if (known !== undefined) {
        if (found === undefined) known.cases++;
        return;
      }
      if (found !== undefined && found.kind !== refusal.kind) return;
      found = refusal;
      throw new Refused(refusal);
    });
    // Whatever number of rounds there is, all programs follow from the one seed.
    const { counterexample } = await check(property, { numRuns: cases - tally.cases, seed: seed + round * 7919 });
    if (found === undefined || counterexample === null) break;
    const [program] = counterexample;
    const { refusal = found } = await verdictOf(program, replayer);
    tally.findings.set((found as Refusal).kind, { cases: 1, program, refusal });
  }
  return tally;
}

interface ProgramVerdict {
  readonly excluded: ReadonlySet<string>;
  readonly accepted: readonly HistoryForTemporal[];
  /** The first. */
  readonly refusal?: Refusal;
}

async function verdictOf(program: Program, replayer: Replayer): Promise<ProgramVerdict> {
  const excluded = new Set<string>();
  const accepted: HistoryForTemporal[] = [];
  for (const run of await playedRuns(program)) {
    const history = portableHistory(run, program.script);
    if ('excluded' in history) {
      excluded.add(history.excluded);
      continue;
    }
    const { refused } = await replayer.replay(history);
    if (refused !== undefined) return { excluded, accepted, refusal: refusalOf(refused, run, history) };
    accepted.push(history);
  }
  return { excluded, accepted };
}

function refusalOf(
  { name, message, activations = [] }: NonNullable<ToldVerdict['refused']>,
  { events }: PlayedRun,
  history: HistoryForTemporal,
): Refusal {
  const told = toldBy(message);
  const kind = `${name}: ${told}`
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}( leaf \d+)?/g, '…')
    .replaceAll(/\d+/g, 'N')
    .slice(0, 300);
  return { kind, message: told, activations, events, history };
}
