/**
 * The cluster's activities: nodes are attached to jobs and detached. A real service would call the cluster here.
 * Thread: embedding. In → out: job and nodes → nothing, after a while.
 */
import { sleep } from 'holdfast/activity';

/** Attaching a node that the job has already must do nothing: an activity may run more than once. */
export async function attach(_job: string, _nodes: string[]): Promise<void> {
  await sleep(20);
}

export async function detach(_job: string, _nodes: string[]): Promise<void> {
  await sleep(20);
}
