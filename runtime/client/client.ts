/**
 * The client: the way in for code that starts workflows and talks to them.
 * Thread: any; the runtime's own in the embedding thread, others wherever their port was sent. In → out: port → client.
 */
import { MessagePort } from 'node:worker_threads';
import { refuseUnknownOptions } from '../../mailbox/checks.js';
import { type CustomPayloadConverter, isConverter } from '../../mailbox/converter-scope.js';
import { isCodec, type PayloadCodec } from '../../mailbox/payload-codec.js';
import { InvalidArgumentError, InvalidOptionError } from '../errors.js';
import { AsyncCompletionClient } from './activity-client.js';
import { BaseClient } from './base-client.js';
import { Connection } from './connection.js';
import { ClientCalls, type ClientInterceptors } from './interceptors.js';
import { ScheduleClient } from './schedules/schedule-client.js';
import { WorkflowClient } from './workflow-client.js';

export interface ClientOptions {
  /** The runtime's payload converter, if it has one: required then. */
  payloadConverter?: CustomPayloadConverter;
  /** The runtime's payload codec, if it has one: required then. */
  payloadCodec?: PayloadCodec;
  /** What is put around the calls of this client. */
  interceptors?: ClientInterceptors;
}

const CLIENT_OPTIONS: ReadonlySet<string> = new Set(['payloadConverter', 'payloadCodec', 'interceptors']);

export class Client extends BaseClient {
  /** Starts workflows, finds them, makes their handles. */
  readonly workflow: WorkflowClient;
  /** Creates schedules, finds them, makes their handles. */
  readonly schedule: ScheduleClient;
  /** Completes activities from outside. */
  readonly activity: AsyncCompletionClient;
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    super(connection.limits);
    this.#connection = connection;
    this.workflow = new WorkflowClient(connection);
    this.schedule = new ScheduleClient(connection);
    this.activity = new AsyncCompletionClient(connection);
  }

  /** @internal */
  static over(connection: Connection): Client {
    return new Client(connection);
  }

  /** @internal What is kept of calls under way. */
  get kept(): Connection['kept'] {
    return this.#connection.kept;
  }

  /**
   * A client in this thread of a runtime in another. An idle one keeps no thread alive.
   * @param port from `runtime.createClientPort()`, sent here in a transfer list; each serves one client
   * @throws InvalidOptionError if the runtime has a payload converter or codec that this client is not given
   * @throws InvalidArgumentError if the port is of another origin, or taken
   * @example
   * // embedding thread
   * const port = runtime.createClientPort();
   * new Worker(file, { workerData: { port }, transferList: [port] });
   * // that worker
   * const client = Client.connect(workerData.port);
   */
  static connect(port: MessagePort, options: ClientOptions = {}): Client {
    refuseUnknownOptions(options, CLIENT_OPTIONS);
    const { payloadConverter, payloadCodec } = options;
    if (payloadConverter !== undefined && !isConverter(payloadConverter)) {
      const reason = 'it must have the methods toPayload and fromPayload';
      throw new InvalidOptionError({ option: 'payloadConverter', reason });
    }
    if (payloadCodec !== undefined && !isCodec(payloadCodec)) {
      throw new InvalidOptionError({ option: 'payloadCodec', reason: 'it must have the methods encode and decode' });
    }
    const calls = new ClientCalls(options.interceptors, 'interceptors');
    const data = { payloadConverter, payloadCodec, calls };
    const connection = port instanceof MessagePort ? Connection.open(port, data) : undefined;
    if (connection !== undefined) return new Client(connection);
    const reason = 'it must be a port made by runtime.createClientPort(), for one client each';
    throw new InvalidArgumentError({ argument: 'port', reason });
  }

  /**
   * Lets go of the runtime, which goes on. What is queued is still sent; what is not yet answered rejects with ClientClosedError, as
   * does every later call.
   */
  close(): void {
    this.#connection.end({ name: 'ClientClosedError', fields: {} });
  }
}
