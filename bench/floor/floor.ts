/**
 * The floor: the same thread hops and the same durable writes as the runtime's, with no semantics on them.
 * Thread: embedding. In → out: `call()` → resolves when the reply to one operation has arrived.
 */
import { once } from 'node:events';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type FloorRow, type FloorThreadData, packRows, STOP, unpackRows } from './protocol.js';
import { type FloorWorkload, SHAPES, type Shape } from './shapes.js';

/**
 * Ratios are to this floor, and are only worth as much as it stays what it is: a test holds its sources. What would change it is a floor
 * beside it, with a name of its own.
 */
export const FLOOR = 'floor-1';

export interface FloorOptions {
  readonly workload: FloorWorkload;
  /** Path of a file that is not there yet. */
  readonly path: string;
  readonly workers: number;
}

export class Floor {
  readonly #port: MessagePort;
  readonly #thread: Worker;
  readonly #shape: Shape;
  readonly #pending = new Map<number, (value: unknown) => void>();
  #queue: FloorRow[] = [];
  #lastOperation = 0;

  static async start({ workload, path, workers }: FloorOptions): Promise<Floor> {
    const { port1, port2 } = new MessageChannel();
    const data: FloorThreadData = { workload, path, workers, port: port2 };
    const thread = new Worker(new URL('./thread.js', import.meta.url), { workerData: data, transferList: [port2] });
    const ready = once(port1, 'message');
    await Promise.race([ready, once(thread, 'error').then(([error]) => Promise.reject(error))]);
    return new Floor(port1, thread, SHAPES[workload]);
  }

  private constructor(port: MessagePort, thread: Worker, shape: Shape) {
    this.#port = port;
    this.#thread = thread;
    this.#shape = shape;
    port.on('message', (bytes: Uint8Array) => {
      for (const [operation, ...reply] of unpackRows(bytes)) {
        const resolve = this.#pending.get(operation)!;
        this.#pending.delete(operation);
        resolve(shape.value(reply));
      }
    });
  }

  call(): Promise<unknown> {
    const operation = ++this.#lastOperation;
    if (this.#queue.push([operation, ...this.#shape.request(operation)]) === 1) setImmediate(this.#send);
    return new Promise((resolve) => {
      this.#pending.set(operation, resolve);
    });
  }

  readonly #send = (): void => {
    const bytes = packRows(this.#queue);
    this.#queue = [];
    this.#port.postMessage(bytes, [bytes.buffer as ArrayBuffer]);
  };

  async stop(): Promise<void> {
    const closed = once(this.#port, 'close');
    this.#port.postMessage(STOP);
    await closed;
    await this.#thread.terminate();
  }
}
