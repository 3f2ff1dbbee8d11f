/**
 * The ledger of the campaign between workflows: what the senders sent, against what all chains of all receivers took.
 * Thread: parent process. In → out: lines of the last child → violations and counts.
 */
import type { Violation } from '../exactly-once/ledger.js';
import type { Line } from './protocol.js';

export class Ledger {
  readonly violations: Violation[] = [];
  /** Messages taken. */
  taken = 0;
  /** Chains of receivers. */
  chains = 0;
  /** Messages that were sent anew, to a receiver that had closed. */
  anew = 0;
  #done = false;
  /** For each sender, by number: times taken. */
  readonly #times: Uint16Array[];

  constructor(senders: number, messages: number) {
    this.#times = Array.from({ length: senders }, () => new Uint16Array(messages + 1));
  }

  take(line: Line): void {
    switch (line.line) {
      case 'taken':
        this.#taken(line.receiver, line.log);
        break;
      case 'failed':
        this.violate('other', `${line.what} failed: ${line.error}`);
        break;
      case 'done':
        this.anew = line.anew;
        this.#done = true;
    }
  }

  violate(kind: Violation['kind'], what: string): void {
    this.violations.push({ kind, what });
  }

  /** After the last child. */
  close(): void {
    if (!this.#done) this.violate('other', 'the last life did not come to its end');
    for (const [sender, times] of this.#times.entries()) {
      for (let n = 1; n < times.length; n++) {
        if (times[n] === 0) this.violate('lost', `${sender}-${n} was taken by nobody`);
        if (times[n]! > 1) this.violate('duplicated', `${sender}-${n} was taken ${times[n]} times`);
      }
    }
  }

  #taken(receiver: string, log: readonly number[]): void {
    this.chains++;
    const last = new Map<number, number>();
    for (let i = 0; i < log.length; i += 2) {
      const [sender, n] = [log[i]!, log[i + 1]!];
      const times = this.#times[sender];
      if (times === undefined || n < 1 || n >= times.length) {
        this.violate('other', `${sender}-${n} was taken by ${receiver}, and never sent`);
        continue;
      }
      this.taken++;
      times[n]!++;
      if (n < (last.get(sender) ?? 0)) {
        this.violate('disordered', `${receiver} took ${sender}-${n} after ${sender}-${last.get(sender)}`);
      }
      last.set(sender, n);
    }
  }
}
