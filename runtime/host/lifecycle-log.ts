/**
 * The lifecycle events that are logged whether or not anybody listens.
 * Thread: embedding. In → out: Lifecycle → log lines.
 */
import { SdkComponent } from '../../mailbox/sdk-component.js';
import type { Lifecycle } from '../client/control.js';
import { fromErrorRecord } from '../client/error-record.js';
import { isBenign } from './failed-attempts.js';
import { LOG_LEVELS, type Logger, type LogLevel, withFields } from './logger.js';

type Writers = { readonly [N in Lifecycle['name']]?: (logger: Logger, event: Extract<Lifecycle, { name: N }>) => void };

/** What is to be known of a thread that does not end. */
export const STUCK =
  'its code is in a built-in function, which nothing interrupts, such as a map over a huge sparse array. It keeps a processor busy until that ' +
  'returns, or the process is ended by a signal: process.exit() waits for it too';

const WRITERS: Writers = {
  log(logger, { workflowId, runId, workflowType, level, message, meta }) {
    const known = LOG_LEVELS.find((each): each is LogLevel => each === level) ?? 'info';
    const data = typeof meta === 'object' && meta !== null ? meta : meta === undefined ? {} : { meta };
    logger[known](message, { sdkComponent: SdkComponent.workflow, workflowId, runId, workflowType, ...data });
  },
  runSuspended(logger, { workflowId, runId, error, attempts }) {
    const instance = fromErrorRecord(error);
    if (attempts > 1) {
      const { cause } = instance;
      const why = cause instanceof Error ? cause.message : instance.message;
      logger.warn(`Still suspended after ${attempts} attempts: ${why}`, { workflowId, runId, attempts });
      return;
    }
    // The stack of the record's cause is where the workflow's code threw; this instance's own says nothing.
    const stack = instance.cause instanceof Error ? instance.cause.stack : undefined;
    logger.error(instance.message, { workflowId, runId, attempts, ...(stack === undefined ? {} : { stack }) });
  },
  workflowFailed(logger, { workflowId, runId, workflowType, error: record }) {
    const error = fromErrorRecord(record).cause;
    logger[isBenign(error) ? 'debug' : 'warn']('Workflow failed', { workflowId, runId, workflowType, error });
  },
  workerLost(logger, { worker, reason, runs }) {
    logger.warn(`Worker ${worker} was lost: ${reason}. Its ${runs} runs are rebuilt elsewhere`, { worker, runs });
  },
  workerStuck(logger, { worker }) {
    logger.error(`A thread of worker ${worker} cannot be ended: ${STUCK}`, { worker });
  },
  slowStep(logger, { workflowId, runId, ms }) {
    logger.warn(`A step took ${ms} ms; no other run of its worker could step meanwhile`, { workflowId, runId });
  },
  historyLarge(logger, { workflowId, runId, events, bytes }) {
    const advice =
      'Let it continue as new when workflowInfo().continueAsNewSuggested says so; at its limits it takes no more messages';
    logger.warn(`The history has grown to ${events} events and ${bytes} bytes. ${advice}`, { workflowId, runId });
  },
  failed(logger, { error }) {
    logger.error(fromErrorRecord(error).message);
  },
};

export const LOGGED: readonly Lifecycle['name'][] = Object.keys(WRITERS) as Lifecycle['name'][];

export function logLifecycle(logger: Logger, event: Lifecycle): void {
  const own = event.name === 'log' ? logger : withFields(logger, { sdkComponent: SdkComponent.worker });
  // Each writer takes the event of its own name, which is the one it is found by.
  (WRITERS[event.name] as ((logger: Logger, event: Lifecycle) => void) | undefined)?.(own, event);
}
