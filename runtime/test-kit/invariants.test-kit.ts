/**
 * What must hold of every history, whatever happened: its shape, and that replaying it makes the same commands.
 * Thread: the test's. In → out: histories and deployed workflows → failed expectations.
 */
import { expect } from 'vitest';
import { setCurrent } from '../../actors/current.js';
import { compare, leavesEvent, type ReplayStep, replaySteps } from '../../actors/replay.js';
import type { Command, CommandOf } from '../../mailbox/commands.js';
import { CLOSING_EVENTS, type WorkflowEvent } from '../../mailbox/events.js';
import type { Message } from '../../mailbox/messages.js';
import { decodePayload, encodePayload } from '../../mailbox/payload.js';
import type { Load } from '../../mailbox/turn.js';
import { createExecution, type Deployed } from './in-process-workers.test-kit.js';
import { setStepping } from './rejection-sink.test-kit.js';
import type { System } from './system.test-kit.js';

/** Ends that no step has computed. */
const CUT_OFF: ReadonlySet<string> = new Set(['WorkflowExecutionTerminated', 'WorkflowExecutionTimedOut']);

/** The shape of one history. */
export function expectWellFormed(history: readonly WorkflowEvent[]): void {
  expect(history.map(({ eventId }) => eventId)).toEqual(history.map((_, index) => index + 1));
  const types = history.map(({ eventType }) => eventType);
  expect(types.indexOf('WorkflowExecutionStarted')).toBe(0);
  expect(types.lastIndexOf('WorkflowExecutionStarted')).toBe(0);
  const closing = history.findIndex(({ eventType }) => CLOSING_EVENTS.has(eventType));
  if (closing >= 0) expect(closing).toBe(history.length - 1);
  expectSeqs(history);
  expectSteps(history);
  expectPairs(history);
  expectOnce(history);
  expectNothingUnseen(history);
}

/** Every message has a place of its own, and time runs with the places. */
function expectSeqs(history: readonly WorkflowEvent[]): void {
  const messages = history
    // One that is accepted stands there again, with the same place.
    .filter(({ seq, eventType }) => seq !== undefined && eventType !== 'WorkflowExecutionUpdateAdmitted')
    .sort((a, b) => a.seq! - b.seq!);
  expect(new Set(messages.map(({ seq }) => seq)).size).toBe(messages.length);
  for (const [index, message] of messages.entries()) {
    if (index > 0) expect(message.eventTime).toBeGreaterThanOrEqual(messages[index - 1]!.eventTime);
  }
}

/** Steps follow one another in the order that `ran` tells; the first event of each, and only that one, tells it. */
function expectSteps(history: readonly WorkflowEvent[]): void {
  let through = 0;
  let cause = 0;
  let members: readonly number[] = [];
  for (const event of history) {
    if (event.cause === undefined) {
      // A termination tells what ran before it, for no step will.
      if (!CUT_OFF.has(event.eventType)) expect(event.ran).toBeUndefined();
      for (const entry of event.ran ?? []) {
        const seqs = typeof entry === 'number' ? [entry] : entry;
        for (const seq of seqs) {
          expect(seq, `ran of event ${event.eventId}`).toBeGreaterThanOrEqual(through);
          through = seq;
        }
      }
      continue;
    }
    if (event.cause !== cause) {
      expect(event.ran, `event ${event.eventId} is the first of its step`).toBeDefined();
      const { ran = [] } = event;
      for (const entry of ran) {
        const seqs = typeof entry === 'number' ? [entry] : entry;
        for (const seq of seqs) {
          expect(seq, `ran of event ${event.eventId}`).toBeGreaterThan(through);
          through = seq;
        }
        members = seqs;
      }
      expect(through).toBe(event.cause);
      cause = event.cause;
    } else expect(event.ran, `event ${event.eventId} is not the first of its step`).toBeUndefined();
    if (event.seq !== undefined) expect(members).toContain(event.seq);
  }
}

/** What ends has begun, ends once, and names its beginning. */
function expectPairs(history: readonly WorkflowEvent[]): void {
  const open = new Set<number>();
  const children = new Set<string>();
  const begin = (event: WorkflowEvent) => open.add(event.eventId);
  const end = (event: WorkflowEvent, beginning: number) => {
    expect(open, `event ${event.eventId}, ${event.eventType}, ends what event ${beginning} began`).toContain(beginning);
    open.delete(beginning);
  };
  for (const event of history) {
    switch (event.eventType) {
      case 'TimerStarted':
      case 'ActivityTaskScheduled':
      case 'WorkflowExecutionUpdateAccepted':
      case 'StartChildWorkflowExecutionInitiated':
      case 'SignalExternalWorkflowExecutionInitiated':
      case 'RequestCancelExternalWorkflowExecutionInitiated':
      case 'UpdateExternalWorkflowExecutionInitiated':
      case 'QueryExternalWorkflowExecutionInitiated':
        begin(event);
        break;
      case 'TimerFired':
      case 'TimerCanceled':
        end(event, event.startedEventId);
        break;
      case 'WorkflowExecutionUpdateCompleted':
        end(event, event.acceptedEventId);
        break;
      case 'ActivityTaskCompleted':
      case 'ActivityTaskFailed':
      case 'ActivityTaskTimedOut':
      case 'ActivityTaskCanceled':
        end(event, event.scheduledEventId);
        break;
      case 'ActivityTaskCancelRequested':
        // 0: its outcome came while the step that cancelled it ran. Awaited: its outcome is yet to come.
        if (event.scheduledEventId > 0 && event.awaited !== true) end(event, event.scheduledEventId);
        break;
      case 'ChildWorkflowExecutionStarted':
        expect(open, `event ${event.eventId} tells of a child that is wanted`).toContain(event.initiatedEventId);
        expect(children, `child ${event.childId} starts once`).not.toContain(event.childId);
        children.add(event.childId);
        break;
      case 'StartChildWorkflowExecutionFailed':
      case 'ChildWorkflowExecutionCompleted':
      case 'ChildWorkflowExecutionFailed':
      case 'ChildWorkflowExecutionCanceled':
      case 'ChildWorkflowExecutionTerminated':
      case 'ChildWorkflowExecutionTimedOut':
      case 'ExternalWorkflowExecutionSignaled':
      case 'SignalExternalWorkflowExecutionFailed':
      case 'ExternalWorkflowExecutionCancelRequested':
      case 'RequestCancelExternalWorkflowExecutionFailed':
      case 'ExternalWorkflowExecutionUpdateAccepted':
      case 'ExternalWorkflowExecutionUpdateCompleted':
      case 'UpdateExternalWorkflowExecutionFailed':
      case 'ExternalWorkflowExecutionQueried':
      case 'QueryExternalWorkflowExecutionFailed':
        end(event, event.initiatedEventId);
        break;
    }
  }
}

function expectOnce(history: readonly WorkflowEvent[]): void {
  const updates = history.flatMap((e) => (e.eventType === 'WorkflowExecutionUpdateAccepted' ? [e.updateId] : []));
  expect(new Set(updates).size).toBe(updates.length);
  const requests = history.flatMap((e) =>
    (e.eventType === 'WorkflowExecutionSignaled' || e.eventType === 'WorkflowExecutionCancelRequested') &&
    e.requestId !== undefined
      ? [e.requestId]
      : [],
  );
  expect(new Set(requests).size).toBe(requests.length);
}

/** A run that decided its own end had seen every signal that was ever acknowledged to a sender. */
function expectNothingUnseen(history: readonly WorkflowEvent[]): void {
  const last = history[history.length - 1]!;
  if (!CLOSING_EVENTS.has(last.eventType) || CUT_OFF.has(last.eventType)) return;
  // What it has not seen moves on: see `expectCarried`.
  if (last.eventType === 'WorkflowExecutionContinuedAsNew') return;
  for (const event of history) {
    if (event.eventType !== 'WorkflowExecutionSignaled') continue;
    expect(event.seq, `signal ${event.signalName} was seen before the close`).toBeLessThanOrEqual(last.cause!);
  }
}

/** A run that another follows has that one, which got a copy of each signal that it had not seen, once and in order, and no other. */
function expectCarried(runId: string, histories: ReadonlyMap<string, readonly WorkflowEvent[]>): void {
  const history = histories.get(runId)!;
  const last = history[history.length - 1]!;
  if (!('newExecutionRunId' in last) || last.newExecutionRunId === undefined) return;
  const next = histories.get(last.newExecutionRunId) ?? [];
  const [started] = 'workflowType' in last ? [last] : history;
  const { workflowType } = started as { workflowType: string };
  expect(next[0], `the run after ${runId}`).toMatchObject({ continuedFromRunId: runId, workflowType });
  const signals = new Map(
    history.flatMap((event) => (event.eventType === 'WorkflowExecutionSignaled' ? [[event.seq!, event] as const] : [])),
  );
  const carried: number[] = [];
  for (const event of next) {
    if (event.eventType !== 'WorkflowExecutionSignaled' || event.carriedFrom === undefined) continue;
    const { signalName, input, requestId, carriedFrom } = event;
    expect(carriedFrom.runId).toBe(runId);
    expect(signals.get(carriedFrom.seq)).toMatchObject({ signalName, input, requestId });
    carried.push(carriedFrom.seq);
  }
  expect(carried).toEqual([...new Set(carried)].sort((a, b) => a - b));
  const seen = last.cause ?? Math.max(0, ...history.flatMap(({ ran = [] }) => ran.flat()));
  for (const seq of signals.keys()) if (seq > seen) expect(carried).toContain(seq);
}

const drained = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

export interface Replayed {
  /** Of each step. */
  readonly commands: readonly (readonly Command[])[];
  /** To the query that was asked at the end, if one was. */
  readonly answer: unknown;
}

/** Replays steps of a history on a fresh execution, and asks that one a query. */
export async function replayed(
  runId: string,
  history: readonly WorkflowEvent[],
  steps: readonly ReplayStep[],
  deployed: Deployed,
  query?: string,
): Promise<Replayed> {
  const [started] = history;
  if (started?.eventType !== 'WorkflowExecutionStarted') throw new Error('expectWellFormed comes first');
  const { workflowId, workflowType, firstRunId, eventTime: startTime } = started;
  const load: Load = { runId, workflowId, workflowType, firstRunId, startTime, frames: [], ran: [] };
  const execution = createExecution(load, () => undefined, deployed);
  if ('kind' in execution) throw new Error(`Workflow type ${workflowType} is not deployed`);
  const step = async ({ messages, expected, engineFlags }: Partial<ReplayStep> & Pick<ReplayStep, 'messages'>) => {
    execution.begin(messages, expected, engineFlags);
    do await drained();
    while (execution.settle());
    return execution.finish();
  };
  setCurrent(execution);
  setStepping(execution);
  try {
    const commands: (readonly Command[])[] = [];
    for (const each of steps) {
      const outcome = await step(each);
      if (outcome.kind !== 'done')
        throw new Error(`Replay of ${workflowId} ended a step with ${JSON.stringify(outcome)}`);
      commands.push(outcome.commands);
    }
    if (query === undefined) return { commands, answer: undefined };
    const message: Message = { kind: 'query', seq: Number.MAX_SAFE_INTEGER, time: 0, name: query, input: [] };
    const asked = await step({ messages: [message] });
    const result = asked.kind === 'suspend' ? undefined : asked.answers[0]?.result;
    return { commands, answer: result === undefined ? undefined : decodePayload(result) };
  } finally {
    setCurrent(undefined);
    setStepping(undefined);
  }
}

/** A fresh execution makes the commands that the history records, arguments and results included. */
export async function expectReplays(
  runId: string,
  history: readonly WorkflowEvent[],
  deployed: Deployed,
): Promise<void> {
  const steps = replaySteps(history, []);
  const { commands } = await replayed(runId, history, steps, deployed);
  for (const [index, { expected }] of steps.entries()) {
    expect(compare(commands[index]!, expected)).toBeUndefined();
    for (const [at, command] of commands[index]!.filter(leavesEvent).entries()) {
      const { made, recorded } = bothSides(command, expected[at]!);
      expect(recorded, expected[at]!.eventType).toEqual(made);
    }
  }
}

/** What an event of its own or of the next run tells is not told again. */
function storedAs(command: Command, event: WorkflowEvent): object & { kind: string } {
  if (command.kind === 'acceptUpdate') return Object.assign({ ...command }, { seq: event.seq });
  if (!('buffered' in command)) return command;
  const { buffered: _, startDelay: __, ...stored } = command as CommandOf<'continueAsNew'>;
  return stored;
}

/** Every field of the command, as it was made and as its event has it; stacks apart, which tell of the way there. */
export function bothSides(command: Command, event: WorkflowEvent): { made: unknown; recorded: unknown } {
  // Whether the patch is deprecated is up to the code of the day.
  if (command.kind === 'recordPatch' && event.eventType === 'MarkerRecorded' && event.marker.kind === 'patch') {
    return { made: command.patchId, recorded: event.marker.patchId };
  }
  const { kind: _, ...fields } = storedAs(command, event);
  const recorded = ('marker' in event ? event.marker : event) as unknown as Record<string, unknown>;
  // Through the codec, for what is undefined is not stored.
  const names = Object.keys(fields).filter((name) => fields[name as keyof typeof fields] !== undefined);
  const of = (values: Record<string, unknown>) => names.map((name) => [name, bare(values[name])]);
  return { made: of(fields as Record<string, unknown>), recorded: of(recorded) };
}

function bare(value: unknown): unknown {
  const copy: unknown = decodePayload(encodePayload(value));
  const strip = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('stack' in node) delete node.stack;
    for (const item of Object.values(node)) strip(item);
  };
  strip(copy);
  return copy;
}

/** On which every test ends: all durable histories are well formed, and fit the code that is deployed. */
export async function expectInvariants(system: System): Promise<void> {
  await system.settle();
  expect(system.failures).toEqual([]);
  const histories = system.histories();
  for (const [runId, history] of histories) {
    expectWellFormed(history);
    expectCarried(runId, histories);
    await expectReplays(runId, history, system.deployed);
  }
}
