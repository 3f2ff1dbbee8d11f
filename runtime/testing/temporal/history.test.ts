/**
 * Histories in Temporal's form, without its core: shape, numbers, references, values. What its core says of them: `npm run portable`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '../../../actors/workflow/index.js';
import { withStored } from '../../client/saved-history.js';
import { HistoryNotPortableError } from '../../errors.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { System, type Workflows } from '../../test-kit/system.test-kit.js';
import { ledger } from '../../test-kit/workflows.test-kit.js';
import { type TemporalHistory, type TemporalHistoryEvent, toTemporalHistory } from './history.js';

routeRejections();

interface Proto {
  readonly temporal: { readonly api: { readonly history: { readonly v1: { readonly History: HistoryProto } } } };
}
interface HistoryProto {
  fromObject(plain: object): object;
  toObject(proto: object, options: object): { readonly events: readonly object[] };
}
/** Temporal's own message types: a package that another one brings. */
const { History } = (
  createRequire(createRequire(import.meta.url).resolve('@temporalio/common'))('@temporalio/proto') as Proto
).temporal.api.history.v1;

function temporalHistory(system: System, workflowId: string): TemporalHistory {
  const found = [...system.histories()].filter(
    ([, [started]]) => started?.eventType === 'WorkflowExecutionStarted' && started.workflowId === workflowId,
  );
  const [runId, events] = found[found.length - 1]!;
  return toTemporalHistory(withStored({ events: [] }, { workflowId, runId, events }));
}

async function ran(main: Workflows[string], ...args: unknown[]): Promise<TemporalHistory> {
  const system = await System.open({ workflows: { main, ledger } });
  system.start('w', 'main', ...args);
  await system.settle();
  for (let timers = 0; timers < 3; timers++) await system.pass(1000);
  return temporalHistory(system, 'w');
}

/** `TIMER_STARTED`, without what all have in common. */
const typesOf = ({ events }: TemporalHistory) => events.map(({ eventType }) => eventType.replace('EVENT_TYPE_', ''));
const attributesOf = (event: TemporalHistoryEvent | undefined) =>
  Object.entries(event ?? {}).find(([name]) => name.endsWith('EventAttributes'))?.[1] as Record<string, unknown>;
const find = ({ events }: TemporalHistory, type: string, nth = 0) =>
  events.filter(({ eventType }) => eventType === `EVENT_TYPE_${type}`)[nth]!;
const decoded = ({ data }: { data: string }) => JSON.parse(Buffer.from(data, 'base64').toString());
const TASK = ['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_COMPLETED'];

test('each step is a workflow task of three events: after what it processed, before what it made', async () => {
  const history = await ran(async () => {
    await sleep(10);
    await sleep(10);
    return 'done';
  });
  expect(typesOf(history)).toEqual([
    'WORKFLOW_EXECUTION_STARTED',
    ...TASK,
    'TIMER_STARTED',
    'TIMER_FIRED',
    ...TASK,
    'TIMER_STARTED',
    'TIMER_FIRED',
    ...TASK,
    'WORKFLOW_EXECUTION_COMPLETED',
  ]);
  expect(history.events.map(({ eventId }) => eventId)).toEqual(history.events.map((_, index) => index + 1));
});

test('ids that events name are those of this form', async () => {
  const { events } = await ran(async () => {
    await sleep(10);
    await condition(() => false, 20);
  });
  const started = events.filter(({ eventType }) => eventType === 'EVENT_TYPE_TIMER_STARTED');
  const fired = events.filter(({ eventType }) => eventType === 'EVENT_TYPE_TIMER_FIRED');
  expect(fired.map((event) => attributesOf(event)['startedEventId'])).toEqual(started.map(({ eventId }) => eventId));
  expect(attributesOf(started[0])).toMatchObject({ workflowTaskCompletedEventId: 4, timerId: '1' });
  expect(attributesOf(started[0])['startToFireTimeout']).toEqual({ seconds: 0, nanos: 10_000_000 });
  expect(attributesOf(events[2])).toMatchObject({ scheduledEventId: 2 });
  expect(attributesOf(events[3])).toMatchObject({ scheduledEventId: 2, startedEventId: 3 });
});

test('the flags under which the code ran are in the first workflow task', async () => {
  const { events } = await ran(async () => {
    await sleep(10);
  });
  const tasks = events.filter(({ eventType }) => eventType === 'EVENT_TYPE_WORKFLOW_TASK_COMPLETED');
  const flags = { langUsedFlags: [1, 2], coreUsedFlags: [1, 3] };
  expect(tasks.map((event) => attributesOf(event)['sdkMetadata'])).toEqual([flags, undefined]);
});

test('an outcome of an activity comes after the start of its last attempt, and names both', async () => {
  const system = await System.open({
    workflows: {
      main: async () => {
        const { charge } = proxyActivities({ startToCloseTimeout: 1000, retry: { maximumAttempts: 1 } });
        await charge!(7).catch(() => undefined);
        await charge!(8);
      },
    },
  });
  system.start('w', 'main');
  await system.settle();
  system.activityThrows(system.attempts[0]!, { kind: 'application', type: 'Declined', message: 'no' });
  await system.settle();
  system.activityReturns(system.attempts[1]!, { paid: true });
  await system.settle();
  const history = temporalHistory(system, 'w');
  const failed = find(history, 'ACTIVITY_TASK_FAILED');
  expect(attributesOf(failed)).toMatchObject({
    scheduledEventId: find(history, 'ACTIVITY_TASK_SCHEDULED').eventId,
    startedEventId: failed.eventId - 1,
    // Not the failure in which the workflow is told of it.
    failure: { message: 'no', applicationFailureInfo: { type: 'Declined' } },
  });
  expect(attributesOf(find(history, 'ACTIVITY_TASK_STARTED', 1))).toMatchObject({ attempt: 1 });
  const { result } = attributesOf(find(history, 'ACTIVITY_TASK_COMPLETED')) as { result: { payloads: [never] } };
  expect(decoded(result.payloads[0])).toEqual({ paid: true });
});

test('children, and what other workflows are asked for', async () => {
  const system = await System.open({
    workflows: {
      main: async () => {
        await executeChild('child', { workflowId: 'c' });
        await getExternalWorkflowHandle('other').signal('add', 'x');
        await getExternalWorkflowHandle('nobody')
          .signal('add', 'x')
          .catch(() => undefined);
        await getExternalWorkflowHandle('other').cancel();
      },
      child: async () => 'grown',
      ledger,
    },
  });
  system.start('other', 'ledger');
  system.start('w', 'main');
  await system.pass(1000);
  const history = temporalHistory(system, 'w');
  const initiated = find(history, 'START_CHILD_WORKFLOW_EXECUTION_INITIATED').eventId;
  const started = find(history, 'CHILD_WORKFLOW_EXECUTION_STARTED').eventId;
  expect(attributesOf(find(history, 'CHILD_WORKFLOW_EXECUTION_COMPLETED'))).toMatchObject({
    initiatedEventId: initiated,
    startedEventId: started,
    workflowExecution: { workflowId: 'c' },
    workflowType: { name: 'child' },
  });
  const signals = [0, 1].map((nth) => find(history, 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED', nth).eventId);
  const signaled = attributesOf(find(history, 'EXTERNAL_WORKFLOW_EXECUTION_SIGNALED'));
  expect(signaled).toMatchObject({ initiatedEventId: signals[0], workflowExecution: { workflowId: 'other' } });
  const failed = attributesOf(find(history, 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED'));
  expect(failed).toMatchObject({ initiatedEventId: signals[1], workflowExecution: { workflowId: 'nobody' } });
  expect(typesOf(history)).toContain('EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED');
  const child = attributesOf(temporalHistory(system, 'c').events[0]);
  expect(child).toMatchObject({
    parentWorkflowExecution: { workflowId: 'w' },
    rootWorkflowExecution: { workflowId: 'w' },
  });
});

test('an update is accepted and completed after the task of its step, and says what it came after', async () => {
  const system = await System.open({ workflows: { ledger } });
  system.start('w', 'ledger');
  await system.settle();
  system.signal('w', 'add', 'first');
  await system.settle();
  system.updateWith({ workflowId: 'w', name: 'append', updateId: 'u-1' }, 'second');
  await system.settle();
  const history = temporalHistory(system, 'w');
  const accepted = find(history, 'WORKFLOW_EXECUTION_UPDATE_ACCEPTED');
  const { acceptedRequest, ...rest } = attributesOf(accepted) as { acceptedRequest: { input: { args: never } } };
  const before = find(history, 'WORKFLOW_TASK_COMPLETED', 1).eventId;
  expect(rest).toEqual({
    protocolInstanceId: 'u-1',
    acceptedRequestMessageId: 'u-1/request',
    acceptedRequestSequencingEventId: before,
  });
  expect(acceptedRequest).toMatchObject({ meta: { updateId: 'u-1' }, input: { name: 'append' } });
  expect(attributesOf(find(history, 'WORKFLOW_EXECUTION_UPDATE_COMPLETED'))).toMatchObject({
    meta: { updateId: 'u-1' },
    acceptedEventId: accepted.eventId,
    outcome: { success: { payloads: [{ data: Buffer.from('2').toString('base64') }] } },
  });
});

test('patches and local activities are markers of the core', async () => {
  const system = await System.open({
    workflows: {
      main: async () => {
        patched('new way');
        const { look } = proxyLocalActivities({ startToCloseTimeout: 1000 });
        return await look!();
      },
    },
  });
  system.start('w', 'main');
  await system.settle();
  system.activityReturns(system.attempts[0]!, 5);
  await system.settle();
  const history = temporalHistory(system, 'w');
  const [patch, local] = [0, 1].map((nth) => attributesOf(find(history, 'MARKER_RECORDED', nth)));
  const details = (marker: typeof patch, name: string) => {
    const { payloads } = (marker!['details'] as Record<string, { payloads: [{ data: string }] }>)[name]!;
    return decoded(payloads[0]);
  };
  expect(patch).toMatchObject({ markerName: 'core_patch', workflowTaskCompletedEventId: 4 });
  expect(details(patch, 'patch-data')).toEqual({ id: 'new way', deprecated: false });
  expect(local).toMatchObject({ markerName: 'core_local_activity', workflowTaskCompletedEventId: 8 });
  expect(details(local, 'data')).toMatchObject({ seq: 1, attempt: 1, activity_id: '1', activity_type: 'look' });
  expect(details(local, 'result')).toBe(5);
  expect(typesOf(history).slice(-5)).toEqual([...TASK, 'MARKER_RECORDED', 'WORKFLOW_EXECUTION_COMPLETED']);
});

test('workflowInfo().historyLength is in each step the number of the event that starts its workflow task', async () => {
  const told = new Set<number>();
  const finish = defineSignal('finish');
  const main = async () => {
    let finished = false;
    setHandler(finish, () => {
      finished = true;
    });
    setHandler(defineSignal('add'), () => undefined);
    setHandler(defineUpdate<void, [entry: string]>('note'), () => undefined, {
      validator: (entry) => {
        if (entry === 'no') throw new Error('no');
      },
    });
    // Examined in every step, and in no query.
    const measuring = condition(() => {
      told.add(workflowInfo().historyLength);
      return false;
    }).catch(() => undefined);
    const { work } = proxyActivities({ startToCloseTimeout: 1000, retry: { maximumAttempts: 1 } });
    const { late } = proxyActivities({ scheduleToStartTimeout: 500, startToCloseTimeout: 1000 });
    const { look } = proxyLocalActivities({ startToCloseTimeout: 1000 });
    await Promise.all([work!(), look!()]);
    if (patched('new way')) upsertMemo({ state: 'new' });
    await work!().catch(() => undefined);
    await late!().catch(() => undefined);
    await CancellationScope.withTimeout(100, () => work!()).catch(() => undefined);
    await executeChild('child').catch(() => undefined);
    await getExternalWorkflowHandle('nobody')
      .signal('hello')
      .catch(() => undefined);
    await condition(() => finished);
    await measuring;
  };
  const system = await System.open({ workflows: { main, child: () => sleep(10) }, activities: { concurrent: 1 } });
  system.startWith({
    workflowId: 'w',
    workflowType: 'main',
    brings: { kind: 'signal', name: 'add', input: [] },
  });
  await system.settle();
  for (const attempt of system.attempts) system.activityReturns(attempt, 1);
  await system.settle();
  system.activityThrows(system.attempts.at(-1)!, { kind: 'application', message: 'no' });
  await system.settle();
  await system.update('w', 'note', 'no').error();
  for (let i = 0; i < 6; i++) await system.pass(500);
  await system.update('w', 'note', 'yes').value();
  await system.update('w', 'unheard of').error();
  await system.signal('w', 'unhandled').value();
  await system.signal('w', 'finish').value();
  const live = [...told];
  // A void close, and the step that it is merged into.
  system.workers.returns.shut();
  await system.cancel('w').value();
  await system.signal('w', 'add').value();
  await system.settle();
  system.workers.returns.open();
  await system.settle();
  expect((await system.describe('w')).status).not.toBe('RUNNING');
  const history = temporalHistory(system, 'w');
  const starts = history.events.filter(({ eventType }) => eventType === 'EVENT_TYPE_WORKFLOW_TASK_STARTED');
  const numbers = starts.map(({ eventId }) => eventId);
  expect(live).toEqual(numbers.slice(0, live.length));
  const kinds = [
    'MARKER_RECORDED',
    'ACTIVITY_TASK_FAILED',
    'ACTIVITY_TASK_TIMED_OUT',
    'ACTIVITY_TASK_CANCEL_REQUESTED',
    'TIMER_FIRED',
    'CHILD_WORKFLOW_EXECUTION_COMPLETED',
    'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED',
    'WORKFLOW_EXECUTION_UPDATE_ACCEPTED',
    'WORKFLOW_EXECUTION_CANCEL_REQUESTED',
  ];
  expect(typesOf(history)).toEqual(expect.arrayContaining(kinds));
  expect(live).toHaveLength(numbers.length - 1);
  told.clear();
  await system.evictAll();
  await system.query('w', 'none').error();
  expect([...told]).toEqual(numbers);
});

test('the outcome of a local activity after a step that made nothing is kept out of the task of that step', async () => {
  const system = await System.open({
    workflows: {
      main: async () => {
        const { look } = proxyLocalActivities({ startToCloseTimeout: 1000 });
        await look!();
      },
    },
  });
  system.start('w', 'main');
  await system.settle();
  system.activityReturns(system.attempts[0]!, 5);
  await system.settle();
  expect(typesOf(temporalHistory(system, 'w'))).toEqual([
    'WORKFLOW_EXECUTION_STARTED',
    ...TASK,
    'WORKFLOW_EXECUTION_OPTIONS_UPDATED',
    ...TASK,
    'MARKER_RECORDED',
    'WORKFLOW_EXECUTION_COMPLETED',
  ]);
});

test('memos are fields, search attributes have their types', async () => {
  const history = await ran(async () => {
    upsertMemo({ state: 'new', none: undefined });
    upsertSearchAttributes({ Count: [3], Word: ['x'] });
  });
  const { upsertedMemo } = attributesOf(find(history, 'WORKFLOW_PROPERTIES_MODIFIED')) as {
    upsertedMemo: { fields: Record<string, { data: string }> };
  };
  expect(decoded(upsertedMemo.fields['state']!)).toBe('new');
  const { searchAttributes } = attributesOf(find(history, 'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES')) as {
    searchAttributes: { indexedFields: Record<string, { metadata: Record<string, string>; data: string }> };
  };
  const types = Object.entries(searchAttributes.indexedFields).map(([name, { metadata }]) => [
    name,
    Buffer.from(metadata['type']!, 'base64').toString(),
  ]);
  expect(Object.fromEntries(types)).toMatchObject({ Word: 'Keyword' });
});

test("values are written as Temporal's default converter writes them", async () => {
  const written = async (value: unknown) => {
    const { events } = await ran(async () => undefined, value);
    const { input } = attributesOf(events[0]) as {
      input: { payloads: [{ metadata: { encoding: string }; data: string }] };
    };
    const { metadata, data } = input.payloads[0];
    return [Buffer.from(metadata.encoding, 'base64').toString(), Buffer.from(data, 'base64').toString()];
  };
  expect(await written({ a: [1, null, 'x'], gone: undefined })).toEqual(['json/plain', '{"a":[1,null,"x"]}']);
  expect(await written(undefined)).toEqual(['binary/null', '']);
  expect(await written(new TextEncoder().encode('bytes'))).toEqual(['binary/plain', 'bytes']);
});

test.for([
  [new Map(), 'input[0]', 'a Map is not JSON'],
  [{ when: [new Date(0)] }, 'input[0].when[0]', 'a Date is not JSON'],
  [[1n], 'input[0][0]', 'a bigint is not JSON'],
  [{ at: Number.NaN }, 'input[0].at', 'NaN is no number in JSON'],
  [[undefined], 'input[0][0]', 'undefined in an array is not JSON'],
  [{ bytes: new Uint8Array(1) }, 'input[0].bytes', 'a Uint8Array within another value is not JSON'],
] as const)('what JSON would change is refused with its path: $1', async ([value, path, reason]) => {
  const error = await ran(async () => undefined, value).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(HistoryNotPortableError);
  const fields = { workflowId: 'w', eventId: 1, eventType: 'WorkflowExecutionStarted', path, reason };
  expect((error as HistoryNotPortableError).fields).toMatchObject(fields);
});

test('what a workflow of Temporal cannot ask for is refused', async () => {
  const main = async () => {
    await getExternalWorkflowHandle('nobody')
      .query('entries')
      .catch(() => undefined);
  };
  await expect(ran(main)).rejects.toMatchObject({
    code: 'HISTORY_NOT_PORTABLE',
    fields: { eventType: 'QueryExternalWorkflowExecutionInitiated' },
  });
});

test('a run that a reset made is refused', async () => {
  const system = await System.open({ workflows: { ledger } });
  system.start('w', 'ledger');
  await system.settle();
  system.signal('w', 'add', 'x');
  await system.settle();
  await system.reset('w', 2).value();
  await system.settle();
  expect(() => temporalHistory(system, 'w')).toThrow('the run was made by a reset');
});

test('of an open run, what waits for its step waits for a workflow task; of a run that was ended from outside as well', async () => {
  const system = await System.open({ workflows: { ledger } });
  system.start('w', 'ledger');
  await system.settle();
  system.workers.returns.shut();
  system.signal('w', 'add', 'x');
  await system.settle();
  const waiting = ['WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_TASK_SCHEDULED'];
  expect(typesOf(temporalHistory(system, 'w'))).toEqual(['WORKFLOW_EXECUTION_STARTED', ...waiting]);
  system.terminate('w', 'enough');
  await system.settle();
  const { events } = temporalHistory(system, 'w');
  expect(attributesOf(events[events.length - 1])).toEqual({ reason: 'enough' });
});

test('a run that goes on as a new one names it', async () => {
  const system = await System.open({
    workflows: {
      main: async (round: number) => {
        if (round < 2) await continueAsNew(round + 1);
        throw ApplicationFailure.nonRetryable('over', 'Over', { round });
      },
    },
  });
  system.start('w', 'main', 1);
  await system.settle();
  const [first, second] = [...system.histories()].map(([runId, events]) =>
    toTemporalHistory(withStored({ events: [] }, { workflowId: 'w', runId, events })),
  );
  const started = attributesOf(second!.events[0]);
  const continued = attributesOf(first!.events[first!.events.length - 1]);
  expect(continued).toMatchObject({
    newExecutionRunId: started['originalExecutionRunId'],
    workflowType: { name: 'main' },
  });
  expect(started).toMatchObject({
    initiator: 'CONTINUE_AS_NEW_INITIATOR_WORKFLOW',
    continuedExecutionRunId: expect.any(String),
  });
  expect(attributesOf(find(second!, 'WORKFLOW_EXECUTION_FAILED'))['failure']).toMatchObject({
    message: 'over',
    applicationFailureInfo: { type: 'Over', nonRetryable: true },
  });
});

test("every golden history that has a form there is made of names and values that Temporal's own message types know", () => {
  const folder = fileURLToPath(new URL('../../../../runtime/test-kit/golden/histories/', import.meta.url));
  let written = 0;
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.json')) continue;
    let history: TemporalHistory;
    try {
      history = toTemporalHistory(readFileSync(`${folder}/${file}`, 'utf8'));
    } catch (error) {
      if (error instanceof HistoryNotPortableError) continue;
      throw error;
    }
    written++;
    const known = History.toObject(History.fromObject(history), {
      enums: String,
      longs: Number,
      bytes: String,
      defaults: true,
    });
    expect(JSON.parse(JSON.stringify(known)), file).toMatchObject(history);
  }
  expect(written).toBeGreaterThan(10);
});
