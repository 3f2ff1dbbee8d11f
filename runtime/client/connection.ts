/**
 * The connection of one client to the supervisor: pairs replies with requests, and sends what is queued during one turn of the event
 * loop as one message. Thread: any client thread.
 * In → out: request → promise of its reply.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Remote } from 'comlink';
import { encodeArgs } from '../../mailbox/checks.js';
import { type CustomPayloadConverter, converting } from '../../mailbox/converter-scope.js';
import type { HeadersRecord, WorkflowEvent } from '../../mailbox/events.js';
import { type Headers, recordOf } from '../../mailbox/headers.js';
import { decodePayload, type Payload } from '../../mailbox/payload.js';
import { type PayloadCodec, recode } from '../../mailbox/payload-codec.js';
import { monotonicClock } from '../clock.js';
import { InvalidOptionError } from '../errors.js';
import type { AttachControl, ClientWelcome } from '../host/protocol.js';
import { type CallLimit, CallLimits } from './call-options.js';
import { beforeRepliesOf } from './client-port.js';
import type { ConnectionSetting } from './connection-setting.js';
import type { ClientControl, Outcome, PendingActivityRecord } from './control.js';
import { ControlPort } from './control-port.js';
import { expectReply } from './error-record.js';
import { type PendingActivityInfo, toPendingActivity } from './execution-info.js';
import { ClientCalls } from './interceptors.js';
import { GivenUp, LimitedCalls } from './limited-calls.js';
import {
  type AwaitedBy,
  decodeReplies,
  type ErrorRecord,
  encodeRequests,
  LAST_WORD,
  PROBE,
  type Reply,
  type Request,
} from './protocol.js';
import type { RequestDraft, StartDraft, UpdateDraft } from './request-draft.js';
import { unansweredCall } from './unanswered-call.js';
import { WorkUnderWay } from './work-under-way.js';

type Control = Remote<ClientControl>;

/** A request on its way that may be withdrawn. */
interface Sending {
  /** 0 while it is encoded. */
  id: number;
  withdrawn: boolean;
}

export class Connection {
  /** Limit of one encoded value, as the runtime is configured. */
  readonly payloadBytes: number;
  readonly control: ControlPort<ClientControl>;
  /** What users put around the calls that this connection carries. */
  readonly calls: ClientCalls;
  /** How long callers wait. */
  readonly limits: CallLimits;
  readonly #limited: LimitedCalls;
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
  /** Of the queue: not to be sent. */
  #withdrawn = new Set<number>();
  /** Requests through this id have left, as far as they do. */
  #sentThrough = 0;
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
      clock = monotonicClock,
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
    this.limits = new CallLimits(clock);
    this.#limited = new LimitedCalls(clock);
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
   * @throws PayloadCodecError; DeadlineExceededError, CallAbortedError once the limit is reached
   */
  send(draft: RequestDraft, limit?: CallLimit): Promise<Reply> {
    return limit === undefined ? this.#sendNow(draft) : this.#sendWithin(draft, limit);
  }

  #sendNow(draft: RequestDraft, sending?: Sending): Promise<Reply> {
    return this.#codec === undefined ? this.#send(draft, sending) : this.#sendCoded(draft, this.#codec, sending);
  }

  async #sendWithin(draft: RequestDraft, limit: CallLimit): Promise<Reply> {
    const sending: Sending = { id: 0, withdrawn: false };
    const reply = await this.#limited.run(limit, () => this.#sendNow(draft, sending));
    if (!(reply instanceof GivenUp)) return reply;
    throw reply.error(unansweredCall(draft, this.#withdraw(draft, sending)));
  }

  /** Returns whether it had left. */
  #withdraw({ workflowId, ...rest }: RequestDraft, sending: Sending): boolean {
    const { id } = sending;
    sending.withdrawn = true;
    if (id === 0) return false;
    const left = id <= this.#sentThrough;
    // Otherwise it is answered, and what is left to do is its decoding.
    if (this.#forget(id)) {
      if (!left) this.#withdrawn.add(id);
      // With virtual time it was told before that somebody awaits it.
      if (left || this.#attempt !== undefined) {
        const runId = 'runId' in rest ? rest.runId : undefined;
        this.#enqueue({ kind: 'withdraw', id, workflowId, runId } as Request);
      }
    }
    return left;
  }

  /** @internal What is kept of calls under way. */
  get kept(): {
    readonly replies: number;
    readonly queued: number;
    readonly deadlines: number;
    readonly signals: number;
  } {
    return { replies: this.#pending.size, queued: this.#queue.length, ...this.#limited.kept };
  }

  /** As `control.demand`, within the limit. */
  demand<R>(call: string, ask: (remote: Control) => Promise<Outcome<R>>, limit: CallLimit | undefined): Promise<R> {
    return this.#read(call, () => this.control.demand(ask), limit);
  }

  /** As `control.call`, within the limit. */
  call<R>(call: string, ask: (remote: Control) => Promise<R>, limit: CallLimit | undefined): Promise<R> {
    return this.#read(call, () => this.control.call(ask), limit);
  }

  async #read<R>(call: string, ask: () => Promise<R>, limit: CallLimit | undefined): Promise<R> {
    const answer = limit === undefined ? await ask() : await this.#limited.run(limit, ask);
    if (!(answer instanceof GivenUp)) return answer;
    throw answer.error({ call, mayHaveBeenApplied: false });
  }

  /** As `send`, for a start that brings an update: each has a reply of its own, and an error to the start is both. */
  sendWithUpdate(
    start: StartDraft,
    update: UpdateDraft,
    limit?: CallLimit,
  ): { started: Promise<Reply>; updated: Promise<Reply> } {
    const replyTo = ++this.#lastId;
    const own = this.#await(replyTo);
    const draft: StartDraft = { ...start, brings: { kind: 'update', ...update, replyTo } };
    const started = this.send(draft, limit);
    return { started, updated: this.#updated(draft, started, { id: replyTo, withdrawn: false }, own, limit) };
  }

  async #updated(
    draft: StartDraft,
    started: Promise<Reply>,
    awaited: Sending,
    own: Promise<Reply>,
    limit: CallLimit | undefined,
  ): Promise<Reply> {
    try {
      const start = await started;
      if (start.kind === 'error') {
        this.#forget(awaited.id);
        return start;
      }
      const reply = limit === undefined ? await own : await this.#limited.run(limit, () => own);
      if (reply instanceof GivenUp) throw reply.error(unansweredCall(draft, true));
      return this.#codec === undefined ? reply : await this.#decoded(reply, this.#codec);
    } catch (error) {
      this.#withdraw(draft, awaited);
      throw error;
    }
  }

  /** In the order of the calls, however long each takes to encode. */
  async #sendCoded(draft: RequestDraft, codec: PayloadCodec, sending: Sending | undefined): Promise<Reply> {
    const encoded = recode(draft, codec, 'encode');
    const turn = this.#encoding.then(() => encoded);
    this.#encoding = turn.catch(() => undefined);
    const coded = await turn;
    if (sending?.withdrawn === true) return NOT_SENT;
    const reply = await this.#send(coded, sending);
    // The events of a history decode as events first: see `events`.
    return reply.kind === 'history' ? reply : this.#decoded(reply, codec);
  }

  #decoded<T>(coded: T, codec: PayloadCodec): Promise<T> {
    return this.#work.during(recode(coded, codec, 'decode'));
  }

  /** As `send`, of what the supervisor answers as soon as it has read it. */
  fetch(draft: Extract<RequestDraft, { kind: 'fetchHistory' }>, limit?: CallLimit): Promise<Reply> {
    return this.#work.during(this.send(draft, limit));
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

  #send(draft: RequestDraft, sending?: Sending): Promise<Reply> {
    if (this.#ended !== undefined) return Promise.resolve(lastWord(this.#ended));
    const request = draft as Request; // An absent field and an undefined one make the same row.
    request.id = ++this.#lastId;
    if (sending !== undefined) sending.id = request.id;
    this.#enqueue(request);
    return this.#await(request.id);
  }

  #enqueue(request: Request): void {
    if (this.#queue.push(request) === 1) setImmediate(this.#flush);
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

  /** Returns whether it was awaited. */
  #forget(id: number): boolean {
    const awaited = this.#pending.delete(id);
    if (this.#pending.size === 0) this.#port.unref();
    return awaited;
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
    this.#sentThrough = this.#lastId;
    const bytes = encodeRequests(this.#withdrawn.size === 0 ? requests : this.#stillWanted(requests));
    this.#port.postMessage(bytes, [bytes.buffer as ArrayBuffer]);
  };

  #stillWanted(requests: readonly Request[]): Request[] {
    const withdrawn = this.#withdrawn;
    this.#withdrawn = new Set();
    return requests.filter(({ kind, id }) => kind === 'withdraw' || !withdrawn.has(id));
  }

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
    beforeRepliesOf(this.#port)?.();
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

const DIED: ErrorRecord = {
  name: 'RuntimeFailedError',
  fields: { reason: 'the connection to it closed without a last word' },
};

/** Of a request that was withdrawn before: nobody hears it. */
const NOT_SENT: Reply = { id: LAST_WORD, kind: 'done' };

function lastWord(error: ErrorRecord): Reply {
  return { id: LAST_WORD, kind: 'error', error };
}
