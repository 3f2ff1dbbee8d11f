/**
 * Step order: what comes first of the messages of one step, and what is left of them when the run moves on.
 * Thread: worker. In → out: messages → the same in the order in which they are processed; closing commands completed.
 */
import type { Command } from '../mailbox/commands.js';
import type { RunOptionsRecord } from '../mailbox/events.js';
import type { Message } from '../mailbox/messages.js';
import type { Handlers } from './handlers.js';

/** Signals and updates in seq order, then the rest, so that `main` sees what they changed. */
export function inStepOrder(messages: readonly Message[]): readonly Message[] {
  if (messages.length < 2) return messages;
  const isMail = (message: Message) => message.kind === 'signal' || message.kind === 'update';
  return [...messages.filter(isMail), ...messages.filter((message) => !isMail(message))];
}

/** What the whole step has left unhandled: a signal may come into the buffer after the close is computed. */
export function moveOn(commands: Command[], handlers: Handlers, options: RunOptionsRecord | undefined): void {
  const last = commands[commands.length - 1];
  const repeats = options?.retry !== undefined || options?.cronSchedule !== undefined;
  const ends = last?.kind === 'completeWorkflow' || last?.kind === 'failWorkflow';
  if (last?.kind !== 'continueAsNew' && !(ends && repeats)) return;
  last.buffered = handlers.unhandledSignals().map(({ kind: _, time: __, ...signal }) => signal);
}
