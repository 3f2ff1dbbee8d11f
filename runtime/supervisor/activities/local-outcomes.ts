/**
 * Outcomes of local activities that wait in a mailbox: what has one is not run again, though the step that asks for it may be made again.
 * Thread: supervisor. In → out: messages and commands → whether the outcome of one is there.
 */
import type { CommandOf } from '../../../mailbox/commands.js';
import type { Message, MessageOf } from '../../../mailbox/messages.js';
import type { Live } from '../runs/run.js';

/** By type too: other code may ask for something else in the same place. */
function nameOf({ activityId, activityType }: { activityId: string; activityType: string }): string {
  return `${activityId} ${activityType}`;
}

export function noteOutcome(live: Live, message: MessageOf<'localActivityResolved'>): void {
  live.localOutcomes ??= new Map();
  live.localOutcomes.set(nameOf(message), message.attempt);
}

/** They have been processed: whatever is asked for from now on is asked for by code that has seen them. */
export function forgetOutcomes(live: Live, processed: readonly Message[]): void {
  for (const message of processed) {
    if (message.kind !== 'localActivityResolved') continue;
    const name = nameOf(message);
    if (live.localOutcomes?.get(name) === message.attempt) live.localOutcomes.delete(name);
  }
  if (live.localOutcomes?.size === 0) live.localOutcomes = undefined;
}

/** Of this attempt, or of a later one that followed it without being asked for. */
export function hasOutcome(live: Live, command: CommandOf<'runLocalActivity'>): boolean {
  const { attempt = 1 } = command;
  return (live.localOutcomes?.get(nameOf(command)) ?? 0) >= attempt;
}
