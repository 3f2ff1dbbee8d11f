/**
 * The floor's worker: answers each message of a turn with a report: decodes its argument, encodes a result, and does nothing else.
 * Thread: worker (a Piscina pool of the floor's own). In → out: packed rows → packed rows.
 */
import { workerData } from 'node:worker_threads';
import { type FloorRow, packRows, unpackRows } from './protocol.js';
import { type FloorWorkload, SHAPES } from './shapes.js';

// Piscina wraps what its user gave as `workerData`: [environment, data] in some versions, the data in others.
const given = (Array.isArray(workerData) ? workerData[1] : workerData) as { workload: FloorWorkload };
const { report } = SHAPES[given.workload];

export default async function turn(bytes: Uint8Array): Promise<Uint8Array> {
  return packRows(unpackRows(bytes).map(([operation, ...message]): FloorRow => [operation, ...report(message)]));
}
