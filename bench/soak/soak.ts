/**
 * The soak: lets a child embed the runtime on one store, kills it at a random instant, starts the next one on the same store, and holds
 * what that finds against what the one before was told.
 * Thread: parent process. In → out: cycles and seed → counts and violations.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflows } from '../../runtime/bundler/bundle-workflows.js';
import { Ledger } from './ledger.js';
import type { Line, Plan } from './protocol.js';
import { random } from './random.js';

export interface SoakOptions {
  readonly cycles: number;
  readonly seed: number;
  readonly progress?: (line: string) => void;
}

export interface SoakResult {
  readonly ledger: Ledger;
  readonly kills: number;
  /** Of them: while the store was being opened. */
  readonly killsWhileOpening: number;
}

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
/** Share of the kills that come at once, while the child recovers from the one before. */
const EARLY = 0.15;
const EARLY_WITHIN_MS = 350;
const LOAD_MS = { least: 30, most: 450 };
/** Something hangs if a child takes longer to open, or the last one to end. */
const OPEN_TAKES_MS = 60_000;
const LAST_TAKES_MS = 120_000;

interface Life {
  readonly lastLine: Line | undefined;
  readonly ready: boolean;
  /** It ended by itself. */
  readonly own: string | undefined;
}

export async function soak({ cycles, seed, progress = () => {} }: SoakOptions): Promise<SoakResult> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-soak-'));
  const ledger = new Ledger();
  const draw = random(seed);
  const bundle = await bundleWorkflows(new URL('./workflows.js', import.meta.url));
  const paths = { plan: join(directory, 'plan.json'), lines: join(directory, 'lines.jsonl') };
  const live = async (cycle: number, last: boolean, kill: KillAt) => {
    const life = { store: join(directory, 'store'), bundle, seed: seed + cycle * 1000, prefix: `c${cycle}` };
    const plan: Plan = { ...life, ...ledger.plan(last) };
    await writeFile(paths.plan, JSON.stringify(plan));
    return oneLife(paths, ledger, kill);
  };
  let killsWhileOpening = 0;
  for (let cycle = 0; cycle < cycles; cycle++) {
    const early = draw() < EARLY;
    const ms = early ? draw() * EARLY_WITHIN_MS : LOAD_MS.least + draw() * (LOAD_MS.most - LOAD_MS.least);
    const { ready, own } = await live(cycle, false, { after: early ? 'start' : 'ready', ms });
    if (!ready) killsWhileOpening++;
    if (own !== undefined) ledger.violate('other', `the runtime of cycle ${cycle} ended by itself: ${own}`);
    progress(`cycle ${cycle}: killed ${ms.toFixed(0)} ms after ${early ? 'start' : 'opening'}; ${summary(ledger)}`);
  }
  const { lastLine, own } = await live(cycles, true, { after: 'start', ms: LAST_TAKES_MS });
  if (own !== 'code 0' || lastLine?.line !== 'done') ledger.violate('other', `the last runtime did not end: ${own}`);
  ledger.close();
  if (ledger.violations.length === 0) await rm(directory, { recursive: true });
  else progress(`The store is kept: ${directory}`);
  return { ledger, kills: cycles, killsWhileOpening };
}

interface KillAt {
  readonly after: 'start' | 'ready';
  readonly ms: number;
}

/** One child, to its end; then the ledger takes what it wrote. */
async function oneLife(paths: { plan: string; lines: string }, ledger: Ledger, kill: KillAt): Promise<Life> {
  const lines = await open(paths.lines, 'w');
  const child = spawn(process.execPath, [CHILD, paths.plan], { stdio: ['ignore', lines.fd, 'inherit', 'ipc'] });
  let killed = false;
  let timer: NodeJS.Timeout | undefined;
  const killAfter = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      killed = child.kill('SIGKILL');
    }, ms);
  };
  killAfter(kill.after === 'start' ? kill.ms : OPEN_TAKES_MS);
  let ready = false;
  child.once('message', () => {
    ready = true;
    if (kill.after === 'ready') killAfter(kill.ms);
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  await lines.close();
  // What the kill cut short is not a line.
  const written = (await readFile(paths.lines, 'utf8')).split('\n').slice(0, -1);
  const parsed = written.map((text) => JSON.parse(text) as Line);
  for (const line of parsed) ledger.take(line);
  if (kill.after === 'ready' && !ready && killed) {
    ledger.violate('other', `a store was not opened within ${OPEN_TAKES_MS} ms`);
  }
  const own = killed && signal === 'SIGKILL' ? undefined : signal === null ? `code ${code}` : signal;
  return { lastLine: parsed.at(-1), ready, own };
}

export function summary(ledger: Ledger): string {
  const { account, nap, signal, update } = ledger.acked;
  const count = (kind: string) => ledger.violations.filter((violation) => violation.kind === kind).length;
  return (
    `acknowledged ${account} account starts, ${nap} nap starts, ${signal} signals, ${update} updates; ` +
    `sent again ${ledger.retried} unacknowledged and ${ledger.repeated} acknowledged; ` +
    `closed ${ledger.accountsClosed} accounts, ${ledger.napsOver} naps; ` +
    `lost ${count('lost')}, duplicated ${count('duplicated')}, other violations ${count('other')}`
  );
}
