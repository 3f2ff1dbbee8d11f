/**
 * The cells of one workload: the runtime and its floor, alternately, at each number of callers.
 * Thread: main. In → out: workload and settings → one result a number of callers.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Runtime } from '../runtime/index.js';
import { drive, type Figures, figures, type Operation, type Sample } from './drive.js';
import { Floor } from './floor/floor.js';
import type { FloorWorkload } from './floor/shapes.js';
import { ACTIVITIES, KINDS, WORKFLOWS } from './workloads.js';

export interface Result extends Figures {
  readonly workload: FloorWorkload;
  readonly callers: number;
  /** Operations per second, as a share of the floor's. */
  readonly ratioToFloor: number;
  /** How many times the floor's median latency. */
  readonly p50RatioToFloor: number;
  readonly floor: Figures;
}

export interface CellSettings {
  readonly directory: string;
  readonly seconds: number;
  readonly workers: number;
}

/** Both sides are measured in this many pieces, alternately, so that a busy moment of the machine meets both. */
export const ROUNDS = 8;
/** Before the first cell of a workload, each side: until then the compilers of four threads take a quarter of the processor time. */
const WARM_UP = { callers: 64, share: 1.25 } as const;
const CELL_WARM_UP_SHARE = 0.2;

export async function measureWorkload(
  workload: FloorWorkload,
  callers: readonly number[],
  { directory, seconds, workers }: CellSettings,
  report: (result: Result) => void,
): Promise<void> {
  const store = join(directory, workload);
  const { prepare, limits = {}, rounds = 1 } = KINDS[workload];
  const runtime = await Runtime.create({
    workflows: WORKFLOWS,
    activities: ACTIVITIES,
    store,
    workers,
    limits,
    logger: 'warn',
  });
  try {
    const floor = await Floor.start({ workload, path: join(directory, `${workload}.floor`), workers });
    try {
      const operation = await prepare(runtime.client, workload);
      const sides = [() => inRounds(floor, rounds), operation] as const;
      for (const side of sides) await drive(side, WARM_UP.callers, seconds * 1000 * WARM_UP.share);
      for (const count of callers) report(await measureCell(workload, count, seconds * 1000, sides));
    } finally {
      await floor.stop();
    }
  } finally {
    await runtime.shutdown();
    await rm(store, { recursive: true });
  }
}

async function inRounds(floor: Floor, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) await floor.call();
}

async function measureCell(
  workload: FloorWorkload,
  callers: number,
  ms: number,
  [floorOperation, operation]: readonly [floor: Operation, runtime: Operation],
): Promise<Result> {
  const sides = [
    { operation: floorOperation, samples: [] as Sample[] },
    { operation, samples: [] as Sample[] },
  ] as const;
  for (const side of sides) await drive(side.operation, callers, ms * CELL_WARM_UP_SHARE);
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of sides) side.samples.push(await drive(side.operation, callers, ms / ROUNDS));
  }
  const floor = figures(sides[0].samples);
  const own = figures(sides[1].samples);
  return {
    workload,
    callers,
    ...own,
    ratioToFloor: own.opsPerSecond / floor.opsPerSecond,
    p50RatioToFloor: own.p50Ms / floor.p50Ms,
    floor,
  };
}
