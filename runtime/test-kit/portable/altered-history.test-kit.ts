/**
 * A history in Temporal's form with something changed: events taken away, put in or replaced, numbers and references put right again.
 * Thread: the command's. In → out: history + change → history that is wrong in that one thing only.
 */
import type { TemporalHistory, TemporalHistoryEvent } from '../../testing/temporal/history.js';

export type Attributes = Readonly<Record<string, unknown>>;

/** `TIMER_STARTED`. */
export function typeOf({ eventType }: TemporalHistoryEvent): string {
  return eventType.replace('EVENT_TYPE_', '');
}

export function attributesOf(event: TemporalHistoryEvent): Attributes {
  return event[attributesName(event)] as Attributes;
}

function attributesName(event: TemporalHistoryEvent): string {
  return Object.keys(event).find((name) => name.endsWith('EventAttributes'))!;
}

export function withAttributes(event: TemporalHistoryEvent, changed: Attributes): TemporalHistoryEvent {
  return { ...event, [attributesName(event)]: { ...attributesOf(event), ...changed } };
}

/** At the time of another, and without a number yet. */
export function newEvent(
  type: string,
  attributes: Attributes,
  { eventTime }: TemporalHistoryEvent,
): TemporalHistoryEvent {
  const name = type.toLowerCase().replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return { eventId: 0, eventTime, eventType: `EVENT_TYPE_${type}`, [`${name}EventAttributes`]: attributes };
}

/** @param replacement what stands in the place of each event; undefined: as it is */
export function replaced(
  { events }: TemporalHistory,
  replacement: (event: TemporalHistoryEvent, index: number) => readonly TemporalHistoryEvent[] | undefined,
): TemporalHistory {
  return renumbered(events.flatMap((event, index) => replacement(event, index) ?? [event]));
}

export function renumbered(events: readonly TemporalHistoryEvent[]): TemporalHistory {
  const ids = new Map<number, number>();
  for (const [index, { eventId }] of events.entries()) if (eventId > 0) ids.set(eventId, index + 1);
  return {
    events: events.map((event, index) => ({ ...(referring(event, ids) as TemporalHistoryEvent), eventId: index + 1 })),
  };
}

function referring(value: unknown, ids: ReadonlyMap<number, number>, name = ''): unknown {
  if (typeof value === 'number') return name.endsWith('EventId') ? (ids.get(value) ?? value) : value;
  if (Array.isArray(value)) return value.map((item) => referring(item, ids));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, referring(item, ids, key)]));
}
