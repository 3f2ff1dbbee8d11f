/**
 * The campaign: owners of one store in PID namespaces of their own, under load; each is killed, stopped, moved away from or told to end, and
 * the next one takes over. What that finds is held against what the one before was told.
 * Thread: parent process. In → out: takeovers and seed → counts and violations.
 */
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflows } from '../../runtime/bundler/bundle-workflows.js';
import { Ledger } from '../soak/ledger.js';
import type { Line, Plan } from '../soak/protocol.js';
import { type Random, random } from '../soak/random.js';
import { summary } from '../soak/soak.js';
import { type Namespaces, namespacesHere, Owner } from './owner.js';

/**
 * killed: by SIGKILL. stopped: by SIGSTOP, and woken once the next has the store. woken: by SIGSTOP, and woken at about the time when the
 * next one would take it. removed: its folder is renamed, and the next one opens it there. ended: told to shut down while the next waits.
 */
const KINDS = ['killed', 'stopped', 'woken', 'removed', 'ended'] as const;
export type Kind = (typeof KINDS)[number];

export interface CampaignOptions {
  readonly takeovers: number;
  readonly seed: number;
  /** Default: all in turn. */
  readonly kinds?: readonly Kind[];
  readonly progress?: (line: string) => void;
}

export interface CampaignResult {
  readonly ledger: Ledger;
  readonly namespaces: Namespaces;
  readonly takeovers: Record<Kind, number>;
  /** Things that a stopped owner told after it was replaced. */
  readonly toldAfter: number;
  /** Milliseconds from an owner's end to the next one's store being open, the longest. */
  readonly handover: number;
}

const LOAD_MS = { least: 100, most: 700 };
const LEASE_MS = 5_000;
/** Something hangs if it takes longer. */
const TAKES_MS = 60_000;
/** After a stopped owner is woken: for how long it is not clear who will have the store. */
const UNCLEAR_MS = 3_000;
const WHY = { stopped: 'StoreLockedError', woken: 'StoreLockedError', removed: 'StoreFailedError', ended: 'closed' };

const sleep = (ms: number) => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms));
const tells = ({ line }: Line) => line === 'ack' || line === 'applied' || line === 'closed' || line === 'nap';

export async function campaign(options: CampaignOptions): Promise<CampaignResult> {
  const { takeovers, seed, kinds = KINDS, progress = () => {} } = options;
  const namespaces = namespacesHere();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-takeover-'));
  const run = new Campaign(
    folder,
    namespaces,
    seed,
    await bundleWorkflows(new URL('../soak/workflows.js', import.meta.url)),
  );
  for (let cycle = 0; cycle < takeovers; cycle++) {
    const kind = kinds[cycle % kinds.length]!;
    await run.takeover(kind);
    progress(`${cycle + 1}: ${kind}; ${summary(run.ledger)}; told after ${run.toldAfter}`);
  }
  await run.end();
  const { ledger, taken, toldAfter, handover } = run;
  if (ledger.violations.length === 0) await rm(folder, { recursive: true });
  else progress(`The store is kept: ${folder}`);
  return { ledger, namespaces, takeovers: taken, toldAfter, handover };
}

class Campaign {
  readonly ledger = new Ledger();
  readonly taken: Record<Kind, number> = { killed: 0, stopped: 0, woken: 0, removed: 0, ended: 0 };
  toldAfter = 0;
  handover = 0;
  readonly #draw: Random;
  #cycle = 0;
  #store: string;
  #owner: Owner | undefined;

  constructor(
    private readonly folder: string,
    private readonly namespaces: Namespaces,
    private readonly seed: number,
    private readonly bundle: Plan['bundle'],
  ) {
    this.#draw = random(seed);
    this.#store = join(folder, 'store-0');
  }

  #next(last = false): Owner {
    const cycle = ++this.#cycle;
    const { retire, open, ...planned } = this.ledger.plan(last);
    const plan: Plan = {
      ...planned,
      store: this.#store,
      bundle: this.bundle,
      seed: this.seed + cycle * 1000,
      prefix: `c${cycle}`,
      // The one before may still send to any of them.
      retire: last ? retire : [],
      open: last ? open : [...open, ...retire],
      lockWait: TAKES_MS,
      replaceable: !last,
    };
    return new Owner(this.folder, plan, this.namespaces);
  }

  #take(owner: Owner): void {
    for (const line of owner.lines()) this.ledger.take(line);
  }

  async #opened(owner: Owner): Promise<number> {
    const at = await Promise.race([owner.ready, sleep(TAKES_MS)]);
    if (at !== undefined) return at;
    this.ledger.violate('other', `a store was not opened within ${TAKES_MS} ms`);
    return performance.now();
  }

  async takeover(kind: Kind): Promise<void> {
    this.#owner ??= this.#next();
    const owner = this.#owner;
    await this.#opened(owner);
    await sleep(LOAD_MS.least + this.#draw() * (LOAD_MS.most - LOAD_MS.least));
    this.#owner = await this[kind](owner);
    this.taken[kind]++;
  }

  async killed(owner: Owner): Promise<Owner> {
    await owner.kill();
    this.#take(owner);
    return this.#next();
  }

  async stopped(owner: Owner): Promise<Owner> {
    await owner.stop();
    this.#take(owner);
    const next = this.#next();
    await this.#opened(next);
    await sleep(this.#draw() * LOAD_MS.most);
    owner.wake();
    await this.#ends(owner, 'stopped', true);
    return next;
  }

  async woken(owner: Owner): Promise<Owner> {
    await owner.stop();
    this.#take(owner);
    const next = this.#next();
    // The next one needs a while until it first looks.
    await sleep(LEASE_MS + this.#draw() * 2_000);
    owner.wake();
    const opened = await Promise.race([next.ready, sleep(UNCLEAR_MS)]);
    if (opened === undefined) {
      // It was in time, and goes on: what it has told since is true.
      await owner.kill();
      this.#take(owner);
      await this.#opened(next);
    } else await this.#ends(owner, 'woken', false);
    return next;
  }

  async removed(owner: Owner): Promise<Owner> {
    const before = this.#store;
    this.#store = join(this.folder, `store-${this.#cycle}`);
    await rename(before, this.#store);
    await this.#ends(owner, 'removed', false);
    return this.#next();
  }

  async ended(owner: Owner): Promise<Owner> {
    const next = this.#next();
    await sleep(1_000 + this.#draw() * 1_000);
    owner.end();
    const closed = await owner.closed;
    const opened = await this.#opened(next);
    if (closed !== undefined) this.handover = Math.max(this.handover, opened - closed);
    await this.#ends(owner, 'ended', false);
    return next;
  }

  /** Of itself, and for the right reason. `replaced`: before it went on. */
  async #ends(owner: Owner, kind: keyof typeof WHY, replaced: boolean): Promise<void> {
    const gone = await Promise.race([owner.exited.then(() => true), sleep(TAKES_MS)]);
    if (gone === undefined) {
      this.ledger.violate('other', `an owner that was ${kind} did not end`);
      await owner.kill();
    }
    const lines = owner.lines();
    const end = lines.at(-1);
    const why = end?.line === 'ended' ? end.why : 'nothing';
    if (why !== WHY[kind]) this.ledger.violate('other', `an owner that was ${kind} ended with ${why}`);
    if (replaced) this.toldAfter += lines.filter(tells).length;
    // What a replaced one has tried since must not have happened: the ledger does not know of it.
    for (const line of lines) if (!replaced || line.line !== 'try') this.ledger.take(line);
  }

  /** The last one closes what is open, and counts. */
  async end(): Promise<void> {
    if (this.#owner !== undefined) {
      await this.#opened(this.#owner);
      await this.killed(this.#owner).then((next) => next.kill());
    }
    const last = this.#next(true);
    const gone = await Promise.race([last.exited.then(() => true), sleep(2 * TAKES_MS)]);
    if (gone === undefined) await last.kill();
    const lines = last.lines();
    for (const line of lines) this.ledger.take(line);
    if (lines.at(-1)?.line !== 'done') this.ledger.violate('other', 'the last runtime did not end');
    this.ledger.close();
  }
}
