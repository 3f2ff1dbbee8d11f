/**
 * What few runs have: made for a run when it gets the first of it, so that a field here costs those that have none nothing.
 * Thread: supervisor. In → out: fields, read and set through those of the same names of the run.
 */
import type { ParentRecord } from '../../../mailbox/events.js';
import type { Lifetime } from './lifetime.js';
import type { ChildRecord, ExternalRecord, ResetOrigin } from './run.js';

export class RunExtras {
  idsIn: string | undefined;
  localActivities: Set<string> | undefined;
  localActivitiesNow: Set<string> | undefined;
  children: Map<string, ChildRecord> | undefined;
  externals: Map<string, ExternalRecord> | undefined;
  parent: ParentRecord | undefined;
  continuedFrom: string | undefined;
  continuedTo: string | undefined;
  delayedUntil = 0;
  lifetime: Lifetime | undefined;
  reset: ResetOrigin | undefined;
}
