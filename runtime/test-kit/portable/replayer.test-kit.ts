/**
 * Temporal's core as the campaign sees it: a history in, a verdict out, one at a time; a core that does not answer is ended and begun anew.
 * Thread: the command's. In → out: history → accepted, or why not.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { HistoryForTemporal } from '../../testing/temporal/replay.js';
import type { ToldVerdict } from './replayer-process.test-kit.js';

const PROCESS = fileURLToPath(new URL('./replayer-process.test-kit.js', import.meta.url));
const WORKFLOWS = fileURLToPath(new URL('./temporal-workflows.test-kit.js', import.meta.url));
const PATIENCE_MS = 15_000;

export class Replayer {
  #process: ChildProcess | undefined;

  /** @param folder where `@temporalio/worker` is installed */
  constructor(private readonly folder: string) {}

  async replay(history: HistoryForTemporal): Promise<ToldVerdict> {
    const process = await this.#begun();
    const answer = once(process, 'message') as Promise<[ToldVerdict]>;
    const patience = new AbortController();
    const late = new Promise<'late'>((resolve) => {
      const timer = setTimeout(() => resolve('late'), PATIENCE_MS);
      patience.signal.addEventListener('abort', () => clearTimeout(timer));
    });
    const ended = once(process, 'exit', { signal: patience.signal }).then(
      () => 'ended' as const,
      () => 'ended' as const,
    );
    process.send(history);
    const first = await Promise.race([answer, late, ended]);
    patience.abort();
    if (typeof first !== 'string') return first[0];
    this.close();
    return { refused: { name: 'NoAnswer', message: first === 'late' ? 'it did not answer in time' : 'it ended' } };
  }

  close(): void {
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
  }

  async #begun(): Promise<ChildProcess> {
    if (this.#process !== undefined) return this.#process;
    const process = fork(PROCESS, [this.folder, WORKFLOWS], { serialization: 'json' });
    const failed = once(process, 'exit').then(([code]) => {
      throw new Error(`Temporal's core could not be begun: its process ended with ${code}`);
    });
    await Promise.race([once(process, 'message'), failed]);
    failed.catch(() => undefined);
    this.#process = process;
    return process;
  }
}
