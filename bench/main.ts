/**
 * The benchmarks' entry: measures the workloads that the command line selects, and prints the figures.
 * Thread: main. In → out: arguments → a table or JSON on standard output; progress on standard error.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureWorkload, type Result, ROUNDS } from './cells.js';
import { parseCommandLine, type Settings, USAGE } from './command-line.js';
import { FLOOR } from './floor/floor.js';
import { describeMachine } from './machine.js';
import { measureMemory } from './memory/measure.js';
import { header, memoryLine, type Report, row, toJson } from './report.js';

async function bench(settings: Settings): Promise<void> {
  const parent = settings.directory ?? tmpdir();
  await mkdir(parent, { recursive: true });
  const directory = await mkdtemp(join(parent, 'holdfast-bench-'));
  const workers = Math.max(1, availableParallelism() - 1);
  try {
    const machine = describeMachine(directory);
    const described = {
      floor: FLOOR,
      durability: 'disk',
      workers,
      secondsPerCell: settings.seconds,
      rounds: ROUNDS,
      callers: settings.callers,
      directory: parent,
    };
    const results: Result[] = [];
    const print = (line: string) => (settings.json ? process.stderr : process.stdout).write(`${line}\n`);
    for (const line of header(machine, described)) print(line);
    let memory: Report['memory'];
    for (const workload of settings.workloads) {
      if (workload === 'W6') {
        memory = await measureMemory(settings.runs, directory, workers);
        print(memoryLine(memory));
        continue;
      }
      await measureWorkload(workload, settings.callers, { directory, seconds: settings.seconds, workers }, (result) => {
        results.push(result);
        print(row(result));
      });
    }
    if (settings.json)
      process.stdout.write(
        toJson({ machine, settings: described, results, ...(memory === undefined ? {} : { memory }) }),
      );
  } finally {
    await rm(directory, { recursive: true });
  }
}

function settingsOrExit(): Settings {
  try {
    return parseCommandLine(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
    process.exit(2);
  }
}

await bench(settingsOrExit());
