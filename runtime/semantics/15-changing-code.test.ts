/**
 * Semantics, section on changing code: patches, what is told of code that does not fit, saved histories, resets.
 */
import { expect } from 'vitest';
import { ENGINE_FLAGS } from '../../actors/engine-flags.js';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  deprecatePatch,
  patched,
  setHandler,
  sleep,
  uuid4,
} from '../../actors/workflow/index.js';
import type { WorkflowEvent } from '../../mailbox/events.js';
import { historyFromJSON, historyToJSON } from '../index.js';
import { fitsHistory, withAndWithoutCheckpoints } from '../test-kit/checkpoints.test-kit.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { made, running } from '../test-kit/running.test-kit.js';
import type { System } from '../test-kit/system.test-kit.js';
import { createTestRuntime, runReplayHistory } from '../testing/index.js';

routeRejections();

const note = defineSignal<[text: string]>('note');
const entries = defineQuery<unknown[]>('entries');
const change = defineUpdate<string, [text: string]>('change');

/** Does `act` at its start and at each note, and keeps what that gives. */
const acting = (act: (text: string) => unknown) => async (): Promise<void> => {
  const seen: unknown[] = [];
  setHandler(entries, () => seen);
  setHandler(note, (text) => {
    seen.push(act(text));
  });
  setHandler(change, (text) => {
    seen.push(text);
    return `was ${text}`;
  });
  seen.push(act('start'));
  await condition(() => false);
};

const seenBy = (system: System): Promise<unknown> => system.query('w', 'entries').value();

row('code/engine-flags', 'one that began before goes on, with the rules of today from its next step', async () => {
  const system = await running(
    async () => {
      setHandler(note, async () => {
        // Uses up the number of a timer by the rules of today.
        await condition(() => true, 10);
        await sleep(10);
      });
      await condition(() => false);
    },
    { engineFlags: 0 },
  );
  await system.signal('w', 'note', 'before').value();
  await system.evictAll();
  system.know(ENGINE_FLAGS);
  await system.restart();
  await system.signal('w', 'note', 'after').value();
  await system.evictAll();
  await system.pass(10);
  expect((await system.describe('w')).suspended).toBeUndefined();
  const timers = system.history('w').flatMap((event) => (event.eventType === 'TimerStarted' ? [event.timerId] : []));
  expect(timers).toEqual(['1', '3']);
  await expectInvariants(system);
});

row('code/patch-marker', 'noted once, and before what follows it', async () => {
  const system = await running(
    acting(() => {
      if (patched('p')) void sleep(60_000);
      return patched('p');
    }),
  );
  await system.signal('w', 'note', 'a').value();
  expect(await seenBy(system)).toEqual([true, true]);
  expect(made(system)).toEqual(['MarkerRecorded', 'TimerStarted', 'TimerStarted']);
  await expectInvariants(system);
});

row('code/patch-old-way', 'in the steps that ran before, and the new way in those that come', async () => {
  const system = await running(acting(() => 'old'));
  system.deploy({ main: acting(() => (patched('p') ? 'new' : 'old')) });
  await system.restart();
  expect(await seenBy(system)).toEqual(['old']);
  await system.signal('w', 'note', 'a').value();
  await system.evictAll();
  expect(await seenBy(system)).toEqual(['old', 'new']);
  await expectInvariants(system);
});

row('code/patch-read-only', 'by a query as it has been, by a validator as it will be', async () => {
  const system = await running(async () => {
    setHandler(entries, () => [patched('p')]);
    setHandler(change, (text) => `${text} ${patched('p')}`, {
      validator: () => {
        if (!patched('p')) throw new Error('the old way');
      },
    });
    await condition(() => false);
  });
  expect(await seenBy(system)).toEqual([false]);
  expect(made(system)).toEqual([]);
  expect(await system.update('w', 'change', 'a').value()).toBe('a true');
  expect(await seenBy(system)).toEqual([true]);
  await expectInvariants(system);
});

row('code/patch-deprecated', 'or is still there', async () => {
  const system = await running(acting(() => deprecatePatch('p')));
  for (const act of [() => undefined, () => void patched('p'), () => deprecatePatch('p')]) {
    system.deploy({ main: acting(act) });
    await system.restart();
    expect(await seenBy(system)).toHaveLength(1);
  }
  await expectInvariants(system);
});

row('code/patch-kept', 'of one that is not deprecated suspends the run', async () => {
  const system = await running(acting(() => void patched('p')));
  system.deploy({ main: acting(() => undefined) });
  await system.restart();
  expect(await system.query('w', 'entries').error()).toMatchObject({
    code: 'WORKFLOW_SUSPENDED',
    fields: { violation: { expected: 'MarkerRecorded(patch p)', actual: 'nothing' } },
  });
  system.deploy({ main: acting(() => deprecatePatch('p')) });
  await system.restart();
  expect(await seenBy(system)).toHaveLength(1);
  await expectInvariants(system);
});

for (const [how, fits, what] of [
  ['clean', false, 'of which a clean stop told suspends the run, whoever asks'],
  ['lost', true, 'that a crash forgot is made again, whoever asks'],
] as const) {
  row('code/silent-steps', what, async () => {
    const system = await running(acting(() => undefined));
    await system.signal('w', 'note', 'a').value();
    expect(await seenBy(system)).toEqual([undefined, undefined]);
    await system.stop(how);
    system.deploy({ main: acting((text) => (text === 'a' ? void sleep(1) : undefined)) });
    const [[runId, history]] = [...system.histories()] as [[string, WorkflowEvent[]]];
    expect(await fitsHistory(system, runId, history)).toBe(fits);
    const suspended = await withAndWithoutCheckpoints(system, async (each) => {
      await each
        .query('w', 'entries')
        .value()
        .catch(() => undefined);
      const { suspended: why } = await each.describe('w');
      return JSON.stringify(why ?? '').includes('DeterminismViolationError');
    });
    expect(suspended).toEqual([!fits, !fits]);
  });
}

row('code/violation-report', 'in the error, the description and the log', async () => {
  const system = await running(acting(() => void sleep(60_000)));
  system.deploy({ main: acting(() => undefined) });
  await system.restart();
  const violation = {
    expected: 'TimerStarted(1)',
    actual: 'nothing',
    recorded: ['TimerStarted(1)'],
    made: [],
    index: 0,
  };
  const error = await system.query('w', 'entries').error();
  expect(error).toMatchObject({ fields: { violation }, message: expect.stringContaining(' > TimerStarted(1) |') });
  expect((await system.describe('w')).suspended?.error.fields).toMatchObject({ violation });
  expect(system.lifecycle.findLast(({ name }) => name === 'runSuspended')).toMatchObject({
    error: { fields: { violation } },
  });
});

row('code/replay-saved', 'by the code that made it, from the history and from its JSON', async () => {
  const workflows = new URL('../testing/fixtures/counter.js', import.meta.url);
  await using runtime = await createTestRuntime({ workflows });
  const handle = await runtime.client.workflow.start('counter', { workflowId: 'c', args: [1] });
  await handle.signal('add', 2);
  await handle.signal('stop');
  await handle.result();
  const history = await handle.fetchHistory();
  const json = historyToJSON(history);
  await runReplayHistory({ workflows }, history);
  await runReplayHistory({ workflows }, json);
  expect(historyFromJSON(json).events).toEqual(history.events);
});

row('code/reset-run', 'with what it was told since', async () => {
  const system = await running(acting((text) => text));
  await system.signal('w', 'note', 'a').value();
  expect(await system.update('w', 'change', 'b').value()).toBe('was b');
  await system.signal('w', 'note', 'c').value();
  const { runId } = await system.describe('w');
  await system.reset('w', 1).value();
  expect((await system.describe('w')).runId).not.toBe(runId);
  expect(await seenBy(system)).toEqual(['start', 'a', 'b', 'c']);
  await system.reset('w', 1, { exclude: ['SIGNAL', 'UPDATE'] }).value();
  expect(await seenBy(system)).toEqual(['start']);
  await expectInvariants(system);
});

row('code/reset-point', 'and nothing is done', async () => {
  const system = await running(
    acting(() => {
      void sleep(60_000);
      void sleep(60_000);
    }),
  );
  expect(await system.reset('w', 2).error()).toMatchObject({ code: 'WORKFLOW_RESET', fields: { nearest: [1, 3] } });
  expect(system.histories().size).toBe(1);
  await expectInvariants(system);
});

row('code/reset-pending', 'fires at once if its time has come', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    await sleep(1000);
    seen.push('slept');
    await condition(() => false);
  });
  await system.pass(5000);
  await system.reset('w', 2).value();
  await system.pass(0);
  expect(await seenBy(system)).toEqual(['slept']);
  await expectInvariants(system);
});

row('code/reset-chance', 'and others afterwards', async () => {
  const system = await running(
    acting((text) => {
      if (text === 'start') void sleep(60_000);
      return uuid4();
    }),
  );
  await system.signal('w', 'note', 'a').value();
  const [first, second] = (await seenBy(system)) as string[];
  await system.reset('w', 2).value();
  const again = (await seenBy(system)) as string[];
  expect(again[0]).toBe(first);
  expect(again[1]).not.toBe(second);
  await expectInvariants(system);
});
