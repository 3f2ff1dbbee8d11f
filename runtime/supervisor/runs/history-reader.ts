/**
 * The history reader: what only a run's history knows, taken from it whenever it is read.
 * Thread: supervisor. In → out: frames of a run → its ids, its stored messages that no step is known to have processed, its start group.
 */
import type { EventOf, WorkflowEvent } from '../../../mailbox/events.js';
import type { Message } from '../../../mailbox/messages.js';
import { messageOf } from '../../../mailbox/stored-messages.js';
import { decodeEvents } from '../../../mailbox/turn.js';
import { noteOutcome } from '../activities/local-outcomes.js';
import type { Core, StoredFrame } from '../core.js';
import { MessageIds } from './message-ids.js';
import { EVERYTHING, type Live, type Run, type Waiter } from './run.js';

export class HistoryReader {
  constructor(
    private readonly core: Core,
    /** Admits requests that were held. */
    private readonly readmit: (waiters: Waiter[]) => void,
  ) {}

  /** @param earlier ids of the runs before this one in its chain, if they had to be read */
  read(run: Run, frames: readonly StoredFrame[], earlier: MessageIds | undefined): void {
    const live = run.live!;
    if (run.lifetime !== undefined && run.open) live.started ??= startOf(frames);
    const readIds = live.ids === undefined;
    const ids = live.ids ?? earlier ?? new MessageIds(this.core.options.config.dedupe);
    if (readIds || live.mailboxStored) {
      const stored: WorkflowEvent[] = [];
      let started: WorkflowEvent | undefined;
      const before = live.mailbox.firstSeq ?? Number.POSITIVE_INFINITY;
      for (const { frame, position } of frames) {
        for (const event of decodeEvents(frame.events, frame.firstEventId)) {
          started ??= event;
          if (readIds) ids.recover(event, position, run.runId);
          if (
            event.eventType === 'WorkflowExecutionUpdateAdmitted' &&
            readIds &&
            run.open &&
            event.seq! > run.processedThrough
          ) {
            // Later ones have been accepted, which the history tells, or rejected, which is not remembered.
            ids.noteUpdate(event.updateId, event.updateName, event.eventTime, run.runId).stored = true;
          }
          if (event.seq !== undefined && event.seq > run.processedThrough && event.seq < before) stored.push(event);
        }
      }
      if (readIds && !run.open) ids.closed(run.runId);
      if (live.mailboxStored) restore(live, stored, started);
    }
    live.ids = ids;
    live.mailboxStored = false;
    if (live.mergeThrough === EVERYTHING || live.held === undefined) return;
    const { held } = live;
    live.held = undefined;
    this.readmit(held);
  }
}

export function startOf([first]: readonly StoredFrame[]): EventOf<'WorkflowExecutionStarted'> {
  return decodeEvents(first!.frame.events, 1)[0] as EventOf<'WorkflowExecutionStarted'>;
}

/** Those that no step is known to have processed and that are not in the mailbox, of a run whose history has not been read for them. */
export function storedMessages(run: Run, frames: readonly StoredFrame[]): Message[] {
  const before = run.live!.mailbox.firstSeq ?? Number.POSITIVE_INFINITY;
  const events = frames.flatMap(({ frame }) => decodeEvents(frame.events, frame.firstEventId));
  return events.flatMap((event) => {
    if (event.seq === undefined || event.seq <= run.processedThrough || event.seq >= before) return [];
    return storedMessage(event, events[0]) ?? [];
  });
}

/** A start and what was admitted with it are one step, also if the process that admitted them has not lived to see it. */
function restore(live: Live, stored: readonly WorkflowEvent[], started: WorkflowEvent | undefined): void {
  const messages = [];
  for (const event of stored) {
    if ('startThrough' in event) live.mergeThrough = Math.max(live.mergeThrough, event.startThrough ?? 0);
    const message = storedMessage(event, started);
    if (message === undefined) continue;
    messages.push(message);
    if (message.kind === 'localActivityResolved') noteOutcome(live, message);
  }
  live.mailbox.unshift(messages);
}

/** Of an update that waits too, whose message is in a replay that of the event by which it was accepted. */
function storedMessage(event: WorkflowEvent, started: WorkflowEvent | undefined): Message | undefined {
  if (event.eventType !== 'WorkflowExecutionUpdateAdmitted') return messageOf(event, started);
  const { seq, eventTime: time, updateId, updateName: name, input, headers } = event;
  return { kind: 'update', seq, time, updateId, name, input, headers } as Message; // An absent field and an undefined one make the same row.
}
