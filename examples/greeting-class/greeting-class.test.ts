/**
 * The greeting example with classes: its story, and what its handles refuse.
 * Thread: the test's. In → out: the built main.js → its lines; messages to a runtime in memory → answers.
 */
import { type Runtime, WorkflowUpdateFailedError } from 'holdfast';
import { createTestRuntime, MockActivityEnvironment } from 'holdfast/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rejectionOf } from '../test-kit/rejection.test-kit.js';
import { tell } from '../test-kit/story.test-kit.js';
import { callGreetingService } from './activities.js';
import { GreetingServiceWorkflow, GreetingWorkflow, Language } from './workflows.js';

const asked: Language[] = [];
const greet = async (language: Language) => {
  asked.push(language);
  const speaks = Object.hasOwn(Language, language) && language !== Language.Portuguese;
  return speaks ? `hello in ${language}` : undefined;
};

let runtime: Runtime;
beforeAll(async () => {
  const workflows = new URL('./workflows.js', import.meta.url);
  runtime = await createTestRuntime({ workflows, activities: { callGreetingService: greet } });
});
afterAll(() => runtime.shutdown());

const eventTypes = ({ events }: { events: readonly { eventType: string }[] }) =>
  events.map(({ eventType }) => eventType);

test('queries answer with the languages, and record nothing', async () => {
  const handle = await runtime.client.workflow.start(GreetingWorkflow, { workflowId: 'queries' });
  expect(await handle.query.getLanguages({ supportedOnly: true })).toEqual(['Chinese', 'English']);
  expect(await handle.query.getLanguages({ supportedOnly: false })).toEqual(Object.values(Language));
  expect(await handle.query.getLanguage()).toBe('English');
  expect(eventTypes(await handle.fetchHistory())).toEqual(['WorkflowExecutionStarted']);
});

test('an unsupported language is rejected without a trace', async () => {
  const handle = await runtime.client.workflow.start(GreetingWorkflow, { workflowId: 'rejected' });
  const error = await rejectionOf(handle.update.setLanguage(Language.French));
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  expect(error.cause.message).toBe('French is not supported');
  expect(eventTypes(await handle.fetchHistory())).toEqual(['WorkflowExecutionStarted']);
});

test('what every object has is no language: it is rejected, and the service does not know it', async () => {
  const handle = await runtime.client.workflow.start(GreetingWorkflow, { workflowId: 'prototype' });
  for (const name of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
    const error = await rejectionOf(handle.update.setLanguage(name as Language));
    expect(error.cause.message).toBe(`${name} is not supported`);
  }
  expect(await handle.update.setLanguage(Language.Chinese)).toBe('English');
  const service = await runtime.client.workflow.start(GreetingServiceWorkflow, { workflowId: 'prototype-service' });
  const error = await rejectionOf(service.update.setLanguage('toString' as Language));
  expect(error.cause.message).toBe('The greeting service does not speak toString');
  const known = new MockActivityEnvironment().run(callGreetingService, 'toString' as Language);
  expect(await known).toBeUndefined();
});

test('a language that the service does not know fails the accepted update, and the workflow goes on', async () => {
  const handle = await runtime.client.workflow.start(GreetingServiceWorkflow, { workflowId: 'failed' });
  const error = await rejectionOf(handle.update.setLanguage(Language.Portuguese));
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  expect(error.cause.message).toBe('The greeting service does not speak Portuguese');
  expect(await handle.update.setLanguage(Language.Hindi)).toBe('English');
  expect(asked.slice(-2)).toEqual(['Portuguese', 'Hindi']);
  await handle.signal.approve({ name: 'Grace' });
  expect(await handle.result()).toBe('hello in Hindi');
  expect(eventTypes(await handle.fetchHistory())).toEqual([
    'WorkflowExecutionStarted',
    'WorkflowExecutionUpdateAccepted',
    'ActivityTaskScheduled',
    'ActivityTaskCompleted',
    'WorkflowExecutionUpdateCompleted',
    'WorkflowExecutionUpdateAccepted',
    'ActivityTaskScheduled',
    'ActivityTaskCompleted',
    'WorkflowExecutionUpdateCompleted',
    'WorkflowExecutionSignaled',
    'WorkflowExecutionCompleted',
  ]);
});

test('its story', async () => {
  const { lines, ...ended } = await tell('greeting-class');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'GreetingWorkflow: its update has a validator',
    'query getLanguages → Chinese, English',
    'update setLanguage French → French is not supported',
    'update setLanguage Chinese → accepted; the language before: English',
    'approved: 你好,世界',
    'GreetingServiceWorkflow: its update asks a slow service',
    'update setLanguage Portuguese → The greeting service does not speak Portuguese',
    'update setLanguage Spanish → accepted; the language before: English',
    'update setLanguage Hindi, approved meanwhile → accepted; the language before: Spanish',
    'approved: नमस्ते दुनिया',
    'query getLanguage, though it is closed → Hindi',
    'Messages that bring their workflow with them',
    'approved before it had begun: Hello, world',
    'update setLanguage Chinese → accepted; the language before: English',
    'approved: 你好,世界',
  ]);
});
