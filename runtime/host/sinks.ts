/**
 * Sinks: functions of the embedding thread that workflow code calls, and nobody waits for.
 * Thread: embedding. In → out: sink calls of durable steps → calls of the user's functions; what these throw is logged.
 */
import type { WorkflowInfo } from '../../actors/workflow/info.js';
import type { Sink, SinkFunction, Sinks } from '../../actors/workflow/sinks.js';
import { typedAttributes } from '../../mailbox/attribute-records.js';
import { nameOfType, refuseUnknownOptions } from '../../mailbox/checks.js';
import type { SearchAttributesRecord } from '../../mailbox/events.js';
import { toFailureRecord } from '../../mailbox/failures.js';
import { isThenable } from '../../mailbox/gate.js';
import { decodePlain } from '../../mailbox/payload.js';
import { SdkComponent } from '../../mailbox/sdk-component.js';
import type { SinkCallRecord } from '../../mailbox/turn.js';
import { checkObject, refused } from '../option-checks.js';
import { LOG_LEVELS, type Logger, quiet } from './logger.js';

/** What stands behind one function of a sink. */
export interface InjectedSinkFunction<F extends SinkFunction> {
  /** Nobody waits for a promise that it returns; what it throws, or rejects with, is logged. */
  fn(info: WorkflowInfo, ...args: Parameters<F>): void | Promise<void>;
  /** Whether it is called as well when a run is rebuilt from its history. Default: false. */
  callDuringReplay?: boolean;
}

export type InjectedSink<T extends Sink> = { [P in keyof T]: InjectedSinkFunction<T[P]> };

/** The runtime's option `sinks`. */
export type InjectedSinks<T extends Sinks> = { [P in keyof T]: InjectedSink<T[P]> };

type AnySinks = InjectedSinks<Sinks>;

const FUNCTION_OPTIONS: ReadonlySet<string> = new Set(['fn', 'callDuringReplay']);

/** @throws InvalidOptionError */
export function resolveSinks(sinks: AnySinks = {}): AnySinks {
  checkObject('sinks', sinks);
  for (const [name, sink] of Object.entries(sinks)) {
    checkObject(`sinks.${name}`, sink);
    for (const [fnName, injected] of Object.entries(sink)) {
      const option = `sinks.${name}.${fnName}`;
      checkObject(option, injected);
      refuseUnknownOptions(injected, FUNCTION_OPTIONS, `${option}.`);
      const { fn } = injected;
      if (typeof fn !== 'function') throw refused(`${option}.fn`, `it must be a function, not ${nameOfType(fn)}`);
    }
  }
  return sinks;
}

/** Names of those that replays call, for the workers. */
export function sinksInReplay(sinks: AnySinks): string[] {
  return Object.entries(sinks).flatMap(([name, sink]) =>
    Object.entries(sink).flatMap(([fn, { callDuringReplay }]) => (callDuringReplay === true ? [`${name}.${fn}`] : [])),
  );
}

export class SinkHost {
  readonly #sinks: AnySinks;
  /** Named once each. */
  readonly #unknown = new Set<string>();

  constructor(
    sinks: AnySinks,
    private readonly logger: Logger,
  ) {
    this.#sinks = { defaultWorkerLogger: loggerSink(logger), ...sinks };
  }

  /** In order; none waits for another. */
  receive(calls: readonly SinkCallRecord[]): void {
    for (const call of calls) this.#call(call);
  }

  #call({ sink, fn, content }: SinkCallRecord): void {
    const name = `${sink}.${fn}`;
    const found = Object.hasOwn(this.#sinks, sink) ? this.#sinks[sink] : undefined;
    const injected = found !== undefined && Object.hasOwn(found, fn) ? found[fn] : undefined;
    if (injected === undefined) {
      if (this.#unknown.size < 1000 && !this.#unknown.has(name)) {
        this.#unknown.add(name);
        this.logger.warn(`There is no sink function ${name}: give it to the runtime as its option sinks`);
      }
      return;
    }
    const [known, attributes, args] = decodePlain(content) as [WorkflowInfo, SearchAttributesRecord?, unknown[]?];
    const { isReplaying } = known.unsafe;
    const info: WorkflowInfo = {
      ...known,
      typedSearchAttributes: typedAttributes(attributes),
      unsafe: { isReplaying, isReplayingHistoryEvents: isReplaying, now: Date.now },
    };
    const failed = (error: unknown) => {
      const { workflowId, runId } = info;
      const { stack, message } = toFailureRecord(error);
      const reason = stack ?? message;
      const sdkComponent = SdkComponent.worker;
      quiet(this.logger).error(`Sink function ${name} failed`, { sdkComponent, workflowId, runId, error: reason });
    };
    try {
      const outcome: unknown = injected.fn(info, ...(args ?? []));
      if (isThenable(outcome)) outcome.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }
}

function loggerSink(logger: Logger): InjectedSink<Sink> {
  return Object.fromEntries(
    LOG_LEVELS.map((level) => [
      level,
      {
        fn: ({ workflowId, runId, workflowType }: WorkflowInfo, message: string, attributes?: object) =>
          logger[level](message, {
            sdkComponent: SdkComponent.workflow,
            workflowId,
            runId,
            workflowType,
            ...attributes,
          }),
      },
    ]),
  );
}
