/**
 * Replay: which steps a history records, and whether the code still makes the commands that it records.
 * Thread: worker. In → out: events + ran → steps with the events that each must make again.
 */
import type { Command, CommandKind, CommandOf } from '../mailbox/commands.js';
import type { EventOf, EventType, ExternalRequest, Ran, WorkflowEvent } from '../mailbox/events.js';
import type { Message } from '../mailbox/messages.js';
import { messageOf } from '../mailbox/stored-messages.js';

export interface ReplayStep {
  readonly messages: readonly Message[];
  /** Events that the step made, in order; empty for a step that made none. */
  readonly expected: readonly WorkflowEvent[];
  /** Rules that the step was the first to go by. */
  readonly engineFlags?: number | undefined;
}

/**
 * @param ran steps known to have run that no event tells of; they follow those told by the events
 */
export function replaySteps(events: readonly WorkflowEvent[], ran: Ran): ReplayStep[] {
  const messages = new Map<number, Message>();
  const made = new Map<number, WorkflowEvent[]>();
  const order: Ran[number][] = [];
  let flags: Map<number, number> | undefined;
  for (const event of events) {
    if (event.ran !== undefined) order.push(...event.ran);
    const message = messageOf(event, events[0]);
    if (message !== undefined) messages.set(message.seq, message);
    if (event.eventType === 'WorkflowTaskCompleted' && event.engineFlags !== undefined) {
      flags ??= new Map();
      flags.set(event.cause!, event.engineFlags);
    }
    if (event.cause !== undefined && isCommandEvent(event.eventType)) {
      const siblings = made.get(event.cause);
      if (siblings === undefined) made.set(event.cause, [event]);
      else siblings.push(event);
    }
  }
  order.push(...ran);
  const seqs = [...messages.keys()].sort((a, b) => a - b);
  const steps: ReplayStep[] = [];
  let next = 0;
  const singlyThrough = (last: number) => {
    for (; next < seqs.length && seqs[next]! <= last; next++) {
      const seq = seqs[next]!;
      steps.push({ messages: [messages.get(seq)!], expected: made.get(seq) ?? [], engineFlags: flags?.get(seq) });
    }
  };
  for (const entry of order) {
    if (typeof entry === 'number') singlyThrough(entry);
    else {
      // Steps that wrote no event may not have been told before the process that ran them let go of the run.
      singlyThrough(entry[0]! - 1);
      const merged = entry.flatMap((seq) => messages.get(seq) ?? []);
      const last = entry[entry.length - 1]!;
      if (merged.length > 0) {
        steps.push({ messages: merged, expected: made.get(last) ?? [], engineFlags: flags?.get(last) });
      }
      while (next < seqs.length && seqs[next]! <= last) next++;
    }
  }
  return steps;
}

/** The part of a history that is a copy of another run's, from the steps of the part before. */
export interface CopiedPart {
  /** Of the run whose steps these were. */
  readonly runId: string;
  /** From the beginning of the history. */
  readonly steps: number;
}

/** Undefined for a run that was not made by a reset. */
export function copiedParts(events: readonly WorkflowEvent[]): readonly CopiedPart[] | undefined {
  let parts: CopiedPart[] | undefined;
  for (const event of events) {
    if (event.eventType !== 'WorkflowTaskFailed') continue;
    parts ??= [];
    const copied = events.slice(0, event.eventId - 1);
    parts.push({ runId: event.baseRunId, steps: replaySteps(copied, []).length });
  }
  return parts;
}

/** A command as a difference tells of it. */
export interface MadeCommand {
  readonly command: string;
  /** File, line and column of the workflow code that made it, where that was looked for. */
  readonly at?: string;
}

/** A step whose code makes other commands than its history records. */
export interface Difference {
  readonly expected: string;
  readonly actual: string;
  readonly eventId?: number;
  /** All commands of the step, as recorded and as made, and which is the first that differs. */
  readonly recorded: readonly string[];
  readonly made: readonly MadeCommand[];
  readonly index: number;
}

/**
 * The first difference between what the code made and what history records: kind, id and name, not arguments.
 * @param placeOf where a command was made, if that is known
 */
export function compare(
  all: readonly Command[],
  recordedBy: readonly WorkflowEvent[],
  placeOf: (command: Command) => string | undefined = () => undefined,
): Difference | undefined {
  const optional = deprecatedPatches(recordedBy);
  const commands = all.filter((command) => leavesEvent(command) && !isPatchOf(command, optional));
  const events = optional === undefined ? recordedBy : recordedBy.filter((event) => !isMarkerOf(event, optional));
  const length = Math.max(commands.length, events.length);
  for (let i = 0; i < length; i++) {
    const command = commands[i];
    const event = events[i];
    const actual = command === undefined ? 'nothing' : describeCommand(command);
    const expected = event === undefined ? 'nothing' : describeEvent(event);
    if (actual === expected) continue;
    const made = commands.map((each): MadeCommand => {
      const at = placeOf(each);
      return at === undefined ? { command: describeCommand(each) } : { command: describeCommand(each), at };
    });
    const difference = { expected, actual, recorded: events.map(describeEvent), made, index: i };
    return event === undefined ? difference : { ...difference, eventId: event.eventId };
  }
  return undefined;
}

/** Once a patch is deprecated, code need not ask for it any more, and may. */
function deprecatedPatches(events: readonly WorkflowEvent[]): Set<string> | undefined {
  let ids: Set<string> | undefined;
  for (const event of events) {
    if (event.eventType !== 'MarkerRecorded' || event.marker.kind !== 'patch' || !event.marker.deprecated) continue;
    ids ??= new Set();
    ids.add(event.marker.patchId);
  }
  return ids;
}

function isPatchOf(command: Command, ids: ReadonlySet<string> | undefined): boolean {
  return ids !== undefined && command.kind === 'recordPatch' && ids.has(command.patchId);
}

function isMarkerOf(event: WorkflowEvent, ids: ReadonlySet<string>): boolean {
  return event.eventType === 'MarkerRecorded' && event.marker.kind === 'patch' && ids.has(event.marker.patchId);
}

export function leavesEvent({ kind }: Command): boolean {
  return COMMANDS[kind] !== null;
}

/** Null: leaves no event. */
const COMMANDS: { readonly [K in CommandKind]: ((command: CommandOf<K>) => string) | null } = {
  startTimer: (c) => `TimerStarted(${c.timerId})`,
  cancelTimer: (c) => `TimerCanceled(${c.timerId})`,
  scheduleActivity: (c) => `ActivityTaskScheduled(${c.activityId}, ${c.activityType})`,
  cancelActivity: (c) => `ActivityTaskCancelRequested(${c.activityId})`,
  acceptUpdate: (c) => `WorkflowExecutionUpdateAccepted(${c.updateId})`,
  completeUpdate: (c) => `WorkflowExecutionUpdateCompleted(${c.updateId})`,
  completeWorkflow: () => 'WorkflowExecutionCompleted',
  failWorkflow: () => 'WorkflowExecutionFailed',
  cancelWorkflow: () => 'WorkflowExecutionCanceled',
  continueAsNew: (c) => `WorkflowExecutionContinuedAsNew(${c.workflowType})`,
  startChild: (c) => `StartChildWorkflowExecutionInitiated(${c.childId}, ${c.workflowType})`,
  requestExternal: (c) => describeExternal(c.request, c.externalId),
  runLocalActivity: null,
  cancelLocalActivity: null,
  recordPatch: (c) => `MarkerRecorded(patch ${c.patchId})`,
  recordLocalCancellation: (c) => `MarkerRecorded(${c.activityId}, ${c.activityType} cancelled)`,
  upsertSearchAttributes: () => 'UpsertWorkflowSearchAttributes',
  modifyProperties: () => 'WorkflowPropertiesModified',
};

const EVENTS: { readonly [T in EventType]: ((event: EventOf<T>) => string) | null } = {
  WorkflowExecutionStarted: null,
  WorkflowExecutionSignaled: null,
  WorkflowExecutionCancelRequested: null,
  // Its message is in the event by which it was accepted, if it was.
  WorkflowExecutionUpdateAdmitted: null,
  WorkflowExecutionUpdateAccepted: (e) => `WorkflowExecutionUpdateAccepted(${e.updateId})`,
  WorkflowExecutionUpdateCompleted: (e) => `WorkflowExecutionUpdateCompleted(${e.updateId})`,
  TimerStarted: (e) => `TimerStarted(${e.timerId})`,
  TimerFired: null,
  TimerCanceled: (e) => `TimerCanceled(${e.timerId})`,
  ActivityTaskScheduled: (e) => `ActivityTaskScheduled(${e.activityId}, ${e.activityType})`,
  ActivityTaskCompleted: null,
  ActivityTaskFailed: null,
  ActivityTaskTimedOut: null,
  ActivityTaskCancelRequested: (e) => `ActivityTaskCancelRequested(${e.activityId})`,
  ActivityTaskCanceled: null,
  WorkflowExecutionCompleted: () => 'WorkflowExecutionCompleted',
  WorkflowExecutionFailed: () => 'WorkflowExecutionFailed',
  WorkflowExecutionCanceled: () => 'WorkflowExecutionCanceled',
  WorkflowExecutionContinuedAsNew: (e) => `WorkflowExecutionContinuedAsNew(${e.workflowType})`,
  WorkflowExecutionTerminated: null,
  WorkflowTaskScheduled: null,
  WorkflowTaskCompleted: null,
  StartChildWorkflowExecutionInitiated: (e) => `StartChildWorkflowExecutionInitiated(${e.childId}, ${e.workflowType})`,
  StartChildWorkflowExecutionFailed: null,
  ChildWorkflowExecutionStarted: null,
  ChildWorkflowExecutionCompleted: null,
  ChildWorkflowExecutionFailed: null,
  ChildWorkflowExecutionCanceled: null,
  ChildWorkflowExecutionTerminated: null,
  ChildWorkflowExecutionTimedOut: null,
  WorkflowExecutionTimedOut: null,
  UpsertWorkflowSearchAttributes: () => 'UpsertWorkflowSearchAttributes',
  WorkflowPropertiesModified: () => 'WorkflowPropertiesModified',
  MarkerRecorded: (e) =>
    e.marker.kind === 'patch'
      ? `MarkerRecorded(patch ${e.marker.patchId})`
      : // Of those that a step makes; an outcome is a message.
        `MarkerRecorded(${e.marker.activityId}, ${e.marker.activityType} cancelled)`,
  ActivityTaskStarted: null,
  ActivityTaskHeartbeatRecorded: null,
  ActivityTaskRetryScheduled: null,
  WorkflowTaskFailed: null,
  SignalExternalWorkflowExecutionInitiated: (e) => describeExternal(e.request, e.externalId),
  ExternalWorkflowExecutionSignaled: null,
  SignalExternalWorkflowExecutionFailed: null,
  RequestCancelExternalWorkflowExecutionInitiated: (e) => describeExternal(e.request, e.externalId),
  ExternalWorkflowExecutionCancelRequested: null,
  RequestCancelExternalWorkflowExecutionFailed: null,
  UpdateExternalWorkflowExecutionInitiated: (e) => describeExternal(e.request, e.externalId),
  ExternalWorkflowExecutionUpdateAccepted: null,
  ExternalWorkflowExecutionUpdateCompleted: null,
  UpdateExternalWorkflowExecutionFailed: null,
  QueryExternalWorkflowExecutionInitiated: (e) => describeExternal(e.request, e.externalId),
  ExternalWorkflowExecutionQueried: null,
  QueryExternalWorkflowExecutionFailed: null,
  ManageExternalWorkflowExecutionInitiated: (e) => describeExternal(e.request, e.externalId),
  ExternalWorkflowExecutionManaged: null,
  ManageExternalWorkflowExecutionFailed: null,
};

function describeExternal(request: ExternalRequest, externalId: string): string {
  const name = 'name' in request ? ` ${request.name}` : '';
  return `${request.kind}(${externalId},${name} to ${request.workflowId})`;
}

function isCommandEvent(type: EventType): boolean {
  return EVENTS[type] !== null;
}

function describeCommand<K extends CommandKind>(command: CommandOf<K>): string {
  return (COMMANDS[command.kind as K] as (command: CommandOf<K>) => string)(command); // `compare` asks for no others.
}

function describeEvent<T extends EventType>(event: EventOf<T>): string {
  const describe = EVENTS[event.eventType as T] as ((event: EventOf<T>) => string) | null;
  return describe === null ? event.eventType : describe(event);
}
