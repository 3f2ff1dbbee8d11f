/**
 * The exactly-once campaign: senders in a child that is killed again and again, receivers that continue as new meanwhile, and a ledger.
 * Thread: parent process. In → out: messages, kills and seed → counts and violations.
 */
import { rm } from 'node:fs/promises';
import { bundleWorkflows } from '../../runtime/bundler/bundle-workflows.js';
import { type Killer, live, makeHome } from '../soak/life.js';
import { type Random, random } from '../soak/random.js';
import { Ledger } from './ledger.js';
import type { Line, Plan, Progress } from './protocol.js';

export interface CampaignOptions {
  /** Of all senders together. */
  readonly messages: number;
  readonly kills: number;
  readonly seed: number;
  readonly progress?: (line: string) => void;
}

export interface CampaignResult {
  readonly ledger: Ledger;
  readonly kills: number;
  /** Of them: before the store was open. */
  readonly killsWhileOpening: number;
}

const CHILD = new URL('./child.js', import.meta.url);
const SENDERS = 40;
const RECEIVERS = 4;
/** About how many runs the receivers have, all together. */
const RUNS = 200;
/** Share of the kills that come at once, while the child recovers from the one before. */
const EARLY = 0.15;
const EARLY_WITHIN_MS = 350;
/** After the acknowledgement that decides it. */
const JITTER_MS = 10;
/** Something hangs if a child takes longer to open, or to go on after that. */
const OPEN_TAKES_MS = 60_000;
const LIFE_TAKES_MS = 300_000;

/** How a life is to end: killed in some milliseconds, or after so many acknowledgements; or by itself, with all done. */
type End =
  | { readonly kind: 'early'; readonly ms: number }
  | { readonly kind: 'acked'; readonly count: number }
  | { readonly kind: 'done' };

class Watch implements Killer {
  opened = false;
  /** It is to be killed as planned, not because it hangs. */
  due: boolean;

  constructor(
    private readonly end: End,
    private readonly draw: Random,
  ) {
    this.due = end.kind === 'early';
  }

  started(): number {
    return this.end.kind === 'early' ? this.end.ms : OPEN_TAKES_MS;
  }

  told(message: unknown): number | undefined {
    const { acked, spent } = message as Progress;
    const opening = !this.opened;
    this.opened = true;
    if (this.due) return undefined;
    if (this.end.kind === 'acked' && (spent || acked >= this.end.count)) {
      this.due = true;
      return this.draw() * JITTER_MS;
    }
    return opening ? LIFE_TAKES_MS : undefined;
  }
}

export async function campaign({
  messages,
  kills,
  seed,
  progress = () => {},
}: CampaignOptions): Promise<CampaignResult> {
  const home = await makeHome();
  const size = { senders: SENDERS, receivers: RECEIVERS, messages: Math.ceil(messages / SENDERS) };
  const ledger = new Ledger(size);
  const draw = random(seed);
  const bundle = await bundleWorkflows(new URL('./workflows.js', import.meta.url));
  const every = Math.ceil(messages / RUNS);
  const oneLife = async (life: number, end: End) => {
    const plan: Plan = {
      ...size,
      store: home.store,
      bundle,
      seed: seed + life * 1000,
      acked: ledger.acked,
      every,
      last: end.kind === 'done',
    };
    const watch = new Watch(end, draw);
    const { lines, killed, own } = await live<Line>(CHILD, home, plan, watch);
    for (const line of lines) ledger.take(line);
    if (killed ? !watch.due : end.kind !== 'done') {
      ledger.violate('other', `life ${life} ${killed ? 'hung' : `ended by itself: ${own}`}`);
    }
    return { lines, own, opened: watch.opened };
  };
  let killsWhileOpening = 0;
  for (let life = 0; life < kills; life++) {
    const share = (size.messages * size.senders - ledger.total) / (kills - life + 1);
    const early = draw() < EARLY;
    const { opened } = await oneLife(
      life,
      early ? { kind: 'early', ms: draw() * EARLY_WITHIN_MS } : { kind: 'acked', count: draw() * 2 * share },
    );
    if (!opened) killsWhileOpening++;
    progress(`kill ${life + 1}${early ? ', early' : ''}: ${summary(ledger)}`);
  }
  const { own, lines } = await oneLife(kills, { kind: 'done' });
  if (own !== 'code 0' || lines.at(-1)?.line !== 'done') ledger.violate('other', `the last life did not end: ${own}`);
  ledger.close();
  if (ledger.violations.length === 0) await rm(home.directory, { recursive: true });
  else progress(`The store is kept: ${home.directory}`);
  return { ledger, kills, killsWhileOpening };
}

export function summary(ledger: Ledger): string {
  const count = (kind: string) => ledger.violations.filter((violation) => violation.kind === kind).length;
  return (
    `${ledger.total} messages acknowledged, ${ledger.repeated} of their copies too; ${ledger.continued} continue-as-news; ` +
    `lost ${count('lost')}, duplicated ${count('duplicated')}, out of order ${count('disordered')}, other violations ${count('other')}`
  );
}
