/**
 * The work campaign: a runtime with activities, heartbeats, children, timers and a schedule under way is killed again and again.
 * Thread: parent process. In → out: cycles and seed → counts and violations.
 */
import { rm } from 'node:fs/promises';
import { bundleWorkflows } from '../../runtime/bundler/bundle-workflows.js';
import { live, makeHome } from '../soak/life.js';
import { random } from '../soak/random.js';
import { Ledger } from './ledger.js';
import { type Line, type Plan, READY } from './protocol.js';

export interface CampaignOptions {
  readonly cycles: number;
  readonly seed: number;
  readonly progress?: (line: string) => void;
}

export interface CampaignResult {
  readonly ledger: Ledger;
  readonly kills: number;
  /** Of them: while the store was being opened. */
  readonly killsWhileOpening: number;
}

const CHILD = new URL('./child.js', import.meta.url);
/** Share of the kills that come at once, while the child recovers from the one before. */
const EARLY = 0.1;
const EARLY_WITHIN_MS = 350;
const LOAD_MS = { least: 50, most: 900 };
/** Something hangs if a child takes longer to open, or the last one to end. */
const OPEN_TAKES_MS = 60_000;
const LAST_TAKES_MS = 120_000;

export async function campaign({ cycles, seed, progress = () => {} }: CampaignOptions): Promise<CampaignResult> {
  const home = await makeHome();
  const ledger = new Ledger();
  const draw = random(seed);
  const bundle = await bundleWorkflows(new URL('./workflows.js', import.meta.url));
  const { store } = home;
  const oneLife = async (cycle: number, last: boolean, after: 'start' | 'ready', ms: number) => {
    const plan: Plan = { store, bundle, seed: seed + cycle * 1000, prefix: `c${cycle}`, ...ledger.plan(last) };
    let ready = false;
    const life = await live<Line>(CHILD, home, plan, {
      started: () => (after === 'start' ? ms : OPEN_TAKES_MS),
      told: (message) => {
        ready ||= message === READY;
        return ready && after === 'ready' ? ms : undefined;
      },
    });
    for (const line of life.lines) ledger.take(line);
    ledger.ended(Date.now());
    if (after === 'ready' && !ready && life.killed) {
      ledger.violate('other', `a store was not opened within ${OPEN_TAKES_MS} ms`);
    }
    return { ...life, ready };
  };
  let killsWhileOpening = 0;
  for (let cycle = 0; cycle < cycles; cycle++) {
    const early = draw() < EARLY;
    const ms = early ? draw() * EARLY_WITHIN_MS : LOAD_MS.least + draw() * (LOAD_MS.most - LOAD_MS.least);
    const { ready, own } = await oneLife(cycle, false, early ? 'start' : 'ready', ms);
    if (!ready) killsWhileOpening++;
    if (own !== undefined) ledger.violate('other', `the runtime of cycle ${cycle} ended by itself: ${own}`);
    progress(`cycle ${cycle}: killed ${ms.toFixed(0)} ms after ${early ? 'start' : 'opening'}; ${summary(ledger)}`);
  }
  const { lines, own } = await oneLife(cycles, true, 'start', LAST_TAKES_MS);
  if (own !== 'code 0' || lines.at(-1)?.line !== 'done')
    ledger.violate('other', `the last runtime did not end: ${own}`);
  ledger.close();
  if (ledger.violations.length === 0) await rm(home.directory, { recursive: true });
  else progress(`The store is kept: ${home.directory}`);
  return { ledger, kills: cycles, killsWhileOpening };
}

export function summary(ledger: Ledger): string {
  const count = (kind: string) => ledger.violations.filter((violation) => violation.kind === kind).length;
  return (
    `${ledger.started} jobs started, ${ledger.over} over; ${ledger.attempts} attempts, ${ledger.attemptedAgain} of them after a kill, ` +
    `${ledger.resumed} resumed by heartbeat details; ${ledger.children} children, ${ledger.naps} timers, ${ledger.ticks} scheduled; ` +
    `lost ${count('lost')}, duplicated ${count('duplicated')}, late ${count('late')}, other violations ${count('other')}`
  );
}
