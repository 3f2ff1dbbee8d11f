/**
 * The workflows of the campaign between workflows: senders, and receivers that close again and again and begin anew under the same id.
 * Thread: worker. In → out: plan → messages from run to run; what each chain of a receiver took is its result.
 */
import {
  condition,
  continueAsNew,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  setHandler,
} from 'holdfast/workflow';

const take = defineSignal<[sender: number, n: number]>('take');
const takeUpdate = defineUpdate<number, [sender: number, n: number]>('takeUpdate');
export const finish = defineSignal('finish');

export interface Sending {
  readonly sender: number;
  /** The next to send, from 1. */
  readonly next: number;
  readonly messages: number;
  readonly receivers: number;
  readonly every: number;
  /** Sent once more, for their receiver had closed. */
  readonly anew: number;
}

/** A run of a sender sends no more, for its history is read back after each kill. */
const MESSAGES_A_RUN = 200;

/** One message after the other. Returns how many it had to send anew. */
export async function sender(state: Sending): Promise<number> {
  const { sender: self, messages, receivers, every } = state;
  let { anew } = state;
  const through = Math.min(messages, state.next + MESSAGES_A_RUN - 1);
  for (let n = state.next; n <= through; n++) {
    const to = getExternalWorkflowHandle<typeof receiver>(`receiver-${Math.floor(Math.random() * receivers)}`);
    const kind = Math.floor(Math.random() * 3);
    try {
      if (kind === 0) await to.signal(take, self, n);
      else if (kind === 1) await to.executeUpdate(takeUpdate, { args: [self, n] });
      if (kind < 2) continue;
    } catch {
      // It has closed, and took nothing.
      anew++;
    }
    await to.signalWithStart(receiver, { args: [every], signal: take, signalArgs: [self, n] });
  }
  if (through === messages) return anew;
  return await continueAsNew<typeof sender>({ ...state, next: through + 1, anew });
}

/** @param every messages that it takes on the average before it closes */
export async function receiver(every: number): Promise<number[]> {
  const log: number[] = [];
  const until = 2 * Math.ceil(every * (0.5 + Math.random()));
  let finished = false;
  setHandler(take, (from, n) => {
    log.push(from, n);
  });
  setHandler(takeUpdate, (from, n) => log.push(from, n) / 2);
  setHandler(finish, () => {
    finished = true;
  });
  await condition(() => finished || log.length >= until);
  return log;
}
