/**
 * The lock: one opener a store, on one machine. Each opener creates a file that only it can be named by, then looks for others.
 * Thread: supervisor (and the command line). In → out: a folder in, the right to write to it (or StoreLockedError) out.
 *
 * Names are unique to one process, so clearing a dead one away can never hit a living one; and because everybody creates before
 * looking, of two openers at the same instant at most one passes. Processes that do not see each other's ids (two containers, two
 * hosts) are not kept apart.
 */
import fs from 'node:fs';
import { StoreLockedError } from '../../errors.js';
import { codeOf, type Disk, withFile } from './disk.js';

const NAME = /^lock-(\d+)-(\w+)$/;

/** Who runs on this machine. */
export interface Processes {
  readonly pid: number;
  /** Tells this process from an earlier one with the same id: letters and digits. */
  startOf(pid: number): string | undefined;
  /** Whether a process with that id runs. */
  runs(pid: number): boolean;
}

export const systemProcesses: Processes = {
  pid: process.pid,
  startOf(pid) {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
      const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1');
      // Field 22, counted behind the name, which may itself hold blanks and brackets.
      const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
      return start === undefined ? undefined : `${start}b${boot.slice(0, 8)}`;
    } catch {
      return undefined;
    }
  },
  runs(pid) {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      return codeOf(error) === 'EPERM';
    }
  },
};

const lockName = (processes: Processes) => `lock-${processes.pid}-${processes.startOf(processes.pid) ?? '0'}`;

/** Names of the locks of processes that still run, and of those that do not. */
async function survey(disk: Disk, processes: Processes) {
  const living: { name: string; pid: number }[] = [];
  const dead: string[] = [];
  for (const name of await disk.list()) {
    const parts = NAME.exec(name);
    if (parts === null) continue;
    const pid = Number(parts[1]);
    const start = processes.startOf(pid);
    const same = start === undefined || parts[2] === '0' || start === parts[2];
    if (processes.runs(pid) && same) living.push({ name, pid });
    else dead.push(name);
  }
  return { living, dead };
}

async function remove(disk: Disk, name: string): Promise<void> {
  try {
    await disk.unlink(name);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Resolves with how to release the lock. @throws StoreLockedError */
export async function acquireLock(disk: Disk, processes: Processes): Promise<() => Promise<void>> {
  const own = lockName(processes);
  try {
    await withFile(disk, own, 'exclusive', (file) => file.write(Buffer.from(`${processes.pid}\n`), 0));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw new StoreLockedError({ path: disk.folder, pid: processes.pid });
    throw error;
  }
  const { living, dead } = await survey(disk, processes);
  const other = living.find(({ name }) => name !== own);
  if (other !== undefined) {
    await remove(disk, own);
    throw new StoreLockedError({ path: disk.folder, pid: other.pid });
  }
  for (const name of dead) await remove(disk, name);
  return () => remove(disk, own);
}

/** For those who only read. @throws StoreLockedError if somebody holds the lock. */
export async function expectUnlocked(disk: Disk, processes: Processes): Promise<void> {
  const { living } = await survey(disk, processes);
  if (living[0] !== undefined) throw new StoreLockedError({ path: disk.folder, pid: living[0].pid });
}

/**
 * Clears a lock of this process away whose thread has ended without closing the store; otherwise it would hold as long as the process.
 * Embedding thread, only once that thread has exited.
 */
export async function releaseAbandonedLock(disk: Disk, processes: Processes = systemProcesses): Promise<void> {
  await remove(disk, lockName(processes));
}
