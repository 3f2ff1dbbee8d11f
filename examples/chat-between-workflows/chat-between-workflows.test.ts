/**
 * The chat example: its story, and the room's promises to those who talk in it.
 * Thread: the test's. In → out: messages of workflows and of a client to a room in memory → what is heard.
 */
import { type History, type Runtime, WithStartWorkflowOperation, WorkflowUpdateFailedError } from 'holdfast';
import { createTestRuntime } from 'holdfast/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rejectionOf } from '../test-kit/rejection.test-kit.js';
import { tell } from '../test-kit/story.test-kit.js';
import { arrive, person } from './person.js';
import { countLines, join, leave, room, say } from './room.js';

let runtime: Runtime;
beforeEach(async () => {
  runtime = await createTestRuntime({ workflows: new URL('./workflows.js', import.meta.url) });
});
afterEach(() => runtime.shutdown());

const openRoom = () => runtime.client.workflow.start(room, { workflowId: 'room' });

/** Resolves once the person is in the room, to who else was there. */
function enter(workflowId: string, toSay: string[] = []): Promise<string[]> {
  const startWorkflowOperation = new WithStartWorkflowOperation(person, {
    workflowId,
    args: ['room', toSay],
    workflowIdConflictPolicy: 'FAIL',
  });
  return runtime.client.workflow.executeUpdateWithStart(arrive, { startWorkflowOperation });
}

test('an update from a workflow waits until the room has done what it asks', async () => {
  const handle = await openRoom();
  expect(await enter('ada')).toEqual([]);
  expect(await enter('grace')).toEqual(['ada']);
  // Ada has nothing to say, hears Grace, and leaves; Grace hears that, and leaves too.
  expect(await handle.result()).toEqual([
    { who: 'ada', text: 'hello' },
    { who: 'grace', text: 'hello' },
    { who: 'ada', text: 'goodbye' },
    { who: 'grace', text: 'goodbye' },
  ]);
});

test('what is said is relayed in the order in which it came', async () => {
  const handle = await openRoom();
  const texts = Array.from({ length: 50 }, (_, index) => `line ${index}`);
  await enter('ada', ['first', ...texts]);
  await Promise.all(texts.map((text) => handle.signal(say, { who: 'somebody', text })));
  await handle.signal(leave, 'ada');
  const lines = await handle.result();
  expect(lines.filter(({ who }) => who === 'somebody').map(({ text }) => text)).toEqual(texts);
});

test('who no longer runs is no longer in the room', async () => {
  const handle = await openRoom();
  await handle.executeUpdate(join, { args: ['nobody'] });
  expect(await enter('ada')).toEqual([]);
});

test('whoever is in the room cannot join it again', async () => {
  const handle = await openRoom();
  await handle.executeUpdate(join, { args: ['ada'] });
  const error = await rejectionOf(handle.executeUpdate(join, { args: ['ada'] }));
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  expect(error.cause.message).toBe('ada is here already');
  expect(await handle.query(countLines, 'ada')).toBe(1);
});

test('both histories tell of a signal between workflows', async () => {
  const handle = await openRoom();
  await enter('ada');
  await handle.signal(say, { who: 'somebody', text: 'time to go' });
  await handle.result();
  const ada = runtime.client.workflow.getHandle('ada');
  await ada.result();
  const typesOf = ({ events }: History) => events.map(({ eventType }) => eventType);
  expect(typesOf(await ada.fetchHistory())).toEqual(
    expect.arrayContaining(['SignalExternalWorkflowExecutionInitiated', 'ExternalWorkflowExecutionSignaled']),
  );
  expect(typesOf(await handle.fetchHistory())).toContain('WorkflowExecutionSignaled');
});

test('its story', async () => {
  const { lines, ...ended } = await tell('chat-between-workflows');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'ada arrives and finds nobody',
    'grace arrives and finds ada',
    'ada: hello',
    'grace: hello',
    'ada: Is it the engine again?',
    'grace: A moth, this time.',
    'ada: Then let us write it down.',
    'grace: I have glued it in already.',
    'ada: goodbye',
    'grace: goodbye',
    'ada has said 4 lines; 3 signals stand in the history as delivered',
    'grace has said 4 lines; 3 signals stand in the history as delivered',
  ]);
});
