/**
 * The comparison of two builds: pair after pair under each workload, and what the pairs say.
 * Thread: main. In → out: arguments → a table or JSON on standard output; exit code 1 unless B is no slower everywhere.
 */
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { FLOOR } from '../floor/floor.js';
import { describeMachine } from '../machine.js';
import { settingsLines } from '../report.js';
import { OWN_ROOT, prepareBuild } from './builds.js';
import { type CompareSettings, parseCommandLine, USAGE } from './command-line.js';
import { measurePair, type PairFigures, SLICES } from './pair.js';
import { type Compared, compareWorkload, heading, row } from './table.js';

async function compareBuilds(settings: CompareSettings): Promise<boolean> {
  const { pairs, workloads, callers, seconds, warmUpSeconds, json } = settings;
  const parent = settings.directory ?? tmpdir();
  await mkdir(parent, { recursive: true });
  const directory = await mkdtemp(join(parent, 'holdfast-compare-'));
  try {
    const a = await prepareBuild(settings.a, join(directory, 'a'));
    const b = await prepareBuild(settings.b, join(directory, 'b'));
    const machine = { ...describeMachine(directory), msgpackr: versionOf('msgpackr'), piscina: versionOf('piscina') };
    const workers = Math.max(1, availableParallelism() - 1);
    const described = {
      floor: FLOOR,
      durability: 'disk',
      ...{ workers, callers, pairs, slices: SLICES, secondsPerSide: seconds, warmUpSeconds, directory: parent },
    };
    const print = (text: string) => (json ? process.stderr : process.stdout).write(`${text}\n`);
    print(`A: ${a.given} (${a.version})`);
    print(`B: ${b.given} (${b.version})`);
    for (const text of settingsLines(machine, described)) print(text);
    print(`\n${heading()}`);
    const results: (Compared & { readonly measured: readonly PairFigures[] })[] = [];
    const roots = [a.root, b.root] as const;
    for (const workload of workloads) {
      const measured: PairFigures[] = [];
      while (measured.length < pairs)
        measured.push(
          await measurePair(roots, workload, measured.length, { callers, seconds, warmUpSeconds, workers, directory }),
        );
      const compared = compareWorkload(workload, measured);
      results.push({ ...compared, measured });
      print(row(compared));
    }
    if (json) process.stdout.write(`${JSON.stringify({ a, b, machine, settings: described, results }, null, 2)}\n`);
    return results.every(({ verdict }) => verdict === 'no slower');
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** What the floor is made with. */
function versionOf(name: string): string {
  const manifest = readFileSync(join(OWN_ROOT, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function settingsOrExit(): CompareSettings {
  try {
    return parseCommandLine(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
    process.exit(2);
  }
}

process.exitCode = (await compareBuilds(settingsOrExit())) ? 0 : 1;
