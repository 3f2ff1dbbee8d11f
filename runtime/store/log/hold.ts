/**
 * The hold on a store: the owner's folder in it, the beat that shows that the owner lives, and the look whether it is still the owner.
 * Thread: supervisor (and the command line). In → out: looks and the clock in; whether the owner may tell anything, or what became of it, out.
 */
import type { Clock } from '../../clock.js';
import { type HoldfastError, StoreFailedError, StoreLockedError } from '../../errors.js';
import { codeOf, type Disk, type DiskFile } from './disk.js';
import { type Processes, parseLockName, whereIs } from './owner.js';
import { META, readMeta } from './small-file.js';

export const BEAT = 'beat';
/** Beats in a lease: an owner that is late with some of them is not taken for one that stands still. */
const BEATS = 5;
/** Of a lease, in which nobody can have replaced the owner. The rest is for clocks that do not run alike. */
const SURE = 0.8;

/** Removes a lock's folder, whatever is in it. Nothing can be made in it any more once this has resolved. */
export async function removeLock(disk: Disk, name: string): Promise<void> {
  for (;;) {
    try {
      for (const left of await disk.list(name)) await removeEntry(disk, `${name}/${left}`);
      await disk.removeFolder(name);
      return;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOENT') return;
      if (code === 'ENOTDIR') return disk.unlink(name); // Of an earlier version.
      // Something was under way in it when its name was taken.
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    }
  }
}

async function removeEntry(disk: Disk, name: string): Promise<void> {
  try {
    await disk.unlink(name);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return;
    // What unlinking a folder is called depends on the system.
    if (code === 'EISDIR' || code === 'EPERM') await removeLock(disk, name);
    else throw error;
  }
}

export class Hold {
  readonly folder: string;
  readonly #disk: Disk;
  readonly #processes: Processes;
  readonly #monotonic: Pick<Clock, 'now' | 'after'>;
  readonly #leaseMs: number;
  readonly #onLost: (hold: Hold) => void;
  readonly #beat: DiskFile;
  #beats = 0;
  /** By the monotonic clock: until then nobody can have replaced the owner. */
  #sureUntil = 0;
  #cancelBeat: (() => void) | undefined;
  #released = false;
  #lost = false;
  /** What is looked at: the file that is written to. */
  #file: { readonly name: string; readonly number: number | undefined };
  #store: string | undefined;

  private constructor(
    disk: Disk,
    folder: string,
    processes: Processes,
    monotonic: Pick<Clock, 'now' | 'after'>,
    leaseMs: number,
    onLost: (hold: Hold) => void,
    beat: DiskFile,
  ) {
    this.#disk = disk;
    this.folder = folder;
    this.#processes = processes;
    this.#monotonic = monotonic;
    this.#leaseMs = leaseMs;
    this.#onLost = onLost;
    this.#beat = beat;
    this.#file = this.#seen(`${folder}/${BEAT}`);
  }

  /** The folder has been made. */
  static async begin(
    disk: Disk,
    folder: string,
    processes: Processes,
    monotonic: Pick<Clock, 'now' | 'after'>,
    leaseMs: number,
    onLost: (hold: Hold) => void = () => undefined,
  ): Promise<Hold> {
    const beat = await disk.open(`${folder}/${BEAT}`, 'create');
    const hold = new Hold(disk, folder, processes, monotonic, leaseMs, onLost, beat);
    await hold.#tell();
    return hold;
  }

  async #tell(): Promise<void> {
    const began = this.#monotonic.now();
    this.#cancelBeat = this.#monotonic.after(this.#leaseMs / BEATS, () => {
      // A disk that refuses says so to the next flush.
      void this.#tell().catch(() => undefined);
    });
    await this.#beat.write(Buffer.from(`${String(++this.#beats).padStart(16)}\n`), 0);
    if (this.#released) return;
    // The beat may have gone to a file that nobody sees any more.
    if (this.isHeld()) this.#sureUntil = began + this.#leaseMs * SURE;
    else this.#onLost(this);
  }

  /** As the owner, if it is that, has just named it. */
  #seen(name: string) {
    return { name, number: this.#disk.look(this.folder, name) };
  }

  /** From now on the owner looks for this file too, which it writes to. It has just been given its name. */
  watch(name: string): void {
    this.#file = this.#seen(name);
  }

  /** Which store it is, once that is known. */
  identify(store: string): void {
    this.#store = store;
  }

  /** Looks: the owner's folder is under its name, and so is the file that it writes to. Once false, always false. */
  isHeld(): boolean {
    if (this.#lost) return false;
    const { name, number } = this.#file;
    this.#lost = number === undefined || this.#disk.look(this.folder, name) !== number;
    return !this.#lost;
  }

  /** Whether something that is not written may be told: by the clock if that says enough, or else by a look. */
  maySpeak(): boolean {
    if (this.#lost) return false;
    return this.#monotonic.now() < this.#sureUntil || this.isHeld();
  }

  /** What became of the store, after a look that found it lost. */
  async loss(): Promise<HoldfastError> {
    this.#lost = true;
    const path = this.#disk.folder;
    const names = await this.#disk.list().catch((): string[] => []);
    const meta = names.includes(META) ? await readMeta(this.#disk).catch(() => undefined) : undefined;
    const same = this.#store === undefined || (meta?.kind === 'intact' && meta.value.store === this.#store);
    const own = names.includes(this.folder);
    if (own || !same || names.length === 0) {
      const reason = `'${own ? this.#file.name : path}' has been removed, or replaced by another`;
      return new StoreFailedError({ path, reason, acknowledged: 'gone' });
    }
    const taker = names.flatMap((name) => parseLockName(name) ?? [])[0];
    const where = taker === undefined ? 'elsewhere' : whereIs(taker, this.#processes);
    return new StoreLockedError({ path, pid: taker?.pid, where, taken: true });
  }

  /** Lets others in. Safe to call again. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#cancelBeat?.();
    await this.#beat.close();
    await removeLock(this.#disk, this.folder);
  }
}
