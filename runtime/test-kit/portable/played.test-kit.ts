/**
 * One program played here: its runs, as their histories tell of them.
 * Thread: the command's. In → out: program → the runs of its workflow, and of those that it began or told something.
 */
import { constant, constantFrom, integer, record } from 'fast-check';
import type { WorkflowEvent } from '../../../mailbox/events.js';
import { type Program, programs } from '../programs.test-kit.js';
import { Player } from '../schedule.test-kit.js';
import type { State } from '../script.test-kit.js';
import type { Version } from '../script-interpreter.test-kit.js';
import { System, type Workflows } from '../system.test-kit.js';
import { leaf, listener, scripted } from './temporal-workflows.test-kit.js';

const shown = integer({ min: 0, max: 3 });

/** With what Temporal's workflows can do beside what models know. */
export const portableProgram = programs({
  // Rarely at once: see `exclusionOf`.
  timeouts: [...Array.from({ length: 130 }, () => [1, 50, 1000]).flat(), 0],
  statements: [
    { weight: 4, arbitrary: record({ do: constant('memo' as const), value: shown }) },
    { weight: 4, arbitrary: record({ do: constant('attribute' as const), value: shown }) },
    {
      weight: 6,
      arbitrary: record({
        do: constant('tell' as const),
        what: constantFrom('signal' as const, 'signal' as const, 'cancel' as const),
        whom: constantFrom('other' as const, 'other' as const, 'nobody' as const),
      }),
    },
  ],
});

export interface PlayedRun {
  readonly runId: string;
  readonly events: readonly WorkflowEvent[];
  /** What is deployed at the end. */
  readonly version: Version;
}

export async function playedRuns(program: Program): Promise<readonly PlayedRun[]> {
  const { script, beginning, actions, slots, maxResident, version, retry } = program;
  const workflowsAt = (deployed: Version): Workflows => ({
    scripted: (state?: State) => scripted(script, deployed, state),
    leaf,
    listener,
  });
  const system = await System.open({ workflows: workflowsAt(version), slots, maxResident });
  system.start('other', 'listener');
  const player = new Player(system, workflowsAt, version);
  player.begin(beginning, retry);
  await player.play(actions);
  await player.end();
  if (system.failures.length > 0) throw new Error('The supervisor stopped', { cause: system.failures[0] });
  return [...system.histories()].map(([runId, events]) => ({ runId, events, version: player.deployed.version }));
}
