/**
 * A run's history as its reader wants it: one flat object an event, with decoded values, dates and failures.
 * Thread: any client thread. In → out: packed events of the frames → History.
 */
import type { EventBody, EventType, ExternalRequest, WorkflowEvent } from '../../mailbox/events.js';
import { type FailureRecord, fromFailureRecord, type TemporalFailure } from '../../mailbox/failures.js';
import { decodePayload, decodePayloads, type Payload } from '../../mailbox/payload.js';
import { decodeEvents } from '../../mailbox/turn.js';

/** What an attribute becomes, by its name. */
interface DecodedAttributes {
  input: unknown[];
  details: unknown[];
  heartbeatDetails: unknown;
  lastCompletionResult: unknown;
  continuedFailure: TemporalFailure;
  retryAt: Date;
  result: unknown;
  memo: unknown;
  failure: TemporalFailure;
  fireAt: Date;
  request: DecodedRequest;
}

/** What was asked of another workflow, its arguments decoded. */
type DecodedRequest<R = ExternalRequest> = R extends ExternalRequest
  ? { [K in keyof R]: R[K] extends Payload[] ? unknown[] : R[K] }
  : never;

/** Names under which records stand whose attributes are decoded like an event's. */
type Nested = 'options' | 'run' | 'succession' | 'marker';

type Decoded<E> = E extends object
  ? {
      [K in keyof E]: K extends keyof DecodedAttributes
        ? DecodedAttributes[K]
        : K extends Nested
          ? Decoded<E[K]>
          : E[K];
    }
  : E;

interface EventHead {
  /** From 1 without gaps. */
  eventId: number;
  eventTime: Date;
  /** Place in the run's mailbox order; only on events that are messages. */
  seq?: number;
  /** The last `seq` of the step that made this event; only on events that a step made. */
  cause?: number;
}

/**
 * One event; `eventType` tells which attributes it has.
 * @example if (event.eventType === 'WorkflowExecutionSignaled') console.log(event.signalName, ...event.input);
 */
export type HistoryEvent = EventBody extends infer E ? (E extends EventBody ? EventHead & Decoded<E> : never) : never;
export type HistoryEventOf<T extends EventType> = Extract<HistoryEvent, { eventType: T }>;

export interface History {
  events: HistoryEvent[];
}

/** A mapped type over all decoded names, so that none is forgotten. */
const DECODERS: { readonly [K in keyof DecodedAttributes]: (value: never) => DecodedAttributes[K] } = {
  input: (value: Payload[]) => decodePayloads(value),
  details: (value: Payload[]) => decodePayloads(value),
  heartbeatDetails: (value: Payload) => decodePayload(value),
  lastCompletionResult: (value: Payload) => decodePayload(value),
  continuedFailure: (value: FailureRecord) => fromFailureRecord(value),
  retryAt: (value: number) => new Date(value),
  result: (value: Payload) => decodePayload(value),
  memo: (value: Payload) => decodePayload(value),
  failure: (value: FailureRecord) => fromFailureRecord(value),
  fireAt: (value: number) => new Date(value),
  request: (value: ExternalRequest) => decodeAttributes(value) as DecodedRequest, // Field by field, as it says.
};

const NESTED: { readonly [name: string]: (value: never) => unknown } = {
  ...DECODERS,
  signalInput: DECODERS.input,
  options: (value: object) => decodeAttributes(value),
  run: (value: object) => decodeAttributes(value),
  succession: (value: object) => decodeAttributes(value),
  marker: (value: object) => decodeAttributes(value),
};

/** How steps were grouped concerns replay alone. */
const INTERNAL = new Set(['ran']);

export function eventsOf(frames: readonly (readonly [firstEventId: number, events: Uint8Array])[]): WorkflowEvent[] {
  return frames.flatMap(([firstEventId, bytes]) => decodeEvents(bytes, firstEventId));
}

export function toHistory(events: readonly WorkflowEvent[]): History {
  return { events: events.map(toHistoryEvent) };
}

function toHistoryEvent({ eventId, eventTime, eventType, ...rest }: WorkflowEvent): HistoryEvent {
  const event: Record<string, unknown> = { eventId, eventTime: new Date(eventTime), eventType };
  return Object.assign(event, decodeAttributes(rest)) as unknown as HistoryEvent; // Field by field, as Decoded says.
}

function decodeAttributes(attributes: object): Record<string, unknown> {
  const decoded: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || INTERNAL.has(name)) continue;
    const decode = NESTED[name] as ((value: unknown) => unknown) | undefined;
    decoded[name] = decode === undefined ? value : decode(value);
  }
  return decoded;
}
