/**
 * The HTTP example: its story, and what each route answers.
 * Thread: the test's. In → out: requests → statuses and bodies.
 */
import type { FastifyInstance } from 'fastify';
import type { Runtime } from 'holdfast';
import { createTestRuntime } from 'holdfast/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tell } from '../test-kit/story.test-kit.js';
import * as activities from './activities.js';
import { createApp } from './app.js';

let runtime: Runtime;
let app: FastifyInstance;
let closing: AbortController;
beforeEach(async () => {
  closing = new AbortController();
  runtime = await createTestRuntime({ workflows: new URL('./workflows.js', import.meta.url), activities });
  app = createApp(runtime, closing.signal);
});
afterEach(async () => {
  await app.close();
  await runtime.shutdown();
});

async function call(method: 'GET' | 'PUT' | 'POST' | 'DELETE', url: string, body?: object) {
  const response = await app.inject({ method, url, ...(body === undefined ? {} : { payload: body }) });
  return { status: response.statusCode, body: response.body === '' ? undefined : response.json(), response };
}
const pears = { item: 'pears', count: 3 };

test('an order is started once, however often it is put', async () => {
  const first = await call('PUT', '/orders/1', pears);
  expect(first.status).toBe(201);
  expect(await call('PUT', '/orders/1', pears)).toMatchObject({ status: 201, body: first.body });
  expect(await call('PUT', '/orders/1', { ...pears, count: 4 })).toMatchObject({
    status: 409,
    body: { code: 'WORKFLOW_ALREADY_STARTED' },
  });
});

test('a body that is no order is refused before it reaches the runtime', async () => {
  for (const body of [{}, { item: 'pears' }, { item: '', count: 1 }, { ...pears, count: '3' }, { ...pears, more: 1 }]) {
    expect((await call('PUT', '/orders/1', body)).status).toBe(400);
  }
  expect((await runtime.stats()).runs).toBe(0);
});

test('an approved order is sent', async () => {
  await call('PUT', '/orders/1', pears);
  expect((await call('GET', '/orders/1')).body).toEqual({ id: '1', status: 'RUNNING', stage: 'waiting' });
  expect(await call('POST', '/orders/1/approval', { by: 'Ada' })).toMatchObject({
    status: 200,
    body: { stage: 'sending', approvedBy: 'Ada' },
  });
  expect((await call('GET', '/orders/1/parcel')).body).toEqual({ parcel: '3 pears in order-1' });
  expect((await call('GET', '/orders/1')).body).toMatchObject({ status: 'COMPLETED', stage: 'sent' });
});

test('what there is not is not found', async () => {
  for (const path of ['', '/parcel']) expect((await call('GET', `/orders/9${path}`)).status).toBe(404);
  expect((await call('DELETE', '/orders/9')).status).toBe(404);
  expect((await call('POST', '/orders/9/approval', { by: 'Ada' })).status).toBe(404);
});

test('what is closed takes no more orders', async () => {
  await call('PUT', '/orders/1', pears);
  await call('POST', '/orders/1/approval', { by: 'Ada' });
  await call('GET', '/orders/1/parcel');
  expect((await call('POST', '/orders/1/approval', { by: 'Grace' })).status).toBe(409);
  expect((await call('DELETE', '/orders/1')).status).toBe(409);
});

test('a cancelled order is gone', async () => {
  await call('PUT', '/orders/1', pears);
  expect((await call('DELETE', '/orders/1')).status).toBe(202);
  expect(await call('GET', '/orders/1/parcel')).toMatchObject({ status: 410, body: { code: 'WORKFLOW_FAILED' } });
});

test('who comes too late is told when to come again', async () => {
  await runtime.shutdown();
  const { status, response } = await call('PUT', '/orders/1', pears);
  expect([status, response.headers['retry-after']]).toEqual([503, '5']);
});

test('a service that is ending is live, and not ready', async () => {
  expect(await call('GET', '/health/ready')).toMatchObject({ status: 200, body: { ready: true, openRuns: 0 } });
  closing.abort();
  expect((await call('GET', '/health/ready')).status).toBe(503);
  expect((await call('GET', '/health/live')).status).toBe(200);
});

test('its story', async () => {
  const { lines, ...ended } = await tell('http-service');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'Orders',
    'PUT /orders/1 → 201 {"id":"1","runId":"…"}',
    'PUT /orders/1 → 201 {"id":"1","runId":"…"}',
    expect.stringMatching(
      /^PUT \/orders\/1 → 409 {"code":"WORKFLOW_ALREADY_STARTED","detail":"Workflow execution already started: 'order-1' /,
    ),
    expect.stringMatching(/^PUT \/orders\/2 → 400 .*"message":"body\/count must be >= 1"}$/),
    'GET /orders/1 → 200 {"id":"1","status":"RUNNING","stage":"waiting"}',
    expect.stringMatching(/^GET \/orders\/3 → 404 {"code":"WORKFLOW_NOT_FOUND",/),
    'GET /health/ready → 200 {"ready":true,"openRuns":1,"waitingMessages":0}',
    'Somebody waits for the parcel while the service is ended',
    expect.stringMatching(/^GET \/orders\/1\/parcel → 503 {"code":"RUNTIME_CLOSED",/),
    'exit code 0',
    'The next process has the order',
    'POST /orders/1/approval → 200 {"stage":"sending","approvedBy":"Ada"}',
    'POST /orders/1/approval → 200 {"stage":"sending","approvedBy":"Ada"}',
    'GET /orders/1/parcel → 200 {"parcel":"3 pears in order-1"}',
    expect.stringMatching(/^POST \/orders\/1\/approval → 409 {"code":"WORKFLOW_NOT_FOUND",/),
    'Cancelled',
    'PUT /orders/4 → 201 {"id":"4","runId":"…"}',
    'DELETE /orders/4 → 202',
    'GET /orders/4/parcel → 410 {"code":"WORKFLOW_FAILED","detail":"Workflow canceled"}',
    expect.stringMatching(/^DELETE \/orders\/4 → 409 {"code":"WORKFLOW_NOT_FOUND",/),
  ]);
});
