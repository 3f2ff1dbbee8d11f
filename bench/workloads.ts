/**
 * The workloads but W6: what has to be there before, and what one operation is.
 * Thread: main. In → out: runtime → operation.
 */
import type { Client, RuntimeOptions } from '../runtime/index.js';
import type { Operation } from './drive.js';
import type { FloorWorkload } from './floor/shapes.js';
import { add, counter, quick, set, steps, total } from './workflows.js';

/** The source, from the compiled benchmarks: the bundler takes TypeScript, and that is what most users give it. */
export const WORKFLOWS = new URL('../../bench/workflows.ts', import.meta.url);

/** Running workflows that messages are sent to, in turn. */
export const RUNNING = 10_000;
const STARTERS = 256;

export interface WorkloadKind {
  readonly title: string;
  /** Where the defaults would end it. */
  readonly limits?: RuntimeOptions['limits'];
  /** Operations of the floor, one after the other, that are one of these. Default: 1. */
  readonly rounds?: number;
  /** Makes what the operations need. */
  readonly prepare: (client: Client, prefix: string) => Promise<Operation>;
}

/** `count` running workflows of the type, started by 256 callers. */
export async function startMany(start: (n: number) => Promise<unknown>, count: number): Promise<void> {
  let next = 0;
  const starter = async () => {
    while (next < count) await start(next++);
  };
  await Promise.all(Array.from({ length: STARTERS }, starter));
}

async function startCounters(client: Client, prefix: string): Promise<void> {
  await startMany((n) => client.workflow.start(counter, { workflowId: `${prefix}-${n}` }), RUNNING);
}

/**
 * One run's history takes all that is sent while a cell is measured. Signals are acknowledged before they are processed: the mailbox takes
 * what comes while a busy machine lets the worker wait, and is bounded so that the figure remains one that the worker keeps up with.
 */
const ONE_RUN: RuntimeOptions['limits'] = {
  historyEvents: 1_000_000_000,
  historyBytes: 1_000_000_000_000,
  mailboxMessages: 30_000,
};

const idOf = (prefix: string, n: number) => `${prefix}-${n % RUNNING}`;

export const KINDS: { readonly [W in FloorWorkload]: WorkloadKind } = {
  W1: {
    title: 'start a trivial workflow, await its result',
    prepare: async (client, prefix) => {
      let started = 0;
      return () => client.workflow.execute(quick, { workflowId: `${prefix}-${started++}`, args: [1] });
    },
  },
  W3: {
    title: `signal ${RUNNING} running workflows`,
    prepare: async (client, prefix) => {
      await startCounters(client, prefix);
      return (n) => client.workflow.getHandle(idOf(prefix, n)).signal(add, 1);
    },
  },
  'W3-one': {
    title: 'signal one running workflow',
    limits: ONE_RUN,
    prepare: async (client, prefix) => {
      const handle = await client.workflow.start(counter, { workflowId: prefix });
      return () => handle.signal(add, 1);
    },
  },
  W4: {
    title: `update ${RUNNING} running workflows, with a validator`,
    prepare: async (client, prefix) => {
      await startCounters(client, prefix);
      return (n) => client.workflow.getHandle(idOf(prefix, n)).executeUpdate(set, { args: [1] });
    },
  },
  'W4-one': {
    title: 'update one running workflow, with a validator',
    limits: ONE_RUN,
    prepare: async (client, prefix) => {
      const handle = await client.workflow.start(counter, { workflowId: prefix });
      return () => handle.executeUpdate(set, { args: [1] });
    },
  },
  W5: {
    title: `query ${RUNNING} running workflows`,
    prepare: async (client, prefix) => {
      await startCounters(client, prefix);
      return (n) => client.workflow.getHandle(idOf(prefix, n)).query(total);
    },
  },
  W7: {
    title: 'three trivial activities, one after the other',
    // To the first activity, from each to the next, and from the last to the result.
    rounds: 4,
    prepare: async (client, prefix) => {
      let started = 0;
      return () => client.workflow.execute(steps, { workflowId: `${prefix}-${started++}`, args: [1] });
    },
  },
};

export const ACTIVITIES = { step: async (n: number) => n + 1 };
