/**
 * The pool thread: loads the module of activities once, and runs attempts of them.
 * Thread: pool (its entry). In → out: PoolAttempt → outcome, by Piscina; heartbeats and log lines by the attempt's port.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { toFailureRecord } from '../../mailbox/failures.js';
import { loadModule } from '../../mailbox/loaded-module.js';
import type { Payload } from '../../mailbox/payload.js';
import { loadPayloadCodec } from '../../mailbox/payload-codec.js';
import { loadPayloadConverter } from '../../mailbox/payload-converter.js';
import { Cancellation } from '../activity/cancellation.js';
import type { ActivityInterceptorsFactory } from '../activity/interceptors.js';
import { Client } from '../client/client.js';
import { openClientPort } from '../client/client-port.js';
import { Connection } from '../client/connection.js';
import { InvalidOptionError, NotInActivityError } from '../errors.js';
import { type AttemptOutcome, type AttemptSetting, runAttempt } from './attempt.js';
import { type Logger, loggerFrom } from './logger.js';
import type { CancelAttempt, FromPoolThread, PoolAttempt, PoolThreadSetting } from './pool-protocol.js';
import { Pulse } from './pulse.js';

const OPTION = 'activityPool.activities';

type Loaded = Pick<AttemptSetting, 'activities' | 'interceptors' | 'payloadConverter' | 'payloadCodec'>;

let loaded: Promise<Loaded> | undefined;
/** Of this thread, once an attempt has asked for one. */
let client: Client | undefined;
/** The attempt under way, by its token: a thread has one at a time. */
let current: number | undefined;

async function load(setting: PoolThreadSetting): Promise<Loaded> {
  const { module, interceptorModules, payloadConverter, payloadCodec } = setting;
  return {
    activities: await loadModule(OPTION, module),
    interceptors: interceptorModules.length === 0 ? undefined : await Promise.all(interceptorModules.map(loadFactory)),
    payloadConverter: payloadConverter === undefined ? undefined : await loadPayloadConverter(payloadConverter),
    payloadCodec: payloadCodec === undefined ? undefined : await loadPayloadCodec(payloadCodec),
  };
}

async function loadFactory(module: string): Promise<ActivityInterceptorsFactory> {
  const option = 'activityPool.interceptorModules';
  const { interceptors } = (await loadModule(option, module)) as { interceptors?: unknown };
  if (typeof interceptors === 'function') return interceptors as ActivityInterceptorsFactory; // What it makes is looked at when it is called.
  const reason = `${module}: it must export interceptors, a function that returns { inbound, outbound }`;
  throw new InvalidOptionError({ option, reason });
}

/** Which activities the module has; or why it cannot be used. */
export type PoolDescription =
  | { readonly names: readonly string[] }
  | { readonly error: { readonly option: string; readonly reason: string } };

export async function describe(setting: PoolThreadSetting): Promise<PoolDescription> {
  try {
    loaded ??= load(setting);
    const { activities } = await loaded;
    return { names: Object.entries(activities).flatMap(([name, value]) => (isActivity(name, value) ? [name] : [])) };
  } catch (error) {
    if (error instanceof InvalidOptionError) return { error: error.fields };
    throw error;
  }
}

function isActivity(name: string, value: unknown): boolean {
  return typeof value === 'function' && name !== 'default';
}

/** Never rejects over the activity's code: what ends the thread ends this too. */
export async function attempt({ setting, task, port }: PoolAttempt): Promise<AttemptOutcome> {
  current = task.token;
  const cancellation = new Cancellation();
  const cancel = ({ cancelled }: CancelAttempt) => cancellation.cancel(cancelled);
  const poll = () => {
    const waiting = receiveMessageOnPort(port);
    if (waiting !== undefined) cancel(waiting.message as CancelAttempt);
  };
  const pulse = new Pulse((details) => say(port, { kind: 'heartbeat', details }));
  const heartbeat = (details: Payload | undefined) => {
    pulse.beat(details);
    poll();
  };
  port.on('message', cancel);
  try {
    loaded ??= load(setting);
    const { payloadBytes } = setting;
    const data = await loaded;
    const clientOf = () => {
      if (client === undefined && current !== task.token) throw new NotInActivityError({ operation: 'Context.client' });
      client ??= connect(setting, data, port);
      return client;
    };
    const own: AttemptSetting = { ...data, payloadBytes, logger: loggerOver(port), client: clientOf };
    say(port, { kind: 'started' });
    const outcome = await runAttempt(task, { cancellation, heartbeat }, own);
    pulse.end();
    return outcome;
  } catch (error) {
    return { failure: toFailureRecord(error) };
  } finally {
    current = undefined;
  }
}

/** What it asks waits in its port until the supervisor has the other end. */
function connect({ payloadBytes, isTimeVirtual }: PoolThreadSetting, data: Loaded, port: MessagePort): Client {
  const { client: own, supervisor } = openClientPort({ payloadBytes, needs: [] });
  port.postMessage({ kind: 'connects', port: supervisor } satisfies FromPoolThread, [supervisor]);
  const { payloadConverter, payloadCodec } = data;
  const attempt = isTimeVirtual ? () => current : undefined;
  return Client.over(Connection.open(own, { payloadConverter, payloadCodec, attempt })!); // The welcome is in it.
}

function say(port: MessagePort, message: FromPoolThread): void {
  port.postMessage(message);
}

function loggerOver(port: MessagePort): Logger {
  return loggerFrom((level, message, meta) => {
    try {
      say(port, { kind: 'log', level, message, meta });
    } catch (error) {
      // What it was given cannot go to another thread; the line itself can.
      say(port, { kind: 'log', level, message, meta: { notSerializable: toFailureRecord(error).message } });
    }
  });
}
