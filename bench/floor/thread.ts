/**
 * The floor's supervisor thread: requests to turns and frames, frames to disk, replies back. Everything is batched as in the runtime, and
 * nothing is decided or looked up.
 * Thread: the floor's supervisor (its entry). In → out: port ⇄ Piscina, file.
 */
import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { FloorJournal } from './journal.js';
import { type FloorRow, type FloorThreadData, packRows, STOP, unpackRows } from './protocol.js';
import { type Fields, SHAPES } from './shapes.js';

const { workload, path, workers, port } = workerData as FloorThreadData;
const shape = SHAPES[workload];
const answersAtAdmission = shape.replyAfter === 'admission';

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

/** Operations whose turn is not back, for their data goes into events then. */
const underWay = new Map<number, { readonly request: Fields; readonly turn: Fields }>();

const journal = new FloorJournal(path, shape.frames, (answered) => {
  for (const row of answered) reply(row);
});

function reply(row: FloorRow): void {
  if (replies.push(row) > 1) return;
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
  for (const [operation, ...report] of unpackRows(bytes)) {
    const { request, turn } = underWay.get(operation)!;
    underWay.delete(operation);
    if (answersAtAdmission) continue;
    const answer: FloorRow = [operation, ...shape.reply(turn, report)];
    if (shape.turnEvents === undefined) reply(answer);
    else journal.append(shape.turnEvents(request, turn, report), answer);
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
  for (const [operation, ...request] of unpackRows(batch)) {
    if (shape.admissionEvents !== undefined) {
      journal.append(
        shape.admissionEvents(request),
        answersAtAdmission ? [operation, ...shape.reply([], [])] : undefined,
      );
    }
    const turn = shape.turn(request);
    underWay.set(operation, { request, turn });
    turns.push([operation, ...turn]);
  }
  moved();
});

// The first reply says that the pool is there, too.
await pool.run(packRows([]));
port.postMessage(packRows([]));
