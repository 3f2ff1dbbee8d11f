/**
 * Takeovers: two owners of one folder, stopped and woken between any two calls, and takers stopped in the midst of taking.
 * Thread: tests. In → out: nothing.
 */
import { expect, test } from 'vitest';
import { ManualClock } from '../../clock.js';
import { openAndCollect } from '../contract.js';
import type { Durability } from '../store.js';
import type { Disk, DiskFile } from './disk.js';
import { LogStore } from './log-store.js';
import type { Processes } from './owner.js';
import { SECTOR, SimDisk } from './sim-disk.js';
import { Ledger, settle } from './sim-ledger.js';
import { verifyStore } from './verify.js';

/** Of a container each: nobody knows whether another one lives. */
const processOf = (namespace: string): Processes => ({
  pid: 1,
  host: 'sim',
  namespace,
  startOf: () => 'now',
  runs: (pid) => pid === 1,
});

/** What one process sees of a disk: it can be stopped at a call, before or after that has had its effect, and goes on when it is woken. */
class Stoppable {
  calls = 0;
  stopped = false;
  #wake: (() => void)[] = [];
  #awake = false;
  readonly disk: Disk;

  constructor(
    disk: Disk,
    readonly stopAt = Number.POSITIVE_INFINITY,
    readonly when: 'before' | 'after' = 'before',
  ) {
    this.disk = this.#wrapped(disk);
  }

  wake(): void {
    this.#awake = true;
    for (const wake of this.#wake.splice(0)) wake();
  }

  async #pass(): Promise<void> {
    if (this.#awake) return;
    this.stopped = true;
    await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #wrapped<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        // A process that is stopped is stopped with its next call, at the latest.
        if (key === 'look') return value.bind(target);
        return async (...args: unknown[]) => {
          const number = ++this.calls;
          if (number > this.stopAt || (number === this.stopAt && this.when === 'before')) await this.#pass();
          const result: unknown = await Reflect.apply(value, target, args);
          if (number >= this.stopAt) await this.#pass();
          return key === 'open' ? this.#wrapped(result as DiskFile) : result;
        };
      },
    });
  }
}

interface Life {
  readonly at: Stoppable;
  readonly clock: ManualClock;
  readonly store: LogStore;
  /** What was acknowledged to its callers, in order. */
  readonly ledger: Ledger;
}

function life(disk: Disk, name: string, durability: Durability, ...stop: [number?, ('before' | 'after')?]): Life {
  const at = new Stoppable(disk, ...stop);
  const clock = new ManualClock();
  const store = new LogStore({
    path: '/sim',
    durability,
    partitions: 4,
    segmentBytes: 2 * SECTOR,
    disk: at.disk,
    clock,
    monotonic: clock,
    processes: processOf(name),
  });
  return { at, clock, store, ledger: new Ledger() };
}

/** Until the promise is settled or the process is stopped; time passes for that process, and for those that run beside it. */
async function play(
  { at, clock }: Life,
  work: Promise<unknown>,
  ...beside: Life[]
): Promise<'done' | 'failed' | 'stopped'> {
  let end: 'done' | 'failed' | undefined;
  void work.then(
    () => {
      end = 'done';
    },
    () => {
      end = 'failed';
    },
  );
  for (let turns = 0; turns < 20_000; turns++) {
    await settle();
    if (end !== undefined) return end;
    if (at.stopped) return 'stopped';
    for (const each of [clock, ...beside.map((other) => other.clock)]) each.advance(20);
  }
  throw new Error('nothing moves');
}

/** All that an owner does: appends into several segments, checkpoints of both kinds, a clean end. */
async function work({ store, ledger }: Life): Promise<void> {
  await ledger.append(store, [1, 2]);
  await ledger.append(store, [1], 300);
  await store.checkpoint(ledger.entries(), { full: true });
  await ledger.append(store, [1, 3], 500);
  await ledger.append(store, [2], 700);
  await store.checkpoint(ledger.entries(), { full: false });
  await store.checkpoint(ledger.entries(), { full: true });
  await ledger.append(store, [3]);
  await store.close();
}

/** The account that the next owner is held against: what others were told, what they asked for, and no more. */
function handOver(from: Ledger, to: Ledger): void {
  for (const [id, { head, acknowledged, asked }] of from.runs)
    to.runs.set(id, { head, acknowledged, asked: Math.max(acknowledged, asked) });
}

async function expectWhole(disk: SimDisk, ledger: Ledger): Promise<void> {
  const last = life(disk, 'last', 'disk');
  handOver(ledger, last.ledger);
  expect(await play(last, last.ledger.reopen(last.store))).toBe('done');
  await last.store.close();
  expect((await verifyStore(disk)).damages).toEqual([]);
  expect([...disk.files().keys()].filter((name) => name.startsWith('lock-') || name.endsWith('.tmp'))).toEqual([]);
}

const begin = async (owner: Life): Promise<void> => {
  await openAndCollect(owner.store);
  await work(owner);
};

const acknowledgedBy = ({ runs }: Ledger) => new Map([...runs].map(([id, { acknowledged }]) => [id, acknowledged]));

for (const durability of ['disk', 'process'] as const) {
  for (const when of ['before', 'after'] as const) {
    test(`an owner stopped ${when} any of its calls ('${durability}') and woken after it was replaced tells nothing that is not there, and changes nothing`, async () => {
      for (let number = 1; ; number++) {
        const disk = new SimDisk();
        const owner = life(disk, 'first', durability, number, when);
        const working = begin(owner);
        if ((await play(owner, working)) === 'done') {
          expect(number).toBeGreaterThan(100);
          break;
        }
        const taker = life(disk, 'second', durability);
        handOver(owner.ledger, taker.ledger);
        expect(await play(taker, taker.ledger.reopen(taker.store))).toBe('done');
        const found = acknowledgedBy(taker.ledger);
        await taker.ledger.append(taker.store, [1, 2], 400);
        owner.at.wake();
        owner.at.stopped = false;
        await play(owner, working, taker);
        // What it was about to say when it was stopped it may say: it is in what the other found.
        for (const [id, count] of acknowledgedBy(owner.ledger)) expect(count).toBeLessThanOrEqual(found.get(id) ?? 0);
        await taker.ledger.append(taker.store, [1, 2, 3], 600);
        await taker.store.checkpoint(taker.ledger.entries(), { full: true });
        await taker.ledger.append(taker.store, [1]);
        await taker.store.close();
        await expectWhole(disk, taker.ledger);
      }
    }, 60_000);
  }
}

test('a taker stopped at any call of its taking, and replaced itself, changes nothing when it wakes; nor does the owner before it', async () => {
  for (const when of ['before', 'after'] as const) {
    for (let number = 1; ; number++) {
      const disk = new SimDisk();
      const owner = life(disk, 'first', 'disk', 60, when);
      const working = begin(owner);
      expect(await play(owner, working)).toBe('stopped');
      const taker = life(disk, 'second', 'disk', number, when);
      handOver(owner.ledger, taker.ledger);
      const taking = taker.ledger.reopen(taker.store);
      if ((await play(taker, taking)) === 'done') {
        expect(number).toBeGreaterThan(30);
        break;
      }
      const third = life(disk, 'third', 'disk');
      handOver(owner.ledger, third.ledger);
      expect(await play(third, third.ledger.reopen(third.store))).toBe('done');
      await third.ledger.append(third.store, [1, 2], 600);
      for (const [late, its] of [
        [taker, taking],
        [owner, working],
      ] as const) {
        late.at.wake();
        late.at.stopped = false;
        await play(late, its, third);
        await third.ledger.append(third.store, [1, 2, 3], 300);
      }
      await third.store.close();
      await expectWhole(disk, third.ledger);
    }
  }
}, 60_000);
