/**
 * The routes: each is one call of the client. What they promise is durable by the time they answer.
 * Thread: embedding. In → out: HTTP requests ⇄ starts, updates, queries and cancel requests.
 */
import { type FastifyInstance, fastify } from 'fastify';
import type { Runtime } from 'holdfast';
import { problemOf } from './problems.js';
import { approve, getState, type OrderRequest, order } from './workflows.js';

const ORDER = {
  type: 'object',
  required: ['item', 'count'],
  additionalProperties: false,
  properties: { item: { type: 'string', minLength: 1 }, count: { type: 'integer', minimum: 1 } },
};
const APPROVAL = {
  type: 'object',
  required: ['by'],
  additionalProperties: false,
  properties: { by: { type: 'string', minLength: 1 } },
};

/** Ready until the runtime has failed or `closing` says that the service is about to end. */
export function createApp(runtime: Runtime, closing: AbortSignal): FastifyInstance {
  const app = fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false } } });
  const client = runtime.client.workflow;
  let failed = false;
  runtime.events.once('failed', () => {
    failed = true;
  });

  // A connection that is kept alive would keep the server from closing.
  app.addHook('onSend', async (_request, reply) => {
    if (closing.aborted) reply.header('connection', 'close');
  });
  app.setErrorHandler((error, _request, reply) => {
    const problem = problemOf(error);
    if (problem === undefined) return reply.send(error); // Fastify's own: a body that does not fit its schema, and such.
    const { status, retryAfter, ...body } = problem;
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    return reply.code(status).send(body);
  });

  // The id comes from the caller, so that a request that is sent again is the same order.
  app.put<{ Params: { id: string }; Body: OrderRequest }>(
    '/orders/:id',
    { schema: { body: ORDER } },
    async ({ params, body }, reply) => {
      const { firstExecutionRunId } = await client.start(order, {
        workflowId: `order-${params.id}`,
        args: [body],
        requestId: `put ${params.id} ${JSON.stringify(body)}`,
      });
      return reply.code(201).send({ id: params.id, runId: firstExecutionRunId });
    },
  );

  app.get<{ Params: { id: string } }>('/orders/:id', async ({ params }) => {
    const handle = client.getHandle<typeof order>(`order-${params.id}`);
    const [{ status }, state] = await Promise.all([handle.describe(), handle.query(getState)]);
    return { id: params.id, status: status.name, ...state };
  });

  app.get<{ Params: { id: string } }>('/orders/:id/parcel', async ({ params }) => ({
    parcel: await client.getHandle<typeof order>(`order-${params.id}`).result(),
  }));

  app.post<{ Params: { id: string }; Body: { by: string } }>(
    '/orders/:id/approval',
    { schema: { body: APPROVAL } },
    async ({ params, body }) => {
      // One approval for each person: sent again it gets the first one's answer.
      const options = { args: [body.by], updateId: `approval by ${body.by}` } as const;
      return await client.getHandle<typeof order>(`order-${params.id}`).executeUpdate(approve, options);
    },
  );

  app.delete<{ Params: { id: string } }>('/orders/:id', async ({ params }, reply) => {
    await client.getHandle<typeof order>(`order-${params.id}`).cancel();
    return reply.code(202).send();
  });

  /** Is the process worth keeping? */
  app.get('/health/live', async (_request, reply) => reply.code(failed ? 500 : 200).send({ live: !failed }));
  /** Should it get requests? */
  app.get('/health/ready', async (_request, reply) => {
    if (failed || closing.aborted) return reply.code(503).send({ ready: false });
    const { openRuns, waitingMessages } = await runtime.stats();
    return { ready: true, openRuns, waitingMessages };
  });
  return app;
}
