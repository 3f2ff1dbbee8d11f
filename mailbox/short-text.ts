/**
 * Short texts: how long what people write may be where it is kept beside the data, and what is done to failures that say more.
 * Thread: any. In → out: text → the text, or as much of it as is kept.
 */
import { InvalidArgumentError, InvalidOptionError } from '../runtime/errors.js';
import { letsThrough } from './earlier-rules.js';

/** Characters (UTF-16 units). The table in docs/data.md has these. */
export const TEXT_LIMITS = {
  /** Of a termination, a cancellation, a reset. */
  reason: 10_000,
  summary: 400,
  details: 20_000,
  failureMessage: 10_000,
  /** The first lines, which repeat the message, and as much of the frames. */
  failureStack: 10_000,
  failureType: 1000,
} as const;

/** All texts of one failure, with its causes. */
export const FAILURE_TEXTS = 500_000;
/** Bytes of one of the details of a failure. */
export const FAILURE_DETAIL_BYTES = 2 * 1024 * 1024;

/** The text with half surrogate pairs written out, so that two texts stay two: UTF-8 has no place for them. */
function escaped(text: string): string {
  if (text.isWellFormed()) return text;
  return text.replaceAll(/[\ud800-\udfff]/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

/** As much of a failure's text as is kept, with a mark that says how much is missing. Takes no time for what is left out. */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return escaped(text);
  const kept = escaped(text.slice(0, limit).replace(/[\ud800-\udbff]$/, ''));
  return `${kept}… (${text.length - limit} more characters)`;
}

/** A stack repeats its message before the frames, and the frames are what it is for: of each as much as is kept. */
export function shortenedStack(stack: string, messageLength: number): string {
  const limit = TEXT_LIMITS.failureStack;
  if (stack.length <= limit) return escaped(stack);
  const frames = stack.indexOf('\n    at ', Math.min(messageLength, stack.length));
  if (frames === -1) return shortened(stack, limit);
  return shortened(stack.slice(0, frames), limit) + shortened(stack.slice(frames), limit);
}

/** @throws InvalidOptionError unless it is text of at most `limit` characters without half surrogate pairs */
export function checkTextOption(option: string, value: unknown, limit: number): string {
  const reason = wrongWith(value, limit);
  if (reason === undefined) return value as string; // It was looked at.
  throw new InvalidOptionError({ option, reason });
}

/** As `checkTextOption`. @throws InvalidArgumentError */
export function checkTextArgument(argument: string, value: unknown, limit: number): string {
  const reason = wrongWith(value, limit);
  if (reason === undefined) return value as string; // It was looked at.
  throw new InvalidArgumentError({ argument, reason });
}

function wrongWith(value: unknown, limit: number): string | undefined {
  const wrong = faultOf(value, limit);
  return wrong === undefined || letsThrough() ? undefined : wrong;
}

function faultOf(value: unknown, limit: number): string | undefined {
  if (typeof value !== 'string') return `it must be a string, not ${value === null ? 'null' : typeof value}`;
  if (value.length > limit) return `it has ${value.length} characters, at most ${limit} are possible`;
  return value.isWellFormed() ? undefined : 'it holds half a surrogate pair, which is not text';
}
