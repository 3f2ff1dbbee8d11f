/**
 * Scripts: workflow code as data, so that a random program can be written, shrunk, and run by a workflow and by a model alike.
 * Thread: the test's. In → out: statements + the world they act on → what to wait for next.
 */
import { ApplicationFailure, CancelledFailure, isCancellation } from 'holdfast/workflow';
import type { ParentClosePolicy } from '../../mailbox/events.js';

export type Cell = 'x' | 'y' | 'end';
export type SignalName = 'a' | 'b' | 'late';
export type UpdateName = 'u' | 'v' | 'lateUpdate';

export type Statement =
  | { readonly do: 'note' }
  | { readonly do: 'set'; readonly cell: Cell; readonly value: number }
  | { readonly do: 'add'; readonly cell: Cell }
  /** Until the cell is at least that; the answer is noted. */
  | { readonly do: 'wait'; readonly cell: Cell; readonly least: number; readonly timeout: number | undefined }
  | { readonly do: 'sleep'; readonly ms: number }
  | { readonly do: 'draw' }
  /** Sets the handlers of the late names, now or for the second time. */
  | { readonly do: 'open' }
  | { readonly do: 'allFinished' }
  /** `final`: no retry policy asks for another run. */
  | { readonly do: 'fail'; readonly final: boolean }
  /** Ends the run and begins the next of its chain, unless that is long enough. Not in updates. */
  | { readonly do: 'continueAsNew' }
  | { readonly do: 'locked'; readonly body: readonly Statement[] }
  /** Notes that it was cancelled, and goes on. */
  | { readonly do: 'shielded'; readonly body: readonly Statement[] }
  /** An activity whose attempts fail so often before one succeeds. `limit`: of attempts; 0 is none. */
  | { readonly do: 'activity'; readonly host: ActivityKind; readonly fails: number; readonly limit: number }
  | ({ readonly do: 'child' } & ChildPlan)
  /** In a cancellation scope of its own. */
  | { readonly do: 'scope'; readonly scope: ScopeKind; readonly ms: number; readonly body: readonly Statement[] }
  /** Only where the run goes the new way of that change. */
  | { readonly do: 'patched'; readonly id: PatchId; readonly body: readonly Statement[] }
  /** Cancels the scope that it stands in, but not the run. */
  | { readonly do: 'cancelScope' }
  /** What is shown of the run beside its state. */
  | { readonly do: 'memo' | 'attribute'; readonly value: number }
  /** Asked of another workflow, which may be none. Not in programs that are modelled. */
  | { readonly do: 'tell'; readonly what: 'signal' | 'cancel'; readonly whom: Other };

export type Other = 'other' | 'nobody';

export type PatchId = 'p' | 'q';
export type ActivityKind = 'scheduled' | 'local';
export type ScopeKind = 'cancellable' | 'nonCancellable' | 'timeout';

export interface ChildPlan {
  /** What the child does once its time is over; `waits` for ever. */
  readonly how: 'returns' | 'fails' | 'waits';
  readonly ms: number;
  readonly cancellationType: 'ABANDON' | 'TRY_CANCEL';
  readonly closePolicy: ParentClosePolicy;
}

/** An update is refused while this is so. */
export interface Refusal {
  readonly cell: Cell;
  readonly below: number;
}

export interface Script {
  readonly main: readonly Statement[];
  readonly signals: Readonly<Record<SignalName, readonly Statement[]>>;
  readonly updates: Readonly<Record<UpdateName, { readonly body: readonly Statement[]; readonly refused: Refusal }>>;
}

/** All that a script changes. */
export interface State {
  /** Which run of the chain, from 0. */
  readonly run: number;
  readonly cells: Record<Cell, number>;
  /** What happened, each entry under the name of the message in whose handler it did. */
  readonly log: string[];
}

export function freshState(): State {
  return { run: 0, cells: { x: 0, y: 0, end: 0 }, log: [] };
}

/** What the next run begins with. */
function nextState({ run, cells, log }: State): State {
  return { run: run + 1, cells: { ...cells, end: 0 }, log: [...log, `run ${run + 1}`] };
}

const LONGEST_CHAIN = 4;

export function refuses(state: State, { cell, below }: Refusal): boolean {
  return state.cells[cell] < below;
}

/** What a script waits for. */
export type Effect =
  | { readonly kind: 'wait'; readonly until: () => boolean; readonly timeout: number | undefined }
  | { readonly kind: 'sleep'; readonly ms: number }
  | { readonly kind: 'acquire' }
  | {
      readonly kind: 'activity';
      readonly host: ActivityKind;
      readonly tag: string;
      readonly fails: number;
      readonly limit: number;
    }
  /** Answered with what `awaitChild` needs. */
  | { readonly kind: 'startChild'; readonly tag: string; readonly plan: ChildPlan }
  | { readonly kind: 'awaitChild'; readonly child: unknown }
  | { readonly kind: 'tell'; readonly tag: string; readonly what: 'signal' | 'cancel'; readonly whom: Other }
  | { readonly kind: 'scope'; readonly scope: ScopeKind; readonly ms: number; readonly body: () => Running }
  | { readonly kind: 'continueAsNew'; readonly next: State };

/** What a script asks for without waiting. */
export interface World {
  readonly state: State;
  draw(): number;
  open(): void;
  release(): void;
  allFinished(): boolean;
  cancelScope(): void;
  show(where: 'memo' | 'attribute', value: number): void;
  patched(id: PatchId): boolean;
}

export type Running = Generator<Effect, string, unknown>;

/**
 * Runs statements as the handler of one message, or as main.
 * @param tag name of the message, unique
 * @returns what the handler returns
 * @throws ApplicationFailure named as the tag, where the script fails; what an effect ended in
 */
export function* perform(statements: readonly Statement[], tag: string, world: World): Running {
  const { state } = world;
  for (const statement of statements) {
    switch (statement.do) {
      case 'note':
        state.log.push(tag);
        break;
      case 'set':
        state.cells[statement.cell] = statement.value;
        break;
      case 'add':
        state.cells[statement.cell]++;
        break;
      case 'wait': {
        const { cell, least, timeout } = statement;
        const answer = yield { kind: 'wait', until: () => state.cells[cell] >= least, timeout };
        state.log.push(`${tag} ${answer === undefined ? 'waited' : `was told ${String(answer)}`}`);
        break;
      }
      case 'sleep':
        yield { kind: 'sleep', ms: statement.ms };
        state.log.push(`${tag} slept`);
        break;
      case 'draw':
        state.log.push(`${tag} drew ${world.draw()}`);
        break;
      case 'open':
        world.open();
        break;
      case 'allFinished':
        yield { kind: 'wait', until: () => world.allFinished(), timeout: undefined };
        break;
      case 'fail':
        throw ApplicationFailure.create({ message: tag, type: 'OnPurpose', nonRetryable: statement.final });
      case 'continueAsNew':
        if (state.run + 1 < LONGEST_CHAIN) yield { kind: 'continueAsNew', next: nextState(state) };
        break;
      case 'locked':
        yield { kind: 'acquire' };
        state.log.push(`${tag} locked`);
        try {
          yield* perform(statement.body, tag, world);
        } finally {
          state.log.push(`${tag} unlocked`);
          world.release();
        }
        break;
      case 'shielded':
        try {
          yield* perform(statement.body, tag, world);
        } catch (error) {
          if (!isCancellation(error)) throw error;
          state.log.push(`${tag} was cancelled`);
        }
        break;
      case 'activity': {
        const { host, fails, limit } = statement;
        yield* noted(tag, world, function* () {
          return yield { kind: 'activity', host, tag, fails, limit };
        });
        break;
      }
      case 'child':
        yield* noted(tag, world, function* () {
          const child = yield { kind: 'startChild', tag, plan: statement };
          return yield { kind: 'awaitChild', child };
        });
        break;
      case 'scope': {
        const { scope, ms, body } = statement;
        state.log.push(`${tag} opens a scope`);
        yield { kind: 'scope', scope, ms, body: () => perform(body, tag, world) };
        break;
      }
      case 'patched':
        if (!world.patched(statement.id)) break;
        state.log.push(`${tag} goes the new way`);
        yield* perform(statement.body, tag, world);
        break;
      case 'cancelScope':
        world.cancelScope();
        break;
      case 'memo':
      case 'attribute':
        world.show(statement.do, statement.value);
        break;
      case 'tell': {
        const { what, whom } = statement;
        yield* noted(tag, world, function* () {
          return yield { kind: 'tell', tag, what, whom };
        });
        break;
      }
    }
  }
  return `${tag} was number ${state.log.push(`${tag} ended`)}`;
}

/** Notes what comes of it, a failure too; cancellations go on, all of one kind. */
function* noted(
  tag: string,
  { state }: World,
  act: () => Generator<Effect, unknown, unknown>,
): Generator<Effect, void, unknown> {
  try {
    state.log.push(`${tag} got ${String(yield* act())}`);
  } catch (error) {
    if (isCancellation(error)) throw new CancelledFailure('cancelled');
    state.log.push(`${tag} got a failure`);
  }
}
