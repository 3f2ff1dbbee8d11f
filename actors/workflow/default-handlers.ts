/**
 * The dynamic handlers: who takes the signals, updates and queries that no static handler has the name of.
 * Thread: worker. In → out: function → handler of the current execution.
 */
import { refuseUnknownOptions } from '../../mailbox/checks.js';
import { decodePayloads } from '../../mailbox/payload.js';
import { type RawValue, toRawValues } from '../../mailbox/raw-value.js';
import { currentExecution } from '../current.js';
import type { HandlerKind } from '../handlers.js';
import { HandlerUnfinishedPolicy, type QueryHandlerOptions, type SignalHandlerOptions } from './definitions.js';
import { assertFunction, HANDLER_OPTIONS } from './handlers.js';

export type DefaultSignalHandler = (signalName: string, ...args: unknown[]) => void | Promise<void>;
export type DefaultUpdateHandler = (updateName: string, ...args: unknown[]) => unknown;
export type DefaultQueryHandler = (queryName: string, ...args: unknown[]) => unknown;

export interface DefaultUpdateHandlerOptions extends SignalHandlerOptions {
  /** Throws to refuse the update. Must be synchronous, and only read. */
  validator?: (updateName: string, ...args: unknown[]) => void;
}

/** With `rawArgs` the arguments come as one array, undecoded: bytes that do not decode concern only who decodes them. */
export interface RawArgs {
  rawArgs: true;
}

/** Its arguments undecoded. */
export interface RawUpdateHandlerOptions extends SignalHandlerOptions, RawArgs {
  /** Throws to refuse the update. Must be synchronous, and only read. */
  validator?: (updateName: string, args: RawValue[]) => void;
}

/**
 * Sets (or with `undefined` removes) the handler of all signals that no `setHandler` was called for. Signals that waited for one are
 * handed to it, in arrival order, before this returns.
 *
 * @throws InvalidArgumentError if `handler` is no function
 * @example setDefaultSignalHandler((name, ...args) => { log.info('signal', { name, args }); });
 */
export function setDefaultSignalHandler(
  handler: DefaultSignalHandler | undefined,
  options?: SignalHandlerOptions & Partial<Record<keyof RawArgs, false>>,
): void;
export function setDefaultSignalHandler(
  handler: (signalName: string, args: RawValue[]) => void | Promise<void>,
  options: SignalHandlerOptions & RawArgs,
): void;
export function setDefaultSignalHandler(handler: AnyHandler | undefined, options?: AnyOptions): void {
  setDefaultHandler('signal', handler, options);
}

/**
 * Sets (or with `undefined` removes) the handler of all updates that no `setHandler` was called for. Updates that waited for one in
 * this step are handed to it, in arrival order, before this returns.
 *
 * @throws InvalidArgumentError if `handler` or the validator is no function
 * @example setDefaultUpdateHandler((name, input) => apply(name, input), { validator: (name) => assertKnown(name) });
 */
export function setDefaultUpdateHandler(
  handler: DefaultUpdateHandler | undefined,
  options?: DefaultUpdateHandlerOptions & Partial<Record<keyof RawArgs, false>>,
): void;
export function setDefaultUpdateHandler(
  handler: (updateName: string, args: RawValue[]) => unknown,
  options: RawUpdateHandlerOptions,
): void;
export function setDefaultUpdateHandler(handler: AnyHandler | undefined, options?: AnyOptions): void {
  setDefaultHandler('update', handler, options);
}

/**
 * Sets (or with `undefined` removes) the handler of all queries that no `setHandler` was called for. Must be synchronous, and only read.
 *
 * @throws InvalidArgumentError if `handler` is no function
 * @example setDefaultQueryHandler((name) => fields.get(name));
 */
export function setDefaultQueryHandler(
  handler: DefaultQueryHandler | undefined,
  options?: QueryHandlerOptions & Partial<Record<keyof RawArgs, false>>,
): void;
export function setDefaultQueryHandler(
  handler: (queryName: string, args: RawValue[]) => unknown,
  options: QueryHandlerOptions & RawArgs,
): void;
export function setDefaultQueryHandler(handler: AnyHandler | undefined, options?: AnyOptions): void {
  setDefaultHandler('query', handler, options);
}

type AnyHandler = (name: string, ...args: never[]) => unknown;

interface AnyOptions {
  readonly validator?: unknown;
  readonly unfinishedPolicy?: HandlerUnfinishedPolicy;
  readonly description?: string;
  readonly rawArgs?: boolean;
}

const OPTIONS: Readonly<Record<HandlerKind, ReadonlySet<string>>> = {
  signal: new Set([...HANDLER_OPTIONS.signal, 'validator', 'rawArgs']),
  query: new Set([...HANDLER_OPTIONS.query, 'rawArgs']),
  update: new Set([...HANDLER_OPTIONS.update, 'rawArgs']),
};

function setDefaultHandler(kind: HandlerKind, handler: AnyHandler | undefined, options: AnyOptions = {}): void {
  const execution = currentExecution();
  assertFunction('handler', handler);
  refuseUnknownOptions(options, OPTIONS[kind]);
  assertFunction('options.validator', options.validator);
  const validator = options.validator as AnyHandler | undefined;
  const call = (target: AnyHandler) => (name: string, args: unknown[]) => target(name, ...(args as never[]));
  execution.setHandlers({
    kind,
    name: undefined,
    handler: handler && {
      decode: options.rawArgs === true ? (input) => [toRawValues(input)] : decodePayloads,
      run: call(handler),
      validate: validator && call(validator),
      abandon: options.unfinishedPolicy === HandlerUnfinishedPolicy.ABANDON,
      description: options.description,
    },
  });
}
