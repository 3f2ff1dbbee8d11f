/**
 * The closing race: workflows that end on a timer while many callers send to them. Whatever was acknowledged was seen.
 * Thread: main. In → out: workflows and seed → counts and violations.
 */

import { rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { type Client, Runtime, type WorkflowHandle, WorkflowNotFoundError } from '../../runtime/index.js';
import { makeHome } from '../soak/life.js';
import { type Random, random } from '../soak/random.js';
import { note, noteUpdate, type Race, racer } from './workflows.js';

export interface CampaignOptions {
  readonly workflows: number;
  readonly seed: number;
  readonly progress?: (line: string) => void;
}

export interface Violation {
  readonly kind: 'lost' | 'duplicated' | 'other';
  readonly what: string;
}

export class Counts {
  closed = 0;
  continuedAsNew = 0;
  acknowledged = 0;
  /** Sent after the close, and told so. */
  refused = 0;
  /** Closes that were computed while messages waited, and computed again with them. */
  voidCloses = 0;
  /** Messages that moved on to the next run. */
  carried = 0;
  readonly violations: Violation[] = [];
}

const SOURCE = new URL('../../../bench/closing-race/workflows.ts', import.meta.url);
/** Workflows at once, and callers of each. */
const RACES = 64;
const CALLERS = 4;
const MOST_MS = 40;
const CONTINUE = 0.5;
const UPDATES = 0.25;
const TOLD_EVERY = 1_000;

export async function campaign({ workflows, seed, progress = () => {} }: CampaignOptions): Promise<Counts> {
  const home = await makeHome();
  const runtime = await Runtime.create({ workflows: SOURCE, store: home.store, logger: 'warn' });
  const counts = new Counts();
  let next = 0;
  const racing = async () => {
    while (next < workflows) {
      const n = next++;
      await race(runtime.client, `race-${n}`, random(seed + n), counts);
      if (counts.closed % TOLD_EVERY === 0) progress(summary(counts));
    }
  };
  await Promise.all(Array.from({ length: RACES }, racing));
  await runtime.shutdown();
  if (counts.violations.length === 0) await rm(home.directory, { recursive: true });
  else progress(`The store is kept: ${home.directory}`);
  return counts;
}

async function race({ workflow: client }: Client, workflowId: string, draw: Random, counts: Counts): Promise<void> {
  const plan: Race = { ms: 1 + Math.floor(draw() * MOST_MS), continues: draw() < CONTINUE, seen: [] };
  const handle = await client.start(racer, { workflowId, args: [plan] });
  const acknowledged = new Set<number>();
  const refused = new Set<number>();
  let sent = 0;
  const violate = (kind: Violation['kind'], what: string) =>
    counts.violations.push({ kind, what: `${workflowId}: ${what}` });
  /** From some moment before the timer fires until the workflow is closed. */
  const call = async (since: number) => {
    await setTimeout(since);
    while (refused.size === 0) {
      const n = sent++;
      await send(handle, n, draw).then(
        () => acknowledged.add(n),
        (error) => {
          refused.add(n);
          if (!(error instanceof WorkflowNotFoundError && error.fields.closed === true))
            violate('other', `${n}: ${error}`);
        },
      );
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, () => call(draw() * plan.ms)));
  const result = await handle.result();
  const seen = new Set(result);
  if (seen.size < result.length) violate('duplicated', `saw ${result}`);
  for (const n of acknowledged) if (!seen.has(n)) violate('lost', `${n} was acknowledged`);
  for (const n of refused) if (seen.has(n)) violate('other', `${n} was refused, and seen`);
  counts.closed++;
  counts.acknowledged += acknowledged.size;
  counts.refused += refused.size;
  if (plan.continues) counts.continuedAsNew++;
  const runs = [client.getHandle(workflowId, handle.firstExecutionRunId), client.getHandle(workflowId)];
  for (const run of plan.continues ? runs : runs.slice(1)) await countRaces(run, counts);
}

function send(handle: WorkflowHandle, n: number, draw: Random): Promise<void> {
  return draw() < UPDATES ? handle.executeUpdate(noteUpdate, { args: [n] }) : handle.signal(note, n);
}

/** What a history tells of it: a timer that fired in a step of other messages, and messages that were carried. */
async function countRaces(run: WorkflowHandle, counts: Counts): Promise<void> {
  const { events } = await run.fetchHistory();
  for (const event of events) {
    if (event.eventType === 'TimerFired' && event.cause !== event.seq) counts.voidCloses++;
    if ('carriedFrom' in event && event.carriedFrom !== undefined) counts.carried++;
  }
}

export function summary(counts: Counts): string {
  const { closed, continuedAsNew, acknowledged, refused, voidCloses, carried, violations } = counts;
  const count = (kind: string) => violations.filter((violation) => violation.kind === kind).length;
  return (
    `${closed} workflows closed, ${continuedAsNew} of them continued as new before; ${acknowledged} messages acknowledged, ${refused} refused; ` +
    `${voidCloses} void closes, ${carried} messages carried; ` +
    `lost ${count('lost')}, duplicated ${count('duplicated')}, other violations ${count('other')}`
  );
}
