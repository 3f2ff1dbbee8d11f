/**
 * Runs that sleep: how they are started, and how late they wake.
 * Thread: main of the measured process. In → out: runtime → lateness.
 */
import type { Runtime } from '../../runtime/index.js';
import { sleeper } from '../workflows.js';
import { startMany } from '../workloads.js';
import type { Lateness } from './protocol.js';

const FAR_MS = 30 * 86_400_000;

export function startSleepers(runtime: Runtime, prefix: string, count: number): Promise<void> {
  return startMany(
    (n) => runtime.client.workflow.start(sleeper, { workflowId: `${prefix}-${n}`, args: [FAR_MS] }),
    count,
  );
}

/** Starts `count` runs whose timers fall due one after the other, and awaits them. */
export async function lateness(runtime: Runtime, prefix: string, count: number, withinMs: number): Promise<Lateness> {
  const soonest = Date.now() + withinMs / 4;
  const step = (withinMs * 0.75) / count;
  const late = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const due = Math.round(soonest + n * step);
      return (await runtime.client.workflow.execute(sleeper, {
        workflowId: `${prefix}-${n}`,
        args: [due - Date.now()],
      })) as number;
    }),
  );
  late.sort((a, b) => a - b);
  const at = (part: number) => late[Math.min(late.length - 1, Math.floor(late.length * part))]!;
  return { p50: at(0.5), p99: at(0.99), max: at(1), early: late.filter((ms) => ms < 0).length };
}
