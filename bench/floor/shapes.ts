/**
 * Shapes: what one operation of each workload inherently sends and writes. The rows have the fields, and so the sizes, of the runtime's
 * own records (a test holds the two together); what is in them matters to nobody.
 * Thread: any. In → out: workload → fields of request, turn, report, events and reply.
 */

export const FLOOR_WORKLOADS = ['W1', 'W3', 'W4', 'W5'] as const;
export type FloorWorkload = (typeof FLOOR_WORKLOADS)[number];

/** Follow the number of the operation. */
export type Fields = readonly unknown[];
/** As on disk. */
export type EventRow = readonly unknown[];

export interface Shape {
  /** Client → supervisor. */
  readonly request: Fields;
  /** Events that the supervisor writes at admission, while the turn runs. */
  readonly admissionEvents: readonly EventRow[];
  /** Supervisor → worker. */
  readonly turn: Fields;
  /** Worker → supervisor. */
  readonly report: Fields;
  /** Events that the supervisor writes once the turn is back. */
  readonly turnEvents: readonly EventRow[];
  /** Supervisor → client. */
  readonly reply: Fields;
  /** What the reply waits for: the flush of what admission wrote; or the turn, and the flush of what it wrote. */
  readonly replyAfter: 'admission' | 'turn';
}

export const SAMPLE = {
  time: 1_700_000_000_000,
  runId: '00000000-0000-4000-8000-000000000000',
  id: '11111111-1111-4111-8111-111111111111',
  build: '0123456789abcdef',
  workflowId: 'W1-100000',
  payload: Uint8Array.of(1),
} as const;
const { time, runId, id, build, workflowId, payload } = SAMPLE;

export const SHAPES: { readonly [W in FloorWorkload]: Shape } = {
  W1: {
    request: [1, workflowId, 'quick', [payload], id, null, null, null, null, true],
    // Nobody is told of the start alone, so it can wait for the outcome: one frame, one flush.
    admissionEvents: [],
    turn: [0, [runId, workflowId, 'quick', runId, time, [], [], 0], [[1, 1, time, [payload]]]],
    report: [1, 0, [[1, time, 0, [[7, payload]], []]]],
    turnEvents: [
      [1, time, 1, null, null, workflowId, 'quick', [payload], runId, id, build],
      [15, time, null, 1, [1], payload],
    ],
    reply: [6, runId, payload],
    replyAfter: 'turn',
  },
  W3: {
    request: [2, workflowId, null, 'add', [payload]],
    admissionEvents: [[2, time, 9, null, null, 'add', [payload]]],
    turn: [0, null, [[2, 9, time, 'add', [payload]]]],
    report: [9, 0, []],
    turnEvents: [],
    reply: [2],
    replyAfter: 'admission',
  },
  W4: {
    request: [4, workflowId, null, 'set', [payload], id, 'COMPLETED'],
    admissionEvents: [],
    turn: [0, null, [[3, 9, time, id, 'set', [payload]]]],
    report: [
      9,
      0,
      [
        [
          9,
          time,
          0,
          [
            [5, id, 9],
            [6, id, payload],
          ],
          [],
        ],
      ],
    ],
    turnEvents: [
      [4, time, 9, 9, [9], id, 'set', [payload]],
      [5, time, null, 9, null, id, 8, payload],
    ],
    reply: [5, runId, payload],
    replyAfter: 'turn',
  },
  W5: {
    request: [3, workflowId, null, 'total', []],
    admissionEvents: [],
    turn: [0, null, [[4, 9, time, 'total', []]]],
    report: [9, 0, [[9, time, 0, [], [[9, payload, null]]]]],
    turnEvents: [],
    reply: [3, payload],
    replyAfter: 'turn',
  },
};
