/**
 * The verdict over one played program: everything that anybody was told, and every history, against the model.
 * Thread: the test's. In → out: a system at rest and what was sent to it → failed expectations.
 */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { compare, type ReplayStep, replaySteps } from '../../actors/replay.js';
import { CLOSING_EVENTS, type WorkflowEvent } from '../../mailbox/events.js';
import { decodePayload, encodePayload } from '../../mailbox/payload.js';
import { messageOf } from '../../mailbox/stored-messages.js';
import { bothSides, expectWellFormed, replayed } from './invariants.test-kit.js';
import { Model, tagOf } from './model.test-kit.js';
import { isKnown, resultOf, type Sent } from './schedule.test-kit.js';
import type { Script, State, UpdateName } from './script.test-kit.js';
import type { System } from './system.test-kit.js';

/** What a query could have been told, and what an update could have been refused for, at one point of the run. */
interface Moment {
  readonly state: string;
  readonly refused: readonly UpdateName[];
  /** Between two messages of one step, where no query comes. */
  readonly within: boolean;
}

const UPDATES: readonly UpdateName[] = ['u', 'v', 'lateUpdate'];

/** A run of the model over the steps that a history tells of. */
class Retold {
  readonly model: Model;
  readonly moments: Moment[] = [];
  /** Tag of a message → the moments of its step, the first and the last. */
  readonly #momentsOf = new Map<string, { readonly first: number; readonly last: number }>();

  constructor(script: Script, runId: string, steps: readonly ReplayStep[]) {
    this.model = new Model(script, runId);
    for (const { messages } of steps) {
      expect(this.model.close, 'nothing is stepped once the run has closed').toBeUndefined();
      for (const message of messages) {
        if (message.kind !== 'timerFired') continue;
        expect(message.time, 'no timer fires early').toBeGreaterThanOrEqual(this.model.nextTimer);
      }
      const first = this.moments.length;
      this.model.step(messages, () => this.#note(true));
      this.#note(false);
      const last = this.moments.length - 1;
      for (const message of messages) {
        if (message.kind === 'signal' || message.kind === 'update')
          this.#momentsOf.set(tagOf(message), { first, last });
      }
    }
  }

  /** The first moment that whoever knows of these messages may be told of. */
  after(known: ReadonlySet<string>, which: 'first' | 'last'): number {
    let after = 0;
    for (const tag of known) after = Math.max(after, this.#momentsOf.get(tag)?.[which] ?? 0);
    return after;
  }

  #note(within: boolean): void {
    const { model } = this;
    this.moments.push({
      state: JSON.stringify(model.state),
      refused: UPDATES.filter((name) => model.wouldRefuse(name)),
      within,
    });
  }
}

/** The steps of a history; what is stored and not told of came after them, one by one, unless the run closed before. */
function stepsOf(history: readonly WorkflowEvent[]): readonly ReplayStep[] {
  const steps = replaySteps(history, []);
  if (CLOSING_EVENTS.has(history.at(-1)!.eventType)) return steps;
  const last = steps.at(-1)?.messages.at(-1)?.seq ?? 0;
  const rest = history.flatMap((event) => messageOf(event, history[0]) ?? []).filter(({ seq }) => seq > last);
  rest.sort((a, b) => a.seq - b.seq);
  return [...steps, ...rest.map((message) => ({ messages: [message], expected: [] }))];
}

/** Everything about the run `w` of that script. The system is at rest, and nothing is held any more. */
export async function expectAsModelled(
  system: System,
  script: Script,
  sent: readonly Sent[],
  life: number,
): Promise<void> {
  expect(system.failures).toEqual([]);
  const found = [...system.histories()].find(([, [started]]) => isStartOf(started, 'w'));
  if (found === undefined) {
    expect(sent.filter(isKnown)).toEqual([]);
    return;
  }
  const [runId, history] = found;
  expectWellFormed(history);
  const steps = stepsOf(history);
  const retold = new Retold(script, runId, steps);
  expectClose(history, retold.model);
  expectMessages(history, retold.model, sent);
  expectUpdates(history, retold, sent);
  expectQueries(retold, sent);
  if (retold.model.close === undefined) {
    expect(retold.model.nextTimer, 'every timer that is due has fired').toBeGreaterThan(system.clock.now());
  }
  expectAnswered(sent, retold.model, life);
  const state = JSON.stringify(retold.model.state);
  const ask = async () => JSON.stringify(await system.query('w', 'state').value());
  expect(await ask()).toBe(state);
  await system.evictAll();
  expect(await ask()).toBe(state);
  const again = await replayed(runId, history, steps, system.deployed, 'state');
  expect(JSON.stringify(again.answer)).toBe(state);
  expectSameCommands(again.commands, steps);
}

/** What a fresh execution asks for is what the first one did, down to the last byte. */
function expectSameCommands(
  commands: Awaited<ReturnType<typeof replayed>>['commands'],
  steps: readonly ReplayStep[],
): void {
  const made: unknown[] = [];
  const recorded: unknown[] = [];
  for (const [index, { expected }] of steps.entries()) {
    expect(compare(commands[index]!, expected)).toBeUndefined();
    for (const [at, command] of commands[index]!.entries()) {
      const sides = bothSides(command, expected[at]!);
      made.push(command.kind, sides.made);
      recorded.push(command.kind, sides.recorded);
    }
  }
  expect(hash(made)).toBe(hash(recorded));
}

function isStartOf(event: WorkflowEvent | undefined, workflowId: string): boolean {
  return event?.eventType === 'WorkflowExecutionStarted' && event.workflowId === workflowId;
}

function hash(values: readonly unknown[]): string {
  return createHash('sha256').update(encodePayload(values)).digest('hex');
}

function expectClose(history: readonly WorkflowEvent[], { close }: Model): void {
  const last = history.at(-1)!;
  switch (close?.kind) {
    case undefined:
      expect(last.eventType).not.toMatch(/^WorkflowExecution(Completed|Failed|Canceled)$/);
      break;
    case 'completed':
      expect(last.eventType).toBe('WorkflowExecutionCompleted');
      if (last.eventType === 'WorkflowExecutionCompleted') expect(decodePayload(last.result)).toEqual(close.state);
      break;
    case 'failed':
      expect(last.eventType).toBe('WorkflowExecutionFailed');
      break;
    case 'cancelled':
      expect(last.eventType).toBe('WorkflowExecutionCanceled');
      break;
  }
}

/** Every acknowledged signal once, in the order in which they were sent, and nothing that was refused. */
function expectMessages(history: readonly WorkflowEvent[], model: Model, sent: readonly Sent[]): void {
  const signals = history.flatMap((event) => (event.eventType === 'WorkflowExecutionSignaled' ? [tagOf(event)] : []));
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
  const seen = [...model.handled, ...model.waiting];
  expect(new Set(seen).size, 'no message is handled twice').toBe(seen.length);
  expect([...seen].filter((tag) => signals.includes(tag)).sort(), 'every stored signal is seen').toEqual(
    [...signals].sort(),
  );
  const cancelled = history.some(({ eventType }) => eventType === 'WorkflowExecutionCancelRequested');
  if (sent.some(({ kind, call }) => kind === 'cancel' && call.reply?.kind === 'done')) expect(cancelled).toBe(true);
}

/** Every outcome as the model has it, and every refusal as it could have been. */
function expectUpdates(history: readonly WorkflowEvent[], retold: Retold, sent: readonly Sent[]): void {
  const { model, moments } = retold;
  const recorded = new Map<string, unknown>();
  for (const event of history) {
    if (event.eventType === 'WorkflowExecutionUpdateAccepted') {
      expect(recorded.has(event.updateId), 'an update is accepted once').toBe(false);
      recorded.set(event.updateId, undefined);
    }
    if (event.eventType === 'WorkflowExecutionUpdateCompleted') {
      recorded.set(
        event.updateId,
        event.result === undefined ? failedAs(event.failure) : { result: decodePayload(event.result) },
      );
    }
  }
  expect(recorded).toEqual(model.outcomes);
  for (const { kind, tag, name, id, call, known } of sent) {
    if (kind !== 'update' || call.reply === undefined) continue;
    const outcome = model.outcomes.get(tag);
    if (call.reply.kind === 'updateAccepted') expect(model.outcomes.has(tag)).toBe(true);
    if (call.reply.kind === 'updateCompleted') expect(outcome).toEqual({ result: resultOf(call) });
    if (call.reply.kind !== 'error') continue;
    const { name: error, cause } = call.reply.error;
    if (error === 'WorkflowNotFoundError') {
      if (id === undefined) expect(model.outcomes.has(tag), 'a refused update is not accepted').toBe(false);
    } else if (cause !== undefined && 'type' in cause && cause.type === 'AcceptedUpdateCompletedWorkflow') {
      expect(model.close).toBeDefined();
      expect(model.outcomes.has(tag) && outcome === undefined).toBe(true);
    } else if (cause?.message === 'refused' || cause?.message.startsWith('No registered handler')) {
      if (id === undefined) expect(model.outcomes.has(tag), 'a rejected update is not accepted').toBe(false);
      const from = retold.after(known, 'first');
      expect(
        moments.slice(from).some(({ refused }) => refused.includes(name as UpdateName)),
        'it could be refused',
      ).toBe(true);
    } else expect(outcome).toEqual(failedAs(cause));
  }
}

function failedAs(failure: { readonly kind: string } | undefined): object {
  return { failed: failure?.kind === 'cancelled' ? 'cancelled' : 'OnPurpose' };
}

/** Each query tells of a moment not before what its sender knew, and not before those that earlier ones told of. */
function expectQueries(retold: Retold, sent: readonly Sent[]): void {
  const { moments } = retold;
  let earliest = 0;
  for (const { kind, call, known } of sent) {
    if (kind !== 'query' || call.reply?.kind !== 'queryResult') continue;
    const state = JSON.stringify(resultOf(call) as State);
    const from = Math.max(earliest, retold.after(known, 'last'));
    const found = moments.findIndex((moment, index) => index >= from && !moment.within && moment.state === state);
    expect(found, `the answer ${state} to a query is a state of the run from moment ${from} on`).toBeGreaterThanOrEqual(
      0,
    );
    earliest = found;
  }
}

/** Nobody waits but for updates that still run. */
function expectAnswered(sent: readonly Sent[], model: Model, life: number): void {
  for (const { kind, tag, call, life: of } of sent) {
    if (of !== life || call.answered) continue;
    expect(kind).toBe('update');
    expect(model.outcomes.has(tag) && model.outcomes.get(tag) === undefined).toBe(true);
    expect(model.close).toBeUndefined();
  }
}
