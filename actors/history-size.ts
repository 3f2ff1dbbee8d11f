/**
 * The size of a history as its workflow may know it: counted from what steps processed and made, so the same live and in replay.
 * Thread: worker. In → out: messages and commands of a step → bytes of their payloads.
 */
import type { Command } from '../mailbox/commands.js';
import type { Message } from '../mailbox/messages.js';
import type { Payload } from '../mailbox/payload.js';

/** Messages and commands past which a run is told to continue as new, unless the limits of its runtime are narrower. */
export const SUGGEST_AT = 10_240;
/** The same in bytes of their payloads. */
export const SUGGEST_AT_BYTES = 10 * 1024 * 1024;

/** Of an update only what it is accepted with is counted: a rejected one leaves nothing. */
export function bytesOfStep(messages: readonly Message[], commands: readonly Command[]): number {
  let bytes = 0;
  for (const message of messages) {
    if ('result' in message) bytes += message.result?.byteLength ?? 0;
    else if (message.kind === 'start' || message.kind === 'signal') bytes += sum(message.input);
  }
  for (const command of commands) {
    if (command.kind === 'acceptUpdate') bytes += sum(inputOf(messages, command.seq));
    else if ('input' in command) bytes += sum(command.input);
    else if ('result' in command) bytes += command.result?.byteLength ?? 0;
  }
  return bytes;
}

function inputOf(messages: readonly Message[], seq: number): Payload[] {
  const message = messages.find((candidate) => candidate.seq === seq);
  return message?.kind === 'update' ? message.input : [];
}

function sum(payloads: readonly Payload[]): number {
  let bytes = 0;
  for (const { byteLength } of payloads) bytes += byteLength;
  return bytes;
}
