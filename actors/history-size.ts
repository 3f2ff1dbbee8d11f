/**
 * The size of a history as its workflow may know it: counted from what steps processed and made, so the same live and in replay.
 * Thread: worker. In → out: messages and commands of each step → events, here and in Temporal's form, and bytes of payloads.
 */
import type { Command } from '../mailbox/commands.js';
import type { FailureRecord } from '../mailbox/failures.js';
import type { Message, MessageKind, MessageOf } from '../mailbox/messages.js';
import type { Payload } from '../mailbox/payload.js';
import { leavesEvent } from './replay.js';

/** Messages and commands past which a run is told to continue as new, unless the limits of its runtime are narrower. */
export const SUGGEST_AT = 10_240;
/** The same in bytes of their payloads. */
export const SUGGEST_AT_BYTES = 10 * 1024 * 1024;

/** Events there of the workflow task that each step has: two before what it makes, one after. */
const TASK_BEGINS = 2;
const TASK_ENDS = 1;

/** Events there before the workflow task, of messages that are stored whatever the step makes of them. Null: not stored before. */
const EVENTS_THERE: { readonly [K in MessageKind]: ((message: MessageOf<K>) => number) | null } = {
  start: () => 1,
  signal: () => 1,
  cancel: () => 1,
  // The start of its last attempt is written with its end.
  activityResolved: ({ failure }) => (neverStarted(failure) ? 1 : 2),
  // A marker, which comes after the task.
  localActivityResolved: () => 0,
  childStarted: () => 1,
  childResolved: () => 1,
  externalResolved: () => 1,
  update: null,
  query: null,
  timerFired: null,
};

export class HistorySize {
  /** Messages processed and commands made by the steps that have ended, and timers that fired. */
  events = 0;
  /** Bytes of the payloads of these. */
  bytes = 0;
  /** Of the history in Temporal's form, through the beginning of the newest step's workflow task: what `workflowInfo` tells there. */
  lengthThere = 0;
  /** Bytes of the payloads of the newest step's messages and of all that came before them. */
  bytesThere = 0;

  /** In Temporal's form, through the step that ended last. */
  #writtenThere = 0;
  #lengthBefore = 0;
  /** The step that ended last has made nothing. */
  #endedWithTask = false;
  #inStep = false;
  /** Of the step under way: stored messages, local activities among them, and timers that fired. */
  #stored = 0;
  #markers = 0;
  #fired = 0;

  /** Of a step that leaves something in the history, as far as that is known when it begins. */
  begin(messages: readonly Message[]): void {
    this.#inStep = true;
    this.#stored = 0;
    this.#markers = 0;
    this.#fired = 0;
    this.#lengthBefore = this.lengthThere;
    this.lengthThere = this.#writtenThere + TASK_BEGINS;
    // What keeps the outcome of a local activity out of the task before.
    if (this.#endedWithTask && isOutcomeAlone(messages)) this.lengthThere++;
    this.bytesThere = this.bytes;
    for (const message of messages) {
      const eventsThere = EVENTS_THERE[message.kind] as ((message: Message) => number) | null; // That of its kind.
      if (eventsThere === null) continue;
      this.#stored++;
      this.lengthThere += eventsThere(message);
      this.bytesThere += bytesOfMessage(message);
      if (message.kind === 'localActivityResolved') this.#markers++;
    }
  }

  /** In the step under way: only now is it known that its firing will be stored. */
  timerFired(): void {
    this.events++;
    this.lengthThere++;
    this.#fired++;
  }

  /** @param unasked markers of the history that the code no longer asks for: they count as when they were made */
  end(messages: readonly Message[], commands: readonly Command[], unasked: number): void {
    // The handler of an update came while it waited.
    if (!this.#inStep && commands.length > 0) this.begin(messages);
    if (!this.#inStep) return;
    this.#inStep = false;
    this.events += this.#stored + commands.length + unasked;
    this.bytes += bytesOfStep(messages, commands);
    let made = this.#markers + unasked;
    for (const command of commands) if (leavesEvent(command)) made++;
    if (this.#stored + this.#fired + made > 0) {
      this.#writtenThere = this.lengthThere + TASK_ENDS + made;
      this.#endedWithTask = made === 0;
    }
    // All of it was turned away: the step leaves nothing.
    else this.lengthThere = this.#lengthBefore;
  }
}

/** With nothing that stands before the workflow task. */
function isOutcomeAlone(messages: readonly Message[]): boolean {
  const isOutcome = ({ kind }: Message) => kind === 'localActivityResolved';
  return messages.some(isOutcome) && messages.every((message) => isOutcome(message) || message.kind === 'update');
}

function neverStarted(failure: FailureRecord | undefined): boolean {
  const cause = failure?.kind === 'activity' ? failure.cause : failure;
  return cause?.kind === 'timeout' && cause.timeoutType === 'SCHEDULE_TO_START';
}

/** Of an update only what it is accepted with is counted: a rejected one leaves nothing. */
function bytesOfStep(messages: readonly Message[], commands: readonly Command[]): number {
  let bytes = 0;
  for (const message of messages) bytes += bytesOfMessage(message);
  for (const command of commands) {
    if (command.kind === 'acceptUpdate') bytes += sum(inputOf(messages, command.seq));
    else if ('input' in command) bytes += sum(command.input);
    else if ('result' in command) bytes += command.result?.byteLength ?? 0;
  }
  return bytes;
}

function bytesOfMessage(message: Message): number {
  if ('result' in message) return message.result?.byteLength ?? 0;
  return message.kind === 'start' || message.kind === 'signal' ? sum(message.input) : 0;
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
