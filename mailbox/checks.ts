/**
 * Checks at the caller: what a request must be before it is sent, by a client or by a workflow.
 * Thread: any. In → out: a value of the user's → the value, or its payloads; otherwise a typed error.
 */

import { InvalidArgumentError, InvalidOptionError, PayloadTooLargeError } from '../runtime/errors.js';
import { encodePayload, type Payload } from './payload.js';
import { checkTextArgument, TEXT_LIMITS } from './short-text.js';

const MAX_ID_LENGTH = 1000;

/** False for what UTF-8 cannot hold: it would be another text once it has been sent, so that two ids would become one. */
export function isText(value: string): boolean {
  return value.isWellFormed();
}

/** @throws InvalidArgumentError unless `value` is a non-empty string of at most 1,000 characters without lone surrogates */
export function checkId(argument: string, value: unknown): string {
  if (typeof value !== 'string') {
    throw new InvalidArgumentError({ argument, reason: `it must be a string, not ${nameOfType(value)}` });
  }
  if (value === '') throw new InvalidArgumentError({ argument, reason: 'it must not be empty' });
  if (value.length > MAX_ID_LENGTH) {
    const reason = `it has ${value.length} characters, at most ${MAX_ID_LENGTH} are possible`;
    throw new InvalidArgumentError({ argument, reason });
  }
  if (!isText(value)) {
    throw new InvalidArgumentError({ argument, reason: 'it holds half a surrogate pair, which is not text' });
  }
  return value;
}

export function checkOptionalId(argument: string, value: unknown): string | undefined {
  return value === undefined ? undefined : checkId(argument, value);
}

/** @throws InvalidArgumentError unless `reason` is undefined, or text of at most `TEXT_LIMITS.reason` characters */
export function checkReason(reason: unknown): string | undefined {
  return reason === undefined ? undefined : checkTextArgument('reason', reason, TEXT_LIMITS.reason);
}

/** @throws InvalidArgumentError unless `value` is one of `allowed` or undefined */
export function checkOneOf<T extends string>(
  argument: string,
  value: T | undefined,
  allowed: readonly T[],
): T | undefined {
  if (value === undefined || allowed.includes(value)) return value;
  throw new InvalidArgumentError({ argument, reason: `${JSON.stringify(value)} is none of ${allowed.join(', ')}` });
}

/**
 * @throws InvalidArgumentError if `args` is not an array; PayloadConverterError naming the path of what cannot be serialized;
 *   PayloadTooLargeError for one that is larger than `limit` bytes
 */
export function encodeArgs(args: readonly unknown[] | undefined, limit: number): Payload[] {
  const payloads: Payload[] = [];
  if (args === undefined) return payloads;
  if (!Array.isArray(args)) {
    throw new InvalidArgumentError({ argument: 'args', reason: `they must be an array, not ${nameOfType(args)}` });
  }
  for (let i = 0; i < args.length; i++) payloads.push(encodeWithin(args[i], `args[${i}]`, limit));
  return payloads;
}

export function encodeWithin(value: unknown, name: string, limit: number): Payload {
  const payload = encodePayload(value, name, limit);
  if (payload.byteLength > limit) throw new PayloadTooLargeError({ what: name, bytes: payload.byteLength, limit });
  return payload;
}

/** Temporal's, for what is not here. */
const ONLY_IN_TEMPORAL: { readonly [option: string]: string } = {
  taskQueue: 'there are no task queues: the process that has the store open runs everything',
  namespace: 'there are no namespaces: a store is one',
  priority: 'there are no priorities: what is due first begins first',
  allowEagerDispatch: 'there is no server between a workflow and its activities',
  requestEagerStart: 'there is no server between a client and the workers',
  versioningIntent: 'one version of the code runs at a time',
  versioningOverride: 'one version of the code runs at a time',
  typeInfo: 'values cross as JavaScript has them, and nothing need be said of their types',
  eventGroups: 'they are for a web interface',
};

/**
 * An option that is silently ignored is a promise silently broken.
 * @param where what the options belong to, as a prefix of the name in the error, such as `store.`
 * @throws InvalidOptionError for a name that is not in `known`, with the nearest one that is, or with why Temporal's is not here;
 *   InvalidArgumentError for what is no options at all
 */
export function refuseUnknownOptions(options: object, known: ReadonlySet<string>, where = ''): void {
  if (options !== undefined && typeof options !== 'object') {
    const argument = where === '' ? 'options' : where.slice(0, -1);
    throw new InvalidArgumentError({ argument, reason: `they must be an object, not ${nameOfType(options)}` });
  }
  for (const name of Object.keys(options ?? {})) {
    if (known.has(name)) continue;
    if (where === '' && Object.hasOwn(ONLY_IN_TEMPORAL, name)) {
      throw new InvalidOptionError({ option: name, reason: `leave it out: ${ONLY_IN_TEMPORAL[name]}` });
    }
    const near = nearest(name, known);
    const hint = near === undefined ? `Known are ${[...known].join(', ')}` : `Did you mean '${where}${near}'?`;
    throw new InvalidOptionError({ option: `${where}${name}`, reason: `there is no such option. ${hint}` });
  }
}

/** The known name that fewest edits make of `name`, if at most a third of it differs. */
function nearest(name: string, known: ReadonlySet<string>): string | undefined {
  let best: string | undefined;
  let fewest = Math.floor(name.length / 3) + 1;
  for (const candidate of known) {
    const edits = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[j]! + 1, row[j - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}

export function nameOfType(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
