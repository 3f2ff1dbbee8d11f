/**
 * The lock: one owner a store. It is a folder within the store's, which its owner makes, works in, and removes.
 * Thread: supervisor (and the command line). In → out: a folder in, a Hold on it (or StoreLockedError) out.
 *
 * Everybody makes a folder of their own before they look for others, so of two that open at the same instant at most one passes. Whether a
 * process of the same namespace lives is known. Of others only this is: an owner changes its beat all the time, so one whose beat has
 * stood still for a whole lease may be replaced. It may wake later; what it can do then is in hold.ts.
 */
import type { Clock } from '../../clock.js';
import { StoreLockedError } from '../../errors.js';
import { codeOf, type Disk, withFile } from './disk.js';
import { BEAT, Hold, removeLock } from './hold.js';
import {
  earlierPid,
  type Life,
  lifeOf,
  lockName,
  newNonce,
  type Owner,
  ownerOf,
  type Processes,
  parseLockName,
  whereIs,
} from './owner.js';

/** For how long an owner may stand still before others may replace it. */
export const LEASE_MS = 5_000;
const LOOK_AGAIN_MS = 25;

export interface LockOptions {
  readonly processes: Processes;
  /** Of pauses. */
  readonly clock: Pick<Clock, 'after'>;
  /** Of leases. */
  readonly monotonic: Pick<Clock, 'now' | 'after'>;
  /** How long to wait for an owner that lives. One of which nothing is known is watched for as long as it takes to know. */
  readonly waitMs: number;
  readonly nonce?: string;
  /** The lock is somebody else's, or gone: the owner has to stop. */
  readonly onLost?: (hold: Hold) => void;
}

interface Other {
  readonly name: string;
  /** Undefined for one of an earlier version. */
  readonly owner: Owner | undefined;
  readonly pid: number;
  readonly life: Life;
  readonly beat: string | undefined;
}

async function readBeat(disk: Disk, name: string): Promise<string | undefined> {
  try {
    return await withFile(disk, `${name}/${BEAT}`, 'read', async (file) => {
      const bytes = Buffer.alloc(32);
      return bytes.toString('latin1', 0, await file.read(bytes, 0));
    });
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function othersIn(disk: Disk, processes: Processes, own?: string): Promise<Other[]> {
  const others: Other[] = [];
  for (const name of await disk.list()) {
    if (name === own) continue;
    const owner = parseLockName(name);
    if (owner !== undefined) {
      const life = lifeOf(owner, processes);
      const beat = life === 'unknown' ? await readBeat(disk, name) : undefined;
      others.push({ name, owner, pid: owner.pid, life, beat });
      continue;
    }
    const pid = earlierPid(name);
    if (pid === undefined) continue;
    others.push({ name, owner, pid, life: processes.runs(pid) ? 'lives' : 'gone', beat: undefined });
  }
  return others;
}

/** One opener's look at the others, again and again. */
class Watch {
  /** By name: the beat last seen, and since when. */
  readonly #seen = new Map<string, { beat: string | undefined; since: number; moved: boolean }>();

  constructor(
    private readonly disk: Disk,
    private readonly options: Pick<LockOptions, 'processes' | 'clock' | 'monotonic' | 'waitMs'>,
  ) {}

  /** Resolves once nobody is in the way, with those that may be replaced. @throws StoreLockedError */
  async free(): Promise<Other[]> {
    const { monotonic, processes, waitMs } = this.options;
    const began = monotonic.now();
    for (;;) {
      const others = await othersIn(this.disk, processes);
      const inTheWay = others.filter((other) => !this.#mayGo(other));
      if (inTheWay.length === 0) return others;
      const known = inTheWay.find(({ name, life }) => life === 'lives' || this.#seen.get(name)?.moved);
      if (known !== undefined && monotonic.now() - began >= waitMs) throw lockedBy(this.disk, known, processes);
      await this.pause();
    }
  }

  #mayGo({ name, life, beat }: Other): boolean {
    if (life !== 'unknown') return life === 'gone';
    const now = this.options.monotonic.now();
    const seen = this.#seen.get(name);
    if (seen !== undefined && seen.beat === beat) return now - seen.since > LEASE_MS;
    this.#seen.set(name, { beat, since: now, moved: seen !== undefined });
    return false;
  }

  /** Not the same for all: those who met at the same instant are not to meet again. */
  pause(): Promise<void> {
    return new Promise((resolve) => this.options.clock.after(LOOK_AGAIN_MS * (0.5 + Math.random()), resolve));
  }
}

function lockedBy(disk: Disk, { owner, pid }: Other, processes: Processes): StoreLockedError {
  const where = owner === undefined ? 'another process' : whereIs(owner, processes);
  return new StoreLockedError({ path: disk.folder, pid, where });
}

/** The store's folder exists. @throws StoreLockedError */
export async function takeLock(disk: Disk, options: LockOptions): Promise<Hold> {
  const { processes, nonce = newNonce() } = options;
  const own = lockName(ownerOf(processes, nonce));
  const watch = new Watch(disk, options);
  for (;;) {
    const replaced = await watch.free();
    await disk.makeFolder(own);
    const hold = await Hold.begin(disk, own, processes, options.monotonic, LEASE_MS, options.onLost);
    try {
      if (await replace(disk, own, replaced, processes)) return hold;
    } catch (error) {
      await hold.release().catch(() => undefined);
      throw error;
    }
    await hold.release();
    await watch.pause();
  }
}

/** Only those that were found to be replaceable, and only if nothing has happened since. */
async function replace(disk: Disk, own: string, replaced: readonly Other[], processes: Processes): Promise<boolean> {
  const unchanged = (other: Other) => replaced.some(({ name, beat }) => name === other.name && beat === other.beat);
  const others = await othersIn(disk, processes, own);
  if (!others.every(unchanged)) return false;
  for (const { name } of others) {
    try {
      // From here on the other can change nothing in the store, and no third one can do this: there is one such name.
      await disk.rename(name, `${own}/${name}`);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
    await removeLock(disk, `${own}/${name}`);
  }
  return true;
}

/** For those who only read. @throws StoreLockedError if somebody holds the lock. */
export async function expectUnlocked(disk: Disk, options: Omit<LockOptions, 'nonce' | 'onLost'>): Promise<void> {
  await new Watch(disk, options).free();
}

/** The locks of this process, by their nonces. */
export async function locksOf(disk: Disk, processes: Processes): Promise<string[]> {
  const owners = (await disk.list()).flatMap((name) => parseLockName(name) ?? []);
  return owners.flatMap((owner) =>
    whereIs(owner, processes) === 'this process' && lifeOf(owner, processes) === 'lives' ? [owner.nonce] : [],
  );
}

/**
 * Clears a lock of this process away whose thread has ended without closing the store; otherwise it would hold as long as the process.
 * Embedding thread, only once that thread has exited.
 */
export async function releaseAbandonedLock(disk: Disk, nonce: string): Promise<void> {
  for (const name of await disk.list()) if (parseLockName(name)?.nonce === nonce) await removeLock(disk, name);
}
