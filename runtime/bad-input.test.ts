/**
 * Bad input: each is a typed error at once, and nothing is lost or half done.
 * Thread: the test's, with a supervisor and one worker.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApplicationFailure } from '../mailbox/failures.js';
import {
  ActivityCompletionError,
  ActivityNotFoundError,
  InvalidArgumentError,
  InvalidOptionError,
  PayloadConverterError,
  PayloadTooLargeError,
  QueryFailedError,
  QueryNotRegisteredError,
  RuntimeClosedError,
  StoreCorruptError,
  StoreLockedError,
  StoreUnavailableError,
  UnknownWorkflowTypeError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowSuspendedError,
  WorkflowUpdateFailedError,
} from './errors.js';
import { finish, givesFunction, keeper, make, value } from './fixtures/bad-input.js';
import { Runtime } from './runtime.js';
import { createTestRuntime } from './testing/index.js';

const workflows = new URL('./fixtures/bad-input.js', import.meta.url);
let runtime: Runtime;
let folder: string;
let last = 0;
const freshId = () => `w${++last}`;
const start = () => runtime.client.workflow.start(keeper, { workflowId: freshId() });
const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (result) => expect.unreachable(`it resolved with ${String(result)}`),
    (error: unknown) => error,
  );

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-bad-'));
  runtime = await createTestRuntime({ workflows, limits: { payloadBytes: 100_000 } });
});
afterAll(async () => {
  await runtime.shutdown();
  rmSync(folder, { recursive: true, force: true });
});

test('an unknown workflow type is refused with the types that exist', async () => {
  const error = await thrown(runtime.client.workflow.start('nothing', { workflowId: freshId() }));
  expect(error).toBeInstanceOf(UnknownWorkflowTypeError);
  expect((error as Error).message).toContain("'givesFunction', 'keeper'");
  expect(await thrown(runtime.client.workflow.getHandle(`w${last}`).describe())).toBeInstanceOf(WorkflowNotFoundError);
});

test('an argument that does not serialize is named by its path', async () => {
  const args = [{ a: [1, { run: () => 1 }] }];
  const error = await thrown(runtime.client.workflow.start('keeper', { workflowId: freshId(), args }));
  expect(error).toBeInstanceOf(PayloadConverterError);
  expect((error as PayloadConverterError).path).toBe('args[0].a[1].run');
});

test('a workflow id that is empty or too long is refused', async () => {
  for (const workflowId of ['', 'x'.repeat(1001)]) {
    expect(await thrown(runtime.client.workflow.start(keeper, { workflowId }))).toBeInstanceOf(InvalidArgumentError);
  }
});

test('a start while running names the run that is there', async () => {
  const handle = await start();
  const error = await thrown(runtime.client.workflow.start(keeper, { workflowId: handle.workflowId }));
  expect(error).toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
  expect((error as WorkflowExecutionAlreadyStartedError).runId).toBe(handle.firstExecutionRunId);
  await handle.signal(finish);
  expect(await handle.result()).toBe(0);
});

test('messages to an unknown workflow are refused, and so are signals and updates to a closed one', async () => {
  const unknown = runtime.client.workflow.getHandle('nobody');
  const closed = await start();
  await closed.signal(finish);
  await closed.result();
  for (const refused of [
    unknown.signal(finish),
    unknown.query(value),
    unknown.executeUpdate(make, { args: ['x'] }),
    unknown.cancel(),
    unknown.terminate(),
    unknown.result(),
    unknown.fetchHistory(),
    closed.signal(finish),
    closed.executeUpdate(make, { args: ['x'] }),
    closed.cancel(),
    closed.terminate(),
  ]) {
    expect(await thrown(refused)).toBeInstanceOf(WorkflowNotFoundError);
  }
  expect((await closed.fetchHistory()).events).toHaveLength(3);
});

test('an unknown handler is told by name, with those that exist', async () => {
  const handle = await start();
  const query = await thrown(handle.query('nothing'));
  expect(query).toBeInstanceOf(QueryNotRegisteredError);
  expect((query as Error).message).toContain('nothing. Registered queries: [value]');
  const update = await thrown(handle.executeUpdate('nothing'));
  expect(update).toBeInstanceOf(WorkflowUpdateFailedError);
  expect((update as Error).cause).toMatchObject({ message: 'No registered handler for update: nothing' });
  await handle.signal('nothing');
  await handle.signal(finish);
  expect(await handle.result()).toBe(0);
});

test('a handler that returns something that does not serialize fails its caller, and changes nothing', async () => {
  const handle = await start();
  const query = await thrown(handle.query(value));
  expect(query).toBeInstanceOf(QueryFailedError);
  expect((query as Error).message).toContain('result.inner[0]');
  const update = await thrown(handle.executeUpdate(make, { args: ['function'] }));
  expect(update).toBeInstanceOf(WorkflowUpdateFailedError);
  expect((update as Error).cause).toBeInstanceOf(ApplicationFailure);
  expect((update as Error).cause).toMatchObject({ type: 'PayloadConverterError' });
  expect(await handle.executeUpdate(make, { args: ['none'] })).toBe(1);
});

test('a workflow that returns something that does not serialize is suspended with the reason', async () => {
  const handle = await runtime.client.workflow.start(givesFunction, { workflowId: freshId() });
  const error = await thrown(handle.query('anything'));
  expect(error).toBeInstanceOf(WorkflowSuspendedError);
  expect((error as Error).message).toContain('result.inner[0]');
  await handle.terminate();
});

test('a value over the limit is refused on the way in and on the way out', async () => {
  const handle = await start();
  const large = 'x'.repeat(200_000);
  expect(await thrown(handle.signal('any', large))).toBeInstanceOf(PayloadTooLargeError);
  const update = await thrown(handle.executeUpdate(make, { args: ['large'] }));
  expect((update as Error).cause).toMatchObject({ type: 'PayloadTooLargeError' });
});

test('an unknown or invalid option is named', async () => {
  const wrong = { workflows, store: { memory: true }, maxResidents: 3 } as object;
  const error = await thrown(Runtime.create(wrong as Parameters<typeof Runtime.create>[0]));
  expect(error).toBeInstanceOf(InvalidOptionError);
  expect((error as Error).message).toContain('maxResident');
});

test('an activity that is not named as it must be is refused with what to give', async () => {
  const { activity } = runtime.client;
  const text = await thrown(activity.complete('AAAA' as never));
  expect(text).toBeInstanceOf(InvalidArgumentError);
  expect((text as Error).message).toContain("Buffer.from(token, 'base64')");
  expect(await thrown(activity.heartbeat(new Uint8Array(3)))).toBeInstanceOf(ActivityCompletionError);
  const misspelt = { workflowId: 'w', activityId: '1', runID: 'r' };
  const error = await thrown(activity.fail(misspelt, new Error('no')));
  expect(error).toBeInstanceOf(InvalidOptionError);
  expect((error as Error).message).toContain("Did you mean 'taskTokenOrId.runId'?");
  expect(await thrown(activity.complete({ workflowId: 'nobody', activityId: '1' }))).toBeInstanceOf(
    ActivityNotFoundError,
  );
});

test('a store whose path cannot be a folder is refused', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const error = await thrown(Runtime.create({ workflows, store: join(file, 'store'), logger: 'silent' }));
  expect(error).toBeInstanceOf(StoreUnavailableError);
});

test('a store that is open elsewhere is refused with the process that has it', async () => {
  const store = join(folder, 'locked');
  await using _holder = await Runtime.create({ workflows, store, workers: 1, logger: 'silent' });
  const error = await thrown(Runtime.create({ workflows, store, workers: 1, logger: 'silent' }));
  expect(error).toBeInstanceOf(StoreLockedError);
  expect((error as StoreLockedError).fields.pid).toBe(process.pid);
});

test('a damaged store is refused with file and offset, and `holdfast verify` says what it is', async () => {
  const store = join(folder, 'damaged');
  {
    await using writer = await Runtime.create({ workflows, store, workers: 1, logger: 'silent' });
    await writer.client.workflow.start(keeper, { workflowId: 'w' });
  }
  const segment = readdirSync(store).find((name) => name.endsWith('.log') || name.startsWith('segment'))!;
  const bytes = readFileSync(join(store, segment));
  // In the newest batch: what came before the checkpoint is looked at when it is read, or by `verify`.
  bytes[bytes.length - 12]! ^= 1;
  writeFileSync(join(store, segment), bytes);
  const error = await thrown(Runtime.create({ workflows, store, workers: 1, logger: 'silent' }));
  expect(error).toBeInstanceOf(StoreCorruptError);
  expect((error as Error).message).toContain(segment);
  const cli = new URL('./cli/holdfast.js', import.meta.url).pathname;
  const verify = () => execFileSync(process.execPath, [cli, 'verify', store], { encoding: 'utf8', stdio: 'pipe' });
  expect(verify).toThrow(/damage/i);
});

test('a call after shutdown is refused', async () => {
  const ended = await createTestRuntime({ workflows });
  const handle = await ended.client.workflow.start(keeper, { workflowId: 'w' });
  await ended.shutdown();
  for (const refused of [handle.signal(finish), handle.query(value), handle.describe(), handle.result()]) {
    expect(await thrown(refused)).toBeInstanceOf(RuntimeClosedError);
  }
});
