/**
 * The dynamic example with classes: its story, and what its dynamic members leave to others.
 * Thread: the test's. In → out: the built main.js → its lines; messages of any name to a runtime in memory → answers.
 */
import type { Runtime } from 'holdfast';
import { createTestRuntime, MockActivityEnvironment } from 'holdfast/testing';
import { RawValue } from 'holdfast/workflow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rejectionOf } from '../test-kit/rejection.test-kit.js';
import { tell } from '../test-kit/story.test-kit.js';
import { greet } from './activities.js';
import { Party } from './workflows.js';

let runtime: Runtime;
beforeAll(async () => {
  const workflows = new URL('./workflows.js', import.meta.url);
  runtime = await createTestRuntime({
    workflows,
    activities: { known: async () => 'by its own activity' },
    defaultActivity: greet,
  });
});
afterAll(() => runtime.shutdown());

async function partyOf(workflowId: string) {
  await runtime.client.workflow.start('wedding', { workflowId, args: ['Bo'] });
  return runtime.client.workflow.getHandle(Party, workflowId);
}

test('dynamic members get what no static one has the name of, in a class too', async () => {
  const party = await partyOf('members');
  expect((await party.describe()).type).toBe('wedding');
  const gift = { value: 3n, at: new Date(0) };
  await party.signal('vase', gift);
  expect(await party.query('vase')).toEqual(gift);
  expect((await rejectionOf(party.query('end'))).message).toContain('nobody has brought a end');
  await party.signal.end();
  expect(await party.result()).toBe('the wedding of Bo: vase');
});

test('the dynamic activity decodes what it is given; a static one is not asked of it', async () => {
  const party = await partyOf('greetings');
  expect(await party.executeUpdate('toast', { args: ['Joy'] })).toBe('Joy, Bo! (activity type: toast)');
  expect(await party.executeUpdate('known', { args: ['Joy'] })).toBe('by its own activity');
  const { cause } = await rejectionOf(party.executeUpdate('toast', { args: ['Joy', 'Peace'] }));
  expect(cause.message).toBe('toast takes one text, not 2');
  const environment = new MockActivityEnvironment({ activityType: 'hail' });
  expect(await environment.run(greet, 'hail', { text: 'Hail', to: 'Cy' })).toBe('Hail, Cy! (activity type: hail)');
  await expect(environment.run(greet, 'hail')).rejects.toThrow('hail was given nothing');
});

test('a dynamic member has no name to be called by', async () => {
  const party = await partyOf('stubs');
  const error = await rejectionOf(party.signal.keep('vase', [new RawValue(1)]));
  expect(error.message).toContain(
    'keep takes the signal names that no method of Party has: use handle.signal(name, …)',
  );
});

test('its story', async () => {
  const { lines, ...ended } = await tell('dynamic-class');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'A workflow type that is not exported, run by the dynamic class',
    'query cake → {"layers":3}',
    'query book → nobody has brought a book',
    'update cheers → To your health, Ada! (activity type: cheers)',
    'update cheers, without a text → cheers takes one text, not 0',
    'A static one, which asks the other by its class',
    'result → the birthday of Ada: cake, flowers',
    'query flowers, though it is over → tulips',
  ]);
});
