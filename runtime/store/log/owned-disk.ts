/**
 * The disk of an owner: every change that it makes to the store goes from or into the owner's own folder, which is the lock.
 * Thread: supervisor (and the command line). In → out: the calls of the disk port in; those of one that is no longer the owner fail.
 *
 * Whoever replaces the owner takes that folder's name away, and from that moment the system itself refuses each of these calls. So there is
 * no instant between a look and a change in which the change could belong to somebody else. Files are written to by whoever made them
 * and by nobody else: one that others may have made is made anew.
 */
import { codeOf, type Disk, type DiskFile, type OpenMode, type Storage } from './disk.js';
import type { Hold } from './hold.js';
import { TEMPORARY } from './small-file.js';

export class OwnedDisk implements Disk {
  readonly folder: string;
  readonly #disk: Disk;
  readonly #hold: Hold;
  #removed = 0;

  constructor(disk: Disk, hold: Hold) {
    this.folder = disk.folder;
    this.#disk = disk;
    this.#hold = hold;
  }

  /** @throws StoreLockedError, StoreFailedError instead of what a call finds missing because the store is no longer this owner's */
  async #as<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (codeOf(error) === 'ENOENT' && !this.#hold.isHeld()) throw await this.#hold.loss();
      throw error;
    }
  }

  #own(name: string): string {
    return `${this.#hold.folder}/${name}`;
  }

  open(name: string, mode: OpenMode): Promise<DiskFile> {
    if (mode === 'read') return this.#as(() => this.#disk.open(name, mode));
    if (!name.endsWith(TEMPORARY)) throw new Error(`'${name}' may have been made by another owner: make it anew`);
    return this.#as(() => this.#disk.open(this.#own(name), mode));
  }

  /** Of what this owner has made. */
  rename(from: string, to: string): Promise<void> {
    return this.#as(() => this.#disk.rename(this.#own(from), to));
  }

  unlink(name: string): Promise<void> {
    return this.#as(async () => {
      const own = this.#own(`${name}.removed-${++this.#removed}`);
      await this.#disk.rename(name, own);
      await this.#disk.unlink(own);
    });
  }

  /** What was begun and is not wanted any more. */
  discard(name: string): Promise<void> {
    return this.#disk.unlink(this.#own(name));
  }

  ensureFolder(): Promise<void> {
    return this.#disk.ensureFolder();
  }

  storage(): Promise<Storage> {
    return this.#disk.storage();
  }

  list(name?: string): Promise<string[]> {
    return this.#as(() => this.#disk.list(name));
  }

  syncFolder(): Promise<void> {
    return this.#as(() => this.#disk.syncFolder());
  }

  look(folder: string, name: string): number | undefined {
    return this.#disk.look(folder, name);
  }

  makeFolder(): Promise<void> {
    throw new Error('a folder is a lock');
  }

  removeFolder(): Promise<void> {
    throw new Error('a folder is a lock');
  }
}
