/**
 * One log opened twice: with the checkpoints that it has, and with all of them deleted. Whatever can be asked must be answered alike.
 * Thread: the test's. In → out: a program that stops somewhere → two systems that go on from there → what each tells.
 */
import { type Arbitrary, array, constant, constantFrom, integer, oneof, option, record } from 'fast-check';
import { expect } from 'vitest';
import { compare, replaySteps } from '../../actors/replay.js';
import {
  condition,
  defineQuery,
  defineSearchAttributeKey,
  defineSignal,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '../../actors/workflow/index.js';
import type { WorkflowEvent } from '../../mailbox/events.js';
import { unpack } from '../../mailbox/turn.js';
import { uuidFromBytes } from '../../mailbox/uuid.js';
import { RunIndex } from '../supervisor/runs/run-index.js';
import { replayed } from './invariants.test-kit.js';
import { action, type Program, program, script } from './programs.test-kit.js';
import { type Action, Player } from './schedule.test-kit.js';
import type { Script } from './script.test-kit.js';
import { workflowsOf } from './script-workflow.test-kit.js';
import type { Disk } from './steered-store.test-kit.js';
import { System } from './system.test-kit.js';

/** What a second run says of itself: attributes, which take another type once nobody has them, and its memo. */
type Tag =
  | { readonly set: 'NUMBER' | 'TEXT' | 'NONE'; readonly value: number }
  | { readonly set: 'MEMO'; readonly value: number };

const asNumber = defineSearchAttributeKey('Tagged', 'INT');
const asText = defineSearchAttributeKey('Tagged', 'KEYWORD');
const other = defineSearchAttributeKey('Other', 'INT');

async function tagged(): Promise<void> {
  setHandler(defineQuery<unknown>('state'), () => [workflowInfo().typedSearchAttributes.getAll(), workflowInfo().memo]);
  setHandler(defineSignal<[Tag]>('tag'), ({ set, value }) => {
    const { typedSearchAttributes: attributes } = workflowInfo();
    if (set === 'MEMO') upsertMemo({ value });
    else if (set === 'TEXT' && attributes.get(asNumber) === undefined)
      upsertSearchAttributes([{ key: asText, value: String(value) }]);
    else if (set === 'NUMBER' && attributes.get(asText) === undefined)
      upsertSearchAttributes([{ key: asNumber, value }]);
    else if (set === 'NONE') upsertSearchAttributes([{ key: asText, value: null }]);
    else upsertSearchAttributes([{ key: other, value }]);
  });
  await condition(() => false);
}

export interface StoppedProgram extends Program {
  /** Each goes with the action of the same place. */
  readonly tags: readonly (Tag | undefined)[];
  readonly stop: 'clean' | 'lost' | 'kept';
  /** Code that is deployed meanwhile, which need not fit. */
  readonly changed: Partial<Script> | undefined;
  /** What happens afterwards. */
  readonly more: readonly Action[];
}

const tag: Arbitrary<Tag> = record({
  set: constantFrom('NUMBER' as const, 'TEXT' as const, 'NONE' as const, 'MEMO' as const),
  value: integer({ min: 0, max: 3 }),
});

const changed: Arbitrary<Partial<Script>> = oneof(
  script.map(({ signals }) => ({ signals })),
  script.map(({ updates }) => ({ updates })),
  script.map(({ main }) => ({ main })),
  constant({
    signals: { a: [{ do: 'sleep' as const, ms: 50 }], b: [{ do: 'sleep' as const, ms: 50 }], late: [] },
  }),
);

export const stoppedProgram: Arbitrary<StoppedProgram> = record({
  begun: program,
  tags: array(option(tag, { nil: undefined, freq: 3 }), { maxLength: 12 }),
  stop: constantFrom('clean' as const, 'clean' as const, 'lost' as const, 'kept' as const),
  changed: option(changed, { nil: undefined }),
  more: array(action, { maxLength: 12 }),
}).map(({ begun, ...rest }) => ({ ...begun, ...rest }));

/** Plays it to where it stops, opens what is left with and without checkpoints, and compares all that comes of both. */
export async function expectCheckpointsDecideNothing(stopped: StoppedProgram): Promise<void> {
  const { script: before, version, beginning, retry, actions, tags, slots, maxResident, stop, more } = stopped;
  const system = await System.open({ workflows: { ...workflowsOf(before, version), tagged }, slots, maxResident });
  const player = new Player(system, (of) => workflowsOf(before, of), version);
  system.start('t', 'tagged');
  player.begin(beginning, retry);
  for (const [at, each] of actions.entries()) {
    const sent = tags[at];
    if (sent !== undefined) system.signal('t', 'tag', sent);
    await player.play([each]);
  }
  if (stop === 'clean') await player.letGo();
  await system.stop(stop);
  system.toHost.length = 0;
  const after = { ...before, ...stopped.changed };
  const { version: deployed } = player.deployed;
  if (stopped.changed !== undefined) system.deploy(workflowsOf(after, deployed));
  const stored = system.histories();
  const [told, again] = await withAndWithoutCheckpoints(system, async (each) => {
    const first = await observed(each);
    if (stopped.changed !== undefined) await expectSuspendedAsReplayed(each, stored);
    const next = new Player(each, (of) => workflowsOf(after, of), deployed);
    await next.play(more);
    await next.end();
    const last = await observed(each);
    await expectEntriesFromLog(each);
    expect(each.failures).toEqual([]);
    return [first, last];
  });
  expect(told).toEqual(again);
}

/** What two processes make of the log of a system that has stopped: one with its checkpoints, one without any. */
export async function withAndWithoutCheckpoints<T>(
  system: System,
  ask: (system: System) => Promise<T>,
): Promise<[T, T]> {
  const without = await system.withoutCheckpoints();
  const answer = async (each: System): Promise<T> => {
    await each.begin();
    await each.settle();
    return ask(each);
  };
  return [await answer(system), await answer(without)];
}

/** Everything that anybody could be told, by run: descriptions before and after the query that wakes it, answers, lists, histories. */
async function observed(system: System): Promise<unknown> {
  await system.settle();
  const { controlPlane } = system.supervisor;
  const histories = system.histories();
  const runs: unknown[] = [];
  for (const [runId, [started]] of histories) {
    const { workflowId } = started as WorkflowEvent & { workflowId: string };
    const described = await controlPlane.describe(workflowId, runId);
    const asked = system.request({ kind: 'query', workflowId, runId, name: 'state', input: [] });
    await system.settle();
    const { id: _, ...answer } = asked.reply ?? { id: 0, kind: 'none' };
    runs.push([runId, described, answer, await controlPlane.describe(workflowId, runId)]);
  }
  return {
    histories,
    runs,
    listed: await controlPlane.list('', 1000),
    counted: await controlPlane.count('GROUP BY ExecutionStatus'),
    found: [await controlPlane.list('Other > 0', 100), await controlPlane.list("Tagged = '1' OR Tagged IS NULL", 100)],
    attempts: system.attempts.map(({ runId, activityId, attempt }) => [runId, activityId, attempt]),
    afterwards: system.histories(),
  };
}

/** The third witness: a history as it was saved then says as well whether the code fits it. */
async function expectSuspendedAsReplayed(
  system: System,
  stored: ReadonlyMap<string, readonly WorkflowEvent[]>,
): Promise<void> {
  for (const [runId, history] of stored) {
    const { workflowId } = history[0] as WorkflowEvent & { workflowId: string };
    const outcome = await system.supervisor.controlPlane.describe(workflowId, runId);
    if (!outcome.ok || outcome.value.status !== 'RUNNING') continue;
    const { suspended } = outcome.value;
    const isMisfit = JSON.stringify(suspended?.error ?? '').includes('DeterminismViolation');
    const fits = await fitsHistory(system, runId, history);
    if (fits !== undefined) expect(isMisfit, `${workflowId} ${runId} is suspended`).toBe(!fits);
  }
}

/** Whether the deployed code makes the commands of a history; undefined if it cannot be told so simply. */
export async function fitsHistory(
  system: System,
  runId: string,
  history: readonly WorkflowEvent[],
): Promise<boolean | undefined> {
  const steps = replaySteps(history, []);
  try {
    const { commands } = await replayed(runId, history, steps, system.deployed);
    return steps.every(({ expected }, at) => compare(commands[at]!, expected) === undefined);
  } catch {
    return undefined;
  }
}

/** Of a closed run: what others were asked and have not yet said is done, of which no event tells. */
const LEFT_TO_DO = new Set([18, 19]);

/** What a checkpoint stores of each run is what its log alone makes of it. */
export async function expectEntriesFromLog(system: System): Promise<void> {
  await system.settle();
  expect(entriesOf(system.supervisor.core.index)).toEqual(entriesOf(await indexOf(system.disk)));
}

async function indexOf(disk: Disk): Promise<RunIndex> {
  const log = await disk.withoutCheckpoints();
  const index = new RunIndex();
  const reader = index.reader();
  await log.memory.open(reader);
  reader.loaded();
  return index;
}

function entriesOf(index: RunIndex): Map<string, unknown> {
  const entries = new Map<string, unknown>();
  for (const [key, value] of index.entries(true)) {
    const row = unpack(value) as unknown[];
    const isOpen = row[3] === 'RUNNING';
    entries.set(
      uuidFromBytes(key),
      row.map((field, at) => (!isOpen && LEFT_TO_DO.has(at) ? null : field)),
    );
  }
  return entries;
}
