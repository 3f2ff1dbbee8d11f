/**
 * The ledger of the exactly-once campaign: what each sender was told, against what the receivers wrote down.
 * Thread: parent process. In → out: lines of the children → violations and counts.
 */
import { type Line, routeOf } from './protocol.js';

export interface Violation {
  readonly kind: 'lost' | 'duplicated' | 'disordered' | 'other';
  readonly what: string;
}

export interface Size {
  readonly senders: number;
  readonly receivers: number;
  /** Of each sender. */
  readonly messages: number;
}

export class Ledger {
  readonly violations: Violation[] = [];
  /** For each sender. They send in order, so that one number says which messages were acknowledged. */
  readonly acked: number[];
  /** Acknowledged although they had been before. */
  repeated = 0;
  readonly #continued: number[];
  /** Places that updates were told, by sender. */
  readonly #places: (number | null)[][];
  #closed = 0;

  constructor(private readonly size: Size) {
    this.acked = new Array<number>(size.senders).fill(0);
    this.#continued = new Array<number>(size.receivers).fill(0);
    this.#places = this.acked.map(() => []);
  }

  /** All that was acknowledged. */
  get total(): number {
    return this.acked.reduce((sum, count) => sum + count, 0);
  }

  /** Times that a receiver was seen to have continued as new. */
  get continued(): number {
    return this.#continued.reduce((sum, count) => sum + count, 0);
  }

  take(line: Line): void {
    switch (line.line) {
      case 'ack':
        this.#acknowledged(line.sender, line.n, line.answer);
        break;
      case 'taken':
        this.#compare(line.receiver, line.log, line.continued);
        break;
      case 'closed':
        this.#compare(line.receiver, line.log, line.continued);
        this.#closed++;
        break;
      case 'failed':
        this.violate('other', `${line.what} failed: ${line.error}`);
        break;
      case 'done':
        break;
    }
  }

  violate(kind: Violation['kind'], what: string): void {
    this.violations.push({ kind, what });
  }

  /** After the last child. */
  close(): void {
    const { senders, messages, receivers } = this.size;
    if (this.total < senders * messages) {
      this.violate('other', `${senders * messages - this.total} messages were never acknowledged`);
    }
    if (this.#closed !== receivers) this.violate('lost', `${receivers - this.#closed} receivers never closed`);
  }

  #acknowledged(sender: number, n: number, answer: number | null): void {
    const places = this.#places[sender]!;
    if (n === this.acked[sender]! + 1) {
      this.acked[sender] = n;
      places[n] = answer;
      return;
    }
    this.repeated++;
    if (n > this.acked[sender]!)
      this.violate('other', `${sender}-${n} was sent before the one before was acknowledged`);
    else if (places[n] !== answer) {
      this.violate('duplicated', `${sender}-${n}: answered ${places[n]}, then ${answer}`);
    }
  }

  /** Before any sender of this life began: what was acknowledged is there, and of each sender at most the next one besides. */
  #compare(receiver: number, log: readonly number[], continued: number): void {
    this.#continued[receiver] = Math.max(this.#continued[receiver]!, continued);
    const last = this.acked.map(() => 0);
    const seen = new Set<string>();
    for (let i = 0; i < log.length; i += 2) {
      const [sender, n] = [log[i]!, log[i + 1]!];
      const id = `${sender}-${n}`;
      if (seen.has(id)) this.violate('duplicated', `${id} was applied twice to receiver ${receiver}`);
      else if (n < last[sender]!) this.violate('disordered', `${id} was applied after ${sender}-${last[sender]}`);
      if (n > this.acked[sender]! + 1) this.violate('other', `${id} was applied, and never sent`);
      seen.add(id);
      last[sender] = Math.max(last[sender]!, n);
      const place = this.#places[sender]![n];
      if (typeof place === 'number' && place !== i / 2 + 1) {
        this.violate('other', `update ${id} was told ${place}, and is at ${i / 2 + 1} of receiver ${receiver}`);
      }
    }
    for (const [sender, acked] of this.acked.entries()) {
      for (let n = 1; n <= acked; n++) {
        if (routeOf(sender, n, this.size.receivers).receiver === receiver && !seen.has(`${sender}-${n}`)) {
          this.violate('lost', `${sender}-${n}, acknowledged, is not at receiver ${receiver}`);
        }
      }
    }
  }
}
