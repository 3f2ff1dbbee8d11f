/**
 * `setHandler`, and what asks about handlers.
 * Thread: worker. In → out: definition + function → handler of the current execution.
 */

import { refuseUnknownOptions } from '../../mailbox/checks.js';
import { decodePayloads } from '../../mailbox/payload.js';
import { InvalidArgumentError } from '../../runtime/errors.js';
import { currentUpdate } from '../code-context.js';
import { currentExecution } from '../current.js';
import type { Handler, HandlerKind } from '../handlers.js';
import {
  checkHandlerName,
  HandlerUnfinishedPolicy,
  type QueryDefinition,
  type QueryHandlerOptions,
  type SignalDefinition,
  type SignalHandlerOptions,
  type UpdateDefinition,
  type UpdateHandlerOptions,
} from './definitions.js';

export const HANDLER_OPTIONS: Readonly<Record<HandlerKind, ReadonlySet<string>>> = {
  signal: new Set(['description', 'unfinishedPolicy']),
  query: new Set(['description']),
  update: new Set(['description', 'unfinishedPolicy', 'validator']),
};

/**
 * Sets (or with `undefined` removes) the handler of a signal, query or update of this execution. Messages that waited for it are handed
 * to it, in arrival order, before this returns.
 *
 * @throws InvalidArgumentError if `def` is no definition or `handler` no function; InvalidOptionError
 * @example setHandler(approve, (input) => { approvedBy = input.name; });
 */
export function setHandler<R, A extends unknown[], N extends string>(
  def: UpdateDefinition<R, A, N>,
  handler: NoInfer<(...args: A) => R | Promise<R>> | undefined,
  options?: NoInfer<UpdateHandlerOptions<A>>,
): void;
export function setHandler<R, A extends unknown[], N extends string>(
  def: QueryDefinition<R, A, N>,
  handler: NoInfer<(...args: A) => R> | undefined,
  options?: QueryHandlerOptions,
): void;
export function setHandler<A extends unknown[], N extends string>(
  def: SignalDefinition<A, N>,
  handler: NoInfer<(...args: A) => void | Promise<void>> | undefined,
  options?: SignalHandlerOptions,
): void;
export function setHandler(
  def: { readonly type: 'signal' | 'query' | 'update'; readonly name: string },
  handler: ((...args: never[]) => unknown) | undefined,
  options: { validator?: unknown; unfinishedPolicy?: HandlerUnfinishedPolicy; description?: string } = {},
): void {
  const execution = currentExecution('Workflow.setHandler(...)');
  if (def?.type !== 'signal' && def?.type !== 'query' && def?.type !== 'update') {
    throw new InvalidArgumentError({
      argument: 'def',
      reason: 'must come from defineSignal, defineQuery or defineUpdate',
    });
  }
  assertFunction('handler', handler);
  refuseUnknownOptions(options, HANDLER_OPTIONS[def.type]);
  assertFunction('options.validator', options.validator);
  checkHandlerName(def.type, def.name);
  const validator = options.validator as ((...args: never[]) => unknown) | undefined;
  const entry: Handler | undefined = handler && {
    decode: decodePayloads,
    run: (_name, args) => handler(...(args as never[])),
    validate: validator && ((_name, args) => validator(...(args as never[]))),
    abandon: options.unfinishedPolicy === HandlerUnfinishedPolicy.ABANDON,
    description: options.description,
  };
  execution.setHandlers({ kind: def.type, name: def.name, handler: entry });
}

export function assertFunction(argument: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return;
  throw new InvalidArgumentError({ argument, reason: `must be a function or undefined, not ${typeof value}` });
}

/** True when no signal or update handler is in progress: `await condition(allHandlersFinished)` before returning from `main`. */
export function allHandlersFinished(): boolean {
  return currentExecution('allHandlersFinished()').handlers.allFinished;
}

export interface UpdateInfo {
  readonly id: string;
  readonly name: string;
}

/** The update whose handler this code runs in; undefined elsewhere. */
export function currentUpdateInfo(): UpdateInfo | undefined {
  currentExecution('Workflow.currentUpdateInfo(...)');
  return currentUpdate();
}
