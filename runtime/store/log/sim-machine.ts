/**
 * A simulated machine for tests: its disk, its clock, and one process after another that opens the store on it.
 * Thread: tests. In → out: crashes in, stores of the process now running out.
 */
import { ManualClock } from '../../clock.js';
import { LogStore, type LogStoreOptions } from './log-store.js';
import type { Processes } from './owner.js';
import { SimDisk, type Survival } from './sim-disk.js';

let pids = 0;

export class SimMachine {
  disk: SimDisk;
  readonly clock = new ManualClock(1_700_000_000_000);
  #pid = ++pids;

  constructor(disk = new SimDisk()) {
    this.disk = disk;
  }

  get processes(): Processes {
    const pid = this.#pid;
    return { pid, host: 'sim', namespace: '1', startOf: () => undefined, runs: (other) => other === this.#pid };
  }

  store(options: Partial<LogStoreOptions> = {}): LogStore {
    const { disk, clock, processes } = this;
    return new LogStore({
      path: '/sim',
      durability: 'disk',
      partitions: 4,
      segmentBytes: 1024,
      disk,
      clock,
      monotonic: clock,
      processes,
      ...options,
    });
  }

  /** The process ends at once; the machine and its page cache go on. */
  kill(): void {
    this.disk = this.disk.restart();
    this.#pid = ++pids;
  }

  powerLoss(survives: Survival): void {
    this.disk = this.disk.powerLoss(survives);
    this.#pid = ++pids;
  }
}
