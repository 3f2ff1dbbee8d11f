/**
 * Signal requests: admitted once by their request id, acknowledged once they are durable.
 * Thread: supervisor. In → out: signal request → event and message; reply.
 */
import type { ExecutionRecord, HeadersRecord } from '../../../mailbox/events.js';
import type { Message } from '../../../mailbox/messages.js';
import type { Payload } from '../../../mailbox/payload.js';
import type { RequestOf } from '../../client/protocol.js';
import type { Core } from '../core.js';
import type { DelayedStarts } from '../runs/delayed-starts.js';
import type { Run, Waiter } from '../runs/run.js';
import type { Dispatcher } from '../turns/dispatcher.js';
import type { Door } from './door.js';

export interface SignalFields {
  readonly name: string;
  readonly input: Payload[];
  readonly requestId?: string | undefined;
  readonly identity?: string | undefined;
  readonly sender?: ExecutionRecord | undefined;
  readonly headers?: HeadersRecord | undefined;
}

export class SignalRequests {
  constructor(
    private readonly core: Core,
    private readonly dispatcher: Dispatcher,
    private readonly door: Door,
    private readonly delayed: DelayedStarts,
  ) {}

  signal(waiter: Waiter, request: RequestOf<'signal'>): void {
    const { core, door } = this;
    const run = door.targetOnce(waiter, request);
    if (run === undefined || door.isFull(waiter, run)) return;
    this.admit(run, request);
    core.committer.after(run, () => core.reply(waiter, { kind: 'done' }));
  }

  /** To an open run that has room; if the signal has a request id, the run's ids are there. */
  admit(run: Run, { name, input, requestId, identity, sender, headers }: SignalFields): void {
    const { core } = this;
    const live = core.live(run);
    const { seq, time } = this.delayed.stampSignal(run);
    core.committer.append(run, {
      eventType: 'WorkflowExecutionSignaled',
      signalName: name,
      input,
      ...(requestId === undefined ? {} : { requestId }),
      ...(identity === undefined ? {} : { identity }),
      ...(sender === undefined ? {} : { sender }),
      ...(headers === undefined ? {} : { headers }),
      eventTime: time,
      seq,
    });
    if (requestId !== undefined) live.ids!.noteRequest(requestId, time);
    if (run.delayedUntil !== 0) {
      core.committer.after(run, () => core.release(run));
      return;
    }
    // An absent field and an undefined one make the same row.
    core.deliver(run, { kind: 'signal', seq, time, name, input, requestId, identity, sender, headers } as Message);
    this.dispatcher.schedule(run);
  }
}
