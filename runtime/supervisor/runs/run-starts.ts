/**
 * Run starts: how a run begins, whoever wants it, with the messages that are one step with its start.
 * Thread: supervisor. In → out: what is to run, and what comes with it → run with its first events and messages.
 */
import { ENGINE_FLAGS } from '../../../actors/engine-flags.js';
import { SUGGEST_AT, SUGGEST_AT_BYTES } from '../../../actors/history-size.js';
import type {
  CarriedFrom,
  EventOf,
  ExecutionRecord,
  HeadersRecord,
  ParentRecord,
  RunOptionsRecord,
  SuccessionRecord,
} from '../../../mailbox/events.js';
import type { Message } from '../../../mailbox/messages.js';
import type { Payload } from '../../../mailbox/payload.js';
import { startMessage } from '../../../mailbox/stored-messages.js';
import type { Core, Stamp } from '../core.js';
import type { Dispatcher } from '../turns/dispatcher.js';
import type { EarlierIds } from './chain-ids.js';
import type { DelayedStarts } from './delayed-starts.js';
import type { MessageIds } from './message-ids.js';
import { Run } from './run.js';
import { partitionOf } from './run-ids.js';
import { intern } from './run-index.js';
import type { RunTimeouts } from './run-timeouts.js';

type Started = EventOf<'WorkflowExecutionStarted'>;
type Signaled = EventOf<'WorkflowExecutionSignaled'>;
type UpdateAdmitted = EventOf<'WorkflowExecutionUpdateAdmitted'>;
type CancelRequested = EventOf<'WorkflowExecutionCancelRequested'>;

/** What a start's event says of it; the rest follows from the run. */
export interface RunStart {
  readonly workflowId: string;
  readonly workflowType: string;
  readonly input: Payload[];
  readonly requestId: string;
  readonly identity?: string | undefined;
  readonly memo?: Payload | undefined;
  readonly parent?: ParentRecord | undefined;
  /** Milliseconds. What comes with it, signals only, waits for it in the history. */
  readonly startDelay?: number | undefined;
  readonly runId?: string;
  /** The run of the chain before it. */
  readonly continues?: Run;
  readonly idsInRunId?: string | undefined;
  readonly options?: RunOptionsRecord | undefined;
  readonly succession?: SuccessionRecord | undefined;
}

export interface BeginOptions {
  /** See `Committer.appendPatiently`. */
  readonly append?: 'append' | 'appendPatiently';
  /** What the chain already knows. */
  readonly ids?: MessageIds;
  /** What the chain before it knew, if it is the first run of its own. */
  readonly earlier?: EarlierIds | undefined;
}

/** A message that is one step with a start, and there before `main` runs. */
export type GroupMessage =
  | {
      readonly kind: 'signal';
      readonly name: string;
      readonly input: Payload[];
      readonly requestId?: string | undefined;
      readonly identity?: string | undefined;
      readonly carriedFrom?: CarriedFrom;
      readonly sender?: ExecutionRecord | undefined;
      readonly headers?: HeadersRecord | undefined;
    }
  | {
      readonly kind: 'cancel';
      readonly reason?: string | undefined;
      readonly requestId?: string | undefined;
      readonly identity?: string | undefined;
      readonly carriedFrom?: CarriedFrom;
      readonly sender?: ExecutionRecord | undefined;
    }
  /** Unless it has been stored before, gone after a crash if it is not accepted by then: nobody has been told anything of it. */
  | {
      readonly kind: 'update';
      readonly updateId: string;
      readonly name: string;
      readonly input: Payload[];
      readonly headers?: HeadersRecord;
      readonly stored?: true;
    };

const NO_STAMPS: readonly Stamp[] = [];

export class RunStarts {
  constructor(
    private readonly core: Core,
    private readonly dispatcher: Dispatcher,
    private readonly delayed: DelayedStarts,
    private readonly timeouts: RunTimeouts,
    /** Fixed when the store was created; known once it is open. */
    private readonly partitions: () => number,
  ) {}

  /**
   * A new run, the current one of its workflow id from now on. Its events are in the batch being gathered.
   */
  begin(start: RunStart, group: readonly GroupMessage[], options: BeginOptions = {}): Run {
    const { core } = this;
    const { append = 'append', earlier, ids = earlier?.ids } = options;
    const { workflowId, continues, idsInRunId = earlier?.idsInRunId } = start;
    const workflowType = intern(start.workflowType);
    const { runId = core.options.newRunId() } = start;
    const run = new Run(workflowId, runId, partitionOf(workflowId, this.partitions()));
    // The clock of a workflow id does not run backwards either: after a restart its newest run is the one that started last.
    const before = core.index.current(workflowId);
    if (continues !== undefined) run.first = continues.first;
    core.index.add(run);
    const live = core.live(run);
    if (before !== undefined) live.lastTime = core.timeOf(before);
    // What the chain knows and is not here is read back when it is wanted.
    if (ids !== undefined || idsInRunId !== undefined) live.ids = ids;
    const delayed = start.startDelay !== undefined && start.startDelay > 0;
    const at = delayed ? { time: Math.max(core.now(), live.lastTime), seq: undefined } : core.stamp(run);
    // Their places are given before the event that tells of them.
    const stamps = group.length === 0 ? NO_STAMPS : group.map(() => core.stamp(run));
    const startThrough = stamps.at(-1)?.seq;
    const { historyEvents, historyBytes } = core.options.config.limits;
    const suggestAt = Math.floor(historyEvents / 5);
    const suggestAtBytes = Math.floor(historyBytes / 5);
    const event = {
      eventType: 'WorkflowExecutionStarted',
      workflowId,
      workflowType,
      input: start.input,
      firstRunId: run.firstRunId,
      requestId: start.requestId,
      build: core.options.build,
      identity: start.identity,
      memo: start.memo,
      parent: start.parent,
      continuedFromRunId: continues?.runId,
      idsInRunId,
      options: start.options,
      succession: start.succession,
      startDelay: delayed ? start.startDelay : undefined,
      startThrough,
      suggestAt: suggestAt < SUGGEST_AT ? suggestAt : undefined,
      suggestAtBytes: suggestAtBytes < SUGGEST_AT_BYTES ? suggestAtBytes : undefined,
      engineFlags: (core.options.engineFlags ?? ENGINE_FLAGS) || undefined,
      eventTime: at.time,
      seq: at.seq,
    } as Started; // An absent field and an undefined one make the same row.
    core.committer[append](run, event);
    if (run.lifetime !== undefined) {
      live.started = event;
      core.committer.afterPatiently(run, () => this.timeouts.arm(run));
    }
    if (at.seq !== undefined) core.deliver(run, startMessage(event, at));
    for (let i = 0; i < stamps.length; i++) this.#admit(run, group[i]!, stamps[i]!);
    if (delayed) {
      core.committer.after(run, () => {
        this.delayed.arm(run);
        core.release(run);
      });
    } else {
      if (startThrough !== undefined) live.mergeThrough = startThrough;
      this.dispatcher.schedule(run);
    }
    core.tell(run, { name: 'workflowStarted', workflowId, runId, workflowType });
    return run;
  }

  #admit(run: Run, message: GroupMessage, { seq, time }: Stamp): void {
    const { core } = this;
    switch (message.kind) {
      case 'signal': {
        const { name, input, requestId, identity, carriedFrom, sender, headers } = message;
        const signaled = {
          signalName: name,
          input,
          requestId,
          identity,
          carriedFrom,
          sender,
          headers,
          eventTime: time,
          seq,
        };
        core.committer.append(run, { eventType: 'WorkflowExecutionSignaled', ...signaled } as Signaled); // As above.
        if (requestId !== undefined) run.live!.ids?.noteRequest(requestId, time);
        if (run.delayedUntil === 0)
          core.deliver(run, {
            kind: 'signal',
            seq,
            time,
            name,
            input,
            requestId,
            identity,
            sender,
            headers,
          } as Message); // As above.
        break;
      }
      case 'cancel': {
        const { reason, requestId, identity, carriedFrom, sender } = message;
        const requested = { reason, identity, carriedFrom, sender, requestId, eventTime: time, seq };
        core.committer.append(run, { eventType: 'WorkflowExecutionCancelRequested', ...requested } as CancelRequested);
        if (requestId !== undefined) run.live!.ids?.noteRequest(requestId, time);
        core.deliver(run, { kind: 'cancel', seq, time, reason, requestId, identity, sender } as Message); // As above.
        break;
      }
      case 'update': {
        const { stored, updateId, name, input, headers } = message;
        if (stored === true) {
          const admitted = { updateId, updateName: name, input, headers, eventTime: time, seq };
          core.committer.append(run, { eventType: 'WorkflowExecutionUpdateAdmitted', ...admitted } as UpdateAdmitted);
        }
        if (run.delayedUntil === 0)
          core.deliver(run, { kind: 'update', updateId, name, input, headers, seq, time } as Message); // As above.
      }
    }
  }
}
