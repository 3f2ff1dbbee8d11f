/**
 * The connection of one client to the supervisor: pairs replies with requests, and sends what is queued during one turn of the event
 * loop as one message. Thread: any client thread.
 * In → out: request → promise of its reply.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { AttachControl, ClientWelcome } from '../host/protocol.js';
import type { ClientControl } from './control.js';
import { ControlPort } from './control-port.js';
import { decodeReplies, type ErrorRecord, encodeRequests, LAST_WORD, type Reply, type Request } from './protocol.js';

/** A request before it has its id. A field that is undefined is absent. */
export type RequestDraft = Request extends infer R
  ? R extends Request
    ? { [K in keyof Omit<R, 'id'>]: object extends Pick<R, K & keyof R> ? R[K & keyof R] | undefined : R[K & keyof R] }
    : never
  : never;

export class Connection {
  /** Limit of one encoded value, as the runtime is configured. */
  readonly payloadBytes: number;
  readonly control: ControlPort<ClientControl>;
  readonly #port: MessagePort;
  readonly #pending = new Map<number, (reply: Reply) => void>();
  #queue: Request[] = [];
  #lastId = 0;
  #holds = 0;
  #ended: ErrorRecord | undefined;

  /**
   * @param port made by `openClientPort`, with the welcome still in it; undefined is returned if there is none
   * @param closed called when the port closes without a last word, instead of ending the connection
   */
  static open(port: MessagePort, closed?: () => void): Connection | undefined {
    const welcome = receiveMessageOnPort(port)?.message as Partial<ClientWelcome> | undefined;
    const payloadBytes = welcome?.payloadBytes;
    return typeof payloadBytes === 'number' ? new Connection(port, { payloadBytes }, closed) : undefined;
  }

  private constructor(port: MessagePort, welcome: ClientWelcome, closed = () => this.end(DIED)) {
    this.#port = port;
    this.payloadBytes = welcome.payloadBytes;
    const { port1, port2 } = new MessageChannel();
    this.control = new ControlPort(port1);
    port.postMessage({ control: port2 } satisfies AttachControl, [port2]);
    port.on('message', (bytes: Uint8Array) => this.#receive(bytes));
    port.on('close', closed);
    // An open client keeps no process alive; a request under way does.
    port.unref();
  }

  /** Resolves with the reply, also if it is an error: the caller makes the instance, so that the stack leads to its own caller. */
  send(draft: RequestDraft): Promise<Reply> {
    if (this.#ended !== undefined) return Promise.resolve(lastWord(this.#ended));
    const request = draft as Request; // An absent field and an undefined one make the same row.
    request.id = ++this.#lastId;
    if (this.#queue.push(request) === 1) setImmediate(this.#flush);
    if (this.#pending.size === 0) this.#port.ref();
    return new Promise((resolve) => {
      this.#pending.set(request.id, resolve);
    });
  }

  /** Sends nothing before `until` resolves: what is asked on another port has no order with requests on this one. */
  hold(until: Promise<unknown>): void {
    this.#holds++;
    const release = (): void => {
      this.#holds--;
      this.#flush();
    };
    until.then(release, release);
  }

  /** Ends every open request, and every later one, with `error`. The first end counts. */
  end(error: ErrorRecord): void {
    if (this.#ended !== undefined) return;
    this.#holds = 0;
    this.#flush();
    this.#ended = error;
    const open = [...this.#pending.values()];
    this.#pending.clear();
    for (const resolve of open) resolve(lastWord(error));
    this.control.end(error);
    this.#port.close();
  }

  readonly #flush = (): void => {
    const requests = this.#queue;
    if (requests.length === 0 || this.#holds > 0) return;
    this.#queue = [];
    const bytes = encodeRequests(requests);
    this.#port.postMessage(bytes, [bytes.buffer as ArrayBuffer]);
  };

  #receive(bytes: Uint8Array): void {
    for (const reply of decodeReplies(bytes)) {
      const resolve = this.#pending.get(reply.id);
      if (resolve !== undefined) {
        this.#pending.delete(reply.id);
        resolve(reply);
      } else if (reply.id === LAST_WORD && reply.kind === 'error') this.end(reply.error);
    }
    if (this.#pending.size === 0) this.#port.unref();
  }
}

/** The client's end of a new client port and the supervisor's, with the welcome already on its way. */
export function openClientPort(welcome: ClientWelcome): { client: MessagePort; supervisor: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  port2.postMessage(welcome);
  return { client: port1, supervisor: port2 };
}

const DIED: ErrorRecord = {
  name: 'RuntimeFailedError',
  fields: { reason: 'the connection to it closed without a last word' },
};

function lastWord(error: ErrorRecord): Reply {
  return { id: LAST_WORD, kind: 'error', error };
}
