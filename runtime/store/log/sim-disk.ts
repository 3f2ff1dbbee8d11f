/**
 * A simulated disk for tests: any subset of what was not synced may survive a crash, and any call may fail or crash.
 * Thread: tests. In → out: the calls of the disk port in; after a crash, the disk as a restarted process finds it.
 */
import type { Disk, DiskFile, OpenMode, Storage } from './disk.js';

export const SECTOR = 512;

/** Fails like the operating system: with a code. */
export const systemError = (code: string): Error => Object.assign(new Error(`${code}: simulated`), { code });

export class Crash extends Error {}

/** Decides what survives: called once for each unsynced sector, size and directory entry. */
export type Survival = () => boolean;
export const nothingSurvives: Survival = () => false;
export const everythingSurvives: Survival = () => true;

/** Repeatable. */
export function someSurvive(seed: number): Survival {
  let state = seed * 2_654_435_761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x9e37_79b9) | 0;
    return ((state ^ (state >>> 13)) & 1) === 1;
  };
}

export interface DiskCall {
  readonly kind:
    | 'list'
    | 'open'
    | 'read'
    | 'write'
    | 'datasync'
    | 'truncate'
    | 'rename'
    | 'unlink'
    | 'makeFolder'
    | 'removeFolder'
    | 'look'
    | 'syncFolder';
  readonly name: string;
  /** Counts all calls of this disk from 1. */
  readonly number: number;
}

let files = 0;

class SimFile {
  readonly number = ++files;
  content: Buffer;
  durable: Buffer;
  readonly dirty = new Set<number>();

  constructor(content: Uint8Array) {
    this.content = Buffer.from(content);
    this.durable = Buffer.from(content);
  }

  resize(size: number): void {
    const old = this.content.length;
    const resized = Buffer.alloc(size);
    this.content.copy(resized, 0, 0, size);
    this.content = resized;
    this.#touch(Math.min(old, size), Math.max(old, size));
  }

  #touch(from: number, to: number): void {
    for (let sector = Math.floor(from / SECTOR); sector * SECTOR < to; sector++) this.dirty.add(sector);
  }

  #persist(sector: number): void {
    const from = sector * SECTOR;
    if (from < this.content.length) this.content.copy(this.durable, from, from, from + SECTOR);
  }

  clone(): SimFile {
    const copy = new SimFile(this.content);
    copy.durable = Buffer.from(this.durable);
    for (const sector of this.dirty) copy.dirty.add(sector);
    return copy;
  }

  write(bytes: Uint8Array, position: number): void {
    if (position + bytes.length > this.content.length) this.resize(position + bytes.length);
    this.content.set(bytes, position);
    this.#touch(position, position + bytes.length);
  }

  sync(): void {
    if (this.durable.length !== this.content.length) this.durable = Buffer.from(this.content);
    for (const sector of this.dirty) this.#persist(sector);
    this.dirty.clear();
  }

  crash(survives: Survival): void {
    if (this.content.length !== this.durable.length && survives()) {
      const resized = Buffer.alloc(this.content.length);
      this.durable.copy(resized);
      this.durable = resized;
    }
    for (const sector of this.dirty) if (survives()) this.#persist(sector);
    this.dirty.clear();
    this.content = Buffer.from(this.durable);
  }
}

/** '' for what is in the store's own folder. */
const folderOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('/')));

/** A creation, rename or unlink; `of` finds the file in the disk that it is done on. */
type NameChange = (names: Map<string, SimFile>, of: (file: SimFile) => SimFile) => void;

export class SimDisk implements Disk {
  readonly folder = '/sim';
  #names = new Map<string, SimFile>();
  #durableNames = new Map<string, SimFile>();
  #unsynced: NameChange[] = [];
  /** Whether a folder survives the power is of no interest: only locks are folders. */
  #folders = new Set<string>();
  #calls = 0;
  /** Bytes that all files together may have. */
  capacity = Number.POSITIVE_INFINITY;
  /** Looks at each call before it has an effect; what it throws is what the call fails with. A `Crash` ends all later calls too. */
  onCall: (call: DiskCall) => void = () => undefined;
  /** Somebody has removed the folder with all that was in it. */
  removed = false;
  storedOn: Storage = { kind: 'local', name: 'simulated' };
  #crashed = false;

  static of(files: ReadonlyMap<string, Uint8Array>): SimDisk {
    const disk = new SimDisk();
    for (const [name, bytes] of files) {
      disk.#names.set(name, new SimFile(bytes));
      if (name.includes('/')) disk.#folders.add(folderOf(name));
    }
    disk.#durableNames = new Map(disk.#names);
    return disk;
  }

  get calls(): number {
    return this.#calls;
  }

  /** Names and contents as processes see them now. */
  files(): Map<string, Buffer> {
    return new Map([...this.#names].map(([name, file]) => [name, Buffer.from(file.content)]));
  }

  /** Whether there is anything that a power loss could take. */
  get unsynced(): boolean {
    return this.#unsynced.length > 0 || [...this.#names.values()].some((file) => file.dirty.size > 0);
  }

  /** The power goes: what was synced stays, of the rest what `survives` says. Returns the disk that the next process finds. */
  powerLoss(survives: Survival): SimDisk {
    const next = this.restart();
    const names = next.#durableNames;
    for (const change of next.#unsynced) if (survives()) change(names, (file) => file);
    next.#names = new Map(names);
    next.#unsynced = [];
    for (const file of new Set(names.values())) file.crash(survives);
    return next;
  }

  /** The process is gone, the machine goes on: nothing is lost. What the old process still tries has no effect. */
  restart(): SimDisk {
    this.#crashed = true;
    const next = new SimDisk();
    const clones = new Map<SimFile, SimFile>();
    const cloneOf = (file: SimFile): SimFile => {
      const known = clones.get(file) ?? file.clone();
      clones.set(file, known);
      return known;
    };
    next.#names = new Map([...this.#names].map(([name, file]) => [name, cloneOf(file)]));
    next.#durableNames = new Map([...this.#durableNames].map(([name, file]) => [name, cloneOf(file)]));
    next.#folders = new Set(this.#folders);
    next.#unsynced = this.#unsynced.map((change) => (names, of) => change(names, (file) => of(cloneOf(file))));
    return next;
  }

  #call(kind: DiskCall['kind'], name: string): void {
    if (this.#crashed) throw new Crash();
    try {
      this.onCall({ kind, name, number: ++this.#calls });
    } catch (error) {
      if (error instanceof Crash) this.#crashed = true;
      throw error;
    }
  }

  #change(change: NameChange): void {
    change(this.#names, (file) => file);
    this.#unsynced.push(change);
  }

  async ensureFolder(): Promise<void> {
    if (!this.removed) return;
    this.removed = false;
    this.#names.clear();
    this.#durableNames.clear();
    this.#folders.clear();
  }

  async storage(): Promise<Storage> {
    return this.storedOn;
  }

  async list(folder = ''): Promise<string[]> {
    this.#call('list', folder);
    if (this.removed) throw systemError('ENOENT');
    this.#expectFolder(folder);
    return [...this.#names.keys(), ...this.#folders].flatMap((name) =>
      folderOf(name) === folder ? name.slice(folder === '' ? 0 : folder.length + 1) : [],
    );
  }

  #expectFolder(name: string): void {
    if (this.removed || (name !== '' && !this.#folders.has(name))) throw systemError('ENOENT');
  }

  async makeFolder(name: string): Promise<void> {
    this.#call('makeFolder', name);
    this.#expectFolder(folderOf(name));
    if (this.#folders.has(name)) throw systemError('EEXIST');
    this.#folders.add(name);
  }

  async removeFolder(name: string): Promise<void> {
    this.#call('removeFolder', name);
    this.#expectFolder(name);
    if ([...this.#names.keys(), ...this.#folders].some((other) => folderOf(other) === name)) {
      throw systemError('ENOTEMPTY');
    }
    this.#folders.delete(name);
  }

  look(folder: string, name: string): number | undefined {
    this.#call('look', name);
    return this.removed || !this.#folders.has(folder) ? undefined : this.#names.get(name)?.number;
  }

  async open(name: string, mode: OpenMode): Promise<DiskFile> {
    this.#call('open', name);
    this.#expectFolder(folderOf(name));
    const found = this.#names.get(name);
    if (mode === 'exclusive' && found !== undefined) throw systemError('EEXIST');
    if ((mode === 'read' || mode === 'write') && found === undefined) throw systemError('ENOENT');
    const file = found ?? new SimFile(Buffer.alloc(0));
    if (found === undefined) this.#change((names, of) => names.set(name, of(file)));
    else if (mode === 'create') file.resize(0);
    return this.#handle(file, name);
  }

  #handle(file: SimFile, name: string): DiskFile {
    return {
      read: async (into, position) => {
        this.#call('read', name);
        return position < file.content.length ? file.content.copy(into, 0, position, position + into.length) : 0;
      },
      write: async (bytes, position) => {
        this.#call('write', name);
        const others = [...this.#names.values()].reduce(
          (sum, other) => sum + (other === file ? 0 : other.content.length),
          0,
        );
        if (others + Math.max(file.content.length, position + bytes.length) > this.capacity)
          throw systemError('ENOSPC');
        file.write(bytes, position);
      },
      datasync: async () => {
        try {
          this.#call('datasync', name);
        } catch (error) {
          // As Linux does: the pages count as clean from now on, and stay readable until the power goes.
          if (!(error instanceof Crash)) file.dirty.clear();
          throw error;
        }
        file.sync();
      },
      truncate: async (size) => {
        this.#call('truncate', name);
        file.resize(size);
      },
      size: async () => file.content.length,
      close: async () => undefined,
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.#call('rename', to);
    this.#expectFolder(folderOf(to));
    if (this.#folders.has(from)) {
      this.#renameFolder(from, to);
      return;
    }
    const file = this.#names.get(from);
    if (file === undefined) throw systemError('ENOENT');
    this.#change((names, of) => {
      names.set(to, of(file));
      names.delete(from);
    });
  }

  #renameFolder(from: string, to: string): void {
    const within = (name: string) => name === from || name.startsWith(`${from}/`);
    const moved = (name: string) => to + name.slice(from.length);
    this.#folders = new Set([...this.#folders].map((name) => (within(name) ? moved(name) : name)));
    for (const name of [...this.#names.keys()].filter(within)) {
      this.#change((names) => {
        const file = names.get(name);
        if (file !== undefined) names.set(moved(name), file);
        names.delete(name);
      });
    }
  }

  async unlink(name: string): Promise<void> {
    this.#call('unlink', name);
    if (this.#folders.has(name)) throw systemError('EISDIR');
    if (this.removed || !this.#names.has(name)) throw systemError('ENOENT');
    this.#change((names) => names.delete(name));
  }

  async syncFolder(): Promise<void> {
    this.#call('syncFolder', '');
    this.#expectFolder('');
    this.#durableNames = new Map(this.#names);
    this.#unsynced = [];
  }
}
