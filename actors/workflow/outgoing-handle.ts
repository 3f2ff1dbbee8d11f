/**
 * The outgoing handle: what one workflow can ask of another, whether external or its child.
 * Thread: worker. In → out: definition and arguments → request of the current execution → typed result or failure.
 */
import { checkId, checkOneOf, checkOptionalId, checkReason, refuseUnknownOptions } from '../../mailbox/checks.js';
import { ApplicationFailure } from '../../mailbox/failures.js';
import { decodePayload, type Payload } from '../../mailbox/payload.js';
import { InvalidArgumentError } from '../../runtime/errors.js';
import { currentExecution } from '../current.js';
import { EngineFlag } from '../engine-flags.js';
import type { Execution } from '../execution.js';
import type { ExternalOutcome } from '../external-requests.js';
import { derivedUuid } from '../random.js';
import type { ArgsOf, QueryDefinition, SignalDefinition, UpdateDefinition } from './definitions.js';
import { encoded, requestThrough, signalThrough } from './intercepted-requests.js';
import { handlerNameOf } from './names.js';

// biome-ignore lint/suspicious/noExplicitAny: matches any list of arguments that a definition may have
type AnyArgs = any[];

/** What a definition that is only a name leaves open. */
type Unnamed = unknown[];

/** Whom requests go to; spread into each. */
export interface OutgoingTarget {
  readonly workflowId: string;
  readonly runId?: string;
  readonly childId?: string;
}

export interface OutgoingUpdateOptions {
  /** The same id again, along the target's chain, gets the first one's outcome. Default: an id that is the same at every replay. */
  updateId?: string;
}

const UPDATE_OPTIONS: ReadonlySet<string> = new Set(['args', 'updateId']);
const START_UPDATE_OPTIONS: ReadonlySet<string> = new Set(['args', 'updateId', 'waitForStage']);

/**
 * Every method is a durable request: recorded in this workflow's history before it is carried out, applied once by the other workflow
 * whatever crashes between, and answered in this workflow's history.
 *
 * What a client would get as an error of the catalogue rejects here with a non-retryable ApplicationFailure whose `type` is the name of
 * that error's class, such as `WorkflowNotFoundError`, with the same message and cause. In a cancelled scope, or when the scope is
 * cancelled meanwhile, it is CancelledFailure; a signal that is already under way is waited for.
 */
export class OutgoingHandle {
  readonly workflowId: string;
  readonly #target: OutgoingTarget;

  /** @internal */
  constructor(target: OutgoingTarget) {
    this.workflowId = target.workflowId;
    this.#target = target;
  }

  /**
   * Resolves once the signal is durable in the other workflow's history, not once it is handled.
   * @throws ApplicationFailure of type WorkflowNotFoundError, also if the run is closed; ResourceExhaustedError
   * @example await getExternalWorkflowHandle('order-1').signal(addItem, 'apples', 3);
   */
  signal<Args extends AnyArgs = Unnamed, Name extends string = string>(
    def: SignalDefinition<Args, Name> | string,
    ...args: NoInfer<Args>
  ): Promise<void> {
    return this.#acknowledged(({ externalRequests }) => {
      const name = handlerNameOf('signal', def);
      return signalThrough(this.#target, name, args, (target, asked) =>
        externalRequests.send(() => ({ kind: 'signal', ...target, ...encoded(asked) })),
      );
    });
  }

  /**
   * Asks the other workflow to cancel. Resolves once the request is durable in its history.
   * @throws ApplicationFailure of type WorkflowNotFoundError, also if the run is closed
   */
  cancel(reason?: string): Promise<void> {
    return this.#acknowledged(({ externalRequests }) => {
      const text = checkReason(reason);
      return externalRequests.send(() => ({
        kind: 'cancel',
        ...this.#target,
        ...(text === undefined ? {} : { reason: text }),
      }));
    });
  }

  /** Of another workflow the very promise of the request, as in Temporal; of a child, and in runs of before that, a microtask later. */
  #acknowledged(ask: (execution: Execution) => Promise<unknown>): Promise<void> {
    try {
      const execution = currentExecution();
      const answer = ask(execution);
      const isDirect = this.#target.childId === undefined && execution.follows(EngineFlag.TemporalActivations);
      return isDirect ? (answer as Promise<void>) : nothingOf(answer); // A request of that kind is answered with nothing.
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends an update and resolves with its result. (Temporal has no updates from workflow to workflow.)
   * @throws ApplicationFailure of type WorkflowUpdateFailedError if it is rejected, fails, or its run closes first: the cause says which;
   *   WorkflowNotFoundError, WorkflowSuspendedError, ResourceExhaustedError
   * @example const receipt = await getExternalWorkflowHandle('order-1').executeUpdate(approve, { args: ['ada'] });
   */
  async executeUpdate<Ret, Args extends AnyArgs = Unnamed>(
    def: UpdateDefinition<Ret, Args> | string,
    ...[options]: [] extends Args
      ? [options?: OutgoingUpdateOptions & ArgsOf<NoInfer<Args>>]
      : [options: OutgoingUpdateOptions & ArgsOf<NoInfer<Args>>]
  ): Promise<Ret> {
    if (options !== undefined) refuseUnknownOptions(options, UPDATE_OPTIONS);
    const { result } = await this.#update(def, options, 'COMPLETED').outcome;
    return decode(result) as Ret; // As the definition says.
  }

  /**
   * Sends an update and resolves with its handle once it is durably accepted, or rejected; `result()` tells which.
   * @throws ApplicationFailure of type WorkflowNotFoundError, WorkflowSuspendedError or ResourceExhaustedError
   * @example
   * const update = await getExternalWorkflowHandle('order-1').startUpdate(approve, { args: ['ada'], waitForStage: 'ACCEPTED' });
   * const receipt = await update.result();
   */
  async startUpdate<Ret, Args extends AnyArgs = Unnamed>(
    def: UpdateDefinition<Ret, Args> | string,
    options: OutgoingUpdateOptions & { waitForStage: 'ACCEPTED' } & ArgsOf<NoInfer<Args>>,
  ): Promise<OutgoingUpdateHandle<Ret>> {
    refuseUnknownOptions(options, START_UPDATE_OPTIONS);
    checkOneOf('waitForStage', options.waitForStage, ['ACCEPTED']);
    const update = this.#update(def, options, 'ACCEPTED');
    const { workflowId } = this;
    try {
      const { runId, result } = await update.outcome;
      return new OutgoingUpdateHandle(
        workflowId,
        update.updateId,
        runId,
        result === undefined ? undefined : { result },
      );
    } catch (failure) {
      // A rejection is an outcome like any other.
      if (!(failure instanceof ApplicationFailure) || failure.type !== 'WorkflowUpdateFailedError') throw failure;
      return new OutgoingUpdateHandle(workflowId, update.updateId, undefined, { failure });
    }
  }

  #update(
    def: object | string,
    options: { updateId?: string; args?: readonly unknown[] } | undefined,
    stage: 'ACCEPTED' | 'COMPLETED',
  ): { readonly updateId: string; readonly outcome: Promise<ExternalOutcome> } {
    const { externalRequests, info } = currentExecution();
    const name = handlerNameOf('update', def);
    let updateId = checkOptionalId('updateId', options?.updateId) ?? '';
    const outcome = requestThrough('update', this.#target, name, options?.args, (asked) =>
      externalRequests.send((externalId) => {
        if (updateId === '') updateId = derivedUuid(info.runId, `update ${externalId}`);
        return { kind: 'update', ...this.#target, updateId, stage, ...encoded(asked) };
      }),
    );
    return {
      get updateId() {
        return updateId;
      },
      outcome,
    };
  }

  /**
   * Asks the other workflow's code; it sees what was acknowledged before. Works on closed runs too. (Temporal has no queries from workflow
   * to workflow.)
   * @throws ApplicationFailure of type QueryNotRegisteredError, QueryFailedError, WorkflowNotFoundError or WorkflowSuspendedError
   * @example const sum = await getExternalWorkflowHandle('order-1').query(total, 'EUR');
   */
  async query<Ret, Args extends AnyArgs = Unnamed>(
    def: QueryDefinition<Ret, Args> | string,
    ...args: NoInfer<Args>
  ): Promise<Ret> {
    const { externalRequests } = currentExecution();
    const name = handlerNameOf('query', def);
    const { result } = await requestThrough('query', this.#target, name, args, (asked) =>
      externalRequests.send(() => ({ kind: 'query', ...this.#target, ...encoded(asked) })),
    );
    return decode(result) as Ret; // As the definition says.
  }
}

type UpdateOutcome = { readonly result: Payload } | { readonly failure: ApplicationFailure };

/** An update that another workflow has accepted or rejected. */
export class OutgoingUpdateHandle<Ret> {
  readonly updateId: string;
  readonly workflowId: string;
  /** The run that accepted it; absent if it was rejected. */
  readonly workflowRunId?: string;
  /** Known already if the update was over when it was sent. */
  readonly #outcome: UpdateOutcome | undefined;

  /** @internal */
  constructor(workflowId: string, updateId: string, runId: string | undefined, outcome: UpdateOutcome | undefined) {
    this.workflowId = workflowId;
    this.updateId = updateId;
    if (runId !== undefined) this.workflowRunId = runId;
    this.#outcome = outcome;
  }

  /**
   * The update's result.
   * @throws ApplicationFailure of type WorkflowUpdateFailedError if it was rejected or failed, or its run closed first: the cause says
   *   which; WorkflowSuspendedError if its run cannot step for now: ask again later
   */
  async result(): Promise<Ret> {
    const outcome = this.#outcome ?? (await this.#poll());
    if ('failure' in outcome) throw outcome.failure;
    return decode(outcome.result) as Ret; // As the definition says.
  }

  #poll(): Promise<ExternalOutcome> {
    const { workflowId, updateId, workflowRunId } = this;
    const target = workflowRunId === undefined ? { workflowId } : { workflowId, runId: workflowRunId };
    return currentExecution().externalRequests.send(() => ({ kind: 'pollUpdate', ...target, updateId }));
  }
}

/** @throws InvalidArgumentError, PayloadConverterError, PayloadTooLargeError */
export function encodeArgs(args: readonly unknown[] | undefined): Payload[] {
  if (args === undefined) return [];
  if (!Array.isArray(args)) throw new InvalidArgumentError({ argument: 'args', reason: 'they must be an array' });
  const execution = currentExecution();
  return args.map((arg, index) => execution.encode(arg, `args[${index}]`));
}

/** @throws InvalidArgumentError unless both can be ids */
export function targetOf(workflowId: string, runId: string | undefined): OutgoingTarget {
  const id = checkId('workflowId', workflowId);
  return runId === undefined ? { workflowId: id } : { workflowId: id, runId: checkId('runId', runId) };
}

function decode(result: Payload | undefined): unknown {
  return result === undefined ? undefined : decodePayload(result);
}

async function nothingOf(answer: Promise<unknown>): Promise<void> {
  await answer;
}
