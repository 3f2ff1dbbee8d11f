/**
 * The outbox: the commands of the step under way, and the guard that keeps queries and validators read-only.
 * Thread: worker. In → out: what workflow code asks for → commands, taken when the step ends.
 */
import { type Command, type CommandKind, type CommandOf, isClosing } from '../mailbox/commands.js';
import { ReadOnlyViolationError } from '../runtime/errors.js';

export class Outbox {
  #commands: Command[] = [];
  #closing: Command | undefined;
  #guard: { readonly context: string; violation: ReadOnlyViolationError | undefined } | undefined;

  /** @throws ReadOnlyViolationError while guarded */
  push(command: Command): void {
    this.assertWritable(command.kind);
    if (isClosing(command)) {
      this.#closing ??= command;
      return;
    }
    // A run that has decided to close starts nothing more; updates that end in the same step still get their outcome.
    if (this.#closing !== undefined && command.kind !== 'completeUpdate' && command.kind !== 'acceptUpdate') return;
    this.#commands.push(command);
  }

  /** Withdraws a command that this very step made: it then leaves no event. False if an earlier step made it. */
  withdraw<K extends CommandKind>(kind: K, matches: (command: CommandOf<K>) => boolean): boolean {
    const index = this.#commands.findIndex((command) => command.kind === kind && matches(command as CommandOf<K>));
    if (index >= 0) this.#commands.splice(index, 1);
    return index >= 0;
  }

  /** The step's commands in order, the closing one last; the outbox is empty afterwards. */
  take(): Command[] {
    const commands = this.#commands;
    if (this.#closing !== undefined) commands.push(this.#closing);
    this.#commands = [];
    this.#closing = undefined;
    return commands;
  }

  get guarded(): boolean {
    return this.#guard !== undefined;
  }

  /** From here on anything but reading is a violation. */
  guard(context: string): void {
    this.#guard = { context, violation: undefined };
  }

  /** Ends the guard; the first violation since it began, even if workflow code caught it. */
  unguard(): ReadOnlyViolationError | undefined {
    const violation = this.#guard?.violation;
    this.#guard = undefined;
    return violation;
  }

  /** @throws ReadOnlyViolationError while guarded */
  assertWritable(operation: string): void {
    if (this.#guard === undefined) return;
    const violation = new ReadOnlyViolationError({ operation, context: this.#guard.context });
    this.#guard.violation ??= violation;
    throw violation;
  }
}
