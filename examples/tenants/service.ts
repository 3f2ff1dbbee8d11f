/**
 * The runtime of a service that serves many tenants: interceptors on all sides, a sink for metrics, and the service's own logger.
 * Thread: embedding. In → out: logger → runtime, and what was counted.
 */
import { type Logger, Runtime } from 'holdfast';
import * as activities from './activities.js';
import { inTenant } from './activity-interceptors.js';
import { startsForTenant } from './client-interceptors.js';

/** As pino has it: what is known first, the message after it. */
export interface StructuredLogger {
  trace(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export function loggerOver(to: StructuredLogger): Logger {
  return {
    trace: (message, fields = {}) => to.trace(fields, message),
    debug: (message, fields = {}) => to.debug(fields, message),
    info: (message, fields = {}) => to.info(fields, message),
    warn: (message, fields = {}) => to.warn(fields, message),
    error: (message, fields = {}) => to.error(fields, message),
  };
}

export const counts = new Map<string, number>();

export function openService(logger: StructuredLogger): Promise<Runtime> {
  return Runtime.create({
    workflows: new URL('./workflows.js', import.meta.url),
    store: { memory: true },
    activities,
    interceptors: {
      client: { workflow: [startsForTenant] },
      workflowModules: [new URL('./workflow-interceptors.js', import.meta.url)],
      activity: [inTenant],
    },
    sinks: {
      metrics: {
        count: {
          fn: ({ workflowType }, name: string, by: number) => {
            const key = `${workflowType}.${name}`;
            counts.set(key, (counts.get(key) ?? 0) + by);
          },
        },
      },
    },
    logger: loggerOver(logger),
  });
}
