/**
 * A client as users have it, connected to a system: over a real port, with everything its classes make of replies.
 * Thread: the test's. In → out: a system → a client of its supervisor.
 */
import type { MessagePort } from 'node:worker_threads';
import { expose } from 'comlink';
import { Client } from '../client/client.js';
import { openClientPort } from '../client/client-port.js';
import { Connection } from '../client/connection.js';
import { ClientCalls, type ClientInterceptors } from '../client/interceptors.js';
import { decodeRequests, encodeReplies } from '../client/protocol.js';
import type { ManualClock } from '../clock.js';
import type { AttachControl } from '../host/protocol.js';
import type { ReplySink } from '../supervisor/replies.js';
import type { System } from './system.test-kit.js';

export interface Connected {
  readonly client: Client;
  /** Until nothing moves any more, messages between the two ports included. */
  settle(): Promise<void>;
  close(): void;
}

/**
 * A client of the supervisor that the system has now; a crash or restart ends what it asks.
 * @param clock by which its calls are given up. Default: the machine's
 */
export function connect(system: System, interceptors: ClientInterceptors = {}, clock?: ManualClock): Connected {
  const { client: own, supervisor: port } = openClientPort({ payloadBytes: system.limits.payloadBytes, needs: [] });
  const { supervisor } = system;
  const replies: ReplySink = { send: (reply) => port.postMessage(encodeReplies([reply])) };
  port.on('close', () => supervisor.portClosed(replies));
  port.on('message', (message: Uint8Array | AttachControl) => {
    if (!(message instanceof Uint8Array)) {
      expose(supervisor.controlPlane, message.control);
      return;
    }
    for (const request of decodeRequests(message)) supervisor.request(request, replies);
  });
  const calls = new ClientCalls(interceptors, 'interceptors');
  const client = Client.over(Connection.open(own, { calls, clock })!); // The welcome is in it.
  return {
    client,
    async settle() {
      // Ports have no order with the test's event loop: two round trips through one are behind whatever was sent before.
      for (let i = 0; i < 2; i++) {
        await roundTrip(client);
        await system.settle();
      }
    },
    close() {
      client.close();
      closeOnceIdle(port);
    },
  };
}

async function roundTrip(client: Client): Promise<void> {
  await client.workflow
    .getHandle('nobody')
    .query('nothing')
    .catch(() => undefined);
}

function closeOnceIdle(port: MessagePort): void {
  setImmediate(() => port.close());
}
