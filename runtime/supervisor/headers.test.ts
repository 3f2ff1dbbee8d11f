/**
 * Headers: what interceptors send along with a call stands in the history of whom it is for.
 */
import { expect, test } from 'vitest';
import { continueAsNew, setHandler, sleep } from '../../actors/workflow/index.js';
import type { HeadersRecord, WorkflowEvent } from '../../mailbox/events.js';
import { decodePayload, encodePayload } from '../../mailbox/payload.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import { append, ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const tenant = (name: string): HeadersRecord => ({ tenant: encodePayload(name).slice() });

function tenantOf(headers: HeadersRecord | undefined): unknown {
  return headers === undefined ? undefined : decodePayload(headers['tenant']!);
}

function recorded(events: readonly WorkflowEvent[]): unknown[] {
  return events.flatMap((event) => {
    const headers = event.eventType === 'WorkflowExecutionStarted' ? event.options?.headers : undefined;
    const own = 'headers' in event ? event.headers : headers;
    return own === undefined ? [] : [`${event.eventType} ${tenantOf(own)}`];
  });
}

test('headers of a start, a signal and an update are in its history', async () => {
  const system = await System.open({ workflows: { ledger } });
  await system.startWith({ workflowId: 'w', workflowType: 'ledger', options: { headers: tenant('start') } }).value();
  const input = [encodePayload('x').slice()];
  await system.request({ kind: 'signal', workflowId: 'w', name: 'add', input, headers: tenant('signal') }).value();
  const update = { workflowId: 'w', name: append.name, updateId: 'u', stage: 'COMPLETED', input } as const;
  await system.request({ kind: 'update', ...update, headers: tenant('update') }).value();
  expect(recorded(system.history('w'))).toEqual([
    'WorkflowExecutionStarted start',
    'WorkflowExecutionSignaled signal',
    'WorkflowExecutionUpdateAccepted update',
  ]);
});

test('what comes with a start has headers of its own', async () => {
  const system = await System.open({ workflows: { ledger } });
  const input = [encodePayload('x').slice()];
  const brings = { kind: 'signal', name: 'add', input, headers: tenant('signal') } as const;
  const start = { workflowType: 'ledger', options: { headers: tenant('start') } };
  await system.startWith({ workflowId: 'w', ...start, brings }).value();
  expect(recorded(system.history('w'))).toEqual(['WorkflowExecutionStarted start', 'WorkflowExecutionSignaled signal']);
});

test('a signal that moves on to the next run keeps its headers', async () => {
  let runs = 0;
  const system = await System.open({
    workflows: {
      async w() {
        runs++;
        if (runs > 1) setHandler({ type: 'signal', name: 'later' }, () => undefined);
        await sleep(1000);
        if (runs === 1) await continueAsNew();
      },
    },
  });
  await system.start('w', 'w').value();
  await system.request({ kind: 'signal', workflowId: 'w', name: 'later', input: [], headers: tenant('a') }).value();
  await system.pass(1000);
  expect(system.histories().size).toBe(2);
  expect(recorded(system.history('w'))).toEqual(['WorkflowExecutionSignaled a']);
});
