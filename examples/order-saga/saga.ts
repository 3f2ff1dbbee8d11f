/**
 * A saga: for each step that may have been taken, what undoes it.
 * Thread: worker. In → out: steps with what undoes them → nothing undone, or everything.
 */
import { CancellationScope, log } from 'holdfast/workflow';

export class Saga {
  readonly #undo: { what: string; act: () => Promise<void> }[] = [];

  /**
   * Takes a step that `undo` takes back. It is noted before the step is taken: a step that fails may have done its work and only not said
   * so. Whatever undoes must therefore bear that there is nothing to undo.
   */
  async step<T>(what: string, act: () => Promise<T>, undo: () => Promise<void>): Promise<T> {
    this.#undo.push({ what, act: undo });
    return await act();
  }

  /** Undoes all steps, the last one first. Shielded from cancellation, for that may be why they are undone. */
  async undo(): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      for (const { what, act } of this.#undo.reverse()) {
        log.info(`undoing: ${what}`);
        await act();
      }
    });
  }
}
