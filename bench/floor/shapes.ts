/**
 * Shapes: what one operation of each workload inherently sends and writes. The rows have the fields, and so the sizes, of the runtime's
 * own records (a test holds the two together), and carry data as real ones do: values encoded where they are handed over and decoded
 * where they are received, ids of their own for every operation. Thread: any. In → out: workload → rows from the rows before them.
 */
import { randomUUID } from 'node:crypto';
import { pack, unpack } from './packing.js';

export const FLOOR_WORKLOADS = ['W1', 'W3', 'W3-one', 'W4', 'W4-one', 'W5', 'W7'] as const;
export type FloorWorkload = (typeof FLOOR_WORKLOADS)[number];

/** Follow the number of the operation. */
export type Fields = readonly unknown[];
/** As on disk. */
export type EventRow = readonly unknown[];

export interface Shape {
  /** Client → supervisor, of the n-th operation. */
  readonly request: (n: number) => Fields;
  /** Events that the supervisor writes at admission, while the turn runs. */
  readonly admissionEvents: ((request: Fields) => EventRow[]) | undefined;
  /** Supervisor → worker. */
  readonly turn: (request: Fields) => Fields;
  /** Worker → supervisor. */
  readonly report: (turn: Fields) => Fields;
  /** Events that the supervisor writes once the turn is back. */
  readonly turnEvents: ((request: Fields, turn: Fields, report: Fields) => EventRow[]) | undefined;
  /** Supervisor → client. */
  readonly reply: (turn: Fields, report: Fields) => Fields;
  /** What the reply waits for: the flush of what admission wrote; or the turn, and the flush of what it wrote. */
  readonly replyAfter: 'admission' | 'turn';
  /** Client: the reply's value. */
  readonly value: (reply: Fields) => unknown;
  /** Each operation's events are a frame of their own; or all are of one run, and those of one flush are one frame. */
  readonly frames: 'each' | 'one';
}

export const time = 1_700_000_000_000;
export const build = '0123456789abcdef';
const RUNNING = 10_000;
const RUN_ID = randomUUID();
const ACTIVITY_OPTIONS = { startToCloseTimeout: 60_000 };

const workflowIdOf = (workload: FloorWorkload, n: number) => `${workload}-${n % RUNNING}`;
/** The runtime's rows nest; these are flat, which packs no slower. Values are one payload, input one argument. */
const increment = (payload: unknown) => pack((unpack(payload as Uint8Array) as number) + 1);
const decode = (payload: unknown) => unpack(payload as Uint8Array);

const SIGNAL: Shape = {
  request: (n) => [2, workflowIdOf('W3', n), null, 'add', [pack(1)]],
  admissionEvents: ([, , , name, input]) => [[2, time, 9, null, null, name, input]],
  turn: ([, , , name, input]) => [0, null, 2, 9, time, name, input],
  report: ([, , , , , , input]) => {
    decode((input as unknown[])[0]);
    return [9];
  },
  turnEvents: undefined,
  reply: () => [2],
  replyAfter: 'admission',
  value: () => undefined,
  frames: 'each',
};

const UPDATE: Shape = {
  request: (n) => [4, workflowIdOf('W4', n), null, 'set', [pack(1)], randomUUID(), 'COMPLETED'],
  admissionEvents: undefined,
  turn: ([, , , name, input, id]) => [0, null, 3, 9, time, id, name, input],
  // The argument is decoded for the validator and again for the handler, so that the one cannot change what the other sees.
  report: ([, , , , , id, , input]) => {
    const [argument] = input as unknown[];
    decode(argument);
    return [9, 0, 9, time, 0, 5, id, 9, 6, id, increment(argument), []];
  },
  turnEvents: ([, , , name, input, id], _turn, [, , , , , , , , , , result]) => [
    [4, time, 9, 9, [9], id, name, input],
    [5, time, null, 9, null, id, 8, result],
  ],
  reply: (_turn, [, , , , , , , , , , result]) => [5, RUN_ID, result],
  replyAfter: 'turn',
  value: ([, , result]) => decode(result),
  frames: 'each',
};

export const SHAPES: { readonly [W in FloorWorkload]: Shape } = {
  W1: {
    request: (n) => [1, `W1-${100_000 + n}`, 'quick', [pack(1)], randomUUID(), null, null, null, null, true],
    // Nobody is told of the start alone, so it can wait for the outcome: one frame, one flush.
    admissionEvents: undefined,
    turn: ([, workflowId, type, input]) => [0, randomUUID(), workflowId, type, null, time, [], [], 1, 1, time, input],
    report: ([, , , , , , , , , , , input]) => [1, 0, 1, time, 0, 7, increment((input as unknown[])[0]), []],
    turnEvents: ([, workflowId, type, input, id], [, runId], [, , , , , , result]) => [
      [1, time, 1, null, null, workflowId, type, input, runId, id, build],
      [15, time, null, 1, [1], result],
    ],
    reply: ([, runId], [, , , , , , result]) => [6, runId, result],
    replyAfter: 'turn',
    value: ([, , result]) => decode(result),
    frames: 'each',
  },
  W3: SIGNAL,
  'W3-one': { ...SIGNAL, request: () => [2, 'W3-one', null, 'add', [pack(1)]], frames: 'one' },
  W4: UPDATE,
  'W4-one': {
    ...UPDATE,
    request: () => [4, 'W4-one', null, 'set', [pack(1)], randomUUID(), 'COMPLETED'],
    frames: 'one',
  },
  W5: {
    request: (n) => [3, workflowIdOf('W5', n), null, 'total', []],
    admissionEvents: undefined,
    turn: ([, , , name, input]) => [0, null, 4, 9, time, name, input],
    report: () => [9, 0, 9, time, 0, [], 9, pack(1), null],
    turnEvents: undefined,
    reply: (_turn, [, , , , , , , result]) => [3, result],
    replyAfter: 'turn',
    value: ([, result]) => decode(result),
    frames: 'each',
  },
  /** One of the rounds between the embedding thread and a run: there with an outcome, back with what is to be done next. */
  W7: {
    request: (n) => [3, n % 256, pack(1)],
    // Nobody is told of the outcome alone, so it can wait for what follows from it: one frame, one flush.
    admissionEvents: undefined,
    turn: ([, , result]) => [0, null, 7, 9, time, '2', result],
    report: ([, , , , , , result]) => [9, 0, 9, time, 0, 3, '3', 'step', [increment(result)], ACTIVITY_OPTIONS, []],
    turnEvents: ([, , result], _turn, [, , , , , , , , input]) => [
      [10, time, 9, null, null, '2', 6, 1, result],
      [9, time, null, 9, [9], '3', 'step', input, ACTIVITY_OPTIONS],
    ],
    reply: (_turn, [, , , , , , , , input]) => [
      ...[1, 7, workflowIdOf('W7', 9_999), RUN_ID, 'steps', '3', 'step', 1, input, time, time, 60_000],
    ],
    replyAfter: 'turn',
    value: ([, , , , , , , , input]) => decode((input as unknown[])[0]),
    frames: 'each',
  },
};
