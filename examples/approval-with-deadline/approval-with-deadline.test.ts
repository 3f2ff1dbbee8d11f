/**
 * The approval example: its story, and each way in which an approval ends.
 * Thread: the test's. In → out: requests to a runtime in memory → outcomes; the built main.js → its lines.
 */
import { type Duration, type Runtime, WorkflowFailedError, WorkflowUpdateFailedError } from 'holdfast';
import { createTestRuntime } from 'holdfast/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rejectionOf } from '../test-kit/rejection.test-kit.js';
import { tell } from '../test-kit/story.test-kit.js';
import { approval, decide, nextAsked, waitingFor } from './workflows.js';

/** People to whom a note was sent, and who waits for the next one. */
const noted: string[] = [];
let onNote: () => void = () => {};
const notify = async (person: string, text: string): Promise<void> => {
  noted.push(`${person}: ${text}`);
  onNote();
};
const noteTo = (person: string) =>
  new Promise<void>((resolve) => {
    onNote = () => noted.at(-1)?.startsWith(person) && resolve();
  });

let runtime: Runtime;
beforeEach(async () => {
  noted.length = 0;
  runtime = await createTestRuntime({ workflows: new URL('./workflows.js', import.meta.url), activities: { notify } });
});
afterEach(() => runtime.shutdown());

const start = (first: Duration, second: Duration) => {
  const approvers = [
    { name: 'Ada', within: first },
    { name: 'Grace', within: second },
  ];
  return runtime.client.workflow.start(approval, { workflowId: 'a', args: [{ what: 'a trip', approvers }] });
};

test('the first one asked decides', async () => {
  const asked = noteTo('Ada');
  const handle = await start('1 day', '1 day');
  await asked;
  expect(await handle.executeUpdate(decide, { args: [{ by: 'Ada', verdict: 'approved' }] })).toBe(1);
  expect(await handle.result()).toEqual({ by: 'Ada', verdict: 'approved' });
  expect(noted).toEqual(['Ada: please decide on a trip']);
});

test('whoever is not asked is rejected, and the history does not hold it', async () => {
  const asked = noteTo('Ada');
  const handle = await start('1 day', '1 day');
  await asked;
  const error = await rejectionOf(handle.executeUpdate(decide, { args: [{ by: 'Grace', verdict: 'approved' }] }));
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  expect(error.cause.message).toBe('Grace has not been asked');
  expect((await handle.fetchHistory()).events.map(({ eventType }) => eventType)).not.toContain(
    'WorkflowExecutionUpdateAccepted',
  );
});

test('after the deadline the next one is asked, and either may decide', async () => {
  const escalated = noteTo('Grace');
  const handle = await start('1 ms', '1 day');
  await escalated;
  expect(await handle.query(waitingFor)).toBe('Grace');
  expect(await handle.executeUpdate(decide, { args: [{ by: 'Ada', verdict: 'refused' }] })).toBe(2);
  expect(await handle.result()).toEqual({ by: 'Ada', verdict: 'refused' });
});

test('who only looks on does not hold up the outcome, and learns that the run has closed', async () => {
  const asked = noteTo('Ada');
  const handle = await start('1 day', '1 day');
  await asked;
  const update = await handle.startUpdate(nextAsked, { args: [1], waitForStage: 'ACCEPTED' });
  await handle.executeUpdate(decide, { args: [{ by: 'Ada', verdict: 'approved' }] });
  expect(await handle.result()).toEqual({ by: 'Ada', verdict: 'approved' });
  const error = await rejectionOf(update.result());
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  expect(error.cause).toMatchObject({ type: 'AcceptedUpdateCompletedWorkflow' });
});

test('a request that nobody decides lapses', async () => {
  expect(await (await start('1 ms', '1 ms')).result()).toEqual({ verdict: 'lapsed' });
});

test('who was asked is told that the request was withdrawn', async () => {
  const asked = noteTo('Ada');
  const handle = await start('1 day', '1 day');
  await asked;
  await handle.cancel();
  const error = await rejectionOf(handle.result());
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect(error.fields).toMatchObject({ status: 'CANCELLED' });
  expect(noted).toEqual(['Ada: please decide on a trip', 'Ada: a trip was withdrawn']);
});

test('its story', async () => {
  const { lines, ...ended } = await tell('approval-with-deadline');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'Decided in time',
    'note to Ada: please decide on a trip to Lisbon',
    'query waitingFor → Ada',
    'update decide by Mallory → rejected: Mallory has not been asked',
    'update decide by Ada → accepted; the outcome: {"by":"Ada","verdict":"approved"}',
    'update decide by Ada, again → there is no open run to decide on',
    'Escalated: Ada does not answer, so Grace is asked',
    'note to Ada: please decide on a new laptop',
    'note to Grace: please decide on a new laptop',
    'update nextAsked → Grace',
    'update decide by Grace → accepted, after 2 were asked',
    'the outcome: {"by":"Grace","verdict":"refused"}',
    'Lapsed: nobody answers',
    'note to Ada: please decide on forty chairs',
    'note to Grace: please decide on forty chairs',
    'the outcome: {"verdict":"lapsed"}',
    'Withdrawn',
    'note to Ada: please decide on a company car',
    'note to Ada: a company car was withdrawn',
    'the outcome: CancelledFailure',
  ]);
});
