/**
 * The pool example: its story, and its computing by itself.
 * Thread: the test's. In → out: texts → digests, from wherever an attempt takes over.
 */
import { createHash } from 'node:crypto';
import { createTestRuntime, MockActivityEnvironment } from 'holdfast/testing';
import { expect, test } from 'vitest';
import { tell } from '../test-kit/story.test-kit.js';
import { chain, search } from './hashing.js';
import { activitiesOf, Rates } from './rates.js';
import { find, seal } from './workflows.js';

test('a chain that an attempt takes over ends as one that is made at once', async () => {
  const environment = new MockActivityEnvironment();
  const heard: unknown[] = [];
  environment.on('heartbeat', (details) => heard.push(details));
  const whole = await environment.run(chain, 'text', 5_000);
  expect(whole.from).toBe(0);
  expect(heard).toMatchObject([{ round: 2_000 }, { round: 4_000 }]);
  const later = new MockActivityEnvironment({ heartbeatDetails: heard[1] });
  expect(await later.run(chain, 'text', 5_000)).toEqual({ digest: whole.digest, from: 4_000 });
});

test('a chain that is cancelled ends at its next heartbeat', async () => {
  const environment = new MockActivityEnvironment();
  environment.on('heartbeat', () => environment.cancel());
  await expect(environment.run(chain, 'text', 1e9)).rejects.toThrow('CANCELLED');
});

test('a search ends with what it finds', async () => {
  const found = await new MockActivityEnvironment().run(search, '00');
  expect(createHash('sha256').update(`${found}`).digest('hex')).toMatch(/^00/);
});

test('documents are sealed by the threads of the pool, each for the rounds of its kind', async () => {
  await using runtime = await createTestRuntime({
    workflows: new URL('./workflows.js', import.meta.url),
    activities: activitiesOf(new Rates()),
    activityPool: { activities: new URL('./hashing.js', import.meta.url), threads: 2 },
  });
  const documents = [
    { text: 'a', kind: 'letter' as const },
    { text: 'b', kind: 'contract' as const },
  ];
  const sealed = await runtime.client.workflow.execute(seal, { workflowId: 's', args: [documents] });
  const environment = new MockActivityEnvironment();
  expect(sealed).toEqual([await environment.run(chain, 'a', 10_000), await environment.run(chain, 'b', 20_000)]);
  expect(await runtime.client.workflow.execute(find, { workflowId: 'f', args: ['00'] })).toBe(
    await environment.run(search, '00'),
  );
});

test('its story', async () => {
  const { lines, ...ended } = await tell('cpu-pool');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'Three documents, two threads',
    'the query says: 2 of 3 are sealed',
    'a heartbeat says how far the archive is',
    'The runtime ends, and another takes over',
    'the archive goes on where it was',
    'cancelled, it ends at its next heartbeat: true',
    'A search for what is not there, which hears of nothing',
    'cancelled, it lost its thread',
    'and 3 letters are sealed by the threads that there are now',
  ]);
});
