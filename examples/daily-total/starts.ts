/**
 * How the report and the decision are started: what is said of their runs besides what they run.
 * Thread: any client's. In → out: client → handles.
 */
import type { Client } from 'holdfast';
import { dailyTotal, decision } from './workflows.js';

export const startTotals = (client: Client, cronSchedule: string) =>
  client.workflow.start(dailyTotal, {
    workflowId: 'daily-total',
    cronSchedule,
    retry: { initialInterval: '1 second', maximumAttempts: 3 },
    workflowRunTimeout: '1 hour',
    staticSummary: 'Sales of the day, for the archive',
  });

export const startDecision = (client: Client) =>
  client.workflow.start(decision, {
    workflowId: 'decision',
    workflowExecutionTimeout: '2 seconds',
  });
