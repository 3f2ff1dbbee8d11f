/**
 * The outbox: the commands of the step under way, and the guard that keeps queries and validators read-only.
 * Thread: worker. In → out: what workflow code asks for → commands, taken when the step ends.
 */
import { type Command, type CommandKind, type CommandOf, isClosing } from '../mailbox/commands.js';
import { ReadOnlyViolationError } from '../runtime/errors.js';

/**
 * Of what a run of before `TemporalActivations` makes in the step that closes it: it starts nothing more, but updates that end in the same
 * step still get their outcome, and a patch that was taken to be there must be there in the replay.
 */
const AFTER_CLOSING: ReadonlySet<CommandKind> = new Set<CommandKind>(['completeUpdate', 'acceptUpdate', 'recordPatch']);

export class Outbox {
  /** Where each command was made; only where somebody wants to know. */
  #trace: Map<Command, string | undefined> | undefined;
  #commands: Command[] = [];
  #closing: Command | undefined;
  /** Also what is made after the end is computed: the step decides, not the instruction. */
  keepsAll = false;
  #guard: { readonly context: string; violation: ReadOnlyViolationError | undefined } | undefined;

  /** @throws ReadOnlyViolationError while guarded */
  push(command: Command): void {
    this.assertWritable(command.kind);
    if (isClosing(command)) {
      this.#closing ??= command;
      this.#trace?.set(command, stackHere());
      return;
    }
    if (this.#closing !== undefined && !this.keepsAll && !AFTER_CLOSING.has(command.kind)) return;
    this.#commands.push(command);
    this.#trace?.set(command, stackHere());
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

  /** From here on the place of each command is kept, which takes many times as long as making it. */
  trace(): void {
    this.#trace = new Map();
  }

  /** The stack of where the command was made, as it is. */
  madeAt(command: Command): string | undefined {
    return this.#trace?.get(command);
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

/** Deep enough to reach workflow code through Holdfast's own. */
const TRACED_FRAMES = 50;

function stackHere(): string | undefined {
  const usual = Error.stackTraceLimit;
  Error.stackTraceLimit = TRACED_FRAMES;
  const { stack } = new Error();
  Error.stackTraceLimit = usual;
  return stack;
}
