/**
 * Schedule requests: what is asked of the run that keeps a schedule.
 * Thread: any client thread. In → out: schedule id and arguments → request → its record or outcome; an error in terms of schedules.
 *
 * Records are encoded as Holdfast does, whatever converter the runtime has: payloads of the user's are within them, already encoded.
 */
import { MAX_IN_LINE, type ScheduleRecord } from '../../../actors/schedules/schedule-record.js';
import { encodeWithin } from '../../../mailbox/checks.js';
import { ApplicationFailure } from '../../../mailbox/failures.js';
import { decodePayload, type Payload } from '../../../mailbox/payload.js';
import { scheduleWorkflowId } from '../../../mailbox/system-types.js';
import { randomUuid } from '../../../mailbox/uuid.js';
import { ResourceExhaustedError, ScheduleNotFoundError, WorkflowNotFoundError } from '../../errors.js';
import type { CallLimit } from '../call-options.js';
import type { Connection } from '../connection.js';
import { expectReply } from '../error-record.js';

/** @throws PayloadTooLargeError */
export function encodeRecords(connection: Connection, records: readonly unknown[]): Payload[] {
  return records.map((record) => encodeWithin(record, 'the schedule', connection.payloadBytes));
}

/** Resolves once it is done, durably. @throws ScheduleNotFoundError, ResourceExhaustedError */
export async function askSchedule(
  connection: Connection,
  scheduleId: string,
  limit: CallLimit | undefined,
  name: string,
  ...args: readonly unknown[]
): Promise<void> {
  const request = {
    kind: 'update' as const,
    workflowId: scheduleWorkflowId(scheduleId),
    updateId: randomUuid(),
    stage: 'COMPLETED' as const,
    name,
    input: encodeRecords(connection, args),
  };
  const reply = await connection.send(request, limit);
  try {
    found(scheduleId, () => expectReply(reply, 'updateCompleted'));
  } catch (error) {
    const { cause } = error as Error;
    const isFull = cause instanceof ApplicationFailure && cause.type === ResourceExhaustedError.name;
    throw isFull ? new ResourceExhaustedError({ resource: cause.message, limit: MAX_IN_LINE }) : error;
  }
}

/** The schedule as it is, and the time. @throws ScheduleNotFoundError */
export async function readSchedule(
  connection: Connection,
  scheduleId: string,
  limit: CallLimit | undefined,
): Promise<{ record: ScheduleRecord; now: number }> {
  const workflowId = scheduleWorkflowId(scheduleId);
  const { open, now } = await connection.call('describe', (remote) => remote.isOpen(workflowId), limit);
  if (!open) throw new ScheduleNotFoundError({ scheduleId });
  const reply = await connection.send({ kind: 'query', workflowId, name: 'describe', input: [] }, limit);
  const { result } = found(scheduleId, () => expectReply(reply, 'queryResult'));
  return { record: decodePayload(result) as ScheduleRecord, now };
}

function found<T>(scheduleId: string, expect: () => T): T {
  try {
    return expect();
  } catch (error) {
    throw error instanceof WorkflowNotFoundError ? new ScheduleNotFoundError({ scheduleId }) : error;
  }
}
