/**
 * The measured process: fills a runtime with runs that sleep, or opens one that is full.
 * Thread: main. In → out: what to do and settings as arguments → figures, as JSON on standard output.
 */
import { Runtime } from '../../runtime/index.js';
import { allBytes, settle } from '../memory/all-threads.js';
import { WORKFLOWS } from '../workloads.js';
import type { PendingResult, RestartResult, TimersSettings } from './protocol.js';
import { lateness, startSleepers } from './sleepers.js';

/** Actors that stay in memory: few, for what is measured is what a timer costs whose run is evicted. */
const MAX_RESIDENT = 100;
/** Started before the first look, so that what the first runs bring into memory once is not counted. */
const BEFORE = 2_000;

const open = ({ store, workers }: TimersSettings) =>
  Runtime.create({ workflows: WORKFLOWS, store, workers, maxResident: MAX_RESIDENT, logger: 'warn' });

const cpuMs = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;

async function fill(settings: TimersSettings): Promise<PendingResult> {
  const { timers, workers } = settings;
  const runtime = await open(settings);
  const look = async () => {
    await settle(runtime, MAX_RESIDENT);
    return { bytes: await allBytes(1 + workers), rss: process.memoryUsage.rss() };
  };
  await startSleepers(runtime, 'before', BEFORE);
  const before = await look();
  const began = cpuMs();
  await startSleepers(runtime, 'sleeper', timers);
  const startCpu = cpuMs() - began;
  const after = await look();
  const late = await lateness(runtime, 'due', settings.due, settings.withinMs);
  const closing = performance.now();
  await runtime.shutdown();
  return {
    bytesPerTimer: (after.bytes - before.bytes) / timers,
    rssPerTimer: (after.rss - before.rss) / timers,
    startCpuMicrosPerTimer: (startCpu * 1000) / timers,
    shutdownMs: performance.now() - closing,
    late,
  };
}

async function restart(settings: TimersSettings): Promise<RestartResult> {
  const [began, cpu] = [performance.now(), cpuMs()];
  const runtime = await open(settings);
  const [openMs, openCpuMs] = [performance.now() - began, cpuMs() - cpu];
  const { openRuns } = await runtime.stats();
  const bytes = await allBytes(1 + settings.workers);
  const late = await lateness(runtime, 'due-again', settings.due, settings.withinMs);
  await runtime.shutdown();
  return { openMs, openCpuMs, openRuns, bytesPerTimer: bytes / openRuns, late };
}

const settings = JSON.parse(process.argv[3]!) as TimersSettings;
const result = process.argv[2] === 'fill' ? await fill(settings) : await restart(settings);
process.stdout.write(JSON.stringify(result));
