/**
 * A cluster manager: gives nodes to jobs and takes them back, for as long as the cluster stands, in one run after another.
 * Thread: worker (the definitions and types also where clients are). In → out: updates from many callers at once → who has which node.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  Mutex,
  proxyActivities,
  setHandler,
  workflowInfo,
} from 'holdfast/workflow';
import type * as activities from './activities.js';

/** Everything that the manager knows: one run hands it to the next. */
export interface Cluster {
  /** Node → the job that has it, or null if it is free. */
  nodes: Record<string, string | null>;
  /** How many assignments and releases were asked for, by all runs together. */
  changes: number;
  /** After so many of them a run continues as new. Absent: when its history has become large. */
  changesPerRun?: number;
}

export interface Assignment {
  job: string;
  count: number;
}

/** Resolves to the nodes that the job has now. */
export const assign = defineUpdate<string[], [Assignment]>('assign');
/** Resolves to the nodes that the job had. */
export const release = defineUpdate<string[], [job: string]>('release');
export const getNodes = defineQuery<Cluster['nodes']>('getNodes');
export const shutDown = defineSignal('shutDown');

const { attach, detach } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 seconds' });

export async function clusterManager(cluster: Cluster): Promise<Cluster> {
  const { nodes, changesPerRun = Number.POSITIVE_INFINITY } = cluster;
  const nodesOf = (job: string | null) => Object.keys(nodes).filter((node) => nodes[node] === job);
  const lock = new Mutex();
  let changes = 0;
  let stopping = false;

  setHandler(
    assign,
    ({ job, count }) =>
      lock.runExclusive(async () => {
        changes += 1;
        const has = nodesOf(job);
        if (has.length > 0) return has; // Asking twice is asking once.
        const chosen = nodesOf(null).slice(0, count);
        if (chosen.length < count) {
          throw ApplicationFailure.create({ message: `${job} wants ${count} nodes, ${chosen.length} are free` });
        }
        // The nodes still count as free while this waits. Without the lock, another handler could choose them too.
        await attach(job, chosen);
        for (const node of chosen) nodes[node] = job;
        return chosen;
      }),
    {
      validator: ({ count }) => {
        if (stopping) throw new Error('the cluster is shutting down');
        if (!Number.isInteger(count) || count < 1) throw new Error(`${count} is no number of nodes`);
      },
    },
  );

  setHandler(release, (job) =>
    lock.runExclusive(async () => {
      changes += 1;
      const had = nodesOf(job);
      if (had.length > 0) await detach(job, had);
      for (const node of had) nodes[node] = null;
      return had;
    }),
  );

  setHandler(getNodes, () => nodes);
  setHandler(shutDown, () => {
    stopping = true;
  });

  const due = () => changes >= changesPerRun || workflowInfo().continueAsNewSuggested;
  // Never between the halves of a handler: what is under way is finished first, in this run.
  await condition(() => (stopping || due()) && allHandlersFinished());
  const all = { ...cluster, changes: cluster.changes + changes };
  if (stopping) return all;
  // What has arrived and is not begun moves to the next run.
  return continueAsNew<typeof clusterManager>(all);
}
