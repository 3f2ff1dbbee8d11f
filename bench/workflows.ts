/**
 * The workflows that the benchmarks run.
 * Thread: worker. In → out: arguments and messages → results.
 */
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
  sleep,
} from 'holdfast/workflow';

/** W1: nothing but a start and an end. */
export async function quick(n: number): Promise<number> {
  return n + 1;
}

export const add = defineSignal<[number]>('add');
export const set = defineUpdate<number, [number]>('set');
export const total = defineQuery<number>('total');
export const finish = defineSignal('finish');

/** W3, W4, W5: a running workflow that takes messages. */
export async function counter(): Promise<number> {
  let sum = 0;
  let finished = false;
  setHandler(add, (n) => {
    sum += n;
  });
  setHandler(
    set,
    (n) => {
      const before = sum;
      sum = n;
      return before;
    },
    {
      validator: (n) => {
        if (!Number.isInteger(n)) throw new Error(`${n} is not a whole number`);
      },
    },
  );
  setHandler(total, () => sum);
  setHandler(finish, () => {
    finished = true;
  });
  await condition(() => finished);
  return sum;
}

export enum Language {
  Chinese = 'chinese',
  English = 'english',
  French = 'french',
}
export const approve = defineSignal<[{ name: string }]>('approve');
export const getLanguage = defineQuery<Language>('get_language');
export const setLanguage = defineUpdate<Language, [Language]>('set_language');

/** W6: what is counted in bytes. */
export async function greeting(): Promise<string> {
  const greetings: Partial<Record<Language, string>> = {
    [Language.English]: 'Hello, world',
    [Language.Chinese]: '你好，世界',
  };
  let language = Language.English;
  let approved = false;
  setHandler(getLanguage, () => language);
  setHandler(approve, (_by) => {
    approved = true;
  });
  setHandler(
    setLanguage,
    (next) => {
      const previous = language;
      language = next;
      return previous;
    },
    {
      validator: (next) => {
        if (!(next in greetings)) throw new Error(`${next} is not supported`);
      },
    },
  );
  await condition(() => approved);
  return greetings[language]!;
}

/** Timers: how late it wakes, by the time of the message that wakes it. */
export async function sleeper(ms: number): Promise<number> {
  const due = Date.now() + ms;
  await sleep(ms);
  return Date.now() - due;
}

const { step } = proxyActivities<{ step(n: number): Promise<number> }>({ startToCloseTimeout: '1 minute' });

/** W7: three activities, one after the other. */
export async function steps(n: number): Promise<number> {
  let value = n;
  for (let i = 0; i < 3; i++) value = await step(value);
  return value;
}
