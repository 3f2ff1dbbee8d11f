/**
 * The connection: batches, pairs, errors, and the end of a port.
 * Thread: the test's.
 */
import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { ApplicationFailure, toFailureRecord } from '../../mailbox/failures.js';
import {
  ClientClosedError,
  InvalidArgumentError,
  ResourceExhaustedError,
  RuntimeClosedError,
  RuntimeFailedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '../errors.js';
import { Client } from './client.js';
import { openClientPort } from './client-port.js';
import { Connection } from './connection.js';
import { toErrorRecord } from './error-record.js';
import { type Answer, FakeSupervisor } from './fixtures/fake-supervisor.js';
import { decodeRequests, LAST_WORD } from './protocol.js';

let open: FakeSupervisor[] = [];
afterEach(() => {
  for (const supervisor of open) supervisor.client.close();
  open = [];
});

function supervise(...args: ConstructorParameters<typeof FakeSupervisor>): FakeSupervisor {
  const supervisor = new FakeSupervisor(...args);
  open.push(supervisor);
  return supervisor;
}

const done = (): Answer => ({ kind: 'done' });
const nothing = (): undefined => undefined;
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );

test('everything sent during one turn of the event loop leaves as one message', async () => {
  const supervisor = supervise(done);
  const handle = supervisor.client.workflow.getHandle('w');
  const first = Array.from({ length: 500 }, (_, i) => handle.signal('s', i));
  await null;
  first.push(handle.signal('s', 'after a microtask'));
  await Promise.all(first);
  expect(supervisor.batches.map((batch) => batch.length)).toEqual([501]);
  await handle.signal('s');
  expect(supervisor.batches.map((batch) => batch.length)).toEqual([501, 1]);
});

test('nothing is sent while the connection is held, and all of it afterwards', async () => {
  const { client, supervisor: port } = openClientPort({ payloadBytes: 1e6, needs: [] });
  const connection = Connection.open(client, {})!;
  const batches: number[] = [];
  port.on('message', (message) => {
    if (message instanceof Uint8Array) batches.push(decodeRequests(message).length);
  });
  const releases: (() => void)[] = [];
  for (let i = 0; i < 2; i++) connection.hold(new Promise<void>((resolve) => releases.push(resolve)));
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 3; i++) {
    void connection.send({ kind: 'cancel', workflowId: 'w' });
    await turn();
  }
  releases[0]!();
  await turn();
  expect(batches).toEqual([]);
  releases[1]!();
  while (batches.length === 0) await turn();
  expect(batches).toEqual([3]);
  connection.end(toErrorRecord(new ClientClosedError()));
});

test('what is given up while it is encoded is never sent, and does not hold up what comes after it', async () => {
  const { client, supervisor: port } = openClientPort({ payloadBytes: 1e6, needs: [] });
  let encoded!: () => void;
  const encoding = new Promise<void>((resolve) => {
    encoded = resolve;
  });
  const payloadCodec = {
    encode: (all: Uint8Array[]) => encoding.then(() => all),
    decode: async (all: Uint8Array[]) => all,
  };
  const connection = Connection.open(client, { payloadCodec })!;
  const names: unknown[] = [];
  port.on('message', (message) => {
    if (message instanceof Uint8Array) names.push(...decodeRequests(message).map(({ workflowId }) => workflowId));
  });
  const controller = new AbortController();
  const limit = connection.limits.of({ signal: controller.signal });
  const input = connection.encodeArgs(['x']);
  const given = errorOf(connection.send({ kind: 'signal', workflowId: 'given up', name: 's', input }, limit));
  void connection.send({ kind: 'signal', workflowId: 'kept', name: 's', input });
  controller.abort();
  expect(await given).toMatchObject({ code: 'CALL_ABORTED', mayHaveBeenApplied: false });
  encoded();
  while (names.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(names).toEqual(['kept']);
  connection.end(toErrorRecord(new ClientClosedError()));
});

test('replies find their requests in whatever order they come', async () => {
  const supervisor = supervise(nothing);
  const handle = supervisor.client.workflow.getHandle('w');
  const outcomes: string[] = [];
  const both = ['a', 'b'].map((name) => handle.signal(name).then(() => outcomes.push(name)));
  await supervisor.nextBatch();
  const [a, b] = supervisor.requests;
  supervisor.reply({ id: b!.id, kind: 'done' }, { id: a!.id, kind: 'done' });
  await Promise.all(both);
  expect(outcomes).toEqual(['b', 'a']);
});

test('an error arrives as an instance of its class, with its fields and its cause', async () => {
  const failure = ApplicationFailure.create({ message: 'no apples', type: 'SoldOut', details: [{ left: 0 }] });
  const cause = toFailureRecord(failure);
  const error = { name: 'WorkflowFailedError', fields: { workflowId: 'w', runId: 'r', status: 'FAILED' }, cause };
  const supervisor = supervise(() => ({ kind: 'error', error }));
  const thrown = (await errorOf(supervisor.client.workflow.getHandle('w').result())) as WorkflowFailedError;
  expect(thrown).toBeInstanceOf(WorkflowFailedError);
  expect(thrown).toMatchObject({ code: 'WORKFLOW_FAILED', fields: { workflowId: 'w', runId: 'r', status: 'FAILED' } });
  expect(thrown.cause).toBeInstanceOf(ApplicationFailure);
  expect(thrown.cause).toMatchObject({ message: 'no apples', type: 'SoldOut', details: [{ left: 0 }] });
  expect((thrown.cause as Error).stack).toBe(failure.stack);
});

test('the stack of an error leads to the caller that awaited', async () => {
  const supervisor = supervise(() => ({
    kind: 'error',
    error: toErrorRecord(new WorkflowNotFoundError({ workflowId: 'w' })),
  }));
  const theCaller = async () => await supervisor.client.workflow.getHandle('w').signal('s');
  const thrown = (await errorOf(theCaller())) as Error;
  expect(thrown.stack).toContain('theCaller');
});

test('an error by a name that this version does not know still rejects', async () => {
  const supervisor = supervise(() => ({ kind: 'error', error: { name: 'FutureError', fields: {} } }));
  const thrown = await errorOf(supervisor.client.workflow.getHandle('w').signal('s'));
  expect(thrown).toBeInstanceOf(RuntimeFailedError);
  expect(String(thrown)).toContain('FutureError');
});

test('one failed request leaves the others of its batch alone', async () => {
  const full = new ResourceExhaustedError({ resource: 'mailbox', limit: 3, workflowId: 'w' });
  const supervisor = supervise((request) =>
    request.kind === 'signal' && request.name === 'bad' ? { kind: 'error', error: toErrorRecord(full) } : done(),
  );
  const handle = supervisor.client.workflow.getHandle('w');
  const settled = await Promise.allSettled(['good', 'bad', 'good'].map((name) => handle.signal(name)));
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect((settled[1] as PromiseRejectedResult).reason).toBeInstanceOf(ResourceExhaustedError);
});

test('a port that closes without a last word rejects what is open, and all that comes later', async () => {
  const supervisor = supervise(nothing, { count: () => new Promise(() => {}) });
  const handle = supervisor.client.workflow.getHandle('w');
  const pending = [errorOf(handle.signal('s')), errorOf(handle.result()), errorOf(supervisor.client.workflow.count())];
  await supervisor.nextBatch();
  supervisor.port.close();
  for (const thrown of await Promise.all(pending)) expect(thrown).toBeInstanceOf(RuntimeFailedError);
  expect(await errorOf(handle.query('q'))).toBeInstanceOf(RuntimeFailedError);
  expect(await errorOf(handle.describe())).toBeInstanceOf(RuntimeFailedError);
});

test('a last word decides with which error everything open and later ends', async () => {
  const supervisor = supervise(nothing);
  const handle = supervisor.client.workflow.getHandle('w');
  const pending = errorOf(handle.result());
  await supervisor.nextBatch();
  supervisor.reply({ id: LAST_WORD, kind: 'error', error: toErrorRecord(new RuntimeClosedError()) });
  expect(await pending).toBeInstanceOf(RuntimeClosedError);
  expect(await errorOf(handle.signal('s'))).toBeInstanceOf(RuntimeClosedError);
});

test('closing the client still sends what is queued, and rejects what is not answered', async () => {
  const supervisor = supervise(done);
  const pending = errorOf(supervisor.client.workflow.getHandle('w').signal('last'));
  const received = supervisor.nextBatch();
  supervisor.client.close();
  expect(await pending).toBeInstanceOf(ClientClosedError);
  await received;
  expect(supervisor.requests).toMatchObject([{ kind: 'signal', name: 'last' }]);
});

test('a port serves one client, and only one from the runtime will do', () => {
  const supervisor = supervise(done);
  expect(() => Client.connect(supervisor.port)).toThrow(InvalidArgumentError);
  const { port1, port2 } = new MessageChannel();
  expect(() => Client.connect(port1)).toThrow('runtime.createClientPort()');
  port2.close();
  // @ts-expect-error not a port at all
  expect(() => Client.connect('port')).toThrow(InvalidArgumentError);
});
