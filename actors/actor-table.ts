/**
 * The actor table: the executions that live on a worker, by number.
 * Thread: worker. In → out: number → execution.
 */
import type { Execution } from './execution.js';

/**
 * A dictionary, not a Map: whenever a Map that loses and gains entries makes a new table, the old one keeps its entries and points to the new
 * one. Once any of them is in the old generation, all that follow stay there with it, dead executions included, until the whole heap is
 * collected: at tens of thousands of runs a second most of a worker's time.
 */
export class ActorTable {
  readonly #executions: { [actor: number]: Execution } = Object.create(null);

  get(actor: number): Execution | undefined {
    return this.#executions[actor];
  }

  set(actor: number, execution: Execution): void {
    this.#executions[actor] = execution;
  }

  delete(actor: number): void {
    delete this.#executions[actor];
  }
}
