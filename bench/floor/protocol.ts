/**
 * What the floor's threads exchange: batches of rows, each led by the number of its operation, packed by msgpackr.
 * Thread: client ⇄ floor's supervisor ⇄ floor's worker. In → out: rows ⇄ bytes.
 */
import type { MessagePort } from 'node:worker_threads';
import { pack, unpack } from './packing.js';
import type { FloorWorkload } from './shapes.js';

export type FloorRow = readonly [operation: number, ...fields: unknown[]];

export const packRows = (rows: readonly FloorRow[]): Uint8Array => pack(rows);
export const unpackRows = (bytes: Uint8Array): FloorRow[] => unpack(bytes) as FloorRow[];

export interface FloorThreadData {
  readonly workload: FloorWorkload;
  /** The journal's file; made and removed by the thread. */
  readonly path: string;
  readonly workers: number;
  readonly port: MessagePort;
}

/** To the floor's supervisor thread: end. Its port closes when that is done. */
export const STOP = 'stop';
