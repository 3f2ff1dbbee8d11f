/**
 * Tests that hold the floor to the runtime: what it sends and writes has the size of the runtime's own records, and durable means on disk.
 * Thread: test. In → out: shapes, the runtime's encodings → sizes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Command } from '../../mailbox/commands.js';
import type { WorkflowEvent } from '../../mailbox/events.js';
import type { Message } from '../../mailbox/messages.js';
import {
  type Answer,
  encodeEvents,
  encodeReport,
  encodeTurn,
  type Load,
  pack,
  type SliceReport,
  type TurnReport,
} from '../../mailbox/turn.js';
import { randomUuid } from '../../mailbox/uuid.js';
import { encodeReplies, encodeRequests, type Reply, type Request } from '../../runtime/client/protocol.js';
import { encodeFromHost, encodeToHost, type FromAttempt, type ToHost } from '../../runtime/host/protocol.js';
import { Floor } from './floor.js';
import { build, type EventRow, FLOOR_WORKLOADS, type FloorWorkload, SHAPES, time } from './shapes.js';

const runId = randomUuid();
const id = randomUuid();
const workflowId = 'W1-100000';
const payload = pack(1);
const STEP = { startToCloseTimeout: 60_000 };

interface Records {
  readonly request: Request | FromAttempt;
  readonly load?: Load;
  readonly message: Message;
  readonly commands: Command[];
  readonly answers?: Answer[];
  readonly admission: WorkflowEvent[];
  readonly after: WorkflowEvent[];
  readonly reply: Reply | ToHost;
}

const SIGNAL = (workflowId: string): Records => ({
  request: { id: 1, kind: 'signal', workflowId, name: 'add', input: [payload] },
  message: { kind: 'signal', seq: 9, time, name: 'add', input: [payload] },
  commands: [],
  admission: [
    {
      eventType: 'WorkflowExecutionSignaled',
      eventId: 9,
      eventTime: time,
      seq: 9,
      signalName: 'add',
      input: [payload],
    },
  ],
  after: [],
  reply: { id: 1, kind: 'done' },
});

const UPDATE = (workflowId: string): Records => ({
  request: {
    id: 1,
    kind: 'update',
    workflowId,
    name: 'set',
    input: [payload],
    updateId: id,
    stage: 'COMPLETED',
  },
  message: { kind: 'update', seq: 9, time, updateId: id, name: 'set', input: [payload] },
  commands: [
    { kind: 'acceptUpdate', updateId: id, seq: 9 },
    { kind: 'completeUpdate', updateId: id, result: payload },
  ],
  admission: [],
  after: [
    {
      eventType: 'WorkflowExecutionUpdateAccepted',
      eventId: 8,
      eventTime: time,
      seq: 9,
      cause: 9,
      ran: [9],
      updateId: id,
      updateName: 'set',
      input: [payload],
    },
    {
      eventType: 'WorkflowExecutionUpdateCompleted',
      eventId: 9,
      eventTime: time,
      cause: 9,
      updateId: id,
      acceptedEventId: 8,
      result: payload,
    },
  ],
  reply: { id: 1, kind: 'updateCompleted', runId, result: payload },
});

const RECORDS: { readonly [W in FloorWorkload]: Records } = {
  W1: {
    request: {
      id: 1,
      kind: 'start',
      workflowId,
      workflowType: 'quick',
      input: [payload],
      requestId: id,
      awaitResult: true,
    },
    load: {
      runId,
      workflowId,
      workflowType: 'quick',
      firstRunId: runId,
      startTime: time,
      frames: [],
      ran: [],
    },
    message: { kind: 'start', seq: 1, time, input: [payload] },
    commands: [{ kind: 'completeWorkflow', result: payload }],
    admission: [],
    after: [
      {
        eventType: 'WorkflowExecutionStarted',
        eventId: 1,
        eventTime: time,
        seq: 1,
        workflowId,
        workflowType: 'quick',
        input: [payload],
        firstRunId: runId,
        requestId: id,
        build,
      },
      { eventType: 'WorkflowExecutionCompleted', eventId: 2, eventTime: time, cause: 1, ran: [1], result: payload },
    ],
    reply: { id: 1, kind: 'closed', runId, result: payload },
  },
  W3: SIGNAL(workflowId),
  'W3-one': SIGNAL('W3-one'),
  W4: UPDATE(workflowId),
  'W4-one': UPDATE('W4-one'),
  W5: {
    request: { id: 1, kind: 'query', workflowId, name: 'total', input: [] },
    message: { kind: 'query', seq: 9, time, name: 'total', input: [] },
    commands: [],
    answers: [{ seq: 9, result: payload }],
    admission: [],
    after: [],
    reply: { id: 1, kind: 'queryResult', result: payload },
  },
  W7: {
    request: { kind: 'activityDone', token: 7, result: payload },
    message: { kind: 'activityResolved', seq: 9, time, activityId: '2', result: payload },
    commands: [{ kind: 'scheduleActivity', activityId: '3', activityType: 'step', input: [payload], options: STEP }],
    admission: [],
    after: [
      {
        eventType: 'ActivityTaskCompleted',
        eventId: 7,
        eventTime: time,
        seq: 9,
        activityId: '2',
        scheduledEventId: 6,
        attempt: 1,
        result: payload,
      },
      {
        eventType: 'ActivityTaskScheduled',
        eventId: 8,
        eventTime: time,
        cause: 9,
        ran: [9],
        activityId: '3',
        activityType: 'step',
        input: [payload],
        options: STEP,
      },
    ],
    reply: {
      kind: 'runActivity',
      token: 7,
      workflowId: 'W7-9999',
      runId,
      workflowType: 'steps',
      activityId: '3',
      activityType: 'step',
      attempt: 1,
      input: [payload],
      scheduledTime: time,
      attemptTime: time,
      startToCloseTimeout: 60_000,
    },
  },
};

/** The runtime packs names of fields here and there where the floor packs places; small change either way. */
const TOLERANCE = 0.15;
function expectSize(actual: number, runtime: number): void {
  expect(Math.abs(actual - runtime), `${actual} bytes, the runtime ${runtime}`).toBeLessThanOrEqual(
    Math.max(4, runtime * TOLERANCE),
  );
}

/** Once a turn, not once an operation. */
const NO_REPORT: TurnReport = { slices: [], logs: [], slow: [], sinks: [] };
const NO_REPORT_BYTES = encodeReport(NO_REPORT).byteLength - 1;

const requestBytes = (request: Request | FromAttempt) =>
  request.kind === 'activityDone'
    ? encodeFromHost([request]).packed!.byteLength
    : encodeRequests([request as Request]).byteLength;
const replyBytes = (reply: Reply | ToHost) =>
  reply.kind === 'runActivity' ? encodeToHost([reply]).packed!.byteLength : encodeReplies([reply as Reply]).byteLength;
const rowBytes = (fields: readonly unknown[]) => pack([[1, ...fields]]).byteLength;
const eventBytes = (rows: readonly EventRow[]) => pack(rows).byteLength;

test.each(FLOOR_WORKLOADS)('the floor of %s packs and writes as many bytes as the runtime', (workload) => {
  const shape = SHAPES[workload];
  const { request, load, message, commands, answers = [], admission, after, reply } = RECORDS[workload];
  const sent = shape.request(9_999);
  const turn = shape.turn(sent);
  const report = shape.report(turn);
  expectSize(rowBytes(sent), requestBytes(request));
  expectSize(rowBytes(shape.reply(turn, report)), replyBytes(reply));
  const slice = { run: 1, steps: [[message]], ...(load === undefined ? {} : { load }) };
  expectSize(rowBytes(turn), encodeTurn([slice]).byteLength);
  const steps = commands.length + answers.length > 0 ? [{ cause: message.seq, time, commands, answers }] : [];
  const slices: SliceReport[] = [{ run: 1, processed: message.seq, steps, end: { kind: 'resident' } }];
  expectSize(rowBytes(report), encodeReport({ ...NO_REPORT, slices }).byteLength - NO_REPORT_BYTES);
  expectSize(eventBytes(shape.admissionEvents?.(sent) ?? []), encodeEvents(admission).byteLength);
  expectSize(eventBytes(shape.turnEvents?.(sent, turn, report) ?? []), encodeEvents(after).byteLength);
});

const folder = await mkdtemp(join(tmpdir(), 'holdfast-floor-'));
afterAll(() => rm(folder, { recursive: true }));

test.each(FLOOR_WORKLOADS)('every operation of the floor of %s is answered', async (workload) => {
  const floor = await Floor.start({ workload, path: join(folder, workload), workers: 2 });
  await Promise.all(Array.from({ length: 1000 }, () => floor.call()));
  await floor.stop();
});
