/**
 * A process that is measured: the runtime of one build, or the floor, under one workload. The workload's code is this checkout's, whatever
 * build it is: only what is imported from the build's root differs.
 * Thread: main of a child process. In → out: plan, then commands → figures.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { driveOperations, type Operation } from '../drive.js';
import { Floor } from '../floor/floor.js';
import { ACTIVITIES, KINDS, WORKFLOWS } from '../workloads.js';
import type { FromMeasured, Plan, ToMeasured } from './protocol.js';

const plan = JSON.parse(process.argv[2]!) as Plan;
const { rounds = 1, limits = {}, prepare } = KINDS[plan.workload];

interface Subject {
  readonly operation: Operation;
  stop(): Promise<void>;
}

async function makeFloor(): Promise<Subject> {
  const { workload, workers, directory } = plan;
  const floor = await Floor.start({ workload, workers, path: join(directory, 'floor') });
  const operation = async () => {
    for (let round = 0; round < rounds; round++) await floor.call();
  };
  return { operation, stop: () => floor.stop() };
}

async function makeRuntime(root: string): Promise<Subject> {
  const index = pathToFileURL(join(root, 'dist/runtime/index.js')).href;
  const { Runtime } = (await import(index)) as typeof import('../../runtime/index.js'); // Of another version, perhaps.
  const runtime = await Runtime.create({
    workflows: WORKFLOWS,
    activities: ACTIVITIES,
    store: join(plan.directory, 'store'),
    workers: plan.workers,
    limits,
    logger: 'error',
  });
  return { operation: await prepare(runtime.client, plan.workload), stop: () => runtime.shutdown() };
}

const tell = (message: FromMeasured) => process.send!(message);
const subject = await (plan.root === null ? makeFloor() : makeRuntime(plan.root));
let cpu = process.cpuUsage();
let operations = 0;
let elapsedMs = 0;

async function obey(command: ToMeasured): Promise<void> {
  if (command.kind === 'begin') {
    cpu = process.cpuUsage();
    tell({ kind: 'done' });
  } else if (command.kind === 'slice') {
    const sample = await driveOperations(subject.operation, plan.callers, command.operations);
    operations += sample.latenciesMs.length;
    elapsedMs += sample.elapsedMs;
    tell({ kind: 'done' });
  } else {
    const { user, system } = process.cpuUsage(cpu);
    const figures = {
      opsPerSecond: (operations * 1000) / elapsedMs,
      cpuMicrosPerOp: (user + system) / operations,
    };
    tell({ kind: 'figures', figures });
    await subject.stop();
    process.disconnect();
  }
}

await driveOperations(subject.operation, plan.callers, plan.warmUp);
process.on('message', (command: ToMeasured) => void obey(command));
process.once('disconnect', () => process.exit());
tell({ kind: 'done' });
