/**
 * Timers at scale: what a pending timer costs, how late timers fire among very many, and how long a restart takes with them.
 * Thread: main. In → out: arguments → figures on standard output; each part in a process of its own.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.js';
import { inChild } from '../memory/in-child.js';
import type { Lateness, PendingResult, RestartResult, TimersSettings } from './protocol.js';

const USAGE = `Usage: npm run bench:timers -- [options]
  --timers 1000000   runs that sleep
  --due 2000         further runs whose timers fall due while it looks, before the restart and after
  --within 10000     milliseconds in which they do
  --directory PATH   where the store is made (default: the system's folder for temporary files)
  --json             one JSON object on standard output, nothing else`;

function parse() {
  const { values } = parseArgs({
    options: {
      timers: { type: 'string', default: '1000000' },
      due: { type: 'string', default: '2000' },
      within: { type: 'string', default: '10000' },
      directory: { type: 'string', default: tmpdir() },
      json: { type: 'boolean', default: false },
    },
  });
  const whole = (option: string, text: string): number => {
    if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
    throw new Error(`--${option}: '${text}' is not a whole number from 1 to 999999999`);
  };
  return {
    timers: whole('timers', values.timers),
    due: whole('due', values.due),
    within: whole('within', values.within),
    directory: values.directory,
    json: values.json,
  };
}

function settingsOrExit(): ReturnType<typeof parse> {
  try {
    return parse();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
    process.exit(2);
  }
}

const part = <R>(name: 'fill' | 'restart', settings: TimersSettings): Promise<R> =>
  inChild(new URL('./child.js', import.meta.url), name, JSON.stringify(settings));

const late = ({ p50, p99, max, early }: Lateness) => `p50 ${p50} ms, p99 ${p99} ms, at most ${max} ms; early: ${early}`;

const { timers, due, within, directory: parent, json } = settingsOrExit();
await mkdir(parent, { recursive: true });
const directory = await mkdtemp(join(parent, 'holdfast-timers-'));
try {
  const machine = describeMachine(directory);
  const workers = Math.max(1, availableParallelism() - 1);
  const settings: TimersSettings = { store: join(directory, 'store'), workers, timers, due, withinMs: within };
  const print = (line: string) => (json ? process.stderr : process.stdout).write(`${line}\n`);
  print(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.os}; Node ${machine.node}`);
  print(`${timers} timers pending, ${due} due within ${within} ms; durability 'disk', ${workers} worker(s)`);
  const pending = await part<PendingResult>('fill', settings);
  print(
    `a pending timer     ${Math.round(pending.bytesPerTimer)} bytes, run included (resident set ${Math.round(pending.rssPerTimer)})`,
  );
  print(`start of its run    ${pending.startCpuMicrosPerTimer.toFixed(1)} µs of CPU, all threads`);
  print(`late                ${late(pending.late)}`);
  print(`shutdown            ${Math.round(pending.shutdownMs)} ms`);
  const restarted = await part<RestartResult>('restart', settings);
  print(`restart             ${Math.round(restarted.openMs)} ms, of CPU ${Math.round(restarted.openCpuMs)} ms`);
  print(`late after it       ${late(restarted.late)}`);
  if (json)
    process.stdout.write(JSON.stringify({ machine, settings: { timers, due, within, workers }, pending, restarted }));
} finally {
  await rm(directory, { recursive: true });
}
