/**
 * The interceptors of one execution: which of its calls go through any, and through which.
 * Thread: worker. In → out: interceptor modules' exports → factories → for each run its interceptors, or nothing.
 */

import type { HeadersRecord } from '../mailbox/events.js';
import { type Headers, recordOf } from '../mailbox/headers.js';
import { composeInterceptors, type Next } from '../mailbox/interceptors.js';
import { InvalidOptionError } from '../runtime/errors.js';
import type {
  WorkflowInboundCallsInterceptor,
  WorkflowInterceptorsFactory,
  WorkflowOutboundCallsInterceptor,
} from './workflow/interceptors.js';

/** Inbound and outbound methods have names of their own, so that one table serves both. */
type Calls = WorkflowInboundCallsInterceptor & WorkflowOutboundCallsInterceptor;
type Method = keyof Calls;
type InputOf<M extends Method> = Parameters<Next<Calls, M>>[0];

const OPTION = 'interceptors.workflowModules';
const KINDS = { inbound: true, outbound: true, internals: false } as const;

export class Interceptors {
  /** Undefined where there are none. */
  readonly #by: Partial<Record<Method, Calls[]>> = {};
  readonly #seqs: Partial<Record<Method, number>> = {};

  constructor(
    all: readonly Calls[],
    /** Limit of one header. */
    private readonly payloadBytes: number,
  ) {
    for (const interceptor of all) {
      for (const method of METHODS) {
        if (interceptor[method] === undefined) continue;
        const found = this.#by[method];
        if (found === undefined) this.#by[method] = [interceptor];
        else found.push(interceptor);
      }
    }
  }

  has(method: Method): boolean {
    return this.#by[method] !== undefined;
  }

  /** Goes through all that have the method, and then makes the call itself. */
  through<M extends Method>(method: M, input: InputOf<M>, call: Next<Calls, M>): ReturnType<Next<Calls, M>> {
    return composeInterceptors(this.#by[method] ?? [], method, call)(input as never) as ReturnType<Next<Calls, M>>;
  }

  /** Counts the calls of a kind, from 1: the same in a replay. */
  nextSeq(method: Method): number {
    const seq = (this.#seqs[method] ?? 0) + 1;
    this.#seqs[method] = seq;
    return seq;
  }

  /** @throws InvalidArgumentError, PayloadTooLargeError */
  record(headers: Headers): { headers?: HeadersRecord } {
    const record = recordOf(headers, this.payloadBytes);
    return record === undefined ? {} : { headers: record };
  }
}

const METHODS: readonly Method[] = Object.keys({
  execute: true,
  handleSignal: true,
  handleUpdate: true,
  validateUpdate: true,
  handleQuery: true,
  startTimer: true,
  scheduleActivity: true,
  scheduleLocalActivity: true,
  startChildWorkflowExecution: true,
  signalWorkflow: true,
  requestWorkflow: true,
  continueAsNew: true,
  getLogAttributes: true,
} satisfies Record<Method, true>) as Method[];

/** @throws InvalidOptionError if the module exports no factory */
export function factoryOf(module: string, exports: unknown): WorkflowInterceptorsFactory {
  const factory = (exports as { interceptors?: unknown } | null | undefined)?.interceptors;
  if (typeof factory === 'function') return factory as WorkflowInterceptorsFactory; // What it returns is checked.
  const reason = `${module}: it must export interceptors, a function that returns { inbound: […], outbound: […] }`;
  throw new InvalidOptionError({ option: OPTION, reason });
}

/**
 * Of one run, which is the current one. Undefined if there are none, and calls go their usual way.
 * @throws InvalidOptionError, and what a factory throws
 */
export function makeInterceptors(
  factories: readonly WorkflowInterceptorsFactory[],
  payloadBytes: number,
): Interceptors | undefined {
  const all = factories.flatMap((factory) => interceptorsIn(factory()));
  return all.length === 0 ? undefined : new Interceptors(all, payloadBytes);
}

function interceptorsIn(made: unknown): Calls[] {
  if (typeof made !== 'object' || made === null) {
    throw refused('interceptors() must return an object with the lists inbound and outbound');
  }
  return Object.entries(made).flatMap(([kind, list]: [string, unknown]) => {
    if (list === undefined) return [];
    if (!Object.hasOwn(KINDS, kind) || !Array.isArray(list)) {
      throw refused(`interceptors() returned ${kind}, which is none of the lists inbound and outbound`);
    }
    if (list.length > 0 && !KINDS[kind as keyof typeof KINDS]) {
      throw refused('there are no internals interceptors: activations and their commands are not those of Temporal');
    }
    return list as Calls[];
  });
}

function refused(reason: string): InvalidOptionError {
  return new InvalidOptionError({ option: OPTION, reason });
}
