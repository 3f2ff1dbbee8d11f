/**
 * The verdict over one played program: everything that anybody was told, and every history, against the model.
 * Thread: the test's. In → out: a system at rest and what was sent to it → failed expectations.
 */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { compare, leavesEvent, type ReplayStep } from '../../actors/replay.js';
import { CLOSING_EVENTS, type EventOf, type RetryPolicyRecord, type WorkflowEvent } from '../../mailbox/events.js';
import { decodePayload, decodePayloads, encodePayload } from '../../mailbox/payload.js';
import { backoff } from '../../mailbox/retry-policy.js';
import { bothSides, expectWellFormed, replayed } from './invariants.test-kit.js';
import { type Close, Model, type Moment, tagOf } from './model.test-kit.js';
import { type Attempt, type Deployment, isKnown, type Player, resultOf, type Sent } from './schedule.test-kit.js';
import type { Script, State, UpdateName } from './script.test-kit.js';
import { stepsOf } from './steps.test-kit.js';
import type { System } from './system.test-kit.js';

/** One run of the chain, as its history and as the model tell it. */
interface Retold {
  readonly runId: string;
  readonly history: readonly WorkflowEvent[];
  readonly steps: readonly ReplayStep[];
  readonly model: Model;
  /** Where its first moment is among those of the chain. */
  readonly from: number;
}

/** The runs of `w`, each begun by the one before. */
class Chain {
  readonly runs: Retold[] = [];
  readonly moments: Moment[] = [];
  /** Of accepted updates, whichever run took them. */
  readonly outcomes = new Map<string, { readonly run: Retold; readonly outcome: unknown }>();
  /** Tag of a message → the moments of the first step that had it. */
  readonly #momentsOf = new Map<string, { readonly first: number; readonly last: number }>();

  constructor(
    script: Script,
    histories: ReadonlyMap<string, readonly WorkflowEvent[]>,
    readonly deployed: Deployment,
    retry: RetryPolicyRecord | undefined,
  ) {
    let runId = [...histories].find(([, [started]]) => isStart(started) && started.workflowId === 'w')?.[0];
    let state: State | undefined;
    let attempt = 1;
    let delay = 0;
    while (runId !== undefined) {
      const history: readonly WorkflowEvent[] = histories.get(runId)!;
      expectWellFormed(history);
      const started = history[0] as EventOf<'WorkflowExecutionStarted'>;
      expect(decodePayloads(started.input)).toEqual(state === undefined ? [] : [state]);
      expect(started.options?.retry, 'its policy is that of the chain').toEqual(retry);
      expect(started.succession?.attempt ?? 1).toBe(attempt);
      const steps = stepsOf(history);
      expectDelay(started, steps, delay);
      const model = new Model(script, runId, structuredClone(state));
      this.#retell({ runId, history, steps, model, from: this.moments.length });
      const { close } = model;
      expectClose(history, close);
      if (close?.kind === 'continued') {
        state = close.next;
        attempt = 1;
        delay = 0;
      } else {
        delay = retry !== undefined && isRetried(history, close, retry, attempt) ? backoff(retry, attempt) : 0;
        attempt++;
      }
      const last = history.at(-1)!;
      if (last.eventType === 'WorkflowExecutionFailed') expect(last.newExecutionRunId !== undefined).toBe(delay > 0);
      runId = 'newExecutionRunId' in last ? last.newExecutionRunId : undefined;
    }
  }

  get last(): Retold {
    return this.runs.at(-1)!;
  }

  get handled(): string[] {
    return this.runs.flatMap(({ model }) => model.handled);
  }

  /** The first moment that whoever knows of these messages may be told of. */
  after(known: ReadonlySet<string>, which: 'first' | 'last'): number {
    let after = 0;
    for (const tag of known) after = Math.max(after, this.#momentsOf.get(tag)?.[which] ?? 0);
    return after;
  }

  #retell(run: Retold): void {
    const { model, steps, from } = run;
    for (const { messages, expected } of steps) {
      expect(model.close, 'nothing is stepped once the run has closed').toBeUndefined();
      for (const message of messages) {
        if (message.kind !== 'timerFired') continue;
        expect(message.time, 'no timer fires early').toBeGreaterThanOrEqual(model.nextTimer);
      }
      const first = from + model.moments.length;
      const markers = expected.flatMap((event) => (event.eventType === 'MarkerRecorded' ? [event.marker] : []));
      const patches = markers.flatMap((marker) => (marker.kind === 'patch' ? [marker.patchId] : []));
      const isNew = messages.some(({ time }) => time >= this.deployed.at);
      model.step(messages, patches, isNew);
      const last = from + model.moments.length - 1;
      for (const message of messages) {
        if (message.kind !== 'signal' && message.kind !== 'update') continue;
        const tag = tagOf(message);
        if (!this.#momentsOf.has(tag)) this.#momentsOf.set(tag, { first, last });
      }
    }
    this.runs.push(run);
    this.moments.push(...model.moments);
    for (const [id, outcome] of model.outcomes) {
      expect(this.outcomes.has(id), 'an update is accepted by one run').toBe(false);
      this.outcomes.set(id, { run, outcome });
    }
  }
}

/** By its policy: unless the failure is final, the attempts are used up, or it was to be cancelled. */
function isRetried(
  history: readonly WorkflowEvent[],
  close: Close | undefined,
  { maximumAttempts, nonRetryableErrorTypes }: RetryPolicyRecord,
  attempt: number,
): boolean {
  if (close?.kind !== 'failed' || close.final || nonRetryableErrorTypes.includes('OnPurpose')) return false;
  if (history.some(({ eventType }) => eventType === 'WorkflowExecutionCancelRequested')) return false;
  return attempt < maximumAttempts;
}

/** Nothing but a cancel request brings the start of a further attempt forward, and signals that came before are there. */
function expectDelay(started: EventOf<'WorkflowExecutionStarted'>, steps: readonly ReplayStep[], delay: number): void {
  expect(started.startDelay ?? 0).toBe(delay);
  const [first] = steps;
  if (delay === 0 || first === undefined) return;
  const start = first.messages.find(({ kind }) => kind === 'start')!;
  expect(start, 'the start is in the first step').toBeDefined();
  if (first.messages.some(({ kind }) => kind === 'cancel')) return;
  expect(start.time, 'no attempt begins early').toBeGreaterThanOrEqual(started.eventTime + delay);
}

/** Everything about the runs of `w`. The system is at rest, and nothing is held any more. */
export async function expectAsModelled(
  system: System,
  script: Script,
  { sent, attempts, life, deployed }: Pick<Player, 'sent' | 'attempts' | 'life' | 'deployed'>,
  retry: RetryPolicyRecord | undefined,
): Promise<void> {
  expect(system.failures).toEqual([]);
  const chain = new Chain(script, system.histories(), deployed, retry);
  if (chain.runs.length === 0) {
    expect(sent.filter(isKnown)).toEqual([]);
    return;
  }
  expectSignals(chain, sent);
  expectUpdates(chain, sent);
  // Steps that left no event are new ones to new code, and what older code said of them need not be so.
  expectQueries(
    chain,
    sent.filter(({ life: of }) => of >= deployed.life),
  );
  expectAtRest(chain, system, sent, life);
  expectActivities(chain, attempts);
  expectChildren(chain, system);
  const state = JSON.stringify(chain.last.model.state);
  const ask = async () => JSON.stringify(await system.query('w', 'state').value());
  expect(await ask()).toBe(state);
  await system.evictAll();
  expect(await ask()).toBe(state);
  for (const run of chain.runs) await expectReplayed(run, system);
}

function isStart(event: WorkflowEvent | undefined): event is EventOf<'WorkflowExecutionStarted'> {
  return event?.eventType === 'WorkflowExecutionStarted';
}

const CLOSES: Readonly<Record<Close['kind'], WorkflowEvent['eventType']>> = {
  completed: 'WorkflowExecutionCompleted',
  continued: 'WorkflowExecutionContinuedAsNew',
  failed: 'WorkflowExecutionFailed',
  cancelled: 'WorkflowExecutionCanceled',
};

function expectClose(history: readonly WorkflowEvent[], close: Close | undefined): void {
  const last = history.at(-1)!;
  if (close === undefined) expect(Object.values(CLOSES), 'it has not closed').not.toContain(last.eventType);
  else expect(last.eventType).toBe(CLOSES[close.kind]);
  if (last.eventType === 'WorkflowExecutionCompleted')
    expect(close).toMatchObject({ state: decodePayload(last.result) });
}

/** Every acknowledged signal once, in the order in which they were sent, and nothing that was refused. */
function expectSignals(chain: Chain, sent: readonly Sent[]): void {
  const signals: string[] = [];
  let carried: string[] = [];
  for (const { history, model } of chain.runs) {
    const found = history.filter((event) => event.eventType === 'WorkflowExecutionSignaled');
    const copies = found.filter(({ carriedFrom }) => carriedFrom !== undefined);
    expect(copies.map(tagOf), 'what was not handled moves on, in order').toEqual(carried);
    signals.push(...found.filter(({ carriedFrom }) => carriedFrom === undefined).map(tagOf));
    carried = found.map(tagOf).filter((tag) => !model.handled.includes(tag));
  }
  expect(new Set(signals).size, 'each signal is stored once').toBe(signals.length);
  const own = sent.filter(({ kind }) => kind === 'signal');
  for (const one of own) {
    const { tag, call, id } = one;
    if (isKnown(one)) expect(signals, 'an acknowledged signal is there').toContain(tag);
    if (call.reply?.kind === 'error' && id === undefined) expect(signals, 'a refused signal is not').not.toContain(tag);
  }
  const inOrder = own.filter(({ id, tag }) => id === undefined && signals.includes(tag)).map(({ tag }) => tag);
  expect(
    signals.filter((tag) => inOrder.includes(tag)),
    'signals are stored as they were sent',
  ).toEqual(inOrder);
  const seen = [...chain.handled, ...chain.last.model.waiting];
  expect(new Set(seen).size, 'no message is handled twice').toBe(seen.length);
  expect(seen.filter((tag) => signals.includes(tag)).sort(), 'every stored signal is seen').toEqual(
    [...signals].sort(),
  );
  const cancelled = chain.runs.some(({ history }) =>
    history.some(({ eventType }) => eventType === 'WorkflowExecutionCancelRequested'),
  );
  if (sent.some(({ kind, call }) => kind === 'cancel' && call.reply?.kind === 'done')) expect(cancelled).toBe(true);
}

/** Every outcome as the model has it, and every refusal as it could have been. */
function expectUpdates(chain: Chain, sent: readonly Sent[]): void {
  for (const { history, model } of chain.runs) {
    const recorded = new Map<string, unknown>();
    for (const event of history) {
      if (event.eventType === 'WorkflowExecutionUpdateAccepted') recorded.set(event.updateId, undefined);
      if (event.eventType !== 'WorkflowExecutionUpdateCompleted') continue;
      const { updateId, result, failure } = event;
      recorded.set(updateId, result === undefined ? failedAs(failure) : { result: decodePayload(result) });
    }
    expect(recorded).toEqual(model.outcomes);
  }
  for (const one of sent) if (one.kind === 'update' && one.call.reply !== undefined) expectUpdate(chain, one);
}

function expectUpdate(chain: Chain, { tag, name, id, call, known, life }: Sent): void {
  const reply = call.reply!;
  const accepted = chain.outcomes.get(tag);
  if (reply.kind === 'updateAccepted') expect(accepted).toBeDefined();
  if (reply.kind === 'updateCompleted') expect(accepted?.outcome).toEqual({ result: resultOf(call) });
  if (reply.kind !== 'error') return;
  const { name: error, cause } = reply.error;
  const refused = cause?.message === 'refused';
  if (error === 'WorkflowNotFoundError' || error === 'WorkflowNotReadyError') {
    if (id === undefined) expect(accepted, 'an update that found no run to take it is not accepted').toBeUndefined();
  } else if (cause?.message === 'Workflow completed before the Update completed') {
    expect(accepted?.run.model.close).toBeDefined();
    expect(accepted?.outcome).toBeUndefined();
  } else if (refused || cause?.message.startsWith('No registered handler')) {
    if (id === undefined) expect(accepted, 'a rejected update is not accepted').toBeUndefined();
    // Steps that left no event are new ones to new code: what older code refused may have been refused for them.
    if (life < chain.deployed.life) return;
    // Whoever asks again while the first one waits is told of that one's rejection, which may be older than what he knows.
    const from = id === undefined ? chain.after(known, 'first') : 0;
    const possible = chain.moments
      .slice(from)
      .some((moment) => (refused ? moment.refused : moment.unopened).has(name as UpdateName));
    expect(possible, 'it could be rejected').toBe(true);
  } else expect(accepted?.outcome).toEqual(failedAs(cause));
}

function failedAs(failure: { readonly kind: string } | undefined): object {
  return { failed: failure?.kind === 'cancelled' ? 'cancelled' : 'OnPurpose' };
}

/** Each query tells of a moment not before what its sender knew, and not before those that earlier ones told of. */
function expectQueries(chain: Chain, sent: readonly Sent[]): void {
  let earliest = 0;
  for (const { kind, call, known } of sent) {
    if (kind !== 'query' || call.reply?.kind !== 'queryResult') continue;
    const state = JSON.stringify(resultOf(call));
    const from = Math.max(earliest, chain.after(known, 'last'));
    const found = chain.moments.findIndex((moment, index) => index >= from && !moment.within && moment.state === state);
    expect(found, `the answer ${state} to a query is a state from moment ${from} on`).toBeGreaterThanOrEqual(0);
    earliest = found;
  }
}

/** Every timer that is due has fired, every activity has come to an end, and nobody waits but for updates that still run. */
function expectAtRest({ last, outcomes }: Chain, system: System, sent: readonly Sent[], life: number): void {
  if (last.model.close === undefined) {
    expect(last.model.nextTimer, 'every timer that is due has fired').toBeGreaterThan(system.clock.now());
    expect(last.model.activities, 'every activity comes to an end').toEqual([]);
  }
  for (const { kind, tag, call, life: of } of sent) {
    if (of !== life || call.answered) continue;
    expect(kind).toBe('update');
    expect(outcomes.get(tag), 'who waits, waits for an update that runs').toEqual({ run: last, outcome: undefined });
    expect(last.model.close).toBeUndefined();
  }
}

/** Attempts follow one another, the last one's outcome is the activity's, and at rest none is under way. */
function expectActivities({ runs }: Chain, attempts: readonly Attempt[]): void {
  for (const { runId, history, model } of runs) {
    const open = new Set<string>();
    for (const event of history) {
      if (event.eventType === 'ActivityTaskScheduled') open.add(event.activityId);
      if (event.eventType === 'ActivityTaskCancelRequested') open.delete(event.activityId);
      switch (event.eventType) {
        case 'ActivityTaskCompleted': {
          const [tag, fails] = scheduledBy(history, event).args;
          expect(decodePayload(event.result)).toBe(`work of ${tag}`);
          expect(event.attempt, 'an attempt that fails completes nothing').toBeGreaterThan(fails);
          open.delete(event.activityId);
          break;
        }
        case 'ActivityTaskFailed':
        // The last attempt may have ended with its process.
        case 'ActivityTaskTimedOut': {
          const { limit } = scheduledBy(history, event);
          expect(limit, 'without a limit there is always another attempt').toBeGreaterThan(0);
          expect(event.attempt, 'all attempts were made').toBeGreaterThanOrEqual(limit);
          open.delete(event.activityId);
        }
      }
    }
    if (model.close === undefined) expect([...open], 'every activity that is scheduled is resolved').toEqual([]);
    const numbers = new Map<string, number>();
    for (const { activityId, attempt } of attempts.filter((each) => each.runId === runId)) {
      expect(attempt, 'attempts are counted on').toBeGreaterThan(numbers.get(activityId) ?? 0);
      numbers.set(activityId, attempt);
    }
  }
}

function scheduledBy(history: readonly WorkflowEvent[], { scheduledEventId }: { readonly scheduledEventId: number }) {
  const { input, options } = history[scheduledEventId - 1] as EventOf<'ActivityTaskScheduled'>;
  return { args: decodePayloads(input) as [tag: string, fails: number], limit: options.retry!.maximumAttempts };
}

/** Each child has begun once, its parent knows how it ended, and what it is after its parent's end is as its policy says. */
function expectChildren({ runs }: Chain, system: System): void {
  const leaves = [...system.histories().values()].filter(
    ([started]) => isStart(started) && started.workflowType === 'leaf',
  );
  for (const { runId, history, model } of runs) {
    for (const event of history) {
      if (event.eventType !== 'StartChildWorkflowExecutionInitiated') continue;
      const { childId, options } = event;
      const own = leaves.filter(
        ([started]) => isStart(started) && started.parent?.runId === runId && started.parent.childId === childId,
      );
      expect(own.length, 'a child begins once').toBeLessThanOrEqual(1);
      const types = own[0]?.map(({ eventType }) => eventType) ?? [];
      const closed = CLOSING_EVENTS.has(types.at(-1)!);
      if (model.close === undefined) {
        expect(own.length, 'a child that is wanted begins').toBe(1);
        const told = history.find(
          (each) => 'childId' in each && each.childId === childId && CHILD_ENDS.has(each.eventType),
        );
        expect(told !== undefined, 'a parent knows of the end of its child').toBe(closed);
      } else if (options.parentClosePolicy === 'TERMINATE') expect(own.length === 0 || closed).toBe(true);
      else if (options.parentClosePolicy === 'REQUEST_CANCEL' && own.length > 0) expect(closed).toBe(true);
    }
  }
}

const CHILD_ENDS: ReadonlySet<string> = new Set([
  'ChildWorkflowExecutionCompleted',
  'ChildWorkflowExecutionFailed',
  'ChildWorkflowExecutionCanceled',
  'ChildWorkflowExecutionTerminated',
]);

/** A fresh execution comes to the same state, and what it asks for is what the first one did, down to the last byte. */
async function expectReplayed({ runId, history, steps, model }: Retold, system: System): Promise<void> {
  const { answer, commands } = await replayed(runId, history, steps, system.deployed, 'state');
  expect(JSON.stringify(answer)).toBe(JSON.stringify(model.state));
  const made: unknown[] = [];
  const recorded: unknown[] = [];
  for (const [index, { expected }] of steps.entries()) {
    expect(compare(commands[index]!, expected)).toBeUndefined();
    for (const [at, command] of commands[index]!.filter(leavesEvent).entries()) {
      const sides = bothSides(command, expected[at]!);
      made.push([command.kind, sides.made]);
      recorded.push([command.kind, sides.recorded]);
    }
  }
  expect(hash(made)).toBe(hash(recorded));
}

function hash(values: readonly unknown[]): string {
  return createHash('sha256').update(encodePayload(values)).digest('hex');
}
