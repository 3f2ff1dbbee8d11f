/**
 * The run index: all runs by workflow id, rebuilt from checkpoint entries and frames.
 * Thread: supervisor. In → out: entries and frames → runs; run → entry.
 */

import {
  type ExternalRequest,
  memoIn,
  type ParentRecord,
  type SearchAttributesRecord,
  type WorkflowEvent,
} from '../../../mailbox/events.js';
import { decodeEvents, pack, unpack } from '../../../mailbox/turn.js';
import { uuidFromBytes } from '../../../mailbox/uuid.js';
import type { WorkflowExecutionStatusName } from '../../client/control.js';
import type { Frame, StoreReader } from '../../store/store.js';
import { FoundAttributes } from '../listing/found-attributes.js';
import { type RowFacts, RunTable } from '../listing/run-table.js';
import { beginTimer, timersOf } from '../time/pending-timers.js';
import { fold } from './fold.js';
import { type LifetimeRow, lifetimeFromRow, lifetimeRow } from './lifetime.js';
import { type ActivityRecord, Run } from './run.js';
import { runIdToBytes } from './run-ids.js';

type EntryRow = [
  workflowId: string,
  partition: number,
  workflowType: string,
  status: WorkflowExecutionStatusName,
  firstRunId: Uint8Array | null,
  startTime: number,
  closeTime: number,
  lastEventId: number,
  head: number,
  historyBytes: number,
  lastSeq: number,
  lastStoredSeq: number,
  ranThrough: number,
  lastTime: number,
  hasIds: boolean,
  timers: [string, number, number][] | null,
  activities: [string, number, number, cancelRequested?: boolean][] | null,
  startRequest: number,
  children: [string, number, string, string | null][] | null,
  externals: [string, number, ExternalRequest['kind'], string][] | null,
  parent: ParentRecord | null,
  continuedFrom: string | null,
  continuedTo: string | null,
  delayedUntil: number,
  idsIn: string | null,
  attributes: SearchAttributesRecord | null,
  /** 0 if it is the time of the start. */
  executionTime: number,
  memoAt: number,
  localActivities: string[] | null,
  lifetime: LifetimeRow | null,
  reset: [string, number, number] | null,
  /** Entries of before have none: then there may be some wherever there are ids. */
  hasRequestIds?: boolean,
];

export class RunIndex {
  /** The newest run of each workflow id; older ones follow by `previous`. */
  readonly #current = new Map<string, Run>();
  /** Runs changed since the last checkpoint, each once: `Run.changed` says which are in it. */
  #changed: Run[] = [];
  readonly table = new RunTable();
  open = 0;

  get size(): number {
    return this.table.size;
  }

  current(workflowId: string): Run | undefined {
    return this.#current.get(workflowId);
  }

  find(workflowId: string, runId: string | undefined): Run | undefined {
    let run = this.#current.get(workflowId);
    if (runId === undefined) return run;
    while (run !== undefined && run.runId !== runId) run = run.previous;
    return run;
  }

  /** The newest run of the chain to which this one belongs. */
  endOfChain(run: Run): Run {
    let last = this.#current.get(run.workflowId)!;
    while (last.first !== run.first) last = last.previous!;
    return last;
  }

  /** Of the chain before that of this run, under the same workflow id: its newest run. */
  chainBefore(run: Run): Run | undefined {
    return run.first.previous;
  }

  /** The run that wrote that event: another, if it was copied by a reset. What others know of the run by its id and the event's is that one's. */
  writerOf(run: Run, eventId: number): Run {
    let writer = run;
    while (writer.reset !== undefined && eventId < writer.reset.eventId) {
      const base = this.find(run.workflowId, writer.reset.baseRunId);
      if (base === undefined) break;
      writer = base;
    }
    return writer;
  }

  add(run: Run): void {
    this.#link(run);
    this.changed(run);
  }

  #link(run: Run): void {
    run.previous = this.#current.get(run.workflowId);
    this.#current.set(run.workflowId, run);
    if (run.open) this.open++;
  }

  changed(run: Run): void {
    if (run.changed) return;
    run.changed = true;
    this.#changed.push(run);
  }

  /** Since the last checkpoint, by now. */
  changedRuns(): readonly Run[] {
    return [...this.#changed];
  }

  /** Oldest first. */
  all(): IterableIterator<Run> {
    return this.table.all();
  }

  /** An event is written, and folded into its run. */
  applied(run: Run, event: WorkflowEvent): void {
    this.changed(run);
    switch (event.eventType) {
      case 'WorkflowExecutionStarted': {
        this.table.add(run);
        const { options, startDelay } = event;
        if (options?.searchAttributes !== undefined) this.table.attributes.update(run.row, options.searchAttributes);
        if (startDelay !== undefined) this.table.delayed(run, event.eventTime + startDelay);
        break;
      }
      case 'UpsertWorkflowSearchAttributes':
        this.table.attributes.update(run.row, event.searchAttributes);
        break;
      default:
        if (!run.open) this.table.closed(run);
    }
  }

  /** Takes what the store finds at open. `loaded` afterwards. */
  reader(): StoreReader & { loaded(): void } {
    // Frames name runs only by run id; afterwards every look-up is by workflow id, so this map need not stay.
    const byRunId = new Map<string, Run>();
    // Of runs that continue others: the first run of the chain may come after them.
    const firstRunIds = new Map<Run, string>();
    // Of runs that have any; rows are given once the order of all runs is known.
    const facts = new Map<Run, FoundFacts>();
    const attributes = new FoundAttributes();
    return {
      entry: (key, value) => {
        const { run, firstRunId, attributes: own, found } = decodeEntry(key, value);
        attributes.add(run, byRunId.get(run.runId));
        if (own !== undefined) attributes.update(run, own);
        byRunId.set(run.runId, run);
        if (found !== undefined) facts.set(run, found);
        if (firstRunId !== undefined) firstRunIds.set(run, firstRunId);
      },
      frame: (frame, position) => {
        const runId = uuidFromBytes(frame.runId);
        const events = decodeEvents(frame.events, frame.firstEventId);
        let run = byRunId.get(runId);
        if (run === undefined) {
          run = startOf(runId, frame, events);
          attributes.add(run, undefined);
          byRunId.set(runId, run);
        }
        const [started] = events;
        if (started?.eventType === 'WorkflowExecutionStarted' && started.firstRunId !== runId)
          firstRunIds.set(run, started.firstRunId);
        for (const event of events) {
          fold(run, event);
          gather(facts, attributes, run, event, position);
        }
        if (position > run.head) {
          run.head = position;
          run.historyBytes += frame.events.byteLength;
          this.changed(run);
        }
      },
      loaded: () => {
        for (const [run, firstRunId] of firstRunIds) run.first = byRunId.get(firstRunId) ?? run;
        // Of those that began in one millisecond, the one that began first was found first.
        const inOrder = [...byRunId.values()].sort((a, b) => a.startTime - b.startTime || a.row - b.row);
        this.table.attributes = attributes.inOrder(inOrder);
        for (const run of inOrder) {
          this.#link(run);
          this.table.add(run);
          const found = facts.get(run);
          if (found !== undefined) this.#restore(run, found);
        }
      },
    };
  }

  #restore(run: Run, { executionTime, memoAt }: FoundFacts): void {
    if (executionTime !== undefined) this.table.delayed(run, executionTime);
    if (memoAt !== undefined) this.table.memoWritten(run, memoAt);
  }

  /** Entries of all runs, or of those changed since this was last called. */
  *entries(full: boolean): IterableIterator<readonly [Uint8Array, Uint8Array]> {
    const changed = this.#changed;
    this.#changed = [];
    for (const run of changed) run.changed = false;
    // Since the silent steps were told, for the checkpoint: the next one has to find these.
    for (const run of changed) if (run.isUntold) this.changed(run);
    for (const run of full ? this.all() : changed) yield encodeEntry(run, this.table.facts(run));
  }
}

function startOf(runId: string, frame: Frame, events: ReturnType<typeof decodeEvents>): Run {
  const started = events[0];
  if (started?.eventType !== 'WorkflowExecutionStarted') {
    throw new Error(`The first frame found of run ${runId} does not begin with WorkflowExecutionStarted`);
  }
  return new Run(started.workflowId, runId, frame.partition);
}

/** Attributes are gathered apart, for many runs may have them. */
type FoundFacts = { -readonly [K in Exclude<keyof RowFacts, 'attributes'>]?: RowFacts[K] };

/** As the table does it with events that are new: an entry may be ahead of the frames, which then say the same again. */
function gather(
  facts: Map<Run, FoundFacts>,
  attributes: FoundAttributes,
  run: Run,
  event: WorkflowEvent,
  position: number,
): void {
  const found = (): FoundFacts => {
    const known = facts.get(run) ?? {};
    facts.set(run, known);
    return known;
  };
  if (event.eventType === 'UpsertWorkflowSearchAttributes') {
    attributes.update(run, event.searchAttributes);
  } else if (event.eventType === 'WorkflowExecutionStarted') {
    const { options, startDelay, eventTime } = event;
    if (options?.searchAttributes !== undefined) {
      attributes.clear(run);
      attributes.update(run, options.searchAttributes);
    }
    if (startDelay !== undefined) found().executionTime = eventTime + startDelay;
  }
  if (memoIn(event) !== undefined) found().memoAt = position;
}

function encodeEntry(run: Run, facts: RowFacts): readonly [Uint8Array, Uint8Array] {
  const row: EntryRow = [
    run.workflowId,
    run.partition,
    run.workflowType,
    run.status,
    run.first === run ? null : runIdToBytes(run.firstRunId),
    run.startTime,
    run.closeTime,
    run.lastEventId,
    run.head,
    run.historyBytes,
    run.lastSeq,
    run.lastStoredSeq,
    run.ranThrough,
    run.lastTime,
    run.hasIds,
    run.timers === undefined ? null : Array.from(timersOf(run), (t) => [t.timerId, t.fireAt, t.startedEventId]),
    run.activities === undefined ? null : [...run.activities].map(activityRow),
    run.startRequest,
    run.children === undefined
      ? null
      : [...run.children].map(([id, c]) => [id, c.initiatedEventId, c.workflowId, c.runId ?? null]),
    run.externals === undefined
      ? null
      : [...run.externals].map(([id, e]) => [id, e.initiatedEventId, e.kind, e.workflowId]),
    run.parent ?? null,
    run.continuedFrom ?? null,
    run.continuedTo ?? null,
    run.delayedUntil,
    run.idsIn ?? null,
    facts.attributes ?? null,
    facts.executionTime ?? 0,
    facts.memoAt ?? -1,
    run.localActivities === undefined ? null : [...run.localActivities],
    run.lifetime === undefined ? null : lifetimeRow(run.lifetime),
    run.reset === undefined ? null : [run.reset.baseRunId, run.reset.eventId, run.reset.time],
    run.hasRequestIds,
  ];
  return [runIdToBytes(run.runId), pack(row)];
}

function activityRow([id, record]: [string, ActivityRecord]): NonNullable<EntryRow[16]>[number] {
  const { scheduledEventId, scheduledTime, cancelRequested } = record;
  if (cancelRequested === undefined) return [id, scheduledEventId, scheduledTime];
  return [id, scheduledEventId, scheduledTime, cancelRequested];
}

interface DecodedEntry {
  readonly run: Run;
  readonly firstRunId: string | undefined;
  readonly attributes: SearchAttributesRecord | undefined;
  readonly found: FoundFacts | undefined;
}

function decodeEntry(key: Uint8Array, value: Uint8Array): DecodedEntry {
  const row = unpack(value) as EntryRow;
  const run = new Run(row[0], uuidFromBytes(key), row[1]);
  run.workflowType = intern(row[2]);
  run.status = row[3];
  run.startTime = row[5];
  run.closeTime = row[6];
  run.lastEventId = row[7];
  run.head = row[8];
  run.historyBytes = row[9];
  run.lastSeq = row[10];
  run.lastStoredSeq = row[11];
  run.ranThrough = row[12];
  run.lastTime = row[13];
  run.hasIds = row[14];
  run.hasRequestIds = row[31] ?? run.hasIds;
  run.startRequest = row[17];
  if (row[18] != null) {
    run.children = new Map(
      row[18].map(([id, initiatedEventId, workflowId, runId]) => [
        id,
        { initiatedEventId, workflowId, runId: runId ?? undefined },
      ]),
    );
  }
  if (row[19] != null) {
    run.externals = new Map(
      row[19].map(([id, initiatedEventId, kind, workflowId]) => [id, { initiatedEventId, kind, workflowId }]),
    );
  }
  run.parent = row[20] ?? undefined;
  run.continuedFrom = row[21] ?? undefined;
  run.continuedTo = row[22] ?? undefined;
  run.delayedUntil = row[23] ?? 0;
  run.idsIn = row[24] ?? undefined;
  if (row[28] != null) run.localActivities = new Set(row[28]);
  if (row[29] != null) run.lifetime = lifetimeFromRow(row[29]);
  if (row[30] != null) {
    const [baseRunId, eventId, time] = row[30];
    run.reset = { baseRunId, eventId, time };
  }
  for (const [timerId, fireAt, startedEventId] of row[15] ?? []) beginTimer(run, timerId, fireAt, startedEventId);
  if (row[16] !== null) {
    run.activities = new Map(
      row[16].map(([id, scheduledEventId, scheduledTime, cancelRequested]) => [
        id,
        { scheduledEventId, scheduledTime, ...(cancelRequested === true && { cancelRequested }) },
      ]),
    );
  }
  return {
    run,
    firstRunId: row[4] === null ? undefined : uuidFromBytes(row[4]),
    attributes: row[25] ?? undefined,
    found: factsOf(row),
  };
}

/** Entries written before these fields were there have none. */
function factsOf(row: EntryRow): FoundFacts | undefined {
  const executionTime = row[26] ?? 0;
  const memoAt = row[27] ?? -1;
  if (executionTime === 0 && memoAt === -1) return undefined;
  return {
    executionTime: executionTime === 0 ? undefined : executionTime,
    memoAt: memoAt === -1 ? undefined : memoAt,
  };
}

/** One string for each workflow type, however many runs it has. */
const interned = new Map<string, string>();
export function intern(text: string): string {
  const known = interned.get(text);
  if (known !== undefined) return known;
  interned.set(text, text);
  return text;
}
