/**
 * The connection of one client to the supervisor: pairs replies with requests, and sends what is queued during one turn of the event
 * loop as one message. Thread: any client thread.
 * In → out: request → promise of its reply.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { encodeArgs } from '../../mailbox/checks.js';
import { type CustomPayloadConverter, converting } from '../../mailbox/converter-scope.js';
import type { HeadersRecord, WorkflowEvent } from '../../mailbox/events.js';
import { type Headers, recordOf } from '../../mailbox/headers.js';
import { decodePayload, type Payload } from '../../mailbox/payload.js';
import { type PayloadCodec, recode } from '../../mailbox/payload-codec.js';
import { InvalidOptionError } from '../errors.js';
import type { AttachControl, ClientWelcome } from '../host/protocol.js';
import type { ClientControl, PendingActivityRecord } from './control.js';
import { ControlPort } from './control-port.js';
import { expectReply } from './error-record.js';
import { type PendingActivityInfo, toPendingActivity } from './execution-info.js';
import { ClientCalls } from './interceptors.js';
import {
  type AwaitedBy,
  decodeReplies,
  type ErrorRecord,
  encodeRequests,
  LAST_WORD,
  PROBE,
  type Reply,
  type Request,
  type StartBrings,
} from './protocol.js';
import { WorkUnderWay } from './work-under-way.js';

/** A request before it has its id. A field that is undefined is absent. */
export type RequestDraft = Request extends infer R
  ? R extends Request
    ? { [K in keyof Omit<R, 'id'>]: object extends Pick<R, K & keyof R> ? R[K & keyof R] | undefined : R[K & keyof R] }
    : never
  : never;

/** What stands between values and stored bytes. */
export interface DataConverters {
  readonly payloadConverter?: CustomPayloadConverter | undefined;
  readonly payloadCodec?: PayloadCodec | undefined;
}

export interface ConnectionSetting extends DataConverters {
  readonly calls?: ClientCalls | undefined;
  /** Of the client's thread, if it does more than this connection knows. */
  readonly work?: WorkUnderWay | undefined;
  /** The activity attempt that asks, by its token, where the supervisor wants to know. */
  readonly attempt?: (() => number | undefined) | undefined;
}

export type StartDraft = Extract<RequestDraft, { kind: 'start' }>;
type UpdateDraft = Omit<Extract<StartBrings, { kind: 'update' }>, 'kind' | 'replyTo'>;

export class Connection {
  /** Limit of one encoded value, as the runtime is configured. */
  readonly payloadBytes: number;
  readonly control: ControlPort<ClientControl>;
  /** What users put around the calls that this connection carries. */
  readonly calls: ClientCalls;
  readonly #codec: PayloadCodec | undefined;
  readonly #converter: CustomPayloadConverter | undefined;
  /** With a codec: settles once everything sent before is on its way. */
  #encoding: Promise<unknown> = Promise.resolve();
  /** What this client is about, requests in their way apart: a probe is answered when it is over. */
  readonly #work: WorkUnderWay;
  readonly #attempt: (() => number | undefined) | undefined;
  readonly #port: MessagePort;
  readonly #pending = new Map<number, (reply: Reply) => void>();
  #queue: Request[] = [];
  #lastId = 0;
  #holds = 0;
  /** To be answered once nothing is held. */
  #probed = false;
  #ended: ErrorRecord | undefined;

  /**
   * @param port made by `openClientPort`, with the welcome still in it; undefined is returned if there is none
   * @param data whatever of it the runtime has
   * @param closed called when the port closes without a last word, instead of ending the connection
   */
  static open(port: MessagePort, data: ConnectionSetting, closed?: () => void): Connection | undefined {
    const welcome = receiveMessageOnPort(port)?.message as Partial<ClientWelcome> | undefined;
    if (typeof welcome?.payloadBytes !== 'number') return undefined;
    for (const option of welcome.needs ?? []) {
      if (data[option] !== undefined) continue;
      throw new InvalidOptionError({ option, reason: `the runtime has a ${option}: give the same one here` });
    }
    return new Connection(port, welcome.payloadBytes, data, closed);
  }

  private constructor(
    port: MessagePort,
    payloadBytes: number,
    {
      payloadCodec,
      payloadConverter,
      calls = new ClientCalls(undefined, ''),
      work = new WorkUnderWay(),
      attempt,
    }: ConnectionSetting,
    closed = () => this.end(DIED),
  ) {
    this.#port = port;
    this.payloadBytes = payloadBytes;
    this.#codec = payloadCodec;
    this.#converter = payloadConverter;
    this.calls = calls;
    this.#work = work;
    this.#attempt = attempt;
    const { port1, port2 } = new MessageChannel();
    this.control = new ControlPort(port1, work);
    port.postMessage({ control: port2 } satisfies AttachControl, [port2]);
    port.on('message', (message: Uint8Array | typeof PROBE) => {
      if (message === PROBE) void this.#answerProbe();
      else this.#receive(message);
    });
    port.on('close', closed);
    // An open client keeps no process alive; a request under way does.
    port.unref();
  }

  /**
   * Resolves with the reply, also if it is an error: the caller makes the instance, so that the stack leads to its own caller.
   * @throws PayloadCodecError
   */
  send(draft: RequestDraft): Promise<Reply> {
    return this.#codec === undefined ? this.#send(draft) : this.#sendCoded(draft, this.#codec);
  }

  /** As `send`, for a start that brings an update: each has a reply of its own, and an error to the start is both. */
  sendWithUpdate(start: StartDraft, update: UpdateDraft): { started: Promise<Reply>; updated: Promise<Reply> } {
    const replyTo = ++this.#lastId;
    const own = this.#await(replyTo);
    const started = this.send({ ...start, brings: { kind: 'update', ...update, replyTo } });
    return { started, updated: this.#updated(started, replyTo, own) };
  }

  async #updated(started: Promise<Reply>, replyTo: number, own: Promise<Reply>): Promise<Reply> {
    try {
      const reply = await started;
      if (reply.kind === 'error') {
        this.#forget(replyTo);
        return reply;
      }
    } catch (error) {
      this.#forget(replyTo);
      throw error;
    }
    const reply = await own;
    return this.#codec === undefined ? reply : this.#decoded(reply, this.#codec);
  }

  /** In the order of the calls, however long each takes to encode. */
  async #sendCoded(draft: RequestDraft, codec: PayloadCodec): Promise<Reply> {
    const encoded = recode(draft, codec, 'encode');
    const turn = this.#encoding.then(() => encoded);
    this.#encoding = turn.catch(() => undefined);
    const reply = await this.#send(await turn);
    // The events of a history decode as events first: see `events`.
    return reply.kind === 'history' ? reply : this.#decoded(reply, codec);
  }

  #decoded<T>(coded: T, codec: PayloadCodec): Promise<T> {
    return this.#work.during(recode(coded, codec, 'decode'));
  }

  /** As `send`, of what the supervisor answers as soon as it has read it. */
  fetch(draft: Extract<RequestDraft, { kind: 'fetchHistory' }>): Promise<Reply> {
    return this.#work.during(this.send(draft));
  }

  /** Encodes and decodes in `act` as the runtime does. */
  converting<T>(act: () => T): T {
    return converting(this.#converter, act);
  }

  /** @throws InvalidArgumentError, PayloadConverterError, PayloadTooLargeError */
  encodeArgs(args: readonly unknown[] | undefined): Payload[] {
    return this.converting(() => encodeArgs(args, this.payloadBytes));
  }

  /** Headers as they are sent. @throws InvalidArgumentError, PayloadTooLargeError */
  headers(headers: Headers): HeadersRecord | undefined {
    return recordOf(headers, this.payloadBytes);
  }

  /** The value that the reply brings. @throws the error that it carries instead; PayloadConverterError */
  read(reply: Reply, kind: 'queryResult' | 'updateCompleted' | 'closed'): unknown {
    return this.converting(() => decodePayload(expectReply(reply, kind).result));
  }

  /** The memo that a record brings, decoded. @throws PayloadCodecError, PayloadConverterError */
  async readMemo(memo: Payload | undefined): Promise<Record<string, unknown> | undefined> {
    if (memo === undefined) return undefined;
    const decoded = this.#codec === undefined ? memo : await this.#decoded(memo, this.#codec);
    return this.converting(() => decodePayload(decoded)) as Record<string, unknown>; // Checked when it was given.
  }

  /** Pending activities with what they said of themselves. @throws PayloadCodecError, PayloadConverterError */
  async readPending(records: readonly PendingActivityRecord[]): Promise<PendingActivityInfo[]> {
    const decoded = this.#codec === undefined ? records : await this.#decoded(records, this.#codec);
    return this.converting(() => decoded.map(toPendingActivity));
  }

  /** The same events, ready to be read. @throws PayloadCodecError */
  events(events: readonly WorkflowEvent[]): Promise<readonly WorkflowEvent[]> {
    return this.#codec === undefined ? Promise.resolve(events) : this.#decoded(events, this.#codec);
  }

  #send(draft: RequestDraft): Promise<Reply> {
    if (this.#ended !== undefined) return Promise.resolve(lastWord(this.#ended));
    const request = draft as Request; // An absent field and an undefined one make the same row.
    request.id = ++this.#lastId;
    if (this.#queue.push(request) === 1) setImmediate(this.#flush);
    return this.#await(request.id);
  }

  #await(id: number): Promise<Reply> {
    if (this.#ended !== undefined) return Promise.resolve(lastWord(this.#ended));
    if (this.#pending.size === 0) this.#port.ref();
    const attempt = this.#attempt?.();
    if (attempt !== undefined) this.#port.postMessage({ awaits: id, attempt } satisfies AwaitedBy);
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
    });
  }

  #forget(id: number): void {
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#port.unref();
  }

  /** Sends nothing before `until` resolves: what is asked on another port has no order with requests on this one. */
  hold(until: Promise<unknown>): void {
    this.#holds++;
    const release = (): void => {
      this.#holds--;
      this.#flush();
      if (this.#probed && this.#holds === 0) {
        this.#probed = false;
        void this.#answerProbe();
      }
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

  /** Replies that came before have had their effect, and what that made the client ask for is sent before the answer. */
  async #answerProbe(): Promise<void> {
    let encoded: Promise<unknown>;
    do {
      encoded = this.#encoding;
      await encoded;
      await this.#work.over();
      await new Promise(setImmediate);
    } while (this.#encoding !== encoded || this.#work.any);
    if (this.#ended !== undefined) return;
    if (this.#holds > 0) {
      this.#probed = true;
      return;
    }
    // What has been asked since may still wait for this turn of the event loop to end.
    this.#flush();
    this.#port.postMessage(PROBE);
  }

  #receive(bytes: Uint8Array): void {
    beforeReplies.get(this.#port)?.();
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

/** A port that has gone to another thread is another one there: only clients of the thread that opened it are found. */
const beforeReplies = new WeakMap<MessagePort, () => void>();

/**
 * The client's end of a new client port and the supervisor's, with the welcome already on its way.
 * @param before called before each batch of replies that a client in this thread takes from it. May not throw
 */
export function openClientPort(
  welcome: ClientWelcome,
  before?: () => void,
): { client: MessagePort; supervisor: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  port2.postMessage(welcome);
  if (before !== undefined) beforeReplies.set(port1, before);
  return { client: port1, supervisor: port2 };
}

const DIED: ErrorRecord = {
  name: 'RuntimeFailedError',
  fields: { reason: 'the connection to it closed without a last word' },
};

function lastWord(error: ErrorRecord): Reply {
  return { id: LAST_WORD, kind: 'error', error };
}
