/**
 * The mailbox: one run's messages in admission order, bounded, with what is handed out kept until it is confirmed.
 * Thread: supervisor. In → out: admitted messages → what the next turn takes; a lost turn's messages come back in order.
 */
import type { Message } from './messages.js';

export class Mailbox {
  #messages: Message[] = [];
  /** Confirmed messages at the front of the array; removed in bulk so that confirming is O(1) a message. */
  #start = 0;
  /** How many from the front are handed out. */
  #taken = 0;

  /** Messages that are neither handed out nor confirmed. */
  get waiting(): number {
    return this.#messages.length - this.#start - this.#taken;
  }

  /** All that are not yet confirmed. */
  get size(): number {
    return this.#messages.length - this.#start;
  }

  get taken(): number {
    return this.#taken;
  }

  /** The seq of the oldest unconfirmed message. */
  get firstSeq(): number | undefined {
    return this.#messages[this.#start]?.seq;
  }

  /** Messages come in seq order. */
  push(message: Message): void {
    this.#messages.push(message);
  }

  /** Puts older messages, in seq order, before all that are here; nothing may be handed out. */
  unshift(messages: readonly Message[]): void {
    if (this.#taken > 0) throw new Error('Mailbox.unshift while messages are handed out');
    this.#messages = [...messages, ...this.#messages.slice(this.#start)];
    this.#start = 0;
  }

  /** Hands out up to `limit` waiting messages. */
  take(limit: number): Message[] {
    const from = this.#start + this.#taken;
    const batch = this.#messages.slice(from, from + limit);
    this.#taken += batch.length;
    return batch;
  }

  /**
   * Hands out the waiting messages with a seq up to `through`.
   * @param without seqs of messages that are not to be among them, nor what is behind one
   */
  takeThrough(through: number, without?: ReadonlySet<number>): Message[] {
    let end = this.#start + this.#taken;
    while (end < this.#messages.length) {
      const { seq } = this.#messages[end]!;
      if (seq > through || without?.has(seq) === true) break;
      end++;
    }
    return this.take(end - this.#start - this.#taken);
  }

  /** Takes back what was handed out and not confirmed: it waits again, at the front, in order. */
  redeliver(): void {
    this.#taken = 0;
  }

  /** The unconfirmed messages with a seq up to `through`, which leave the mailbox. */
  confirm(through: number): Message[] {
    let end = this.#start;
    while (end < this.#messages.length && this.#messages[end]!.seq <= through) end++;
    const confirmed = this.#messages.slice(this.#start, end);
    this.#taken = Math.max(0, this.#taken - confirmed.length);
    this.#start = end;
    if (this.#start === this.#messages.length) {
      this.#messages = [];
      this.#start = 0;
    } else if (this.#start > 1024 && this.#start * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#start);
      this.#start = 0;
    }
    return confirmed;
  }

  /** Removes the unconfirmed messages that match, wherever they stand; nothing may be handed out. */
  remove(matches: (message: Message) => boolean): Message[] {
    if (this.#taken > 0) throw new Error('Mailbox.remove while messages are handed out');
    const removed: Message[] = [];
    this.#messages = this.#messages.slice(this.#start).filter((message) => {
      if (!matches(message)) return true;
      removed.push(message);
      return false;
    });
    this.#start = 0;
    return removed;
  }

  /** Puts another message in the place of the one with this seq. */
  replace(seq: number, by: (message: Message) => Message): void {
    const index = this.#messages.findIndex((message, at) => at >= this.#start && message.seq === seq);
    if (index >= 0) this.#messages[index] = by(this.#messages[index]!);
  }

  some(matches: (message: Message) => boolean): boolean {
    for (let i = this.#start; i < this.#messages.length; i++) if (matches(this.#messages[i]!)) return true;
    return false;
  }
}
