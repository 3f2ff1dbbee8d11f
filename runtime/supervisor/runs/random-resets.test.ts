/**
 * Random programs with resets in between: nobody is left waiting, every history is one that its code makes, and nothing acknowledged is lost.
 */
import { array, assert, asyncProperty, integer, option, record } from 'fast-check';
import { expect, test } from 'vitest';
import type { WorkflowEvent } from '../../../mailbox/events.js';
import { expectWellFormed } from '../../test-kit/invariants.test-kit.js';
import { tagOf } from '../../test-kit/model.test-kit.js';
import { program } from '../../test-kit/programs.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { isKnown, Player } from '../../test-kit/schedule.test-kit.js';
import { workflowsOf } from '../../test-kit/script-workflow.test-kit.js';
import { type Call, System } from '../../test-kit/system.test-kit.js';

routeRejections();

const { MODEL_CASES: cases = '150', MODEL_SEED: seed, MODEL_PATH: path } = process.env;

/** After which actions, and to which event of those that the history has then. */
const resets = array(option(integer({ min: 0, max: 1000 }), { freq: 3, nil: undefined }), { maxLength: 40 });

/** Each call with the life that it was made in. */
async function play(system: System, player: Player, { actions, points }: Played): Promise<[life: number, Call][]> {
  const calls: [life: number, Call][] = [];
  for (const [index, action] of actions.entries()) {
    // Other code would make other histories of the runs before.
    if (action.do !== 'deploy') await player.play([action]);
    const point = points[index];
    const { length } = system.history('w');
    if (point !== undefined && length > 0) calls.push([player.life, system.reset('w', 1 + (point % length))]);
  }
  await player.end();
  return calls;
}

interface Played {
  readonly actions: Parameters<Player['play']>[0];
  readonly points: readonly (number | undefined)[];
}

test('resets at any moment, to any event, leave nothing behind', { timeout: 3_600_000 }, async () => {
  await assert(
    asyncProperty(record({ of: program, points: resets }), async ({ of, points }) => {
      const { script, beginning, actions, slots, maxResident, version, retry } = of;
      const system = await System.open({ workflows: workflowsOf(script, version), slots, maxResident });
      const player = new Player(system, (deployed) => workflowsOf(script, deployed), version);
      player.begin(beginning, retry);
      const calls = await play(system, player, { actions, points });
      expect(system.failures).toEqual([]);
      for (const [life, { answered }] of calls) if (life === player.life) expect(answered).toBe(true);
      for (const { kind, call, life } of player.sent) {
        if (life === player.life && !call.answered) expect(kind, 'only an update may take for ever').toBe('update');
      }
      const runs = [...system.histories().values()].filter(isOfW);
      for (const history of runs) expectWellFormed(history);
      const stored = new Set(runs.flatMap((history) => history.flatMap(signalTag)));
      for (const sent of player.sent) {
        if (sent.kind === 'signal' && isKnown(sent))
          expect(stored, 'an acknowledged signal is there').toContain(sent.tag);
      }
      if (runs.length === 0) return;
      expect((await system.describe('w')).suspended, 'its code makes what its history tells').toBeUndefined();
      const ask = async () => JSON.stringify(await system.query('w', 'state').value());
      const live = await ask();
      await system.evictAll();
      expect(await ask()).toBe(live);
    }),
    {
      numRuns: Number(cases),
      ...(seed === undefined ? {} : { seed: Number(seed) }),
      ...(path === undefined ? {} : { path }),
    },
  );
});

function isOfW([started]: readonly WorkflowEvent[]): boolean {
  return started?.eventType === 'WorkflowExecutionStarted' && started.workflowId === 'w';
}

function signalTag(event: WorkflowEvent): string[] {
  return event.eventType === 'WorkflowExecutionSignaled' ? [tagOf(event)] : [];
}
