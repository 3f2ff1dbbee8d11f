/**
 * Option checks: what an option of the runtime must be, whichever it is.
 * Thread: embedding. In → out: name and value → the value, resolved; otherwise InvalidOptionError naming the option.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Duration, msToNumber } from '../actors/workflow/definitions.js';
import { nameOfType } from '../mailbox/checks.js';
import { InvalidOptionError } from './errors.js';

export function moduleUrl(option: string, module: URL | string | undefined): string | undefined {
  if (module === undefined) return undefined;
  if (module instanceof URL && module.protocol === 'file:') return module.href;
  if (typeof module === 'string' && module !== '') {
    return module.startsWith('file:') ? module : pathToFileURL(resolve(module)).href;
  }
  throw refused(option, 'it must be the URL or path of a file');
}

export function checkObject(option: string, value: unknown): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw refused(option, `it must be an object, not ${nameOfType(value)}`);
}

export function names(option: string, value: unknown): string[] {
  if (Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '')) return [...value];
  throw refused(option, 'it must be an array of the names of error classes');
}

export function whole(option: string, value: unknown, from: number, to = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to) return value;
  const range = to === Number.MAX_SAFE_INTEGER ? `from ${from}` : `from ${from} to ${to}`;
  throw refused(
    option,
    `it must be a whole number ${range}, not ${typeof value === 'number' ? value : nameOfType(value)}`,
  );
}

export function milliseconds(option: string, value: Duration, from: number): number {
  let ms: number;
  try {
    ms = msToNumber(value);
  } catch (error) {
    throw new InvalidOptionError({ option, reason: (error as Error).message }, { cause: error });
  }
  if (Number.isFinite(ms) && ms >= from) return ms;
  throw refused(option, `it must be a duration of at least ${from} ms, not ${ms}`);
}

export function oneOf<T extends string>(option: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  throw refused(option, `${JSON.stringify(value)} is none of ${allowed.map((each) => `'${each}'`).join(', ')}`);
}

export function refused(option: string, reason: string): InvalidOptionError {
  return new InvalidOptionError({ option, reason });
}
