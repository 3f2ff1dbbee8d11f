/**
 * Markers in the form of Temporal's core: patches, and outcomes of local activities.
 * Thread: any. In → out: marker → attributes of its event.
 */
import type { MarkerRecord } from '../../../mailbox/events.js';
import { NotPortable } from './not-portable.js';
import { type Fields, failureOf, jsonPayload, payloadOf, timeOf } from './values.js';

/** @param task the completed workflow task of the step */
export function markerOf(marker: MarkerRecord, time: number, task: number): Fields {
  const about = { workflowTaskCompletedEventId: task };
  if (marker.kind === 'patch') {
    const data = { id: marker.patchId, deprecated: marker.deprecated === true };
    return { markerName: 'core_patch', details: { 'patch-data': { payloads: [jsonPayload(data)] } }, ...about };
  }
  const { activityId, activityType, attempt, result, failure, retryIn } = marker;
  if (retryIn !== undefined) throw new NotPortable('marker', 'a local activity is retried there under another number');
  const data = {
    seq: Number(activityId),
    attempt,
    activity_id: activityId,
    activity_type: activityType,
    complete_time: timeOf(time),
    backoff: null,
    original_schedule_time: timeOf(time),
  };
  return {
    markerName: 'core_local_activity',
    details: {
      data: { payloads: [jsonPayload(data)] },
      ...(failure === undefined && { result: { payloads: [resultPayload(result)] } }),
    },
    failure: failure === undefined ? undefined : failureOf(failure, 'marker.failure'),
    ...about,
  };
}

function resultPayload(result: Uint8Array | undefined): Fields {
  return result === undefined ? { metadata: {}, data: '' } : payloadOf(result, 'marker.result');
}
