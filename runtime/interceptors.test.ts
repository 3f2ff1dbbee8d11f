/**
 * Interceptors of all three sides in a real runtime: what a client sends along reaches workflows, their activities and children.
 */
import { expect, onTestFinished, test } from 'vitest';
import { defaultPayloadConverter } from '../mailbox/raw-value.js';
import { log as activityLog } from './activity/index.js';
import { bundleWorkflows } from './bundler/bundle-workflows.js';
import { Client } from './client/client.js';
import type { ClientInterceptors, WorkflowClientInterceptor } from './client/interceptors.js';
import { WithStartWorkflowOperation } from './client/with-start.js';
import {
  InvalidArgumentError,
  InvalidOptionError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from './errors.js';
import { add, append, entries, type list } from './fixtures/list-workflows.js';
import { type Logger, loggerFrom } from './host/logger.js';
import type { RuntimeInterceptors } from './interceptor-options.js';
import type { Runtime } from './runtime.js';
import { createTestRuntime } from './testing/index.js';

const file = (name: string) => new URL(`./fixtures/${name}.js`, import.meta.url);
const traced = { workflows: file('traced-workflows'), interceptors: { workflowModules: [file('tracing')] } };

const { toPayload, fromPayload } = defaultPayloadConverter;
const headers = { trace: toPayload({ id: 't1', spans: ['client'] }) };
const sending: WorkflowClientInterceptor = {
  startWithDetails: (input, next) => next({ ...input, headers }),
  signal: (input, next) => next({ ...input, headers }),
};

interface Trace {
  readonly id: string;
  readonly spans: readonly string[];
}

test('a trace that a client begins goes through runs, activities, children and the log', async () => {
  const lines: unknown[][] = [];
  const logger: Logger = loggerFrom((_, message, meta) => lines.push([message, meta]));
  const seen: Trace[] = [];
  await using runtime = await createTestRuntime({
    workflows: traced.workflows,
    logger,
    activities: { sing: async (title: string) => `${title}, la la` },
    interceptors: {
      ...traced.interceptors,
      client: { workflow: [sending] },
      activity: [
        (context) => ({
          inbound: {
            async execute(input, next) {
              seen.push(fromPayload<Trace>(input.headers['trace']!));
              context.log.info('singing');
              return next({ ...input, args: ['Michelle'] });
            },
          },
          outbound: { getLogAttributes: (input, next) => ({ ...next(input), traceId: seen.at(-1)?.id }) },
        }),
      ],
    },
  });
  const spans = await runtime.client.workflow.execute<() => Promise<string[]>>('traced', { workflowId: 'w' });
  expect(spans).toEqual(
    [
      'client',
      'run traced',
      'timer 1',
      'activity sing',
      'again traced',
      'run traced',
      'timer 1',
      'activity sing',
      'child traced',
      'run traced',
    ].filter((span) => !span.startsWith('activity')),
  );
  expect(seen).toEqual([
    { id: 't1', spans: ['client', 'run traced', 'timer 1', 'activity sing'] },
    { id: 't1', spans: ['client', 'run traced', 'timer 1', 'again traced', 'run traced', 'timer 1', 'activity sing'] },
  ]);
  const attributes = { workflowId: 'w', workflowType: 'traced', traceId: 't1' };
  expect(lines).toEqual([
    ['singing', expect.objectContaining({ ...attributes, activityType: 'sing', attempt: 1 })],
    ['sung', expect.objectContaining({ ...attributes, song: 'Michelle, la la' })],
    ['singing', expect.objectContaining(attributes)],
    ['sung', expect.objectContaining(attributes)],
  ]);
});

async function listening(interceptors: RuntimeInterceptors): Promise<Runtime> {
  const runtime = await createTestRuntime({ workflows: file('list-workflows'), interceptors });
  onTestFinished(() => runtime.shutdown());
  return runtime;
}

/** Notes each call, and does what the method is told to do with it. */
function noting(calls: unknown[]): ClientInterceptors {
  const note =
    (method: string) =>
    async (input: object, next: (input: never) => unknown): Promise<never> => {
      const { headers: _, ...told } = input as { headers?: unknown };
      calls.push([method, told]);
      return (await next(input as never)) as never;
    };
  const methods = ['startWithDetails', 'signal', 'signalWithStart', 'query', 'startUpdate', 'startUpdateWithStart'];
  const all = [...methods, 'cancel', 'terminate', 'describe'].map((method) => [method, note(method)]);
  return { workflow: [Object.fromEntries(all) as WorkflowClientInterceptor] };
}

test('every call of a client goes through its interceptors', async () => {
  const calls: [string, object][] = [];
  const { client } = await listening({ client: noting(calls) });
  const handle = await client.workflow.start<typeof list>('list', { workflowId: 'l', args: ['list'] });
  await handle.signal(add, 'a');
  expect(await handle.query(entries)).toEqual(['list', 'a']);
  expect(await handle.executeUpdate(append, { args: ['b'], updateId: 'u' })).toBe(3);
  await handle.describe();
  await handle.cancel('enough');
  await handle.result().catch(() => undefined);
  await expect(handle.terminate('now')).rejects.toThrow(WorkflowNotFoundError);
  const options = { workflowId: 'm', args: ['list'] };
  await client.workflow.signalWithStart('list', { ...options, signal: add, signalArgs: ['c'] });
  const operation = new WithStartWorkflowOperation('list', { ...options, workflowIdConflictPolicy: 'USE_EXISTING' });
  expect(await client.workflow.executeUpdateWithStart(append, { startWorkflowOperation: operation, args: ['d'] })).toBe(
    3,
  );
  expect((await operation.workflowHandle()).workflowId).toBe('m');
  const workflowExecution = { workflowId: 'l' };
  const { firstExecutionRunId } = handle;
  expect(calls).toEqual([
    ['startWithDetails', { workflowType: 'list', options: { workflowId: 'l', args: ['list'] } }],
    ['signal', { signalName: 'add', args: ['a'], workflowExecution }],
    ['query', { queryType: 'entries', args: [], workflowExecution }],
    [
      'startUpdate',
      { updateName: 'append', args: ['b'], workflowExecution, firstExecutionRunId, options: { updateId: 'u' } },
    ],
    ['describe', { workflowExecution }],
    ['cancel', { workflowExecution, firstExecutionRunId, reason: 'enough' }],
    ['terminate', { workflowExecution, firstExecutionRunId, reason: 'now' }],
    [
      'signalWithStart',
      {
        workflowType: 'list',
        signalName: 'add',
        signalArgs: ['c'],
        options: { ...options, workflowIdConflictPolicy: 'USE_EXISTING' },
      },
    ],
    [
      'startUpdateWithStart',
      {
        workflowType: 'list',
        workflowStartOptions: { ...options, workflowIdConflictPolicy: 'USE_EXISTING' },
        workflowStartHeaders: {},
        updateName: 'append',
        updateArgs: ['d'],
        updateOptions: {},
        updateHeaders: {},
      },
    ],
  ]);
});

test('an interceptor changes what is sent and what is answered, in the order of the list', async () => {
  const louder: WorkflowClientInterceptor = {
    signal: (input, next) => next({ ...input, args: input.args.map((arg) => `${arg}!`) }),
    query: async (input, next) => ['first', await next(input)],
  };
  const quieter: WorkflowClientInterceptor = {
    signal: (input, next) => next({ ...input, args: input.args.map((arg) => `(${arg})`) }),
    query: async (input, next) => ['second', await next(input)],
  };
  const { client } = await listening({ client: { workflow: [louder, quieter] } });
  const handle = await client.workflow.start<typeof list>('list', { workflowId: 'l', args: ['list'] });
  await handle.signal(add, 'a');
  expect(await handle.query(entries)).toEqual(['first', ['second', ['list', '(a!)']]]);
});

test('what has only start is called for every start, execute included', async () => {
  const started: string[] = [];
  const only: WorkflowClientInterceptor = {
    async start(input, next) {
      const runId = await next({
        ...input,
        options: { ...input.options, workflowId: `own-${input.options.workflowId}` },
      });
      started.push(runId);
      return runId;
    },
  };
  const runtime = await createTestRuntime({
    workflows: file('traced-workflows'),
    interceptors: { client: { workflow: [only] } },
  });
  onTestFinished(() => runtime.shutdown());
  const ended = await runtime.client.workflow
    .execute('greet', { workflowId: 'w', args: ['Ada'] })
    .catch((error) => error);
  expect(started).toHaveLength(1);
  expect(ended).toBe('Hello, Ada');
});

test('an interceptor may keep a call from being sent', async () => {
  const refusing: WorkflowClientInterceptor = {
    startUpdate: async () => ({ updateId: 'u', workflowRunId: '' }),
    startUpdateWithStart: async () => {
      throw new Error('not today');
    },
  };
  const { client } = await listening({ client: { workflow: [refusing] } });
  const handle = await client.workflow.start<typeof list>('list', { workflowId: 'l', args: ['list'] });
  await expect(handle.executeUpdate(append, { args: ['a'] })).rejects.toThrow(InvalidArgumentError);
  const options = { workflowId: 'm', args: ['list'] as [string], workflowIdConflictPolicy: 'FAIL' as const };
  const startWorkflowOperation = new WithStartWorkflowOperation<typeof list>('list', options);
  const update = { startWorkflowOperation, args: ['a'] as [string] };
  await expect(client.workflow.executeUpdateWithStart(append, update)).rejects.toThrow('not today');
  await expect(startWorkflowOperation.workflowHandle()).rejects.toThrow('not today');
  expect(await handle.query(entries)).toEqual(['list']);
});

test('a rejected update is told as without interceptors', async () => {
  const { client } = await listening({ client: noting([]) });
  const handle = await client.workflow.start<typeof list>('list', { workflowId: 'l', args: ['list'] });
  await expect(handle.executeUpdate('nothing')).rejects.toThrow(WorkflowUpdateFailedError);
});

test('a client in another place has interceptors of its own', async () => {
  const calls: [string, object][] = [];
  const runtime = await listening({});
  const client = Client.connect(runtime.createClientPort(), { interceptors: noting(calls) });
  await client.workflow.start('list', { workflowId: 'l' });
  await runtime.client.workflow.getHandle('l').describe();
  expect(calls.map(([method]) => method)).toEqual(['startWithDetails']);
  client.close();
});

test.each([
  ['interceptors.other', { other: [] }],
  ['interceptors.workflowModules', { workflowModules: 'x' }],
  ['interceptors.workflowModules', { workflowModules: [1] }],
  ['interceptors.client.workflow', { client: { workflow: {} } }],
  ['interceptors.client.other', { client: { other: [] } }],
  ['interceptors.activity', { activity: [{}] }],
])('%s is refused: %o', async (option, interceptors) => {
  const refusal = createTestRuntime({ workflows: file('list-workflows'), interceptors: interceptors as never });
  await expect(refusal).rejects.toThrow(InvalidOptionError);
  await expect(refusal).rejects.toThrow(`'${option}'`);
});

test('a module without a factory is refused, and so is a bundle that was made without the modules', async () => {
  const { workflows } = traced;
  const wrong = { workflowModules: [file('list-workflows')] };
  await expect(createTestRuntime({ workflows, interceptors: wrong })).rejects.toThrow('it must export interceptors');
  const plain = await bundleWorkflows(workflows);
  await expect(createTestRuntime({ ...traced, workflows: plain })).rejects.toThrow(InvalidOptionError);
  const bundle = await bundleWorkflows(workflows, { interceptors: [file('tracing')] });
  await using runtime = await createTestRuntime({ workflows: bundle });
  expect(await runtime.client.workflow.execute('greet', { workflowId: 'g', args: ['Ada'] })).toBe('Hello, Ada');
});

test('attributes of an activity’s log that are a promise fail the attempt, and nothing is left unhandled', async () => {
  const getLogAttributes = (async () => Promise.reject(new Error('no attributes'))) as never;
  await using runtime = await createTestRuntime({
    workflows: traced.workflows,
    activities: {
      async sing() {
        return activityLog.info('singing');
      },
    },
    interceptors: { activity: [() => ({ outbound: { getLogAttributes } })] },
  });
  const run = await runtime.client.workflow.start<() => Promise<string[]>>('traced', { workflowId: 'w' });
  const lastFailure = async () => (await run.describe()).pendingActivities[0]?.lastFailure?.message;
  await expect.poll(lastFailure).toMatch('getLogAttributes of an interceptor must be synchronous');
  await run.terminate();
});
