/**
 * Requests to other workflows on their way through the interceptors, if there are any for them.
 * Thread: worker. In → out: what workflow code asks → what is to be sent, with headers.
 */
import type { HeadersRecord } from '../../mailbox/events.js';
import type { Payload } from '../../mailbox/payload.js';
import { currentExecution } from '../current.js';
import type { ExternalOutcome } from '../external-requests.js';
import type { RequestWorkflowInput, SignalWorkflowInput } from './interceptors.js';
import { encodeArgs, type OutgoingTarget, targetOf } from './outgoing-handle.js';

/** Of a signal, update or query: what interceptors may have changed. */
export interface Asked {
  readonly name: string;
  readonly args: readonly unknown[] | undefined;
  readonly headers?: HeadersRecord;
}

/** Its fields in a request. */
export function encoded({ name, args, headers }: Asked): { name: string; input: Payload[]; headers?: HeadersRecord } {
  return { name, input: encodeArgs(args), ...(headers === undefined ? {} : { headers }) };
}

/** What `send` returns as it is, if there are no interceptors: an await more would change the order of what a step asks for. */
export function signalThrough(
  target: OutgoingTarget,
  name: string,
  args: unknown[],
  send: (target: OutgoingTarget, asked: Asked) => Promise<unknown>,
): Promise<unknown> {
  const { interceptors } = currentExecution();
  if (interceptors?.has('signalWorkflow') !== true) return send(target, { name, args });
  const told = toldOf(target);
  const input = { seq: interceptors.nextSeq('signalWorkflow'), signalName: name, args, headers: {}, target: told };
  return interceptors.through('signalWorkflow', input, async (given) => {
    const to = given.target === told ? target : chosen(given.target);
    await send(to, { name: given.signalName, args: given.args, ...interceptors.record(given.headers) });
  });
}

/** As `signalThrough`. */
export function requestThrough(
  kind: RequestWorkflowInput['kind'],
  { workflowId, runId }: OutgoingTarget,
  name: string,
  args: readonly unknown[] | undefined,
  send: (asked: Asked) => Promise<ExternalOutcome>,
): Promise<ExternalOutcome> {
  const { interceptors } = currentExecution();
  if (interceptors?.has('requestWorkflow') !== true) return send({ name, args });
  const target = runId === undefined ? { workflowId } : { workflowId, runId };
  const seq = interceptors.nextSeq('requestWorkflow');
  const input = { kind, name, args: [...(args ?? [])], headers: {}, target, seq };
  return interceptors.through('requestWorkflow', input, async (given) =>
    send({ name: given.name, args: given.args, ...interceptors.record(given.headers) }),
  ) as Promise<ExternalOutcome>; // What `next` gave, as its documentation asks.
}

function toldOf({ workflowId, runId, childId }: OutgoingTarget): SignalWorkflowInput['target'] {
  if (childId !== undefined) return { type: 'child', childWorkflowId: workflowId };
  return { type: 'external', workflowExecution: runId === undefined ? { workflowId } : { workflowId, runId } };
}

/** @throws InvalidArgumentError */
function chosen(target: SignalWorkflowInput['target']): OutgoingTarget {
  if (target.type === 'child') return targetOf(target.childWorkflowId, undefined);
  const { workflowId, runId } = target.workflowExecution;
  return targetOf(workflowId, runId);
}
