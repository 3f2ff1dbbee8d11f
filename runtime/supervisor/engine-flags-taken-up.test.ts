/**
 * Random programs whose runs begin under earlier rules of the engine, and take up others at any moment, when a newer version opens them.
 */
import { array, assert, asyncProperty, integer, record } from 'fast-check';
import { expect, test } from 'vitest';
import { ENGINE_FLAGS } from '../../actors/engine-flags.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { portableProgram } from '../test-kit/portable/played.test-kit.js';
import { leaf, listener, scripted } from '../test-kit/portable/temporal-workflows.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { Player } from '../test-kit/schedule.test-kit.js';
import type { State } from '../test-kit/script.test-kit.js';
import type { Version } from '../test-kit/script-interpreter.test-kit.js';
import { System, type Workflows } from '../test-kit/system.test-kit.js';

routeRejections();

const { MODEL_CASES: cases = '50', MODEL_SEED: seed, MODEL_PATH: path } = process.env;

/** Each is what one version knows, and after how many actions it begins. */
const versions = array(record({ after: integer({ min: 0, max: 15 }), knows: integer({ min: 0, max: ENGINE_FLAGS }) }), {
  maxLength: 3,
});

async function expectFits(system: System): Promise<void> {
  await system.settle();
  for (const [runId, [started]] of system.histories()) {
    const { workflowId } = started as unknown as { workflowId: string };
    const described = await system.supervisor.controlPlane.describe(workflowId, runId);
    const told = described.ok ? described.value.suspended?.error : undefined;
    expect(JSON.stringify(told ?? ''), `${workflowId} ${runId}`).not.toContain('DeterminismViolation');
  }
}

test('a history is replayed by the rules that each of its steps went by', { timeout: 3_600_000 }, async () => {
  await assert(
    asyncProperty(portableProgram, versions, async (program, upgrades) => {
      const { script, beginning, actions, slots, maxResident, version, retry } = program;
      const workflowsAt = (deployed: Version): Workflows => ({
        scripted: (state?: State) => scripted(script, deployed, state),
        leaf,
        listener,
      });
      const system = await System.open({ workflows: workflowsAt(version), slots, maxResident, engineFlags: 0 });
      system.start('other', 'listener');
      const player = new Player(system, workflowsAt, version);
      player.begin(beginning, retry);
      let known = 0;
      let next = 0;
      for (const { after, knows } of upgrades) {
        await player.play(actions.slice(next, next + after));
        next += after;
        known |= knows;
        system.know(known);
        await player.play([{ do: 'crash', flush: 'kept' }]);
      }
      await player.play(actions.slice(next));
      await player.end();
      await expectFits(system);
      await system.crash();
      for (const [runId, [started]] of system.histories()) {
        const { workflowId } = started as unknown as { workflowId: string };
        system.request({ kind: 'query', workflowId, runId, name: 'state', input: [] });
        await system.settle();
      }
      await expectFits(system);
      expect(system.failures).toEqual([]);
      await expectInvariants(system);
    }),
    {
      numRuns: Number(cases),
      ...(seed === undefined ? {} : { seed: Number(seed) }),
      ...(path === undefined ? {} : { path }),
    },
  );
});
