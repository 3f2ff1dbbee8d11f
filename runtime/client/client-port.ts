/**
 * Client ports: a pair for each client.
 * Thread: embedding, or pool. In → out: welcome → the client's end and the supervisor's.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { ClientWelcome } from '../host/protocol.js';

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

/** What is to be called before each batch of replies, if anything. */
export function beforeRepliesOf(port: MessagePort): (() => void) | undefined {
  return beforeReplies.get(port);
}
