/**
 * Random programs against the model: whatever clients, clocks, evictions, lost workers and crashes do, every answer and every history is
 * what a few lines without promises, workers and journal make of the same messages. `npm run model` runs as many as one likes.
 */
import { assert, asyncProperty } from 'fast-check';
import { test } from 'vitest';
import { program } from '../test-kit/programs.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { Player } from '../test-kit/schedule.test-kit.js';
import { workflowsOf } from '../test-kit/script-workflow.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import { expectAsModelled } from '../test-kit/verdict.test-kit.js';

routeRejections();

const { MODEL_CASES: cases = '300', MODEL_SEED: seed, MODEL_PATH: path } = process.env;

test('a run is what its messages make of it, one after the other', { timeout: 3_600_000 }, async () => {
  await assert(
    asyncProperty(program, async ({ script, beginning, actions, slots, maxResident, version, retry }) => {
      const system = await System.open({
        workflows: workflowsOf(script, version),
        slots,
        maxResident,
      });
      const player = new Player(system, (deployed) => workflowsOf(script, deployed), version);
      player.begin(beginning, retry);
      await player.play(actions);
      await player.end();
      await expectAsModelled(system, script, player, retry);
    }),
    {
      numRuns: Number(cases),
      ...(seed === undefined ? {} : { seed: Number(seed) }),
      ...(path === undefined ? {} : { path }),
    },
  );
});
