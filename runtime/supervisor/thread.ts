/**
 * The supervisor thread: puts the plain classes on real ports, the real clock and the store.
 * Thread: supervisor (its entry). In → out: ports ⇄ supervisor.
 */
import { type MessagePort, workerData } from 'node:worker_threads';
import * as Comlink from 'comlink';
import { toFailureRecord } from '../../mailbox/failures.js';
import { randomUuid } from '../../mailbox/uuid.js';
import type { ClientControl, Lifecycle, Outcome, RuntimeControl } from '../client/control.js';
import { toErrorRecord } from '../client/error-record.js';
import {
  type AwaitedBy,
  decodeRequests,
  type ErrorRecord,
  encodeReplies,
  LAST_WORD,
  PROBE,
} from '../client/protocol.js';
import { systemClock } from '../clock.js';
import { RuntimeClosedError, RuntimeFailedError } from '../errors.js';
import { type AttachControl, decodeFromHost, encodeToHost, type FromHostBatch, type ToHost } from '../host/protocol.js';
import { createStore, type Store } from '../store/index.js';
import type { SupervisorThreadData } from './config.js';
import { errorRecord, PortReplies } from './replies.js';
import { Supervisor } from './supervisor.js';
import { VirtualTime } from './time/virtual-time.js';
import { WorkerPool } from './turns/worker-pool.js';
import { WorkflowTypes } from './workflow-types.js';

const { config, controlPort, hostPort, virtualTime } = workerData as SupervisorThreadData;
const later = (callback: () => void): void => {
  setImmediate(callback);
};

let toHost: ToHost[] = [];
function sendToHost(message: ToHost): void {
  if (toHost.push(message) === 1) later(flushToHost);
}

function flushToHost(): void {
  if (toHost.length === 0) return;
  const batch = mayTell() ? toHost : toHost.filter(isLastWord);
  toHost = [];
  if (batch.length === 0) return;
  const message = encodeToHost(batch);
  hostPort.postMessage(message, message.packed === undefined ? [] : [message.packed.buffer as ArrayBuffer]);
}

/** Of the runtime that stops. */
const isLastWord = (message: ToHost): boolean => message.kind === 'lifecycle' && message.event.name === 'failed';

let openStore: Store | undefined;

/**
 * Not if another process may have the store by now. What is appended is confirmed by its flush; this is for all else that leaves this
 * thread, such as answers of queries and attempts of activities, in a process that has been stopped for a while and goes on.
 */
function mayTell(): boolean {
  return openStore?.maySpeak() ?? true;
}

/** An answer, or none: the runtime's end is told to whoever waits for it. */
async function ifMayTell<T>(answer: Promise<T>): Promise<T> {
  const value = await answer;
  return mayTell() ? value : new Promise<T>(() => undefined);
}

const time = virtualTime === undefined ? undefined : new VirtualTime(virtualTime, sendToHost, later);

let subscribed: ReadonlySet<Lifecycle['name']> = new Set();
const emit = (event: Lifecycle): void => sendToHost({ kind: 'lifecycle', event });

/** Nothing more is acknowledged; the embedding thread ends this one. */
function fail(error: unknown): void {
  const cause = toFailureRecord(error);
  const record = errorRecord(new RuntimeFailedError({ reason: cause.message }), cause);
  sayLastWord(record);
  emit({ name: 'failed', error: record });
}

const clientPorts = new Set<MessagePort>();

/** Clients in other threads must not wait for replies that never come. */
function sayLastWord(error: ErrorRecord): void {
  for (const port of clientPorts) {
    port.postMessage(encodeReplies([{ id: LAST_WORD, kind: 'error', error }]));
    port.close();
  }
  clientPorts.clear();
}

let supervisor: Supervisor | undefined;
let pool: WorkerPool | undefined;
/** Client ports attached before the store is open; requests wait for it in their ports. */
let waitingPorts: MessagePort[] = [];

function serve(port: MessagePort, owner: Supervisor): void {
  clientPorts.add(port);
  const post = (bytes: Uint8Array): void => {
    // What a run did before it answered, sink calls and log lines, is on its way before the answer.
    flushToHost();
    if (!mayTell()) return;
    port.postMessage(bytes, [bytes.buffer as ArrayBuffer]);
  };
  const replies = new PortReplies(post, later);
  const attended = time?.attend(port, replies);
  port.on('close', () => {
    clientPorts.delete(port);
    owner.portClosed(attended ?? replies);
  });
  port.on('message', (message: Uint8Array | AttachControl | AwaitedBy | typeof PROBE) => {
    if (message instanceof Uint8Array) {
      for (const request of decodeRequests(message)) {
        attended?.received(request);
        owner.request(request, attended ?? replies);
      }
    } else if (message === PROBE) attended?.answered();
    else if ('awaits' in message) attended?.awaited.by(message);
    else {
      attended?.connected();
      const { describe, list, count, isOpen, openIds } = runtimeControl;
      const control: ClientControl = { describe, list, count, isOpen, openIds };
      Comlink.expose(control, message.control as unknown as Comlink.Endpoint);
    }
  });
}

async function outcome<T>(act: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await act() };
  } catch (error) {
    return { ok: false, error: toErrorRecord(error) };
  }
}

async function open(): Promise<{ openRuns: number; clean: boolean; warnings: readonly string[] }> {
  const store = createStore(config.store, fail);
  const { bundle, workers: slots, limits, payloadCodec, failureExceptionTypes, sinksInReplay } = config;
  const { stepLimitMs, evaluationLimitMs } = config;
  const { payloadBytes } = limits;
  const workerOptions = {
    bundle,
    slots,
    stepLimitMs,
    evaluationLimitMs,
    payloadBytes,
    payloadCodec,
    failureExceptionTypes,
    sinksInReplay,
    onStuck: (worker: number): void => {
      if (subscribed.has('workerStuck')) emit({ name: 'workerStuck', worker });
    },
  };
  pool = new WorkerPool(workerOptions);
  const { types, dynamic } = await pool.types();
  const starting = new Supervisor({
    config,
    build: config.bundle.build,
    store,
    clock: time?.clock ?? systemClock,
    workers: pool,
    workflowTypes: new WorkflowTypes(types, dynamic),
    newRunId: randomUuid,
    emit,
    subscribed: (name) => subscribed.has(name),
    onFailed: fail,
    host: sendToHost,
    later,
    ...(time === undefined ? {} : { moved: time.look }),
  });
  pool.limitSteps((actor) => starting.core.actors.get(actor)?.lifetime?.options.taskTimeout);
  const opened = await starting.open();
  openStore = store;
  supervisor = starting;
  time?.begin(starting);
  for (const port of waitingPorts) serve(port, starting);
  waitingPorts = [];
  return opened;
}

function opened(): Supervisor {
  if (supervisor === undefined) throw new Error('The supervisor is not open');
  return supervisor;
}

const runtimeControl: RuntimeControl = {
  open: () =>
    outcome(async () => {
      try {
        return await open();
      } catch (error) {
        await pool?.stop();
        throw error;
      }
    }),
  close: () =>
    outcome(async () => {
      try {
        await supervisor?.close();
      } finally {
        sayLastWord(errorRecord(new RuntimeClosedError()));
        await pool?.stop();
      }
      return undefined;
    }),
  describe: (workflowId, runId) => ifMayTell(opened().controlPlane.describe(workflowId, runId)),
  list: (query, limit, after) => ifMayTell(opened().controlPlane.list(query, limit, after)),
  count: (query) => ifMayTell(opened().controlPlane.count(query)),
  isOpen: (workflowId) => ifMayTell(opened().controlPlane.isOpen(workflowId)),
  openIds: (workflowType, query) => ifMayTell(opened().controlPlane.openIds(workflowType, query)),
  stats: async () => opened().controlPlane.stats(),
  currentTime: async () => time?.clock.now() ?? Date.now(),
  dump: async () => opened().controlPlane.dump(),
  subscribe: async (names) => {
    subscribed = new Set(names);
  },
};

hostPort.on('message', (batch: FromHostBatch) => {
  for (const message of decodeFromHost(batch)) {
    if (message.kind === 'sleep' || message.kind === 'probed') {
      time?.received(message);
      continue;
    }
    if (message.kind !== 'attach') supervisor?.fromHost(message);
    else if (supervisor === undefined) waitingPorts.push(message.port);
    else serve(message.port, supervisor);
    time?.look();
  }
});
Comlink.expose(runtimeControl, controlPort as unknown as Comlink.Endpoint);
