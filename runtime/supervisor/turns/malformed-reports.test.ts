/**
 * A worker's report is checked before it is believed: one that is malformed costs that worker, and in the end its run, but never the supervisor.
 */
import { expect, test } from 'vitest';
import type { Command } from '../../../mailbox/commands.js';
import { encodeReport, type SliceReport, type StepReport, type TurnReport } from '../../../mailbox/turn.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { System } from '../../test-kit/system.test-kit.js';
import { ledger } from '../../test-kit/workflows.test-kit.js';

routeRejections();

type Part<T> = { readonly [K in keyof T]?: unknown };

const withStep = (part: Part<StepReport>) => ({ steps: [{ cause: 2, time: 1, commands: [], answers: [], ...part }] });
const withCommand = (command: unknown) => withStep({ commands: [command as Command] });

/** What stands in the slice of the hostile run instead of what its worker had to say. */
const MALFORMED: Readonly<Record<string, Part<SliceReport>>> = {
  'a step without a place': withStep({ cause: 'first' }),
  'a negative place': { processed: -1 },
  'a text for a place': { processed: '2' },
  'a step that was not processed': withStep({ cause: 1e9 }),
  'no time': withStep({ time: 'now' }),
  'an end that is none': { end: { kind: 'gone' } },
  'an end by what every object has': { end: { kind: 'suspended', error: { kind: 'toString' } } },
  'a suspension without a reason': { end: { kind: 'suspended', error: { kind: 'threw' } } },
  'a timer without an id': withCommand({ kind: 'startTimer', fireAt: 1 }),
  'a timer at no time': withCommand({ kind: 'startTimer', timerId: '1', fireAt: 'soon' }),
  'an activity without options': withCommand({
    ...{ kind: 'scheduleActivity', activityId: '1', activityType: 'a', input: [] },
  }),
  'arguments that are no payloads': withCommand({
    ...{ kind: 'scheduleActivity', activityId: '1', activityType: 'a', input: [1], options: {} },
  }),
  'a failure that is a text': withCommand({ kind: 'failWorkflow', failure: 'no' }),
  'a result that is no payload': withCommand({ kind: 'completeWorkflow', result: { a: 1 } }),
  'an answer without one': withStep({ answers: [{ seq: 2 }] }),
};

test.each(Object.entries(MALFORMED))('%s costs the worker and then its run, and no other', async (_, part) => {
  const system = await System.open({ workflows: { ledger }, slots: 1 });
  await system.start('bad', 'ledger').value();
  await system.start('good', 'ledger').value();
  let garbled = 0;
  system.workers.garble = (report, slices) => {
    const culprit = slices.find(({ steps }) => steps.flat().some((m) => m.kind === 'signal' && m.name === 'poison'));
    if (culprit === undefined) return encodeReport(report);
    garbled++;
    const worse = report.slices.map((slice) => (slice.run === culprit.run ? { ...slice, ...part } : slice));
    return encodeReport({ ...report, slices: worse } as TurnReport);
  };
  await system.signal('bad', 'poison').value();
  expect(await system.update('good', 'append', 'a').value()).toBe(1);
  await system.settle();
  expect(garbled).toBe(3);
  const error = await system.query('bad', 'entries').error();
  expect(error).toMatchObject({ code: 'WORKFLOW_SUSPENDED', cause: { type: 'StepFailedWorkerError' } });
  expect(error.message).toContain('its report is malformed');
  expect(system.lifecycle.filter(({ name }) => name === 'workerLost')).toHaveLength(3);
  await expectInvariants(system);
});

test('bytes that are no report at all cost the worker', async () => {
  const system = await System.open({ workflows: { ledger }, slots: 1 });
  await system.start('w', 'ledger').value();
  const { garble } = system.workers;
  system.workers.garble = () => {
    system.workers.garble = garble;
    return new Uint8Array([0xc1, 1, 2]);
  };
  expect(await system.update('w', 'append', 'a').value()).toBe(1);
  expect(system.lifecycle.filter(({ name }) => name === 'workerLost')).toHaveLength(1);
  await expectInvariants(system);
});
