/**
 * Owners: who may have a store open, and what the name of a lock says of its owner.
 * Thread: supervisor (and the command line). In → out: a process, the name of a lock → the owner, and what is known of its life.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { crc32 } from 'node:zlib';
import { codeOf } from './disk.js';

/** Who runs on this machine, as this process sees it. Texts are letters and digits. */
export interface Processes {
  readonly pid: number;
  /** This machine since it was started. */
  readonly host: string;
  /** The processes whose ids this process can judge. */
  readonly namespace: string;
  /** Tells this process from an earlier one with the same id. */
  startOf(pid: number): string | undefined;
  /** Whether a process with that id runs. */
  runs(pid: number): boolean;
}

/** Undefined where there is none: not Linux, or not mounted. */
function readProc(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const boot = readProc(() => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').replaceAll(/\W/g, ''));
const namespace = readProc(() => fs.readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, ''));

export const systemProcesses: Processes = {
  pid: process.pid,
  host: boot ?? crc32(os.hostname()).toString(16),
  namespace: namespace ?? '0',
  startOf(pid) {
    return readProc(() => {
      // What is mounted may be another namespace's, in which the ids are others'.
      if (fs.readlinkSync('/proc/self') !== String(process.pid)) throw new Error('not ours');
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
      // Field 22, counted behind the name, which may itself hold blanks and brackets.
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!;
    });
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

export interface Owner {
  readonly host: string;
  readonly namespace: string;
  readonly pid: number;
  /** '0' if nothing tells. */
  readonly start: string;
  /** Of one opening: no other lock ever has the same. */
  readonly nonce: string;
}

const NAME = /^lock-([^\W_]+)-([^\W_]+)-(\d+)-([^\W_]+)-([^\W_]+)$/;
/** Up to version 0.2.0 a lock was a file with this name, and its process the only one that it kept apart. */
const EARLIER = /^lock-(\d+)-\w+$/;

export const newNonce = (): string => randomBytes(8).toString('hex');

export const lockName = ({ host, namespace, pid, start, nonce }: Owner): string =>
  `lock-${host}-${namespace}-${pid}-${start}-${nonce}`;

export const ownerOf = (processes: Processes, nonce: string): Owner => {
  const { host, namespace, pid } = processes;
  return { host, namespace, pid, start: processes.startOf(pid) ?? '0', nonce };
};

export function parseLockName(name: string): Owner | undefined {
  const [, host, namespace, pid, start, nonce] = NAME.exec(name) ?? [];
  if (host === undefined) return undefined;
  return { host, namespace: namespace!, pid: Number(pid), start: start!, nonce: nonce! };
}

/** The id of the process that an earlier version's lock names. */
export function earlierPid(name: string): number | undefined {
  const pid = EARLIER.exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** 'unknown': its processes have ids of their own, of which this process knows nothing. */
export type Life = 'lives' | 'gone' | 'unknown';

export function lifeOf({ host, namespace, pid, start }: Owner, processes: Processes): Life {
  if (host !== processes.host || namespace !== processes.namespace) return 'unknown';
  if (!processes.runs(pid)) return 'gone';
  const now = processes.startOf(pid);
  return now === undefined || start === '0' || now === start ? 'lives' : 'gone';
}

export function whereIs(owner: Owner, processes: Processes): 'this process' | 'another process' | 'elsewhere' {
  if (owner.host !== processes.host || owner.namespace !== processes.namespace) return 'elsewhere';
  return owner.pid === processes.pid ? 'this process' : 'another process';
}
