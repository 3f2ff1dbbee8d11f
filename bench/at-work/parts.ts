/**
 * Parts: what a job consists of, as data, and what it must come to whatever happens on the way.
 * Thread: parent and child process, worker. In → out: random numbers → parts; parts → their ids, and which of them come before which.
 */
import type { Random } from '../soak/random.js';

/** `id` is unique among all parts of a campaign. */
export type Part =
  /** An activity that fails so often before it succeeds. */
  | { readonly kind: 'charge'; readonly id: string; readonly fails: number }
  /** The same as a local activity. */
  | { readonly kind: 'look'; readonly id: string; readonly fails: number }
  /** An activity in chunks; each attempt goes on where the heartbeats of the one before say. */
  | { readonly kind: 'crunch'; readonly id: string; readonly chunks: number }
  | { readonly kind: 'nap'; readonly id: string; readonly ms: number }
  /** A child workflow with parts of its own. */
  | { readonly kind: 'errand'; readonly id: string; readonly parts: readonly Part[] }
  /** Its parts all at once. */
  | { readonly kind: 'both'; readonly id: string; readonly parts: readonly Part[] };

export function inventParts(draw: Random, prefix: string, depth = 0): Part[] {
  return Array.from({ length: 1 + Math.floor(draw() * 3) }, (_, index) =>
    inventPart(draw, `${prefix}.${index}`, depth),
  );
}

function inventPart(draw: Random, id: string, depth: number): Part {
  const kind = draw();
  if (depth < 2 && kind < 0.15) return { kind: 'errand', id, parts: inventParts(draw, id, depth + 1) };
  if (depth < 2 && kind < 0.3) return { kind: 'both', id, parts: inventParts(draw, id, depth + 1) };
  if (kind < 0.5) return { kind: 'nap', id, ms: Math.ceil(draw() * 400) };
  if (kind < 0.6) return { kind: 'crunch', id, chunks: 1 + Math.floor(draw() * 6) };
  const fails = draw() < 0.25 ? 1 + Math.floor(draw() * 2) : 0;
  return { kind: kind < 0.75 ? 'look' : 'charge', id, fails };
}

/** Every part that is an activity, those within others included. */
export function activitiesIn(parts: readonly Part[]): Part[] {
  return parts.flatMap((part) => ('parts' in part ? activitiesIn(part.parts) : part.kind === 'nap' ? [] : [part]));
}

/** Pairs of groups of activities: the first must all be over before any of the second begins. */
export function sequencesIn(parts: readonly Part[], atOnce = false): { before: Part[]; after: Part[] }[] {
  const own = parts.flatMap((part) => ('parts' in part ? sequencesIn(part.parts, part.kind === 'both') : []));
  if (atOnce) return own;
  return [
    ...own,
    ...parts.slice(1).map((part, index) => ({ before: activitiesIn([parts[index]!]), after: activitiesIn([part]) })),
  ];
}
