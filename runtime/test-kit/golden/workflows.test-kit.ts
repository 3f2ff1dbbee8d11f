/**
 * The workflows of the golden histories. What is here stays as it is, for ever: a new feature gets a new workflow.
 * Thread: worker. In → out: what the scenarios send → every kind of command.
 */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSearchAttributeKey,
  defineSignal,
  defineUpdate,
  deprecatePatch,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  Mutex,
  patched,
  proxyActivities,
  proxyLocalActivities,
  Semaphore,
  setHandler,
  sleep,
  startChild,
  upsertMemo,
  upsertSearchAttributes,
  uuid4,
} from 'holdfast/workflow';

interface Activities {
  double(value: number): Promise<number>;
  failOnce(key: string): Promise<string>;
  refuse(): Promise<void>;
  wait(): Promise<void>;
}

const { double, failOnce, refuse, wait } = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: 1, maximumAttempts: 3 },
});
const local = proxyLocalActivities<Activities>({ startToCloseTimeout: '1 minute', retry: { maximumAttempts: 1 } });

const note = defineSignal<[text: string]>('note');
const end = defineSignal('end');
const state = defineQuery<string[]>('state');

/** Notes what it is told until it is to end; several messages may be one step with its start or with its end. */
export async function ledger(first: string): Promise<string[]> {
  const seen = [first];
  let over = false;
  setHandler(note, (text) => {
    seen.push(text);
  });
  setHandler(end, () => {
    over = true;
  });
  setHandler(state, () => seen);
  await condition(() => over);
  return seen;
}

/** Updates of every kind. */
export async function updates(): Promise<number> {
  let sum = 0;
  let over = false;
  setHandler(
    defineUpdate<number, [amount: number]>('add'),
    (amount) => {
      sum += amount;
      return sum;
    },
    {
      validator: (amount) => {
        if (amount < 0) throw new Error('only up');
      },
    },
  );
  setHandler(defineUpdate<number, [amount: number]>('addLater'), async (amount) => {
    await sleep(1);
    sum += await double(amount);
    if (amount > 10) throw ApplicationFailure.nonRetryable('too much');
    return sum;
  });
  setHandler(end, () => {
    over = true;
  });
  await condition(() => over);
  return sum;
}

/** Timers that fire, are cancelled, and end a wait. */
export async function timers(): Promise<string> {
  const long = new CancellationScope();
  const slept = long.run(() => sleep('1 day')).catch((error) => (isCancellation(error) ? 'cancelled' : 'broken'));
  const rang = new Promise<string>((resolve) => setTimeout(resolve, 1, 'rang'));
  const inTime = await condition(() => false, 2);
  long.cancel();
  return [await slept, await rang, String(inTime)].join();
}

/** What it does hangs on random numbers and the clock. */
export async function chance(): Promise<string[]> {
  const ids: string[] = [];
  const began = Date.now();
  for (let i = 0; i < 3; i++) {
    if (Math.random() < 0.5) await sleep(1);
    else await double(i);
    ids.push(uuid4());
  }
  if (Date.now() < began) throw ApplicationFailure.nonRetryable('time ran backwards');
  if (Number.parseInt(uuid4()[0]!, 16) < 8) await sleep(2);
  return ids;
}

/** Activities that succeed, are tried again, fail, and are cancelled. */
export async function activities(key: string): Promise<string> {
  const [doubled, retried] = await Promise.all([double(21), failOnce(key)]);
  const refused = await refuse().catch((error: Error) => error.message);
  const scope = new CancellationScope();
  const waiting = scope.run(() => wait()).catch((error) => String(isCancellation(error)));
  await sleep(1);
  scope.cancel();
  return [doubled, retried, refused, await waiting].join();
}

/** Local activities, one after the other and at once. */
export async function localActivities(): Promise<string> {
  const first = await local.double(2);
  const [second, third] = await Promise.all([local.double(first), local.double(5)]);
  const refused = await local.refuse().catch((error: Error) => error.name);
  return [first, second, third, refused].join();
}

/** Children that end well and badly, are cancelled, and are talked to. */
export async function parent(): Promise<string> {
  const told = await startChild(ledger, { args: ['child'] });
  await told.signal(note, 'hello');
  await told.signal(end);
  const failed = await executeChild(failing, { args: ['badly'] }).catch((error: Error) => error.name);
  const scope = new CancellationScope();
  const cancelled = scope.run(() => executeChild(ledger, { args: ['cancelled'] })).catch((error: Error) => error.name);
  await sleep(1);
  scope.cancel();
  return [await told.result(), failed, await cancelled].join();
}

export async function failing(how: string): Promise<never> {
  await sleep(1);
  throw ApplicationFailure.nonRetryable(`ended ${how}`, 'Badly', { how });
}

/** Asks another workflow for all that can be asked. */
export async function asking(of: string): Promise<string> {
  const other = getExternalWorkflowHandle(of);
  await other.signal(note, 'from another');
  const seen = await other.query(state);
  const update = await other.executeUpdate('none', { args: [] }).catch((error: Error) => error.name);
  await other.cancel('enough');
  return [seen.length, update].join();
}

/** Continues as new, with what was not handled. */
export async function chain(round: number): Promise<number> {
  if (round === 3) {
    let heard = 0;
    setHandler(note, () => {
      heard++;
    });
    return heard;
  }
  let over = false;
  setHandler(end, () => {
    over = true;
  });
  await condition(() => over || round > 1);
  return continueAsNew<typeof chain>(round + 1);
}

export async function patches(): Promise<string> {
  deprecatePatch('old change');
  const way = patched('new change') ? await double(1) : -1;
  await sleep(1);
  return `${way} ${patched('new change')} ${patched('newer change')}`;
}

/** Cancelled from outside, with time-outs, shields and clean-up. */
export async function scopes(): Promise<string> {
  const seen: string[] = [];
  await CancellationScope.withTimeout(1, () => sleep('1 day')).catch((error) =>
    seen.push(`late ${isCancellation(error)}`),
  );
  try {
    await CancellationScope.cancellable(async () => {
      const shielded = CancellationScope.nonCancellable(() => double(4));
      await Promise.all([shielded, sleep('1 day')]);
    });
  } catch (error) {
    seen.push(`cancelled ${isCancellation(error)}`);
    await CancellationScope.nonCancellable(async () => {
      await sleep(1);
      seen.push(`cleaned up ${await double(3)}`);
    });
  }
  return seen.join();
}

/** Conditions, numbers and cancellations in the order of Temporal's activations; handlers that ask for more after main has ended. */
export async function activations(): Promise<string> {
  const seen: string[] = [];
  let notes = 0;
  let over = false;
  setHandler(note, async (text) => {
    notes++;
    seen.push(text);
    for (let i = 0; i < 10; i++) await null;
    if (over) await sleep('1 day');
  });
  setHandler(end, () => {
    over = true;
  });
  seen.push(`at once ${await condition(() => true, '1 day')}`);
  seen.push(`one ${await condition(() => notes === 1, '1 day')}`);
  const scope = new CancellationScope();
  const fates = scope.run(() =>
    Promise.allSettled([
      sleep('1 day').catch(() => seen.push('sleep')),
      CancellationScope.cancellable(() => sleep('2 days')).catch(() => seen.push('sleep inside')),
      condition(() => false, '3 days').catch(() => seen.push('condition')),
      wait().catch(() => seen.push('activity')),
      condition(() => false).catch(() => seen.push('condition without a timer')),
    ]),
  );
  await sleep(1);
  scope.cancel();
  await fates;
  await scope.run(() => sleep('1 day')).catch(() => seen.push('too late'));
  await scope.run(() => double(1)).catch(() => seen.push('too late for an activity'));
  await CancellationScope.withTimeout(1, () => sleep('1 day')).catch(() => seen.push('timed out'));
  seen.push(`double ${await double(2)}`);
  await condition(() => over);
  return seen.join();
}

/** Local activities that are cancelled: under way, and before they have begun. */
export async function cancelledLocals(): Promise<string> {
  const seen: string[] = [];
  const scope = new CancellationScope();
  const begun = scope.run(() => local.wait()).catch((error) => seen.push(`begun ${isCancellation(error)}`));
  await sleep(1);
  scope.cancel();
  await begun;
  const other = new CancellationScope();
  const never = other.run(() => local.wait()).catch((error) => seen.push(`never begun ${isCancellation(error)}`));
  other.cancel();
  await never;
  await sleep(1);
  return seen.join();
}

/** Takes turns at a lock while messages come. */
export async function locks(): Promise<string[]> {
  const mutex = new Mutex();
  const places = new Semaphore(2);
  const seen: string[] = [];
  setHandler(note, async (text) => {
    await mutex.runExclusive(async () => {
      seen.push(`${text} begins`);
      await sleep(1);
      seen.push(`${text} ends`);
    });
  });
  await Promise.all(
    [1, 2, 3].map(async (value) => {
      const release = await places.acquire();
      seen.push(String(await double(value)));
      release();
    }),
  );
  await condition(() => seen.filter((entry) => entry.endsWith('ends')).length === 2);
  return seen;
}

const COLOUR = defineSearchAttributeKey('colour', 'KEYWORD');

export async function attributes(): Promise<void> {
  upsertSearchAttributes([{ key: COLOUR, value: 'red' }]);
  upsertMemo({ step: 'first' });
  await sleep(1);
  upsertSearchAttributes([{ key: COLOUR, value: null }]);
  upsertMemo({ step: null });
}
