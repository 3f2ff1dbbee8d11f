/**
 * Deliberate alterations: each changes one thing of an accepted history, so that it tells of something that its code did not do.
 * Thread: the command's. In → out: history → the same altered, or undefined where there is nothing of the kind in it.
 */

import type { TemporalHistory, TemporalHistoryEvent } from '../../testing/temporal/history.js';
import type { HistoryForTemporal } from '../../testing/temporal/replay.js';
import {
  type Attributes,
  attributesOf,
  newEvent,
  renumbered,
  replaced,
  typeOf,
  withAttributes,
} from './altered-history.test-kit.js';
import type { Replayer } from './replayer.test-kit.js';

export type Alteration = (history: TemporalHistory) => TemporalHistory | undefined;

const OTHER = 'another';

/** Changes the first event of a type. */
const changing =
  (type: string, change: (attributes: Attributes) => Attributes): Alteration =>
  (history) => {
    const first = history.events.find((event) => typeOf(event) === type);
    if (first === undefined) return undefined;
    return replaced(history, (event) =>
      event === first ? [withAttributes(event, change(attributesOf(event)))] : undefined,
    );
  };

/**
 * Takes an event of a type away, with all that names it under that field. One behind which a command of another type comes: the core compares
 * command by command, and what is missing at the end of an open history it takes for not yet written.
 */
const without =
  (type: string, naming?: string, cancelledBy = type): Alteration =>
  (history) => {
    const { events } = history;
    // Never begun and then cancelled is for the core as if it had not been asked for.
    const cancels = naming === undefined ? [] : ['WORKFLOW_EXECUTION_CANCEL_REQUESTED', cancelledBy];
    if (events.some((event) => typeOf(event) !== type && cancels.includes(typeOf(event)))) return undefined;
    for (const [index, gone] of events.entries()) {
      if (typeOf(gone) !== type) continue;
      const isGone = (event: TemporalHistoryEvent) =>
        event === gone || (naming !== undefined && attributesOf(event)[naming] === gone.eventId);
      const next = events.slice(index).find((event) => !isGone(event) && isCommand(event));
      if (next === undefined || typeOf(next) === type || isMarker(next)) continue;
      // In a later task it may be cancelled before it is missed, and not each cancellation can be seen in a history.
      if (naming !== undefined && taskOf(next) !== taskOf(gone)) continue;
      return replaced(history, (event) => (isGone(event) ? [] : undefined));
    }
    return undefined;
  };

function taskOf(event: TemporalHistoryEvent): unknown {
  return attributesOf(event)['workflowTaskCompletedEventId'];
}

/** What comes of a command, and is compared with it. */
function isCommand(event: TemporalHistoryEvent): boolean {
  return taskOf(event) !== undefined || typeOf(event).startsWith('WORKFLOW_EXECUTION_UPDATE');
}

/** Puts a command behind the first workflow task. */
const withExtra =
  (type: string, attributes: Attributes): Alteration =>
  (history) => {
    const task = history.events.find((event) => typeOf(event) === 'WORKFLOW_TASK_COMPLETED');
    if (task === undefined) return undefined;
    const extra = newEvent(type, { ...attributes, workflowTaskCompletedEventId: task.eventId }, task);
    return replaced(history, (event) => (event === task ? [event, extra] : undefined));
  };

/** Puts an event of another type in the place of the first of a type. */
const becoming =
  (type: string, other: string, attributes: (of: TemporalHistoryEvent) => Attributes = () => ({})): Alteration =>
  (history) => {
    const first = history.events.find((event) => typeOf(event) === type);
    if (first === undefined) return undefined;
    const { workflowTaskCompletedEventId } = attributesOf(first);
    return replaced(history, (event) =>
      event === first
        ? [
            {
              ...newEvent(other, { workflowTaskCompletedEventId, ...attributes(event) }, event),
              eventId: event.eventId,
            },
          ]
        : undefined,
    );
  };

const payloads = { payloads: [] };
const failure = { message: OTHER, applicationFailureInfo: { type: OTHER } };

/** Two commands of one task, of different kinds, each in the place of the other. */
function swapped({ events }: TemporalHistory): TemporalHistory | undefined {
  const isMovable = (event: TemporalHistoryEvent | undefined) =>
    event !== undefined && attributesOf(event)['workflowTaskCompletedEventId'] !== undefined && !isMarker(event);
  const at = events.findIndex((event, index) => {
    const next = events[index + 1];
    return isMovable(event) && isMovable(next) && typeOf(event) !== typeOf(next!);
  });
  if (at < 0) return undefined;
  return renumbered(
    events.map((event, index) => (index === at ? events[at + 1]! : index === at + 1 ? events[at]! : event)),
  );
}

function isMarker(event: TemporalHistoryEvent): boolean {
  return typeOf(event) === 'MARKER_RECORDED';
}

/** A timer has a number more than it has, wherever it is named. */
function otherTimer(history: TemporalHistory): TemporalHistory | undefined {
  const fired = history.events.find((event) => typeOf(event) === 'TIMER_FIRED');
  if (fired === undefined) return undefined;
  const { timerId } = attributesOf(fired);
  return replaced(history, (event) =>
    attributesOf(event)['timerId'] === timerId ? [withAttributes(event, { timerId: `${timerId}0` })] : undefined,
  );
}

/** What fired was cancelled by the code of the task before. */
function cancelledInsteadOfFired(history: TemporalHistory): TemporalHistory | undefined {
  const fired = history.events.find((event) => typeOf(event) === 'TIMER_FIRED');
  if (fired === undefined) return undefined;
  const { startedEventId, timerId } = attributesOf(fired);
  const start = history.events[(startedEventId as number) - 1]!;
  const { workflowTaskCompletedEventId } = attributesOf(start);
  const cancelled = newEvent('TIMER_CANCELED', { startedEventId, timerId, workflowTaskCompletedEventId }, start);
  return replaced(history, (event) => (event === start ? [event, cancelled] : event === fired ? [] : undefined));
}

const markerNamed =
  (name: string, change: (event: TemporalHistoryEvent) => readonly TemporalHistoryEvent[]): Alteration =>
  (history) => {
    const first = history.events.find((event) => isMarker(event) && attributesOf(event)['markerName'] === name);
    return first === undefined
      ? undefined
      : replaced(history, (event) => (event === first ? change(event) : undefined));
  };

/** The data of a local activity's marker, changed. */
function otherLocal(change: Attributes): Alteration {
  return markerNamed('core_local_activity', (event) => {
    const details = attributesOf(event)['details'] as {
      readonly data: { readonly payloads: readonly [{ readonly data: string }] };
    };
    const [payload] = details.data.payloads;
    const told = JSON.parse(Buffer.from(payload.data, 'base64').toString()) as object;
    const data = Buffer.from(JSON.stringify({ ...told, ...change })).toString('base64');
    return [withAttributes(event, { details: { ...details, data: { payloads: [{ ...payload, data }] } } })];
  });
}

const patchMarker = (id: string) => {
  const data = Buffer.from(JSON.stringify({ id, deprecated: false })).toString('base64');
  const metadata = { encoding: Buffer.from('json/plain').toString('base64') };
  return { markerName: 'core_patch', details: { 'patch-data': { payloads: [{ metadata, data }] } } };
};

/** By what is changed. */
const ALTERATIONS: Readonly<Record<string, Alteration>> = {
  'an activity of another type': changing('ACTIVITY_TASK_SCHEDULED', () => ({ activityType: { name: OTHER } })),
  'an activity under another id': changing('ACTIVITY_TASK_SCHEDULED', () => ({ activityId: OTHER })),
  'an activity that was not scheduled': without(
    'ACTIVITY_TASK_SCHEDULED',
    'scheduledEventId',
    'ACTIVITY_TASK_CANCEL_REQUESTED',
  ),
  'an activity that nobody scheduled': withExtra('ACTIVITY_TASK_SCHEDULED', {
    activityId: '99',
    activityType: { name: 'work' },
    taskQueue: { name: 'default' },
    input: payloads,
  }),
  'an activity whose cancellation was not asked for': without('ACTIVITY_TASK_CANCEL_REQUESTED'),
  'a timer under another id': otherTimer,
  'a timer that was not started': without('TIMER_STARTED', 'startedEventId', 'TIMER_CANCELED'),
  'a timer that nobody started': withExtra('TIMER_STARTED', {
    timerId: '99',
    startToFireTimeout: { seconds: 1, nanos: 0 },
  }),
  'a timer that was not cancelled': without('TIMER_CANCELED'),
  'a timer that was cancelled instead of fired': cancelledInsteadOfFired,
  'a timer instead of an activity': becoming('ACTIVITY_TASK_SCHEDULED', 'TIMER_STARTED', () => ({ timerId: '1' })),
  'two commands in the other order': swapped,
  'a patch under another id': markerNamed('core_patch', (event) => [withAttributes(event, patchMarker(OTHER))]),
  'a marker of a patch that nobody asked for': withExtra('MARKER_RECORDED', patchMarker(OTHER)),
  'a local activity of another type': otherLocal({ activity_type: OTHER }),
  'a local activity under another id': otherLocal({ activity_id: OTHER }),
  'a local activity under another number': otherLocal({ seq: 99 }),
  'a child of another type': changing('START_CHILD_WORKFLOW_EXECUTION_INITIATED', () => ({
    workflowType: { name: OTHER },
  })),
  'a child under another workflow id': changing('START_CHILD_WORKFLOW_EXECUTION_INITIATED', () => ({
    workflowId: OTHER,
  })),
  'a child that was not started': without(
    'START_CHILD_WORKFLOW_EXECUTION_INITIATED',
    'initiatedEventId',
    'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED',
  ),
  'a signal that was not sent': without('SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED', 'initiatedEventId'),
  'a cancellation instead of a signal': becoming(
    'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED',
    'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED',
    (event) => ({ workflowExecution: attributesOf(event)['workflowExecution'] }),
  ),
  'a memo that was not changed': without('WORKFLOW_PROPERTIES_MODIFIED'),
  'search attributes that were not changed': without('UPSERT_WORKFLOW_SEARCH_ATTRIBUTES'),
  'an update that was not completed': without('WORKFLOW_EXECUTION_UPDATE_COMPLETED'),
  'an update that was completed before it was': completedTwice,
  'completed instead of failed': becoming('WORKFLOW_EXECUTION_FAILED', 'WORKFLOW_EXECUTION_COMPLETED'),
  'failed instead of completed': becoming('WORKFLOW_EXECUTION_COMPLETED', 'WORKFLOW_EXECUTION_FAILED', () => ({
    failure,
  })),
  'cancelled instead of completed': becoming('WORKFLOW_EXECUTION_COMPLETED', 'WORKFLOW_EXECUTION_CANCELED'),
  'completed instead of continued as new': becoming(
    'WORKFLOW_EXECUTION_CONTINUED_AS_NEW',
    'WORKFLOW_EXECUTION_COMPLETED',
  ),
  'completed instead of cancelled': becoming('WORKFLOW_EXECUTION_CANCELED', 'WORKFLOW_EXECUTION_COMPLETED'),
};

function completedTwice(history: TemporalHistory): TemporalHistory | undefined {
  const completed = history.events.find((event) => typeOf(event) === 'WORKFLOW_EXECUTION_UPDATE_COMPLETED');
  return (
    completed && replaced(history, (event) => (event === completed ? [{ ...event, eventId: 0 }, event] : undefined))
  );
}

/** How often each kind is tried. */
const MOST = 25;

/** What the core said of altered histories. */
export class AlteredHistories {
  /** By kind; all of them, for one that was never tried is to be told too. */
  readonly refused = new Map(Object.keys(ALTERATIONS).map((kind) => [kind, 0]));
  /** The first of each kind that the core did not notice. */
  readonly accepted = new Map<string, TemporalHistory>();

  constructor(private readonly replayer: Replayer) {}

  /** @param history accepted as it is */
  async tryOn({ workflowId, history }: HistoryForTemporal): Promise<void> {
    for (const [kind, alter] of Object.entries(ALTERATIONS)) {
      const tried = this.refused.get(kind)!;
      const altered = tried < MOST ? alter(history) : undefined;
      if (altered === undefined) continue;
      const { refused } = await this.replayer.replay({ workflowId, history: altered });
      if (refused !== undefined) this.refused.set(kind, tried + 1);
      else if (!this.accepted.has(kind)) this.accepted.set(kind, altered);
    }
  }
}
