/**
 * Activity heartbeats: which of them are written, so that a crash costs little progress and a history does not fill with it.
 * Thread: supervisor. In → out: (activity, now) → whether its details are worth an event.
 */
import type { Payload } from '../../../mailbox/payload.js';
import { heartbeatInterval } from '../../host/heartbeats.js';
import type { PendingActivity } from './pending-activity.js';

/** The host lets one through each interval, by a clock of its own: half of that tells those apart from what clients send in between. */
const PART_OF_INTERVAL = 0.5;
/** Of the time since the attempt began: an attempt of days writes some hundreds, not tens of thousands. */
const PART_OF_AGE = 0.01;

export function isWorthRecording(activity: PendingActivity, now: number): boolean {
  const { details, recorded, recordedAt, beganAt, event } = activity;
  if (details === undefined || (recorded !== undefined && areEqual(details, recorded))) return false;
  if (recordedAt < beganAt) return true;
  const interval = heartbeatInterval(event.options.heartbeatTimeout) * PART_OF_INTERVAL;
  return now - recordedAt >= Math.max(interval, (now - beganAt) * PART_OF_AGE);
}

function areEqual(a: Payload, b: Payload): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index]);
}
