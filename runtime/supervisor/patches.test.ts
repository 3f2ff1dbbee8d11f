/**
 * Patches: a change is taken up by runs that come to it for the first time, and by no other; once taken up, for good.
 */
import { expect, test } from 'vitest';
import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  deprecatePatch,
  patched,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '../../actors/workflow/index.js';
import type { WorkflowEvent } from '../../mailbox/events.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const go = defineSignal('go');
const ask = defineQuery<unknown>('ask');
const { charge, ship } = proxyActivities<{ charge(): Promise<void>; ship(): Promise<void> }>({
  startToCloseTimeout: 60_000,
});

/** A workflow that does `act` first and once more at each `go`, and whose query tells what that gave. */
function steps(act: () => unknown, query: () => unknown = () => undefined): () => Promise<void> {
  return async () => {
    const seen: unknown[] = [];
    setHandler(ask, () => query() ?? seen);
    setHandler(go, () => {
      seen.push(act());
    });
    seen.push(act());
    await condition(() => false);
  };
}

const markers = (events: readonly WorkflowEvent[]) =>
  events.flatMap((event) => (event.eventType === 'MarkerRecorded' ? [event.marker] : []));

const asked = (system: System): Promise<unknown> => system.query('w', 'ask').value();

test('a run that comes to a patch for the first time goes the new way, and notes it once, before what follows', async () => {
  const system = await System.open({
    workflows: {
      w: steps(() => {
        const is = [patched('p'), patched('p')];
        void charge();
        return is;
      }),
    },
  });
  await system.start('w', 'w').value();
  await system.signal('w', 'go').value();
  const types = ['WorkflowExecutionStarted', 'MarkerRecorded', 'ActivityTaskScheduled', 'WorkflowExecutionSignaled'];
  expect(system.types('w')).toEqual([...types, 'ActivityTaskScheduled']);
  expect(markers(system.history('w'))).toEqual([{ kind: 'patch', patchId: 'p' }]);
  await system.evictAll();
  expect(await asked(system)).toEqual([
    [true, true],
    [true, true],
  ]);
  await system.crash('kept');
  expect(await asked(system)).toHaveLength(2);
  await system.signal('w', 'go').value();
  expect(await asked(system)).toHaveLength(3);
  expect(markers(system.history('w'))).toHaveLength(1);
  await expectInvariants(system);
});

test('a run that went the old way keeps to it where it did, and goes the new way in its next steps', async () => {
  const system = await System.open({ workflows: { w: steps(() => void charge()) } });
  await system.start('w', 'w').value();
  await system.signal('w', 'go').value();
  const changed = () => {
    if (!patched('p')) return void charge();
    void ship();
    return 'new';
  };
  system.deploy({ w: steps(changed) });
  await system.restart();
  expect(await asked(system)).toEqual([undefined, undefined]);
  await system.signal('w', 'go').value();
  expect(await asked(system)).toEqual([undefined, undefined, 'new']);
  await system.signal('w', 'go').value();
  await system.evictAll();
  expect(await asked(system)).toEqual([undefined, undefined, 'new', 'new']);
  expect(markers(system.history('w'))).toHaveLength(1);
  await expectInvariants(system);
});

test('stored messages that no step is known to have processed are new steps: patched is true there', async () => {
  const system = await System.open({ workflows: { w: steps(() => undefined) } });
  await system.start('w', 'w').value();
  system.workers.returns.shut();
  const sent = system.signal('w', 'go');
  await system.settle();
  expect(sent.reply).toEqual(expect.objectContaining({ kind: 'done' }));
  system.deploy({ w: steps(() => patched('p')) });
  await system.crash('kept');
  expect(await asked(system)).toEqual([true, true]);
  expect(markers(system.history('w'))).toHaveLength(1);
  await expectInvariants(system);
});

test('a query is told of the way so far and a validator of the way to come; neither notes anything', async () => {
  const change = defineUpdate<boolean, []>('change');
  const validated: boolean[] = [];
  const workflow = async () => {
    setHandler(ask, () => patched('p'));
    setHandler(change, () => patched('p'), {
      validator: () => {
        validated.push(patched('p'));
        if (validated.length === 1) throw new Error('not yet');
      },
    });
    await condition(() => false);
  };
  const system = await System.open({ workflows: { w: workflow } });
  await system.start('w', 'w').value();
  expect(await asked(system)).toBe(false);
  await expect(system.update('w', 'change').value()).rejects.toThrow();
  expect(await asked(system)).toBe(false);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  expect(await system.update('w', 'change').value()).toBe(true);
  expect(validated).toEqual([true, true]);
  expect(await asked(system)).toBe(true);
  await system.evictAll();
  expect(await asked(system)).toBe(true);
  expect(markers(system.history('w'))).toHaveLength(1);
  await expectInvariants(system);
});

test('a void close takes its marker with it, and the merged step makes it again', async () => {
  const workflow = async () => {
    let signals = 0;
    setHandler(go, () => {
      signals++;
      patched('in a handler');
    });
    await condition(() => signals > 0);
    return patched('at the end') ? signals : -1;
  };
  const system = await System.open({ workflows: { w: workflow } });
  await system.start('w', 'w').value();
  system.workers.returns.shut();
  const sent = [system.signal('w', 'go'), system.signal('w', 'go')];
  await system.settle();
  sent.push(system.signal('w', 'go'));
  await system.settle();
  system.workers.returns.open();
  expect(await system.result('w').value()).toBe(3);
  expect(markers(system.history('w')).map((marker) => 'patchId' in marker && marker.patchId)).toEqual([
    'in a handler',
    'at the end',
  ]);
  await expectInvariants(system);
});

test('each run of a chain decides anew', async () => {
  const workflow = async (run: number): Promise<string> => {
    const is = patched('p');
    if (run < 2) return continueAsNew(run + 1);
    return `${is}`;
  };
  const system = await System.open({ workflows: { w: workflow } });
  await system.start('w', 'w', 1).value();
  expect(await system.result('w').value()).toBe('true');
  for (const history of system.histories().values()) expect(markers(history)).toHaveLength(1);
  await expectInvariants(system);
});

test('from old code by patched and deprecatePatch to new code, each fits what the one before it wrote', async () => {
  const old = steps(() => void charge());
  const both = steps(() => void (patched('p') ? ship() : charge()));
  const deprecated = steps(() => {
    deprecatePatch('p');
    void ship();
  });
  const latest = steps(() => void ship());
  const system = await System.open({ workflows: { w: both } });
  const fits = async () => {
    await system.restart();
    return Array.isArray(await asked(system).catch((error: Error) => error.message));
  };
  await system.start('w', 'w').value();
  system.deploy({ w: deprecated });
  expect(await fits()).toBe(true);
  system.deploy({ w: latest });
  expect(await fits()).toBe(false);
  expect((await system.query('w', 'ask').error()).message).toContain('recorded MarkerRecorded(patch p)');
  system.deploy({ w: old });
  expect(await fits()).toBe(false);

  await system.terminate('w').value();
  system.deploy({ w: deprecated });
  await system.start('w', 'w').value();
  expect(markers(system.history('w'))).toEqual([{ kind: 'patch', patchId: 'p', deprecated: true }]);
  for (const code of [latest, both, deprecated, latest]) {
    system.deploy({ w: code });
    expect(await fits()).toBe(true);
  }
  await system.signal('w', 'go').value();
  expect(markers(system.history('w'))).toHaveLength(1);
  system.deploy({ w: deprecated });
  expect(await fits()).toBe(true);
  expect(await asked(system)).toHaveLength(2);
});

test('a deprecated marker that the code no longer asks for counts in the length of the history as it did', async () => {
  const length = () => workflowInfo().historyLength;
  const system = await System.open({
    workflows: {
      w: steps(() => {
        deprecatePatch('p');
        return length();
      }),
    },
  });
  await system.start('w', 'w').value();
  await system.signal('w', 'go').value();
  expect(await asked(system)).toEqual([3, 8]);
  system.deploy({ w: steps(length) });
  await system.evictAll();
  expect(await asked(system)).toEqual([3, 8]);
  await expectInvariants(system);
});

test('a step that is thrown away notes no patch', async () => {
  const world = { broken: true };
  const act = () => {
    if (!patched('p')) return 'old';
    if (world.broken) throw new Error('broken');
    return 'new';
  };
  const system = await System.open({ workflows: { w: steps(act) } });
  await system.start('w', 'w').value();
  expect(markers(system.history('w'))).toEqual([]);
  world.broken = false;
  await system.pass(1000);
  expect(await asked(system)).toEqual(['new']);
  await expectInvariants(system);
});

test('bad ids are refused, and so is asking outside of a workflow', async () => {
  const system = await System.open({
    workflows: {
      w: steps(() => {
        try {
          return patched('');
        } catch (error) {
          return (error as Error).message;
        }
      }),
    },
  });
  await system.start('w', 'w').value();
  expect(await asked(system)).toEqual(['Invalid patchId: it must not be empty']);
  expect(() => patched('p')).toThrow('may only be used from a Workflow Execution');
  await expectInvariants(system);
});

test('what differs is shown side by side, with the place where the differing command was made', async () => {
  const begin = () => {
    void charge();
    void sleep(1000);
  };
  const system = await System.open({ workflows: { w: steps(begin) } });
  await system.start('w', 'w').value();
  system.deploy({
    w: steps(() => {
      void charge();
      void ship();
      void sleep(1000);
    }),
  });
  await system.restart();
  const error = await system.query('w', 'ask').error();
  expect(error).toMatchObject({
    code: 'WORKFLOW_SUSPENDED',
    fields: {
      violation: {
        expected: 'TimerStarted(1)',
        actual: 'ActivityTaskScheduled(2, ship)',
        eventId: 3,
        recorded: ['ActivityTaskScheduled(1, charge)', 'TimerStarted(1)'],
        made: [
          { command: 'ActivityTaskScheduled(1, charge)', at: expect.stringMatching(/^patches\.test\.[jt]s:\d+$/) },
          { command: 'ActivityTaskScheduled(2, ship)', at: expect.stringMatching(/^patches\.test\.[jt]s:\d+$/) },
          { command: 'TimerStarted(1)' },
        ],
        index: 1,
      },
    },
    cause: { type: 'DeterminismViolationError' },
  });
  expect(error.message.split('\n').slice(1)).toEqual([
    '   recorded                         | made',
    expect.stringMatching(
      /^ {3}ActivityTaskScheduled\(1, charge\) \| ActivityTaskScheduled\(1, charge\) {2}patches\.test/,
    ),
    expect.stringMatching(/^ > TimerStarted\(1\) {18}\| ActivityTaskScheduled\(2, ship\) {2}patches\.test/),
    expect.stringMatching(/^ {36}\| TimerStarted\(1\) {2}patches\.test/),
  ]);
  expect((await system.describe('w')).suspended?.error.fields).toMatchObject({ violation: { index: 1 } });
  const told = system.lifecycle.find(({ name }) => name === 'runSuspended');
  expect(told).toMatchObject({ error: { fields: { violation: { eventId: 3 } } } });
});
