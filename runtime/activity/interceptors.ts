/**
 * Activity interceptors: what users put around the attempts of activities, and what they add to what these log.
 * Thread: embedding. In → out: the call of an attempt → the same call through all interceptors.
 */
import { type Headers, headersFrom } from '../../mailbox/headers.js';
import { composeInterceptors, type Next, synchronous } from '../../mailbox/interceptors.js';
import type { ActivityTask } from '../host/protocol.js';
import type { Context } from './context.js';

/** `args` are RawValues where the activity takes its arguments undecoded. */
export interface ActivityExecuteInput {
  readonly args: unknown[];
  readonly headers: Headers;
}

export interface ActivityInboundCallsInterceptor {
  /** In the activity's context; what it throws is what the attempt throws. */
  execute?: (input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>) => Promise<unknown>;
}

export interface ActivityOutboundCallsInterceptor {
  /** Called for every line that the activity logs; what it returns is attached to the line. */
  getLogAttributes?: (
    input: Record<string, unknown>,
    next: Next<ActivityOutboundCallsInterceptor, 'getLogAttributes'>,
  ) => Record<string, unknown>;
}

export interface ActivityInterceptors {
  inbound?: ActivityInboundCallsInterceptor;
  outbound?: ActivityOutboundCallsInterceptor;
}

/**
 * Called for each attempt, with its context. The first of several is the outermost.
 * @example
 * const timing: ActivityInterceptorsFactory = (context) => ({
 *   inbound: {
 *     async execute(input, next) {
 *       const began = performance.now();
 *       try {
 *         return await next(input);
 *       } finally {
 *         context.log.info('took', { ms: performance.now() - began });
 *       }
 *     },
 *   },
 * });
 */
export type ActivityInterceptorsFactory = (context: Context) => ActivityInterceptors;

/** Those of one attempt. */
export class AttemptInterceptors {
  readonly #inbound: readonly ActivityInboundCallsInterceptor[];
  readonly #outbound: readonly ActivityOutboundCallsInterceptor[];

  constructor(factories: readonly ActivityInterceptorsFactory[], context: Context) {
    const made = factories.map((factory) => factory(context));
    this.#inbound = made.flatMap(({ inbound }) => inbound ?? []);
    this.#outbound = made.flatMap(({ outbound }) => outbound ?? []);
  }

  execute(args: unknown[], { headers }: ActivityTask, call: (args: readonly unknown[]) => unknown): unknown {
    const last = async (input: ActivityExecuteInput): Promise<unknown> => call(input.args);
    return composeInterceptors(this.#inbound, 'execute', last)({ args, headers: headersFrom(headers) });
  }

  /** Of one line of the log. `known`: what it says without interceptors. */
  logAttributes(known: Record<string, unknown>): Record<string, unknown> {
    return synchronous(
      'getLogAttributes',
      composeInterceptors(this.#outbound, 'getLogAttributes', (all) => all)(known),
    );
  }
}
