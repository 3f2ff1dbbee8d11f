/**
 * Saved histories: a history as it is stored, behind the one that is read, and as JSON that keeps all of it.
 * Thread: any. In → out: History ⇄ JSON text.
 */
import { eventCodec } from '../../mailbox/event-codec.js';
import type { WorkflowEvent } from '../../mailbox/events.js';
import { HistoryFormatError } from '../errors.js';
import { type History, toHistory } from './history.js';

/** What a replay needs: every event as it is stored, payloads encoded. */
export interface StoredHistory {
  readonly workflowId: string;
  readonly runId: string;
  readonly events: readonly WorkflowEvent[];
}

/** Of the JSON, raised whenever an older version could misread it. */
const FORMAT = 1;

const stored = new WeakMap<object, StoredHistory>();

/** Keeps with a history what it was read from. */
export function withStored(history: History, from: StoredHistory): History {
  stored.set(history, from);
  return history;
}

/**
 * What the history was read from.
 * @param history from `fetchHistory` or `historyFromJSON`; or JSON, as text or parsed
 * @throws HistoryFormatError
 */
export function storedHistoryOf(history: unknown): StoredHistory {
  const known = typeof history === 'object' && history !== null ? stored.get(history) : undefined;
  return known ?? parse(history);
}

/**
 * A history as JSON text, with all that a replay needs: for a file in the repository that tests replay, or for somebody else to look at.
 * Values are base64 of what is stored; with a payload codec they stay encoded.
 * @throws HistoryFormatError for a copy of a history instead of the one that `fetchHistory` returned
 * @example await writeFile('histories/order-1.json', historyToJSON(await handle.fetchHistory()));
 */
export function historyToJSON(history: History): string {
  const { workflowId, runId, events } = storedHistoryOf(history);
  const plain = events.map(({ eventId, eventType, eventTime, ...rest }) => {
    const time = new Date(eventTime).toISOString();
    return { eventId, eventType, eventTime: time, ...(toPlain(rest) as object) };
  });
  const document = { holdfastHistory: FORMAT, workflowId, runId, eventCount: events.length, events: plain };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/**
 * The history that `historyToJSON` or `holdfast history` saved. Its values are decoded when `events` is first read, with Holdfast's own
 * converter: those of a payload codec or a payload converter are of use to a replay only.
 * @param json the text, or what `JSON.parse` made of it
 * @throws HistoryFormatError for what is no history, is cut off, or was written by a newer version
 * @example const history = historyFromJSON(await readFile('histories/order-1.json', 'utf8'));
 */
export function historyFromJSON(json: unknown): History {
  const from = parse(json);
  let read: History | undefined;
  const history: History = {
    get events() {
      read ??= toHistory(from.events);
      return read.events;
    },
  };
  return withStored(history, from);
}

function parse(json: unknown): StoredHistory {
  const document = typeof json === 'string' ? parseText(json) : json;
  if (!isObject(document) || typeof document['holdfastHistory'] !== 'number') {
    const copied = isObject(document) && 'events' in document;
    throw new HistoryFormatError({
      reason: copied
        ? "it has events, but not 'holdfastHistory': a copy, or of another system"
        : "it has no 'holdfastHistory'",
    });
  }
  const { holdfastHistory: format, workflowId, runId, eventCount, events } = document;
  if ((format as number) > FORMAT) {
    throw new HistoryFormatError({
      reason: `it is of format ${String(format)}, and this version reads ${FORMAT}. Use a newer one`,
    });
  }
  if (typeof workflowId !== 'string' || typeof runId !== 'string') {
    throw new HistoryFormatError({ reason: 'it has no workflowId or no runId' });
  }
  if (!Array.isArray(events) || events.length === 0) throw new HistoryFormatError({ reason: 'it has no events' });
  if (events.length !== eventCount) {
    const reason = `it is to have ${String(eventCount)} events and has ${events.length}: some are cut off`;
    throw new HistoryFormatError({ reason });
  }
  return { workflowId, runId, events: events.map(toEvent) };
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HistoryFormatError(
      { reason: `it is not JSON, or cut off (${(error as Error).message})` },
      { cause: error },
    );
  }
}

function toEvent(plain: unknown, index: number): WorkflowEvent {
  const wrong = (reason: string) => new HistoryFormatError({ reason: `event ${index + 1} ${reason}` });
  if (!isObject(plain)) throw wrong('is no object');
  const { eventId, eventTime, eventType, seq, cause, ran } = plain;
  if (eventId !== index + 1) throw wrong(`has the eventId ${String(eventId)}: events are missing or out of order`);
  const time = typeof eventTime === 'string' ? Date.parse(eventTime) : Number.NaN;
  if (Number.isNaN(time)) throw wrong('has no eventTime');
  if (!isOptionalSeq(seq) || !isOptionalSeq(cause) || !isOptionalRan(ran)) throw wrong('has no valid place in its run');
  const event = { ...(fromPlain(plain) as object), eventTime: time } as WorkflowEvent; // Checked by the codec below.
  if (index === 0 && eventType !== 'WorkflowExecutionStarted') throw wrong(`is ${String(eventType)}, not a start`);
  let row: unknown[];
  try {
    row = eventCodec.toRow(event);
  } catch (error) {
    throw new HistoryFormatError(
      { reason: `event ${index + 1} is of the unknown type '${String(eventType)}': perhaps of a newer version` },
      { cause: error },
    );
  }
  return { ...eventCodec.fromRow(row), eventId };
}

function isOptionalSeq(value: unknown): boolean {
  return value === undefined || (Number.isInteger(value) && (value as number) > 0);
}

function isOptionalRan(value: unknown): boolean {
  const isSeq = (entry: unknown) => entry !== undefined && isOptionalSeq(entry);
  const isEntry = (entry: unknown) => isSeq(entry) || (Array.isArray(entry) && entry.length > 0 && entry.every(isSeq));
  return value === undefined || (Array.isArray(value) && value.every(isEntry));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Bytes as `{ base64 }`. A record by names that users choose may have that name too, yet never with text behind it. */
function toPlain(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return { base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  }
  if (Array.isArray(value)) return value.map(toPlain);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, toPlain(item)]));
}

function fromPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromPlain);
  if (!isObject(value)) return value;
  const { base64 } = value;
  if (typeof base64 === 'string' && Object.keys(value).length === 1)
    return new Uint8Array(Buffer.from(base64, 'base64'));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromPlain(item)]));
}
