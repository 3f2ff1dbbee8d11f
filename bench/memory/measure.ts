/**
 * W6: what a run costs in memory while it waits, resident and evicted, each in a process of its own.
 * Thread: main. In → out: number of runs → bytes a run.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inChild } from './in-child.js';
import type { ChildResult, ChildSettings } from './protocol.js';

export interface MemoryResult {
  readonly runs: number;
  /** Heap and what it holds outside, in all threads. */
  readonly bytesPerResidentRun: number;
  readonly bytesPerEvictedRun: number;
  /** Growth of the process as the operating system sees it: above the others, for heaps grow in steps and keep room. */
  readonly rssPerResidentRun: number;
  readonly rssPerEvictedRun: number;
}

const EVICTED_BUT = 100;

export async function measureMemory(runs: number, directory: string, workers: number): Promise<MemoryResult> {
  const measure = async (name: string, maxResident: number) => {
    const store = join(directory, name);
    const settings: ChildSettings = { store, runs, maxResident, workers };
    const result = await inChild<ChildResult>(new URL('./child.js', import.meta.url), JSON.stringify(settings));
    await rm(store, { recursive: true });
    return result;
  };
  const resident = await measure('W6-resident', runs * 2 + 10_000);
  const evicted = await measure('W6-evicted', EVICTED_BUT);
  return {
    runs,
    bytesPerResidentRun: Math.round(resident.bytesPerRun),
    bytesPerEvictedRun: Math.round(evicted.bytesPerRun),
    rssPerResidentRun: Math.round(resident.rssPerRun),
    rssPerEvictedRun: Math.round(evicted.rssPerRun),
  };
}
