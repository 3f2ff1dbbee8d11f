/**
 * Workers without threads: real turn runners and executions over plain workflow functions, whose turns can be held or lost.
 * Thread: the test's; one turn at a time over all slots, for the current execution is known by thread. In → out: turn bytes → report bytes.
 */

import { setCurrent } from '../../actors/current.js';
import { Execution } from '../../actors/execution.js';
import { type ExportedWorkflow, ExportedWorkflows, runWorkflow } from '../../actors/exported-workflows.js';
import { makeInterceptors } from '../../actors/interceptors.js';
import type { ExecutionHost, Log } from '../../actors/surroundings.js';
import { systemWorkflow } from '../../actors/system-workflows.js';
import { TurnRunner } from '../../actors/turn-runner.js';
import type { WorkflowInterceptorsFactory } from '../../actors/workflow/interceptors.js';
import { toFailureRecord } from '../../mailbox/failures.js';
import { encodePayload } from '../../mailbox/payload.js';
import {
  decodeTurn,
  encodeReport,
  type Load,
  type Slice,
  type SuspendReason,
  type TurnReport,
} from '../../mailbox/turn.js';
import { WorkerLostError, type Workers } from '../supervisor/turns/workers.js';
import { setStepping } from './rejection-sink.test-kit.js';
import { Gate } from './steered-store.test-kit.js';

/** The workflow types that are deployed; may be changed at any time, for actors made from then on. */
export type Deployed = Map<string, ExportedWorkflow> & {
  failureTypeNames?: readonly string[];
  interceptors?: readonly WorkflowInterceptorsFactory[];
  sinksInReplay?: ReadonlySet<string>;
  engineFlags?: number;
};

/**
 * Says of a turn that it ends its worker: the run in whose first step, or in that of the message with this seq, or 'between' for none.
 * Undefined: it returns.
 */
export type Fate = (
  slices: readonly Slice[],
  slot: number,
) => number | { readonly run: number; readonly seq: number } | 'between' | undefined;

export function createExecution(load: Load, log: Log, deployed: Deployed): Execution | SuspendReason {
  const system = systemWorkflow(load.workflowType);
  const exports = Object.fromEntries(deployed);
  const workflows = new ExportedWorkflows(exports);
  const workflow = workflows.find(exports, load.workflowType);
  if (workflow === undefined && system === undefined) return { kind: 'unknownType', registered: workflows.types };
  const host: ExecutionHost = {
    log,
    encode: encodePayload,
    explain: (thrown) => thrown,
    failureTypeNames: deployed.failureTypeNames ?? [],
    sinksInReplay: deployed.sinksInReplay,
    ...(deployed.engineFlags !== undefined && { engineFlags: deployed.engineFlags }),
  };
  const execution = new Execution(load, system ?? ((input) => runWorkflow(workflow!, input)), host);
  if (system === undefined && deployed.interceptors !== undefined) {
    setCurrent(execution);
    try {
      execution.interceptors = makeInterceptors(deployed.interceptors, 2 ** 21);
    } catch (error) {
      return { kind: 'threw', failure: toFailureRecord(error) };
    } finally {
      setCurrent(undefined);
    }
  }
  return execution;
}

function firstSeqOf(slices: readonly Slice[], actor: number): number {
  return slices.find(({ run }) => run === actor)?.steps[0]?.[0]?.seq ?? 0;
}

/** All turns of this thread, those of a process that has crashed included: what runs, runs to its end. */
let line: Promise<void> = Promise.resolve();

export class InProcessWorkers implements Workers {
  /** Reports wait here on their way back. */
  readonly returns = new Gate();
  /** Every turn so far. */
  readonly turns: { readonly slot: number; readonly slices: readonly Slice[] }[] = [];
  fate: Fate = () => undefined;
  /** What goes back for a report. */
  garble: (report: TurnReport, slices: readonly Slice[]) => Uint8Array = encodeReport;
  /** Monotonic milliseconds as the turn runner sees them: they stand still, so that no turn runs out of time. */
  monotonic: () => number = () => 0;
  /** Milliseconds of CPU time as it sees them. */
  cpu: () => number = () => 0;
  #runners: TurnRunner[];
  #dead = false;

  constructor(
    readonly slots: number,
    private readonly deployed: Deployed,
    private readonly moved: () => void,
  ) {
    this.#runners = Array.from({ length: slots + 1 }, () => this.#newRunner());
  }

  /** The process is gone. */
  crash(): void {
    this.#dead = true;
  }

  async run(slot: number, turn: Uint8Array): Promise<Uint8Array> {
    const slices = decodeTurn(turn);
    this.turns.push({ slot, slices });
    this.moved();
    const before = line;
    let leave = (): void => undefined;
    line = new Promise((resolve) => {
      leave = resolve;
    });
    await before;
    if (this.#dead) {
      leave();
      return new Promise(() => undefined);
    }
    const runner = this.#runners[slot]!;
    setStepping(runner);
    const report = await runner.run(slices);
    setStepping(undefined);
    leave();
    await this.returns.pass();
    this.moved();
    if (this.#dead) return new Promise(() => undefined);
    const culprit = this.fate(slices, slot);
    if (culprit === undefined) return this.garble(report, slices);
    this.#runners[slot] = this.#newRunner();
    if (culprit === 'between') throw new WorkerLostError(slot, undefined, 'the test ended it', 0);
    const { run, seq } = typeof culprit === 'object' ? culprit : { run: culprit, seq: firstSeqOf(slices, culprit) };
    throw new WorkerLostError(slot, run, 'the test ended it', seq);
  }

  lose(slot: number, reason: string, actor: number | undefined): WorkerLostError {
    this.#runners[slot] = this.#newRunner();
    return new WorkerLostError(slot, actor, reason, 0);
  }

  #newRunner(): TurnRunner {
    return new TurnRunner({
      create: (load, log) => createExecution(load, log, this.deployed),
      place: (stack) => /[^\s(/]+\.test\.[jt]s:\d+/.exec(stack)?.[0],
      watch: { began: () => undefined, evaluates: () => undefined, ended: () => undefined },
      monotonic: () => this.monotonic(),
      cpu: () => this.cpu(),
      afterDrain: (callback) => {
        this.moved();
        setImmediate(callback);
      },
    });
  }
}
