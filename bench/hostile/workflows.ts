/**
 * The healthy ones, and those who are not.
 * Thread: worker. In → out: what the campaign asks → sums; or loops, memory, and what is thrown.
 */
import { ApplicationFailure, condition, defineQuery, defineSignal, defineUpdate, setHandler } from 'holdfast/workflow';

export { attempt, compute, patch, seen, sparse, target } from '../../runtime/fixtures/hostile-workflows.js';
export * from '../../runtime/fixtures/throwing-workflows.js';

export const deposit = defineUpdate<number, [amount: number]>('deposit');
export const balance = defineQuery<number>('balance');

export async function account(): Promise<void> {
  let sum = 0;
  setHandler(deposit, (amount) => {
    sum += amount;
    return sum;
  });
  setHandler(balance, () => sum);
  await condition(() => false);
}

export async function double(n: number): Promise<number> {
  return n * 2;
}

export const misbehave = defineSignal<[how: string]>('misbehave');
export const misbehaveNow = defineUpdate<unknown, [how: string]>('misbehaveNow');

const kept: unknown[] = [];
const HOW: Readonly<Record<string, () => unknown>> = {
  loop: () => {
    for (;;) kept.length = 0;
  },
  microtasks: async () => {
    for (;;) await null;
  },
  memory: () => {
    for (;;) kept.push(new Array(1_000_000).fill(kept.length));
  },
  deep: () => {
    let value: unknown = 1;
    for (let n = 0; n < 100_000; n++) value = [value];
    return value;
  },
  wide: () => 'x'.repeat(50 * 1024 * 1024),
  message: () => {
    throw ApplicationFailure.nonRetryable('x'.repeat(50 * 1024 * 1024));
  },
  getters: () => ({
    get x(): unknown {
      return HOW['getters']!();
    },
  }),
  proxies: () =>
    new Proxy(
      {},
      {
        ownKeys: () => ['x'],
        get: () => HOW['proxies']!(),
        getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }),
      },
    ),
};

export async function culprit(): Promise<void> {
  setHandler(misbehave, async (how) => {
    await HOW[how]?.();
  });
  setHandler(misbehaveNow, (how) => HOW[how]?.());
  await condition(() => false);
}
