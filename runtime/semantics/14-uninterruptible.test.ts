/**
 * Semantics, section 14: a step that nothing interrupts: its worker goes on with another thread, and the runtime ends without it.
 * Thread: the test's, with a supervisor and one worker.
 */
import { expect } from 'vitest';
import { attempt, compute, sparse, target } from '../fixtures/hostile-workflows.js';
import { row } from '../test-kit/row.test-kit.js';
import { createTestRuntime } from '../testing/index.js';

const workflows = new URL('../fixtures/hostile-workflows.js', import.meta.url);
/** A builtin that takes it takes long enough, and lets this process end soon after. */
const LENGTH = 500_000_000;

row(
  'life/uninterruptible',
  'costs its worker a thread, which is told and replaced at once, and not the end of the runtime',
  async () => {
    const lines: string[] = [];
    const say = (message: string) => void lines.push(message);
    const logger = { trace: say, debug: say, info: say, warn: say, error: say };
    const runtime = await createTestRuntime({ workflows, logger, stepLimit: '200ms' });
    const lost = new Promise<{ reason: string }>((resolve) => runtime.events.once('workerLost', resolve));
    const stuck = new Promise<{ worker: number }>((resolve) => runtime.events.once('workerStuck', resolve));
    const neighbour = await runtime.client.workflow.start(target, { workflowId: 'neighbour' });
    const hostile = await runtime.client.workflow.start(sparse, { workflowId: 'hostile' });
    const told = hostile.executeUpdate(compute, { args: [LENGTH] }).catch((error: unknown) => error);
    expect((await lost).reason).toBe('a step took longer than 200 ms');
    await hostile.terminate();
    expect(await told).toBeInstanceOf(Error);
    expect(await neighbour.executeUpdate(attempt, { args: ['nothing'] })).toBe('done');
    expect(await stuck).toEqual({ name: 'workerStuck', worker: 0 });
    await runtime.shutdown();
    expect(lines).toContainEqual(
      expect.stringMatching(/^A thread of worker 0 cannot be ended: .*process\.exit\(\) waits/),
    );
    expect(lines.at(-1)).toMatch(/^The runtime has ended, but one of its threads has not: /);
  },
);
