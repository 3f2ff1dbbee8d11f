/**
 * The trackers' activities, in the hands of the program: each call ends when the program says so, so that every order can be had at will.
 * Thread: embedding. In → out: calls of activities → `Call`s, in the order of their arrival.
 */
import type { Position } from './definitions.js';

/** An activity under way. */
export interface Call {
  /** Such as 'measure 1'. */
  readonly what: string;
  end(): void;
}

const arrived: Call[] = [];
const wanted: ((call: Call) => void)[] = [];
let measurements = 0;

/** The next activity that is called, or was called and not yet taken. */
export function nextCall(): Promise<Call> {
  const call = arrived.shift();
  return call === undefined ? new Promise((resolve) => wanted.push(resolve)) : Promise.resolve(call);
}

function underWay<T>(what: string, result: T): Promise<T> {
  return new Promise((resolve) => {
    const call: Call = { what, end: () => resolve(result) };
    const taker = wanted.shift();
    if (taker === undefined) arrived.push(call);
    else taker(call);
  });
}

/** The nth measurement finds the position (n, n). */
export function measure(): Promise<Position> {
  measurements += 1;
  return underWay(`measure ${measurements}`, { x: measurements, y: measurements });
}

export function publish({ x, y }: Position): Promise<void> {
  return underWay(`publish (${x}, ${y})`, undefined);
}
