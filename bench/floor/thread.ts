/**
 * The floor's supervisor thread: requests to turns and frames, frames to disk, replies back. Everything is batched as in the runtime, and
 * nothing is decided, looked up or remembered.
 * Thread: the floor's supervisor (its entry). In → out: port ⇄ Piscina, file.
 */
import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { FloorJournal } from './journal.js';
import { type FloorRow, type FloorThreadData, packRows, STOP, unpackRows } from './protocol.js';
import { SHAPES } from './shapes.js';

const { workload, path, workers, port } = workerData as FloorThreadData;
const shape = SHAPES[workload];
const answersAtAdmission = shape.replyAfter === 'admission';
const writesAtAdmission = shape.admissionEvents.length > 0;
const writesAfterTurn = shape.turnEvents.length > 0;

const pool = new Piscina({
  filename: fileURLToPath(new URL('./worker.js', import.meta.url)),
  minThreads: workers,
  maxThreads: workers,
  idleTimeout: Number.POSITIVE_INFINITY,
  atomics: 'disabled',
  recordTiming: false,
  workerData: { workload },
});

let replies: FloorRow[] = [];
let turns: FloorRow[] = [];
let inFlight = 0;
let moving = false;

const journal = new FloorJournal(path, (operations) => {
  for (const operation of operations) reply(operation);
});

function reply(operation: number): void {
  if (replies.push([operation, ...shape.reply]) > 1) return;
  setImmediate(() => {
    const bytes = packRows(replies);
    replies = [];
    port.postMessage(bytes, [bytes.buffer as ArrayBuffer]);
  });
}

/** Once for everything that one turn of the event loop brings: the worker runs while the flush does. */
function moved(): void {
  if (moving) return;
  moving = true;
  setImmediate(() => {
    moving = false;
    sendTurn();
    journal.flush();
  });
}

function sendTurn(): void {
  if (turns.length === 0 || inFlight === workers) return;
  const bytes = packRows(turns);
  turns = [];
  inFlight++;
  pool.run(bytes, { transferList: [bytes.buffer as ArrayBuffer] }).then(returned);
}

function returned(bytes: Uint8Array): void {
  inFlight--;
  for (const [operation] of unpackRows(bytes)) {
    if (writesAfterTurn) journal.append(shape.turnEvents, operation);
    else if (!answersAtAdmission) reply(operation);
  }
  moved();
}

/** Every reply is out by now, but the last turns need not be back. */
function stopOnceIdle(): void {
  if (inFlight > 0 || turns.length > 0) {
    setImmediate(stopOnceIdle);
    return;
  }
  journal.remove();
  void pool.destroy().then(() => port.close());
}

port.on('message', (batch: Uint8Array | typeof STOP) => {
  if (batch === STOP) {
    stopOnceIdle();
    return;
  }
  for (const [operation] of unpackRows(batch)) {
    if (writesAtAdmission) journal.append(shape.admissionEvents, answersAtAdmission ? operation : undefined);
    turns.push([operation, ...shape.turn]);
  }
  moved();
});

// The first reply says that the pool is there, too.
await pool.run(packRows([]));
port.postMessage(packRows([]));
