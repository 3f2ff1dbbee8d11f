/**
 * The ledger: what was tried, what was acknowledged, and what the workflows say of it.
 * Thread: parent process. In → out: lines of the children → violations; → what the next child is to do.
 */
import type { Answer, Line, NapEvent, OperationKind, Plan, SoakOperation } from './protocol.js';
import { NAPS } from './workflows.js';

export interface Violation {
  readonly kind: 'lost' | 'duplicated' | 'late' | 'other';
  readonly what: string;
}

interface Entry {
  readonly operation: SoakOperation;
  answer: Answer | undefined;
}

interface Account {
  readonly entries: Map<string, Entry>;
  /** Cycle in which it was acknowledged. */
  readonly since: number;
  /** Something was sent to it since it was last asked. */
  touched: boolean;
}

/** Cycles that an account takes operations, before it is finished. */
const OPEN_CYCLES = 4;
/** Acknowledged operations that are sent again. */
const REPEATED = 16;

export class Ledger {
  readonly violations: Violation[] = [];
  readonly acked: Record<OperationKind, number> = { account: 0, nap: 0, signal: 0, update: 0 };
  /** Operations sent again: never acknowledged before, and acknowledged before. */
  retried = 0;
  repeated = 0;
  napsOver = 0;
  accountsClosed = 0;
  readonly #entries = new Map<string, Entry>();
  readonly #unacked = new Set<Entry>();
  readonly #accounts = new Map<string, Account>();
  readonly #naps = new Set<string>();
  #recent: Entry[] = [];
  #cycle = 0;

  plan(last: boolean): Pick<Plan, 'observe' | 'again' | 'retire' | 'open' | 'awaitNaps' | 'last'> {
    this.#cycle++;
    const busy = new Set([...this.#unacked].map(({ operation }) => operation.workflowId));
    const due = ([id, { since }]: [string, Account]) => last || (this.#cycle - since > OPEN_CYCLES && !busy.has(id));
    const accounts = [...this.#accounts];
    const retire = accounts.filter(due).map(([id]) => id);
    const repeat = this.#recent.slice(-REPEATED);
    this.#recent = [];
    this.retried += this.#unacked.size;
    this.repeated += repeat.length;
    return {
      observe: accounts.filter(([, { touched }]) => touched).map(([id]) => id),
      again: [...this.#unacked, ...repeat].map(({ operation }) => operation),
      retire,
      open: accounts.map(([id]) => id).filter((id) => !retire.includes(id)),
      awaitNaps: last ? [...this.#naps] : [],
      last,
    };
  }

  take(line: Line): void {
    switch (line.line) {
      case 'try':
        this.#tried(line.operation);
        break;
      case 'ack':
        this.#acknowledged(line.id, line.answer);
        break;
      case 'applied':
        this.#compare(line.workflowId, line.ids);
        break;
      case 'closed':
        this.#compare(line.workflowId, line.ids);
        this.#accounts.delete(line.workflowId);
        this.accountsClosed++;
        break;
      case 'nap':
        this.#napped(line.workflowId, line.ms, line.events);
        break;
      case 'count':
        this.#counted(line.runs);
        break;
      case 'failed':
        this.violate('other', `${line.what} failed: ${line.error}`);
        break;
      case 'ended':
      case 'done':
        break;
    }
  }

  violate(kind: Violation['kind'], what: string): void {
    this.violations.push({ kind, what });
  }

  /** After the last child. */
  close(): void {
    for (const { operation } of this.#unacked) this.violate('other', `${operation.id} was never acknowledged`);
    for (const id of this.#accounts.keys()) this.violate('lost', `account ${id} never closed`);
    for (const id of this.#naps) this.violate('lost', `nap ${id} never ended`);
  }

  #tried(operation: SoakOperation): void {
    const account = this.#accounts.get(operation.workflowId);
    if (account !== undefined) account.touched = true;
    if (this.#entries.has(operation.id)) return;
    const entry: Entry = { operation, answer: undefined };
    this.#entries.set(operation.id, entry);
    this.#unacked.add(entry);
    account?.entries.set(operation.id, entry);
  }

  #acknowledged(id: string, answer: Answer): void {
    const entry = this.#entries.get(id)!;
    const { operation } = entry;
    if (entry.answer !== undefined) {
      if (entry.answer !== answer) this.violate('duplicated', `${id}: answered ${entry.answer}, then ${answer}`);
      return;
    }
    entry.answer = answer;
    this.#unacked.delete(entry);
    this.acked[operation.kind]++;
    this.#recent.push(entry);
    if (operation.kind === 'account') {
      this.#accounts.set(operation.workflowId, { entries: new Map(), since: this.#cycle, touched: true });
    } else if (operation.kind === 'nap') this.#naps.add(operation.workflowId);
  }

  /** What an account says was applied to it, against what was sent to it: valid for any order of the two. */
  #compare(workflowId: string, ids: readonly string[]): void {
    const account = this.#accounts.get(workflowId);
    if (account === undefined) return;
    account.touched = false;
    const places = new Map<string, number>();
    ids.forEach((id, index) => {
      if (places.has(id)) this.violate('duplicated', `${id} was applied twice to ${workflowId}`);
      else if (!account.entries.has(id))
        this.violate('other', `${id} was applied to ${workflowId}, and never sent to it`);
      places.set(id, index + 1);
    });
    for (const [id, { operation, answer }] of account.entries) {
      const place = places.get(id);
      if (answer === undefined) continue;
      if (place === undefined) this.violate('lost', `${operation.kind} ${id} to ${workflowId} was acknowledged`);
      else if (operation.kind === 'update' && answer !== place) {
        this.violate('other', `update ${id} to ${workflowId} was told ${answer}, and is at ${place}`);
      }
    }
  }

  #napped(workflowId: string, ms: number, events: readonly NapEvent[]): void {
    this.#naps.delete(workflowId);
    this.napsOver++;
    const { ms: asked } = this.#entries.get(workflowId)!.operation;
    if (ms !== asked) this.violate('other', `nap ${workflowId} returned ${ms}, not ${asked}`);
    const once = Array.from({ length: NAPS }, () => ['TimerStarted', 'TimerFired']).flat();
    const expected = ['WorkflowExecutionStarted', ...once, 'WorkflowExecutionCompleted'].join();
    const actual = events.map(({ type }) => type).join();
    if (actual !== expected) this.violate('other', `nap ${workflowId} has the history ${actual}`);
    events.forEach(({ type, time }, index) => {
      const fireAt = events[index - 1]?.fireAt;
      if (type === 'TimerFired' && fireAt !== undefined && time < fireAt) {
        this.violate('other', `a timer of ${workflowId} fired ${fireAt - time} ms early`);
      }
    });
  }

  /** The last child has sent every start until it was acknowledged. */
  #counted(runs: number): void {
    const started = this.acked.account + this.acked.nap;
    if (runs > started) this.violate('duplicated', `${started} starts made ${runs} runs`);
    else if (runs < started) this.violate('lost', `${started} starts made ${runs} runs`);
  }
}
