/**
 * One run of one workflow function in a system of its own: what most tests of semantics begin with.
 * Thread: the test's. In → out: a workflow function → a system in which `w` runs it.
 */
import { System, type SystemOptions } from './system.test-kit.js';

/** A system whose run `w` executes `main`, started and come to rest. */
export async function running(main: () => unknown, options: Partial<SystemOptions> = {}): Promise<System> {
  const system = await System.open({ ...options, workflows: { main, ...options.workflows } });
  await system.start('w', 'main').value();
  return system;
}

/** The warnings that workflows logged. */
export function warnings(system: System): string[] {
  return system.lifecycle.flatMap((event) => (event.name === 'log' && event.level === 'warn' ? [event.message] : []));
}

/** Events of the newest run of `w`, messages aside, that its steps made. */
export function made(system: System): string[] {
  return system.history('w').flatMap(({ eventType, cause }) => (cause === undefined ? [] : [eventType]));
}
