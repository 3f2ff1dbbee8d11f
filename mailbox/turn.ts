/**
 * The turn: one batch of messages handed to a worker, and what comes back. One file for both directions.
 * Thread: supervisor ⇄ worker. In → out: turn ⇄ bytes.
 */

import { type Command, type CommandOf, commandCodec } from './commands.js';
import { eventCodec } from './event-codec.js';
import type { Ran, WorkflowEvent } from './events.js';
import type { FailureRecord } from './failures.js';
import { type Message, messageCodec } from './messages.js';
import { Packr } from './msgpackr.js';
import type { Payload } from './payload.js';
import type { Row } from './records.js';

/** What a worker needs to make an actor: fresh if there are no frames, else by replay. */
export interface Load {
  readonly runId: string;
  readonly workflowId: string;
  readonly workflowType: string;
  readonly firstRunId: string;
  readonly startTime: number;
  /** Packed events of the durable frames, oldest first. */
  readonly frames: readonly Uint8Array[];
  /** Steps known to have run, also those that no event in the frames tells of, which follow them. */
  readonly ran: Ran;
}

/** What one worker is to do for one run in one turn. */
export interface Slice {
  /** The supervisor's number for the run, within this process. */
  readonly run: number;
  readonly load?: Load | undefined;
  /** Drop the actor. Alone in its slice. */
  readonly evict?: true | undefined;
  /** One entry a step; more than one message only where a void close merges them. */
  readonly steps: readonly (readonly Message[])[];
}

/** An answer that leaves no event: to a query, or a rejected update. `replied` tells which message, by seq. */
export interface Answer {
  readonly seq: number;
  readonly result?: Payload | undefined;
  readonly failure?: AnswerFailure | undefined;
}

export type AnswerFailure =
  | { readonly kind: 'rejected'; readonly failure: FailureRecord }
  | { readonly kind: 'queryFailed'; readonly reason: string; readonly failure: FailureRecord }
  | { readonly kind: 'queryNotRegistered'; readonly registered: readonly string[] }
  /** The update's own first step threw something that is not a failure: not accepted, no trace. */
  | { readonly kind: 'updateBroke'; readonly failure: FailureRecord };

/** What one step made. Steps that made neither commands nor answers are not reported singly. */
export interface StepReport {
  /** The step's last seq. */
  readonly cause: number;
  /** Set for a merged step: its seqs. */
  readonly merged?: readonly number[] | undefined;
  /** The step's clock. */
  readonly time: number;
  readonly commands: readonly Command[];
  readonly answers: readonly Answer[];
  /** Rules of the engine that this step is the first of its run to go by; absent for nearly all. */
  readonly engineFlags?: number | undefined;
}

export type SliceEnd =
  /** The actor is there and idle, or holds a computed close that the supervisor has yet to decide on. */
  | { readonly kind: 'resident' }
  /** The actor is gone for a reason that does not concern the run: rebuild it for what remains. */
  | {
      readonly kind: 'discarded';
      /** Updates of the step under way that cannot be in it, with what they are told if they cannot be elsewhere. */
      readonly apart?: readonly Answer[];
    }
  /** A step failed in a way that suspends the run; the actor is gone. */
  | { readonly kind: 'suspended'; readonly error: SuspendReason };

/** Fields of a DeterminismViolationError that the step itself knows. */
export interface ViolationRecord {
  readonly expected: string;
  readonly actual: string;
  readonly eventId?: number;
  readonly recorded: readonly string[];
  readonly made: readonly { readonly command: string; readonly at?: string }[];
  readonly index: number;
}

export type SuspendReason =
  | { readonly kind: 'threw'; readonly failure: FailureRecord }
  | ({ readonly kind: 'nondeterminism' } & ViolationRecord)
  /** `workflowType`: that of the next run, if it is not this one's that is unknown. */
  | { readonly kind: 'unknownType'; readonly registered: readonly string[]; readonly workflowType?: string };

export interface SliceReport {
  readonly run: number;
  /** Every message with a seq up to this one was processed; the others come back as if never sent. */
  readonly processed: number;
  readonly steps: readonly StepReport[];
  readonly end: SliceEnd;
  /** Only of an actor that was rebuilt: what it had asked for before these steps and has no answer to, which no event tells of. */
  readonly underWay?: readonly LocalActivityCommand[] | undefined;
}

export type LocalActivityCommand = CommandOf<'runLocalActivity' | 'cancelLocalActivity'>;

/** A warning or message that workflow code logged; replayed steps log nothing. */
export interface LogEntry {
  readonly run: number;
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly meta?: Payload | undefined;
}

/** What workflow code calls in the embedding thread. `content`: workflow info, search attributes and arguments. */
export interface SinkCallRecord {
  readonly sink: string;
  readonly fn: string;
  readonly content: Payload;
}

/** The sink calls of one step. They are not encoded by a codec: nothing stores them. */
export interface StepSinks {
  readonly run: number;
  /** The step's last seq; 0 in a replay. */
  readonly cause: number;
  readonly calls: readonly SinkCallRecord[];
}

export interface SlowStep {
  readonly run: number;
  readonly ms: number;
}

export interface TurnReport {
  readonly slices: readonly SliceReport[];
  readonly logs: readonly LogEntry[];
  /** In the order of their steps. */
  readonly sinks: readonly StepSinks[];
  /** Steps that took so long that their neighbours waited noticeably. */
  readonly slow: readonly SlowStep[];
}

const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number' });

/** Bytes of their own, to be transferred to another thread: msgpackr's result is a view into a larger buffer. */
export function pack(value: unknown): Uint8Array {
  return new Uint8Array(packr.pack(value));
}
export function unpack(bytes: Uint8Array): unknown {
  return packr.unpack(bytes);
}

// Rows, positional: a turn is packed and unpacked for every few messages. An eviction is the bare number of its run.
type LoadRow = [string, string, string, string | null, number, readonly Uint8Array[], Ran];
type SliceRow = number | [run: number, load: LoadRow | 0, ...steps: Row[]];

export function encodeTurn(slices: readonly Slice[]): Uint8Array {
  return pack(slices.map(sliceToRow));
}

function sliceToRow({ run, evict, load, steps }: Slice): SliceRow {
  if (evict === true) return run;
  const row: SliceRow = [run, load === undefined ? 0 : loadToRow(load)];
  for (const step of steps) {
    row.push(step.length === 1 ? messageCodec.toRow(step[0]!) : [0, ...step.map(messageCodec.toRow)]);
  }
  return row;
}

function loadToRow(load: Load): LoadRow {
  const { runId, workflowId, workflowType, firstRunId, startTime, frames, ran } = load;
  return [runId, workflowId, workflowType, firstRunId === runId ? null : firstRunId, startTime, frames, ran];
}

export function decodeTurn(bytes: Uint8Array): Slice[] {
  return (unpack(bytes) as SliceRow[]).map((row) => {
    if (typeof row === 'number') return { run: row, evict: true, steps: [] };
    const [run, load, ...steps] = row;
    return { run, load: load === 0 ? undefined : loadFromRow(load), steps: steps.map(stepFromRow) };
  });
}

function loadFromRow([runId, workflowId, workflowType, firstRunId, startTime, frames, ran]: LoadRow): Load {
  return { runId, workflowId, workflowType, firstRunId: firstRunId ?? runId, startTime, frames, ran };
}

function stepFromRow(row: Row): Message[] {
  return row[0] === 0 ? (row.slice(1) as Row[]).map(messageCodec.fromRow) : [messageCodec.fromRow(row)];
}

type AnswerRow = [seq: number, result: Payload | null, failure: AnswerFailure | null];
type StepRow = [
  cause: number,
  time: number,
  merged: readonly number[] | 0,
  commands: Row[],
  answers: AnswerRow[],
  engineFlags?: number,
];
/** Most slices end resident, and many made nothing. */
type ReportRow = [run: number, processed: number, end?: SliceEnd | 0, ...steps: StepRow[]];

export function encodeReport({ slices, logs, slow, sinks }: TurnReport): Uint8Array {
  const row = [slices.map(reportToRow), logs, slow];
  return pack(sinks.length === 0 ? row : [...row, sinks]);
}

/** The cause of no step: what an actor has under way stands in the place of one. */
const NO_STEP = 0;

function reportToRow({ run, processed, end, steps, underWay = [] }: SliceReport): ReportRow {
  if (end.kind === 'resident' && steps.length === 0 && underWay.length === 0) return [run, processed];
  const row: ReportRow = [run, processed, end.kind === 'resident' ? 0 : end];
  if (underWay.length > 0) row.push([NO_STEP, 0, 0, underWay.map(commandCodec.toRow), []]);
  for (const { cause, time, merged, commands, answers, engineFlags } of steps) {
    const step: StepRow = [cause, time, merged ?? 0, commands.map(commandCodec.toRow), answers.map(answerToRow)];
    if (engineFlags !== undefined) step.push(engineFlags);
    row.push(step);
  }
  return row;
}

function answerToRow({ seq, result, failure }: Answer): AnswerRow {
  return [seq, result ?? null, failure ?? null];
}

export function decodeReport(bytes: Uint8Array): TurnReport {
  const [slices, logs, slow, sinks = []] = unpack(bytes) as [ReportRow[], LogEntry[], SlowStep[], StepSinks[]?];
  return { slices: slices.map(reportFromRow), logs, slow, sinks };
}

function reportFromRow([run, processed, end = 0, ...steps]: ReportRow): SliceReport {
  const [first] = steps;
  const underWay = first?.[0] === NO_STEP ? stepReportFromRow(steps.shift()!).commands : undefined;
  return {
    run,
    processed,
    end: end === 0 ? RESIDENT : end,
    steps: steps.map(stepReportFromRow),
    underWay: underWay as readonly LocalActivityCommand[] | undefined, // What was put there.
  };
}

function stepReportFromRow([cause, time, merged, commands, answers, engineFlags]: StepRow): StepReport {
  return {
    cause,
    time,
    merged: merged === 0 ? undefined : merged,
    commands: commands.map(commandCodec.fromRow),
    answers: answers.map(answerFromRow),
    engineFlags,
  };
}

function answerFromRow([seq, result, failure]: AnswerRow): Answer {
  return { seq, result: result ?? undefined, failure: failure ?? undefined };
}

const RESIDENT: SliceEnd = { kind: 'resident' };

/** The `events` bytes of a frame. */
export function encodeEvents(events: readonly WorkflowEvent[]): Uint8Array {
  // Not copied: the store copies it into its batch.
  return packr.pack(events.map(eventCodec.toRow));
}

export function decodeEvents(bytes: Uint8Array, firstEventId: number): WorkflowEvent[] {
  return (unpack(bytes) as Row[]).map((row, index) => {
    const event = eventCodec.fromRow(row);
    event.eventId = firstEventId + index;
    return event;
  });
}
