/**
 * One pair: a process of A, one of B and one of the floor, which are warmed up together and then take turns in short slices, so that whatever
 * else the machine does meets all three.
 * Thread: main. In → out: two builds, workload, settings → the figures of the three.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FloorWorkload } from '../floor/shapes.js';
import type { FromMeasured, Plan, SideFigures, ToMeasured } from './protocol.js';

/** Both builds are measured in this many slices. Even: each is first as often as the other. */
export const SLICES = 8;

/**
 * Operations in a second, some two thirds of what the machine of the README's figures does when idle, with 64 callers. What is measured is a
 * number of operations: by time, a busy machine would measure code that its compilers are not done with, and one side earlier than the other.
 */
const PER_SECOND: { readonly [W in FloorWorkload]: number } = {
  W1: 30_000,
  W3: 50_000,
  'W3-one': 80_000,
  W4: 25_000,
  'W4-one': 30_000,
  W5: 60_000,
  W7: 9_000,
};

export interface PairSettings {
  readonly callers: number;
  /** Measured for each of the three: as many operations as are counted for that time. */
  readonly seconds: number;
  /** Before, likewise. */
  readonly warmUpSeconds: number;
  readonly workers: number;
  /** Where folders are made for the time of the pair. */
  readonly directory: string;
}

export interface PairFigures {
  readonly a: SideFigures;
  readonly b: SideFigures;
  readonly floor: SideFigures;
}

/** `index`: which pair of its workload. Every second one begins with B. */
export async function measurePair(
  roots: readonly [a: string, b: string],
  workload: FloorWorkload,
  index: number,
  settings: PairSettings,
): Promise<PairFigures> {
  const directory = await mkdtemp(join(settings.directory, `${workload}-`));
  const { callers, workers, seconds, warmUpSeconds } = settings;
  const operations = (inSeconds: number) => Math.ceil(inSeconds * PER_SECOND[workload]);
  const begin = async (root: string | null, name: string): Promise<Measured> => {
    const own = join(directory, name);
    await mkdir(own);
    return new Measured({ root, workload, callers, workers, directory: own, warmUp: operations(warmUpSeconds) });
  };
  const a = await begin(roots[0], 'a');
  const b = await begin(roots[1], 'b');
  const floor = await begin(null, 'floor');
  const all = [a, b, floor];
  try {
    await Promise.all(all.map((measured) => measured.warm));
    for (const measured of all) await measured.ask({ kind: 'begin' });
    const order = index % 2 === 0 ? [a, floor, b] : [b, floor, a];
    for (let slice = 0; slice < SLICES; slice++) {
      const turn = slice % 2 === 0 ? order : order.toReversed();
      for (const measured of turn) await measured.ask({ kind: 'slice', operations: operations(seconds / SLICES) });
    }
    const figures = { a: await a.end(), b: await b.end(), floor: await floor.end() };
    await Promise.all(all.map((measured) => measured.ended));
    return figures;
  } finally {
    for (const measured of all) measured.kill();
    await Promise.all(all.map((measured) => measured.ended));
    await rm(directory, { recursive: true });
  }
}

class Measured {
  readonly #process: ChildProcess;
  readonly warm: Promise<unknown>;
  readonly ended: Promise<unknown>;
  #hasEnded = false;

  constructor(private readonly plan: Plan) {
    const script = fileURLToPath(new URL('./measured.js', import.meta.url));
    this.#process = fork(script, [JSON.stringify(plan)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.ended = once(this.#process, 'exit').then(() => {
      this.#hasEnded = true;
    });
    this.warm = this.#answer();
  }

  ask(command: ToMeasured): Promise<FromMeasured> {
    const answer = this.#answer();
    this.#process.send(command);
    return answer;
  }

  async end(): Promise<SideFigures> {
    const answer = await this.ask({ kind: 'end' });
    if (answer.kind !== 'figures') throw new Error(`a measured process answered 'end' with '${answer.kind}'`);
    return answer.figures;
  }

  kill(): void {
    if (!this.#hasEnded) this.#process.kill('SIGKILL');
  }

  async #answer(): Promise<FromMeasured> {
    const ended = this.ended.then(() => {
      const { root, workload } = this.plan;
      throw new Error(`the process that measured ${root ?? 'the floor'} under ${workload} ended before it answered`);
    });
    const [answer] = await Promise.race([once(this.#process, 'message'), ended]);
    return answer as FromMeasured;
  }
}
