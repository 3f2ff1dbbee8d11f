/**
 * The checkpoints of a store: which of those found count, and writing the next.
 * Thread: supervisor. In → out: index entries in, durable files out; at opening the files' entries back.
 */
import { HoldfastError, StoreUnavailableError } from '../../errors.js';
import {
  CHECKPOINT_NAME,
  type Checkpoint,
  type CheckpointKind,
  checkpointName,
  type Entry,
  encodeCheckpoint,
  type LogPoint,
  parseCheckpoint,
} from './checkpoint-file.js';
import { codeOf, type Disk, withFile } from './disk.js';
import { parseBatch, viewOf } from './format.js';
import type { OwnedDisk } from './owned-disk.js';
import { LOG_START, segmentIndex } from './scan.js';
import { TEMPORARY } from './small-file.js';
import type { Survey } from './survey.js';

export interface FoundCheckpoints {
  /** Those that count, a full one first. */
  readonly used: readonly Checkpoint[];
  readonly ignored: readonly string[];
  /** How far the log was durable according to any intact one. */
  readonly evidence: number;
  readonly warnings: readonly string[];
}

async function readCheckpoint(disk: Disk, name: string): Promise<Checkpoint | undefined> {
  const bytes = await withFile(disk, name, 'read', async (file) => {
    const whole = Buffer.allocUnsafeSlow(await file.size());
    return whole.subarray(0, await file.read(whole, 0));
  });
  return parseCheckpoint(bytes, name);
}

/** Whether the log holds the batch that a checkpoint names. */
async function isInLog(disk: Disk, survey: Survey, point: LogPoint): Promise<boolean> {
  if (point.end === 0) return true;
  const segment = survey.segments[segmentIndex(survey.segments, point.end)];
  const at = point.batch - (segment?.first ?? 0);
  const length = point.end - point.batch;
  if (segment === undefined || at < 0 || length <= 0 || at + length > segment.fileSize) return false;
  const bytes = Buffer.allocUnsafeSlow(length);
  await withFile(disk, segment.name, 'read', (file) => file.read(bytes, at));
  const batch = parseBatch(bytes, viewOf(bytes), 0, point.batch);
  return batch !== undefined && batch.crc === point.crc && batch.end === point.end;
}

/** The newest usable full checkpoint, and the incremental ones that add to it as far as they are whole. */
export async function findCheckpoints(disk: Disk, survey: Survey): Promise<FoundCheckpoints> {
  const warnings: string[] = [];
  const ignored: string[] = [];
  let used: Checkpoint[] = [];
  let evidence = 0;
  let broken = false;
  for (const name of survey.checkpoints) {
    const checkpoint = await readCheckpoint(disk, name);
    const refuse = (reason: string) => {
      warnings.push(`${name} is ignored: ${reason}`);
      ignored.push(name);
      broken = true;
    };
    if (checkpoint === undefined) {
      refuse('it is damaged');
      continue;
    }
    if (checkpoint.store !== survey.meta.store) {
      refuse('it belongs to another store');
      continue;
    }
    evidence = Math.max(evidence, checkpoint.point.end);
    if (!(await isInLog(disk, survey, checkpoint.point))) refuse('the log does not hold the batch that it names');
    else if (checkpoint.kind === 'full') {
      ignored.push(...used.map((older) => checkpointName(older.number, older.kind)));
      used = [checkpoint];
      broken = false;
    } else if (broken || checkpoint.base !== (used.at(-1)?.crc ?? 0))
      refuse('the one that it adds to is missing or damaged');
    else used.push(checkpoint);
  }
  return { used, ignored, evidence, warnings };
}

export class Checkpoints {
  readonly #disk: OwnedDisk;
  readonly #store: string;
  #names: string[];
  #number: number;
  #base: number;
  #point: LogPoint;
  #incrementalBytes = 0;
  #writing = false;

  constructor(disk: OwnedDisk, survey: Survey, found: FoundCheckpoints) {
    this.#disk = disk;
    this.#store = survey.meta.store;
    this.#names = [...survey.checkpoints];
    this.#number = survey.checkpoints.reduce(
      (most, name) => Math.max(most, Number(CHECKPOINT_NAME.exec(name)?.[1])),
      0,
    );
    this.#base = found.used.at(-1)?.crc ?? 0;
    this.#point = found.used.at(-1)?.point ?? LOG_START;
    for (const { kind, bytes } of found.used) if (kind === 'inc') this.#incrementalBytes += bytes.length;
  }

  /** Where the newest one was called for. */
  get point(): LogPoint {
    return this.#point;
  }

  get incrementalBytes(): number {
    return this.#incrementalBytes;
  }

  /** Drops files that no longer count, so that no later checkpoint adds to one of them. */
  async drop(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#disk.unlink(name);
    if (names.length > 0) await this.#disk.syncFolder();
    this.#names = this.#names.filter((name) => !names.includes(name));
  }

  /**
   * `point`: the durable end of the log when the checkpoint was asked for. `settle` resolves once all that the entries can tell of is
   * durable: an index ahead of its log would be wrong for good.
   * @throws StoreUnavailableError if the disk refuses (nothing is lost, the entries count as not written), and whatever `settle` throws
   */
  async write(entries: Iterable<Entry>, full: boolean, point: LogPoint, settle: () => Promise<void>): Promise<void> {
    if (this.#writing) throw new Error('checkpoint called before the previous one has settled');
    this.#writing = true;
    const kind: CheckpointKind = full ? 'full' : 'inc';
    const number = ++this.#number;
    const name = checkpointName(number, kind);
    const head = { number, kind, point, base: full ? 0 : this.#base, store: this.#store };
    try {
      const { crc, size } = await this.#writeFile(name + TEMPORARY, encodeCheckpoint(head, entries), settle);
      await this.#disk.rename(name + TEMPORARY, name);
      await this.#disk.syncFolder();
      this.#base = crc;
      this.#point = point;
      this.#incrementalBytes = full ? 0 : this.#incrementalBytes + size;
      // Newest first, so that what a crash leaves over is a usable row. If it fails, the next opening drops them.
      const older = full ? this.#names.toReversed() : [];
      this.#names.push(name);
      await this.drop(older).catch(() => undefined);
    } catch (error) {
      await this.#discard(name);
      // Only the disk's errors are the disk's: the caller's own, and those of the log, pass as they are.
      if (error instanceof HoldfastError || codeOf(error) === undefined) throw error;
      const reason = `writing ${name} failed (${error instanceof Error ? error.message : String(error)})`;
      throw new StoreUnavailableError({ path: this.#disk.folder, reason }, { cause: error });
    } finally {
      this.#writing = false;
    }
  }

  async #writeFile(name: string, chunks: Generator<Uint8Array, number>, settle: () => Promise<void>) {
    return withFile(this.#disk, name, 'create', async (file) => {
      let size = 0;
      for (;;) {
        const next = chunks.next();
        if (next.done) {
          await settle();
          await file.datasync();
          return { crc: next.value, size };
        }
        await file.write(next.value, size);
        size += next.value.length;
        // Others have their turn between two chunks, also where writing one takes none.
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    });
  }

  async #discard(name: string): Promise<void> {
    // What cannot be removed does no harm: nothing will add to it, which its base tells.
    await this.#disk.discard(name + TEMPORARY).catch(() => undefined);
    await this.#disk.unlink(name).catch(() => undefined);
  }
}
