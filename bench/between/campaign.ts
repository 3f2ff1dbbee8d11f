/**
 * The campaign between workflows: senders and receivers in a child that is killed again and again; receivers close meanwhile and begin anew.
 * Thread: parent process. In → out: messages, kills and seed → a ledger of what was taken.
 */
import { rm } from 'node:fs/promises';
import { bundleWorkflows } from '../../runtime/bundler/bundle-workflows.js';
import { type Killer, live, makeHome } from '../soak/life.js';
import { random } from '../soak/random.js';
import { Ledger } from './ledger.js';
import type { Line, Plan, Progress } from './protocol.js';

export interface CampaignOptions {
  /** Of all senders together. */
  readonly messages: number;
  /** Fewer if everything is sent before. */
  readonly kills: number;
  readonly seed: number;
  readonly progress?: (line: string) => void;
}

export interface CampaignResult {
  readonly ledger: Ledger;
  readonly kills: number;
}

const CHILD = new URL('./child.js', import.meta.url);
const SENDERS = 20;
const RECEIVERS = 4;
/** Of all receivers together, about. */
const CHAINS = 1000;
/** Share of the kills that come while the child opens its store or recovers. */
const EARLY = 0.15;
const EARLY_WITHIN_MS = 350;
const LIFE_WITHIN_MS = 600;
/** Something hangs if a child takes longer. */
const OPEN_TAKES_MS = 60_000;
const LAST_LIFE_TAKES_MS = 900_000;

class Watch implements Killer {
  spent = false;

  /** @param after milliseconds after the child has opened, or begun if that is early; undefined: it is to end by itself */
  constructor(
    private readonly after: number | undefined,
    private readonly early: boolean,
  ) {}

  started(): number {
    return this.early && this.after !== undefined ? this.after : OPEN_TAKES_MS;
  }

  told(message: unknown): number | undefined {
    if ((message as Progress) === 'spent') this.spent = true;
    // What is left is to tell what was taken.
    if (this.spent || this.after === undefined) return LAST_LIFE_TAKES_MS;
    return this.early ? undefined : this.after;
  }
}

export async function campaign({
  messages,
  kills,
  seed,
  progress = () => {},
}: CampaignOptions): Promise<CampaignResult> {
  const home = await makeHome();
  const draw = random(seed);
  const bundle = await bundleWorkflows(new URL('./workflows.js', import.meta.url));
  const each = Math.ceil(messages / SENDERS);
  const ledger = new Ledger(SENDERS, each);
  const every = Math.max(1, Math.ceil(messages / CHAINS));
  const plan: Plan = { store: home.store, bundle, senders: SENDERS, messages: each, receivers: RECEIVERS, every };
  let killed = 0;
  for (let over = false; !over; ) {
    const early = draw() < EARLY;
    const within = early ? EARLY_WITHIN_MS : LIFE_WITHIN_MS;
    const watch = new Watch(killed < kills ? draw() * within : undefined, early);
    const life = await live<Line>(CHILD, home, plan, watch);
    over = !life.killed || watch.spent || killed === kills;
    if (!over) {
      killed++;
      for (const line of life.lines) if (line.line === 'failed') ledger.take(line);
      progress(`kill ${killed}${early ? ', early' : ''}`);
      continue;
    }
    for (const line of life.lines) ledger.take(line);
    if (life.own !== 'code 0') ledger.violate('other', `the last life ${life.own ?? 'hung'}`);
  }
  ledger.close();
  if (ledger.violations.length === 0) await rm(home.directory, { recursive: true });
  else progress(`The store is kept: ${home.directory}`);
  return { ledger, kills: killed };
}

export function summary({ ledger, kills }: CampaignResult): string {
  const count = (kind: string) => ledger.violations.filter((violation) => violation.kind === kind).length;
  return (
    `${kills} kills; ${ledger.taken} messages taken by ${ledger.chains} chains, ${ledger.anew} of them sent anew; lost ${count('lost')}, ` +
    `duplicated ${count('duplicated')}, out of order ${count('disordered')}, other violations ${count('other')}`
  );
}
