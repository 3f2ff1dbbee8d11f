/**
 * What the commands do and print.
 * Thread: main. In → out: arguments and a disk in, lines and an exit code out.
 */
import { readFileSync } from 'node:fs';
import { monotonicClock, systemClock } from '../clock.js';
import { HoldfastError } from '../errors.js';
import type { Disk } from '../store/log/disk.js';
import { expectUnlocked, takeLock } from '../store/log/lock.js';
import { OwnedDisk } from '../store/log/owned-disk.js';
import type { Processes } from '../store/log/owner.js';
import { repairStore } from '../store/log/repair.js';
import { byRun, type EventRange, type Report, verifyStore } from '../store/log/verify.js';

export interface Outcome {
  /** What was asked for. */
  readonly lines: readonly string[];
  /** Why it could not be had, or not all of it. */
  readonly errors?: readonly string[];
  /** 0: the store is whole (or is again), all histories fit. 1: it is damaged, one does not. 2: the command could not do its work. */
  readonly exitCode: 0 | 1 | 2;
}

/** The outcome of a command that could do nothing. */
export function impossible(...errors: readonly string[]): Outcome {
  return { lines: [], errors, exitCode: 2 };
}

const USAGE = [
  'holdfast verify <store>   reads the whole store and says what is damaged; changes nothing',
  'holdfast repair <store>   cuts a damaged log where the damage begins, keeping copies of what it changes',
  'holdfast history <store> <workflow id> [run id]   prints the history of a run as JSON; the store must not be open',
  'holdfast list <store> [query]   prints the runs that match a list filter, newest first; the store must not be open',
  'holdfast replay <workflow file> <history.json> …   replays saved histories and says which do not fit the code',
  "holdfast replay --temporal <workflow file> <history.json> …   the same by Temporal's own core: @temporalio/worker must be installed",
  'holdfast --help, holdfast --version',
];

const uuid = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
const eventsOf = ({ runId, first, last }: EventRange) =>
  `  run ${uuid(runId)}: event${first === last ? ` ${first}` : `s ${first} to ${last}`}`;

function describe(report: Report): string[] {
  const lines = [
    `${report.survey?.segments.length ?? 0} segments, ${report.batches} batches, ${report.frames} frames of ${report.runs} runs`,
  ];
  if (report.tornBytes > 0) {
    lines.push(`${report.tornBytes} bytes of an unfinished write at the end (no damage: the next start removes them)`);
  }
  for (const warning of report.warnings) lines.push(`warning: ${warning} (no data is lost)`);
  for (const { file, offset, reason } of report.damages) lines.push(`damaged: ${file} at byte ${offset}: ${reason}`);
  return lines;
}

/** A command does not wait for an owner that lives. */
const lockOptions = (processes: Processes) => ({ processes, clock: systemClock, monotonic: monotonicClock, waitMs: 0 });

async function verify(disk: Disk, processes: Processes): Promise<Outcome> {
  await expectUnlocked(disk, lockOptions(processes));
  const report = await verifyStore(disk);
  if (report.survey === undefined) return impossible(`${disk.folder} holds no store`);
  const lines = describe(report);
  if (report.damages.length === 0) return { lines: [...lines, 'The store is whole.'], exitCode: 0 };
  if (report.damaged.length > 0) lines.push('Cannot be read any more:', ...report.damaged.map(eventsOf));
  const cut = byRun(report.beyond);
  if (cut.length > 0) {
    lines.push(
      `'holdfast repair' would cut the log at position ${report.point.end}, and with it:`,
      ...cut.map(eventsOf),
    );
  }
  return { lines: [...lines, 'The store is damaged: restore a backup, or repair it.'], exitCode: 1 };
}

async function repair(disk: Disk, processes: Processes, now: number): Promise<Outcome> {
  const hold = await takeLock(disk, lockOptions(processes));
  try {
    const { report, copies, lost, end } = await repairStore(new OwnedDisk(disk, hold), now);
    if (report.survey === undefined) return impossible(`${disk.folder} holds no store`);
    const lines = describe(report);
    if (report.damages.length === 0)
      return { lines: [...lines, 'The store is whole: nothing to repair.'], exitCode: 0 };
    for (const copy of copies) lines.push(`kept a copy: ${copy}`);
    if (lost.length > 0) lines.push(`The log was cut at position ${end}. Lost:`, ...lost.map(eventsOf));
    else lines.push('No event that the store still tells of was lost.');
    return { lines: [...lines, 'The store can be opened again.'], exitCode: 0 };
  } finally {
    await hold.release();
  }
}

interface Surroundings {
  readonly diskAt: (folder: string) => Disk;
  readonly processes: Processes;
  readonly now: number;
}

/** Undefined: its arguments are not what it takes. */
type Command = (args: readonly string[], surroundings: Surroundings) => Promise<Outcome> | undefined;

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'verify',
    ([folder, ...more], { diskAt, processes }) =>
      folder === undefined || more.length > 0 ? undefined : verify(diskAt(folder), processes),
  ],
  [
    'repair',
    ([folder, ...more], { diskAt, processes, now }) =>
      folder === undefined || more.length > 0 ? undefined : repair(diskAt(folder), processes, now),
  ],
  [
    'history',
    ([folder, workflowId, runId, ...more], { diskAt, processes }) =>
      folder === undefined || workflowId === undefined || more.length > 0
        ? undefined
        : // Not before they are needed: the others must work on a store without all that runs workflows.
          import('./histories.js').then(({ printHistory }) =>
            printHistory(diskAt(folder), processes, workflowId, runId),
          ),
  ],
  [
    'list',
    ([folder, query = '', ...more], { diskAt, processes }) =>
      folder === undefined || more.length > 0
        ? undefined
        : import('./list.js').then(({ listRuns }) => listRuns(diskAt(folder), processes, query)),
  ],
  [
    'replay',
    (args) => {
      const [workflows, ...files] = args.filter((arg) => arg !== '--temporal');
      if (workflows === undefined || files.length === 0) return undefined;
      return args.includes('--temporal')
        ? import('./temporal-histories.js').then(({ replayFilesAtTemporal }) => replayFilesAtTemporal(workflows, files))
        : import('./histories.js').then(({ replayFiles }) => replayFiles(workflows, files));
    },
  ],
]);

const HELP: ReadonlySet<string> = new Set(['help', '--help', '-h']);
const VERSION: ReadonlySet<string> = new Set(['version', '--version', '-v']);

function ownVersion(): string {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

export async function runCommand(
  [name = '', ...args]: readonly string[],
  diskAt: (folder: string) => Disk,
  processes: Processes,
  now: number,
): Promise<Outcome> {
  try {
    if (HELP.has(name) || args.some((arg) => arg === '--help' || arg === '-h')) return { lines: USAGE, exitCode: 0 };
    if (VERSION.has(name)) return { lines: [ownVersion()], exitCode: 0 };
    const outcome = await COMMANDS.get(name)?.(args, { diskAt, processes, now });
    if (outcome !== undefined) return outcome;
    const what = COMMANDS.has(name) ? `'${name}' takes other arguments.` : `There is no command '${name}'.`;
    return impossible(...(name === '' ? [] : [what]), ...USAGE);
  } catch (error) {
    if (error instanceof HoldfastError)
      return { ...impossible(error.message), exitCode: error.code === 'STORE_CORRUPT' ? 1 : 2 };
    if (error instanceof Error && 'code' in error) return impossible(error.message);
    throw error;
  }
}
