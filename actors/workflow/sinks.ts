/**
 * `proxySinks`: functions of the embedding thread that workflow code may call and hears nothing of.
 * Thread: worker. In → out: call → sink call of the step.
 */
import { InvalidArgumentError } from '../../runtime/errors.js';
import { currentExecution } from '../current.js';
import type { WorkflowInfo } from './info.js';

// biome-ignore lint/suspicious/noExplicitAny: functions of any parameters
type AnyArgs = any[];

export type SinkFunction = (...args: AnyArgs) => void;
/** Functions by name, such as those of a logger. */
export type Sink = Record<string, SinkFunction>;
/** Sinks by name, as the runtime's option `sinks` has them. */
export type Sinks = Record<string, Sink>;

/** One call, as it arrives. */
export interface SinkCall {
  ifaceName: string;
  fnName: string;
  args: AnyArgs;
  workflowInfo: WorkflowInfo;
}

/** The sink that is there without being given: the runtime's logger. `log` does the same, with attributes. */
export interface LoggerSinks extends Sinks {
  defaultWorkerLogger: {
    trace(message: string, attrs?: Record<string, unknown>): void;
    debug(message: string, attrs?: Record<string, unknown>): void;
    info(message: string, attrs?: Record<string, unknown>): void;
    warn(message: string, attrs?: Record<string, unknown>): void;
    error(message: string, attrs?: Record<string, unknown>): void;
  };
}

/**
 * The runtime's sinks, for metrics, traces and the like. A call returns at once and is made in the embedding thread once the step that made
 * it is durable, in the order of the calls of a run; not of a step that fails, and in a replay only if the sink says so. A crash may lose
 * it: what must happen is an activity. Arguments are copied, as those of activities are; a call that cannot be copied is logged and dropped,
 * as are those after the first 1,000 of a step.
 * @example
 * const { metrics } = proxySinks<{ metrics: { count(name: string): void } }>();
 * metrics.count('orders');
 */
export function proxySinks<T extends Sinks>(): T {
  const sinkNamed = (sink: string) =>
    proxied((fn) => Object.freeze((...args: unknown[]) => currentExecution().sinks.call(sink, fn, args)));
  return proxied(sinkNamed) as T; // Whatever is called, arrives; the type is the caller's.
}

/** It may be shared by all executions of a thread. */
function proxied(member: (name: string) => unknown): object {
  return new Proxy(Object.create(null) as object, {
    get: (_, name) => (typeof name !== 'string' || name === 'then' ? undefined : member(name)),
    set: refuseChange,
    defineProperty: refuseChange,
    deleteProperty: refuseChange,
  });
}

function refuseChange(): never {
  throw new InvalidArgumentError({ argument: 'sink', reason: 'the proxy is read-only' });
}
