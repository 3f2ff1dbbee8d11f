/**
 * The scenarios of the golden histories: each drives workflows to where its histories are worth keeping.
 * Thread: the test's. In → out: scenario → histories, by the name that each is kept under.
 */
import { type History, type Runtime, WithStartWorkflowOperation } from '../../index.js';
import { createTestRuntime } from '../../testing/index.js';

export const WORKFLOWS = new URL('./workflows.test-kit.js', import.meta.url);

type Histories = Record<string, History>;
type Scenario = (runtime: Runtime) => Promise<Histories>;

const tried = new Set<string>();
const activities = {
  double: async (value: number) => value * 2,
  failOnce: async (key: string) => {
    if (tried.has(key)) return 'at last';
    tried.add(key);
    throw new Error('not the first time');
  },
  refuse: async () => {
    throw Object.assign(new Error('refused'), { name: 'Refused' });
  },
  wait: () => new Promise<void>((resolve) => setTimeout(resolve, 50)),
};

/** Runs the workflow of the scenario's name to its end. */
const alone =
  (workflowType: string, ...args: unknown[]): Scenario =>
  async ({ client }) => {
    const handle = await client.workflow.start(workflowType, { workflowId: workflowType, args });
    await handle.result();
    return { [workflowType]: await handle.fetchHistory() };
  };

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  ledger: async ({ client }) => {
    const handle = await client.workflow.signalWithStart('ledger', {
      workflowId: 'ledger',
      args: ['first'],
      signal: 'note',
      signalArgs: ['with the start'],
    });
    await handle.signalWithOptions('note', { args: ['once'], requestId: 'r' });
    // Some come while the end is being decided on: one step with it.
    const notes = Array.from({ length: 40 }, (_, index) => handle.signal('note', `${index}`));
    const ended = handle.signal('end');
    const late = Array.from({ length: 40 }, (_, index) => handle.signal('note', `late ${index}`));
    await Promise.all([...notes, ended]);
    await Promise.allSettled(late);
    await handle.result();
    return { ledger: await handle.fetchHistory() };
  },
  updates: async ({ client }) => {
    const startWorkflowOperation = new WithStartWorkflowOperation('updates', {
      workflowId: 'updates',
      workflowIdConflictPolicy: 'FAIL',
      args: [],
    });
    await client.workflow.executeUpdateWithStart('add', { startWorkflowOperation, args: [1] });
    const handle = client.workflow.getHandle('updates');
    await handle.executeUpdate('add', { args: [-1] }).catch(() => undefined);
    await handle.executeUpdate('addLater', { args: [2], updateId: 'later' });
    await handle.executeUpdate('addLater', { args: [20] }).catch(() => undefined);
    await handle.signal('end');
    await handle.result();
    return { updates: await handle.fetchHistory() };
  },
  timers: alone('timers'),
  chance: alone('chance'),
  activities: alone('activities', 'golden'),
  localActivities: alone('localActivities'),
  cancelledLocals: alone('cancelledLocals'),
  parent: alone('parent'),
  failing: async ({ client }) => {
    const retry = { initialInterval: 1, maximumAttempts: 2 };
    const handle = await client.workflow.start('failing', { workflowId: 'failing', args: ['twice'], retry });
    await handle.result().catch(() => undefined);
    const first = client.workflow.getHandle('failing', handle.firstExecutionRunId);
    return {
      failing: await first.fetchHistory(),
      'failing-retried': await client.workflow.getHandle('failing').fetchHistory(),
    };
  },
  asking: async ({ client }) => {
    const other = await client.workflow.start('ledger', { workflowId: 'asked', args: ['first'] });
    const handle = await client.workflow.start('asking', { workflowId: 'asking', args: ['asked'] });
    await handle.result();
    await other.result().catch(() => undefined);
    return { asking: await handle.fetchHistory(), asked: await other.fetchHistory() };
  },
  chain: async ({ client }) => {
    const handle = await client.workflow.start('chain', { workflowId: 'chain', args: [1], memo: { kept: true } });
    await handle.signal('note', 'carried');
    await handle.signal('end');
    await handle.result();
    const first = client.workflow.getHandle('chain', handle.firstExecutionRunId);
    return {
      'chain-first': await first.fetchHistory(),
      'chain-last': await client.workflow.getHandle('chain').fetchHistory(),
    };
  },
  patches: alone('patches'),
  scopes: async ({ client }) => {
    const handle = await client.workflow.start('scopes', { workflowId: 'scopes' });
    for (;;) {
      const { events } = await handle.fetchHistory();
      if (events.some(({ eventType }) => eventType === 'ActivityTaskCompleted')) break;
    }
    await handle.cancel('enough');
    await handle.result();
    return { scopes: await handle.fetchHistory() };
  },
  activations: async ({ client }) => {
    const workflowId = 'activations';
    const handle = await client.workflow.signalWithStart('activations', {
      workflowId,
      args: [],
      signal: 'note',
      signalArgs: ['first'],
    });
    for (;;) {
      const { events } = await handle.fetchHistory();
      if (events.some(({ eventType }) => eventType === 'ActivityTaskCompleted')) break;
    }
    // Some come while the end is being decided on: one step with it.
    const notes = Array.from({ length: 40 }, (_, index) => handle.signal('note', `${index}`));
    const ended = handle.signal('end');
    const late = Array.from({ length: 40 }, (_, index) => handle.signal('note', `late ${index}`));
    await Promise.all([...notes, ended]);
    await Promise.allSettled(late);
    await handle.result();
    return { activations: await handle.fetchHistory() };
  },
  locks: async ({ client }) => {
    const handle = await client.workflow.start('locks', { workflowId: 'locks' });
    await Promise.all([handle.signal('note', 'a'), handle.signal('note', 'b')]);
    await handle.result();
    return { locks: await handle.fetchHistory() };
  },
  attributes: alone('attributes'),
  reset: async ({ client }) => {
    const handle = await client.workflow.start('updates', { workflowId: 'reset' });
    await handle.executeUpdate('add', { args: [1] });
    const { events } = await handle.fetchHistory();
    await handle.executeUpdate('addLater', { args: [2] });
    const again = await client.workflow.reset('reset', { eventId: events.length, reason: 'golden' });
    await again.signal('end');
    await again.result();
    return { reset: await again.fetchHistory() };
  },
  timedOut: async ({ client }) => {
    const options = { workflowId: 'timed-out', args: ['first'], workflowRunTimeout: 100 };
    const handle = await client.workflow.start('ledger', options);
    await handle.result().catch(() => undefined);
    return { timedOut: await handle.fetchHistory() };
  },
  terminated: async ({ client }) => {
    const handle = await client.workflow.start('ledger', { workflowId: 'terminated', args: ['first'] });
    await handle.signal('note', 'seen');
    await handle.query('state');
    await handle.terminate('enough');
    return { terminated: await handle.fetchHistory() };
  },
};

/** In a runtime of its own. */
export async function played(scenario: Scenario): Promise<Histories> {
  await using runtime = await createTestRuntime({ workflows: WORKFLOWS, activities });
  return await scenario(runtime);
}
