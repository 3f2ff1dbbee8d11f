/**
 * The measured process: waits that are given up, half of them by their time and half by a signal.
 * Thread: main. In → out: settings as an argument → what is left, as JSON on standard output.
 */
import { CallAbortedError, DeadlineExceededError, Runtime } from '../../runtime/index.js';
import { allBytes, settle } from '../memory/all-threads.js';
import type { AbandonedResult, AbandonedSettings } from './protocol.js';
import { forever, waiting } from './workflows.js';

const RUNS = 100;
const MAX_RESIDENT = 10;

const { waits, workers } = JSON.parse(process.argv[2]!) as AbandonedSettings;
/** Long enough that all wait at once. */
const timeoutMs = 2_000 + waits / 5;
const runtime = await Runtime.create({
  workflows: new URL('./workflows.js', import.meta.url),
  store: { memory: true },
  workers,
  maxResident: MAX_RESIDENT,
  logger: 'warn',
});
const { client } = runtime;
const handles = await Promise.all(
  Array.from({ length: RUNS }, (_, i) => client.workflow.start(waiting, { workflowId: `w${i}` })),
);
await Promise.all(
  handles.map((handle) => handle.startUpdate(forever, { updateId: 'forever', waitForStage: 'ACCEPTED' })),
);

interface Dump {
  readonly callers: number;
  readonly requestsInFlight: number;
}

/** Returns how many callers there were at once, and how many gave up. */
async function giveUp(count: number): Promise<[waited: number, givenUp: number]> {
  const controllers = Array.from({ length: RUNS }, () => new AbortController());
  let givenUp = 0;
  const wait = async (i: number): Promise<void> => {
    const handle = handles[i % RUNS]!;
    const asked = i % 4 < 2 ? handle : handle.getUpdateHandle('forever');
    const limit = i % 2 === 0 ? { timeout: timeoutMs + (i % 1_000) } : { signal: controllers[(i >> 1) % RUNS]!.signal };
    await asked.result(limit).catch((error: unknown) => {
      if (error instanceof DeadlineExceededError || error instanceof CallAbortedError) givenUp++;
      else throw error;
    });
  };
  const all = Promise.all(Array.from({ length: count }, (_, i) => wait(i)));
  const waited = await most(count);
  for (const controller of controllers) controller.abort();
  await all;
  return [waited, givenUp];
}

/** Callers that wait at once: as many, or what there were in the time that none gives up. */
async function most(count: number): Promise<number> {
  const end = performance.now() + timeoutMs / 2;
  for (;;) {
    const { callers } = (await runtime.dump()) as Dump;
    if (callers >= count || performance.now() > end) return callers;
  }
}

async function look(): Promise<number> {
  await settle(runtime, MAX_RESIDENT);
  return allBytes(1 + workers);
}

const cpuMicros = () => process.cpuUsage().user + process.cpuUsage().system;

// As many before the first look: what they bring into memory once, code and stacks of errors, is not counted.
await giveUp(waits);
const before = await look();
const began = cpuMicros();
const [waited, givenUp] = await giveUp(waits);
const cpu = cpuMicros() - began;
const after = await look();
const { callers, requestsInFlight } = (await runtime.dump()) as Dump;
const { replies, queued, deadlines, signals } = client.kept;
const result: AbandonedResult = {
  waited,
  givenUp,
  left: { callers, requestsInFlight, replies, queued, deadlines, signals },
  bytesPerWait: (after - before) / waits,
  cpuMicrosPerWait: cpu / waits,
};
await runtime.shutdown();
process.stdout.write(JSON.stringify(result));
