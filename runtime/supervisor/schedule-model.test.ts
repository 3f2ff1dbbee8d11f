/**
 * Random schedules against the model: whatever their owner, clocks, evictions, lost workers and crashes do, each action is taken once and in
 * its turn, and what is told of it is so. `npm run model` runs as many as one likes.
 */
import { assert, asyncProperty } from 'fast-check';
import { test } from 'vitest';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { SchedulePlayer } from '../test-kit/schedule-player.test-kit.js';
import { scheduleProgram, work } from '../test-kit/schedule-programs.test-kit.js';
import { expectScheduleAsModelled } from '../test-kit/schedule-verdict.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const { MODEL_CASES: cases = '100', MODEL_SEED: seed, MODEL_PATH: path } = process.env;

test('a schedule takes what its times and its owner ask for, each action once', { timeout: 3_600_000 }, async () => {
  await assert(
    asyncProperty(scheduleProgram, async (program) => {
      const { slots, maxResident, historyEvents } = program;
      const system = await System.open({ workflows: { work }, slots, maxResident, limits: { historyEvents } });
      const player = new SchedulePlayer(system, program);
      await player.play();
      await expectScheduleAsModelled(system, player.asked);
    }),
    {
      numRuns: Number(cases),
      ...(seed === undefined ? {} : { seed: Number(seed) }),
      ...(path === undefined ? {} : { path }),
    },
  );
});
