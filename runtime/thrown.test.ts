/**
 * Whatever is thrown, and however it resists being looked at, is a failure of what threw it, and of nothing else.
 * Thread: the test's, with a supervisor and one worker.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostile, hostileKinds } from './fixtures/hostile-values.js';
import {
  breakQuery,
  breaks,
  breakUpdate,
  caller,
  catcher,
  coded,
  end,
  rejector,
  thrower,
} from './fixtures/throwing-workflows.js';
import type { Runtime } from './runtime.js';
import { createTestRuntime } from './testing/index.js';

let runtime: Runtime;
const lines: unknown[] = [];
const workflows = new URL('./fixtures/throwing-workflows.js', import.meta.url);
let last = 0;
const workflowId = () => `w${++last}`;
const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (result) => expect.unreachable(`it resolved with ${String(result)}`),
    (error: unknown) => error,
  );
const throws = async (kind: string): Promise<never> => {
  throw hostile(kind);
};
const log = (message: string, meta?: object) => void lines.push([message, meta]);

beforeAll(async () => {
  runtime = await createTestRuntime({
    workflows,
    activities: { throws },
    sinks: { sink: { throws: { fn: (_info: unknown, kind: string) => throws(kind) } } },
    logger: { trace: log, debug: log, info: log, warn: log, error: log },
  });
});
afterAll(() => runtime.shutdown());

test.each(hostileKinds)('an activity, a local one and a sink that throw it fail: %s', async (kind) => {
  const told = await runtime.client.workflow.execute(caller, { workflowId: workflowId(), args: [kind] });
  for (const message of told) expect(message).not.toBe('nothing thrown');
  expect(told).toHaveLength(2);
});

test.each(hostileKinds)('an interceptor of an activity that throws it fails the attempt: %s', async (kind) => {
  const interceptors = {
    activity: [
      () => ({
        inbound: {
          execute: () => throws(kind),
        },
        outbound: {
          getLogAttributes: () => {
            throw hostile(kind);
          },
        },
      }),
    ],
  };
  const own = await createTestRuntime({ workflows, activities: { throws }, interceptors });
  const told = await own.client.workflow.execute(caller, { workflowId: workflowId(), args: [kind] });
  for (const message of told) expect(message).not.toBe('nothing thrown');
  await own.shutdown();
});

test.each(hostileKinds)(
  'handlers, validators and queries that throw it fail or suspend, and their callers are told: %s',
  async (kind) => {
    const handle = await runtime.client.workflow.start(catcher, { workflowId: workflowId() });
    expect(await thrown(handle.query(breakQuery, kind))).toBeInstanceOf(Error);
    for (const where of ['validator', 'handler', 'later']) {
      expect(await thrown(handle.executeUpdate(breakUpdate, { args: [where, kind] }))).toBeInstanceOf(Error);
    }
    await handle.terminate();
    const other = await runtime.client.workflow.start(catcher, { workflowId: workflowId() });
    await other.signal(end);
    expect(await other.result()).toBe('ended');
  },
);

test.each(hostileKinds)('a workflow or a signal handler that throws it is suspended: %s', async (kind) => {
  for (const type of [thrower, rejector]) {
    const handle = await runtime.client.workflow.start(type, { workflowId: workflowId(), args: [kind] });
    expect(await thrown(handle.query('x'))).toMatchObject({ code: 'WORKFLOW_SUSPENDED' });
    await handle.terminate();
  }
  const handle = await runtime.client.workflow.start(catcher, { workflowId: workflowId() });
  await handle.signal(breaks, kind);
  expect(await thrown(handle.query('x'))).toMatchObject({ code: 'WORKFLOW_SUSPENDED' });
  await handle.terminate();
});

test.each(hostileKinds)('a codec that throws it fails what it was asked for, and no more: %s', async (kind) => {
  const payloadCodec = new URL('./fixtures/hostile-codec.js', import.meta.url);
  const lost = (): never => {
    throw hostile(kind);
  };
  const own = await createTestRuntime({
    workflows,
    payloadCodec,
    activities: { throws: async (asked: string) => `encode:${asked.split(':')[1]}` },
    // What a logger throws over lines of Holdfast's own is of no concern to anybody.
    logger: { trace: lost, debug: lost, info: lost, warn: lost, error: () => undefined },
  });
  for (const operation of ['decode', 'fine']) {
    const told = await own.client.workflow.execute(coded, { workflowId: workflowId(), args: [operation, kind] });
    expect(told).not.toBe('nothing thrown');
  }
  await own.shutdown();
});

test.each(hostileKinds)('a workflow file whose evaluation throws it is refused: %s', async (kind) => {
  const file = new URL(`./fixtures/throwing-files/${kind}.js`, import.meta.url);
  mkdirSync(new URL('.', file), { recursive: true });
  writeFileSync(
    file,
    `import { hostile } from '../hostile-values.js';\nthrow hostile('${kind}');\nexport async function never() {}\n`,
  );
  expect(await thrown(createTestRuntime({ workflows: file }))).toMatchObject({ code: 'WORKFLOW_BUNDLE' });
});

test('a logger that throws over a failed sink ends nothing', async () => {
  let resolve = (): void => undefined;
  const asked = new Promise<void>((told) => {
    resolve = told;
  });
  const nothing = () => undefined;
  const error = (): never => {
    resolve();
    throw hostile('revoked');
  };
  const own = await createTestRuntime({
    workflows,
    activities: { throws: nothing },
    sinks: { sink: { throws: { fn: (_info: unknown, kind: string) => throws(kind) } } },
    logger: { trace: nothing, debug: nothing, info: nothing, warn: nothing, error },
  });
  await own.client.workflow.execute(caller, { workflowId: workflowId(), args: ['revoked'] });
  await asked;
  await own.shutdown();
});
