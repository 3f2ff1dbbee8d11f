/**
 * Step order: what comes first of the messages of one step, and what is left of them when the run moves on.
 * Thread: worker. In → out: messages → the same in the order in which they are processed; closing commands completed.
 */
import type { Command } from '../mailbox/commands.js';
import type { RunOptionsRecord } from '../mailbox/events.js';
import type { Message } from '../mailbox/messages.js';
import type { Handlers } from './handlers.js';

/**
 * Signals and updates in seq order, then the rest, so that `main` sees what they changed.
 * @param startLast as in Temporal's activations, where a cancel request also comes before `main` begins
 */
export function inStepOrder(messages: readonly Message[], startLast: boolean): readonly Message[] {
  if (messages.length < 2) return messages;
  const rankOf = ({ kind }: Message) =>
    kind === 'signal' || kind === 'update' ? 0 : kind === 'start' && startLast ? 2 : 1;
  return [0, 1, 2].flatMap((rank) => messages.filter((message) => rankOf(message) === rank));
}

/** What the whole step has left unhandled: a signal may come into the buffer after the close is computed. */
export function moveOn(commands: Command[], handlers: Handlers, options: RunOptionsRecord | undefined): void {
  const last = commands[commands.length - 1];
  const repeats = options?.retry !== undefined || options?.cronSchedule !== undefined;
  const ends = last?.kind === 'completeWorkflow' || last?.kind === 'failWorkflow';
  if (last?.kind !== 'continueAsNew' && !(ends && repeats)) return;
  last.buffered = handlers.unhandledSignals().map(({ kind: _, time: __, ...signal }) => signal);
}
