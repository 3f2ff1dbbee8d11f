/**
 * What tests expect of a store that crashes: an account of what was acknowledged, and how a crash is brought about.
 * Thread: tests. In → out: appends through it; at reopening the store's content compared with the account.
 */
import { expect } from 'vitest';
import { frameOf, openAndCollect, plain } from '../contract.js';
import type { Frame } from '../store.js';
import type { LogStore } from './log-store.js';
import { Crash, type SimDisk } from './sim-disk.js';

/** What a run is known to have: acknowledged for certain, and asked for at most. */
interface Run {
  head: number;
  acknowledged: number;
  asked: number;
}

export class Ledger {
  readonly runs = new Map<number, Run>();
  /** Index as a supervisor keeps it: event count and head by run. */
  readonly index = new Map<string, string>();

  run(id: number): Run {
    const run = this.runs.get(id) ?? { head: -1, acknowledged: 0, asked: 0 };
    this.runs.set(id, run);
    return run;
  }

  async append(store: LogStore, ids: readonly number[], size = 0): Promise<void> {
    const frames: Frame[] = ids.map((id) => {
      const run = this.run(id);
      run.asked = run.acknowledged + 1;
      return frameOf(id, run.asked, run.head, `${id}.${run.asked}${'-'.repeat(size)}`);
    });
    const positions = await store.append(frames);
    for (const [at, id] of ids.entries()) {
      const run = this.run(id);
      run.acknowledged++;
      run.head = positions[at]!;
      this.index.set(String(id), `${run.acknowledged} ${run.head}`);
    }
  }

  entries(): [Buffer, Buffer][] {
    return [...this.index].map(([key, value]) => [Buffer.from(key), Buffer.from(value)]);
  }

  /** Opens the store, expects everything acknowledged in it and nothing that was never asked for, and goes on from what it holds. */
  async reopen(store: LogStore): Promise<void> {
    const { entries, frames } = await openAndCollect(store);
    const found = new Map([...entries].map(([key, value]) => [key, value.split(' ').map(Number) as [number, number]]));
    for (const { frame, position } of frames) {
      const id = String(Buffer.from(frame.runId, 'hex')[15]);
      if (frame.firstEventId > (found.get(id)?.[0] ?? 0)) found.set(id, [frame.firstEventId, position]);
    }
    for (const [id, run] of this.runs) {
      const [count, head] = found.get(String(id)) ?? [0, -1];
      expect(count).toBeGreaterThanOrEqual(run.acknowledged);
      expect(count).toBeLessThanOrEqual(run.asked);
      if (count > 0) {
        const history = (await store.readHistory(head)).map(plain);
        expect(history.map((frame) => frame.firstEventId)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
        for (const frame of history) expect(frame.events.startsWith(`${id}.${frame.firstEventId}`)).toBe(true);
      }
      Object.assign(run, { head, acknowledged: count, asked: count });
      this.index.set(String(id), `${count} ${head}`);
    }
  }
}

/** The machine stops with the call of that number. */
export const crashAt = (disk: SimDisk, number: number) => {
  disk.onCall = (call) => {
    if (call.number >= number) throw new Crash();
  };
};

/** Does the work as far as it goes; what it throws before the crash is an error. */
export async function untilCrash(work: () => Promise<void>, disk: SimDisk): Promise<void> {
  let crashed = false;
  const look = disk.onCall;
  disk.onCall = (call) => {
    try {
      look(call);
    } catch (error) {
      crashed = true;
      throw error;
    }
  };
  try {
    await work();
  } catch (error) {
    if (!crashed) throw error;
  }
}

/** Lets pending promises settle; the simulated disk needs no more. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));
