/**
 * The surroundings of an execution: what it is told of its run, what it asks of its thread, and what its steps come to.
 * Thread: worker. In → out: types only.
 */
import type { Command } from '../mailbox/commands.js';
import type { ParentRecord, RunOptionsRecord, SuccessionRecord } from '../mailbox/events.js';
import type { FailureRecord } from '../mailbox/failures.js';
import type { Payload } from '../mailbox/payload.js';
import type { Answer, LogEntry } from '../mailbox/turn.js';
import type { ChanceSource } from './chance.js';

export interface RunInfo extends ChanceSource {
  readonly workflowId: string;
  readonly workflowType: string;
  readonly firstRunId: string;
  readonly startTime: number;
  /** It is rebuilt: steps that it has made come first. */
  readonly replaying?: boolean;
}

/** What the start of a run says besides its arguments. */
export interface Origin {
  readonly memo: Payload | undefined;
  readonly parent: ParentRecord | undefined;
  readonly continuedFromRunId: string | undefined;
  readonly suggestAt: number | undefined;
  readonly options: RunOptionsRecord | undefined;
  readonly succession: SuccessionRecord | undefined;
  readonly startDelay: number | undefined;
  readonly suggestAtBytes: number | undefined;
}

/** Called once, with the arguments as they came. */
export type WorkflowMain = (input: readonly Payload[]) => unknown;
export type Log = (level: LogEntry['level'], message: string, meta?: object) => void;

/** What an execution asks of its thread. */
export interface ExecutionHost {
  readonly log: Log;
  /** @throws PayloadConverterError, PayloadTooLargeError */
  encode(value: unknown, name: string): Payload;
  /** What runs that began before these flags were there take up; those of an earlier version, in tests. Default: all. */
  readonly engineFlags?: number;
  /** Names of classes of errors that fail what they are thrown in, in every workflow. */
  readonly failureTypeNames: readonly string[];
  /** Sink functions, as `sink.function`, that replays call too. */
  readonly sinksInReplay?: ReadonlySet<string> | undefined;
  /** Makes clear what an error means that comes of the sandbox's missing globals. */
  explain<T>(thrown: T): T;
}

export type StepOutcome =
  | {
      readonly kind: 'done';
      readonly commands: readonly Command[];
      readonly answers: readonly Answer[];
      /** Rules that the step has taken up, 0 for nearly all. */
      readonly engineFlags: number;
    }
  /** None of it counts: the updates that these are the answers of are to be taken out, and the step made again without them. */
  | { readonly kind: 'apart'; readonly answers: readonly Answer[] }
  /** The answers stand, but the actor can no longer be trusted: rebuild it. */
  | { readonly kind: 'discard'; readonly answers: readonly Answer[] }
  | { readonly kind: 'suspend'; readonly failure: FailureRecord };
