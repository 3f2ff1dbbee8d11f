/**
 * The disk port: all file access of the log goes through it, so that tests can crash it at every call.
 * Thread: supervisor (and the command line). In → out: file names in one folder in, bytes out; errors keep their system `code`.
 */
import fs from 'node:fs';
import { promisify } from 'node:util';

export interface DiskFile {
  /** Fills `into` from `position`; resolves with the bytes read, fewer only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes`. Not durable before `datasync`. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Makes the file's content and size durable. After a rejection nothing is known: never call it again for the same bytes. */
  datasync(): Promise<void>;
  truncate(size: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** `read`: must exist. `write`: must exist, read and write. `create`: read and write, emptied if it exists. `exclusive`: must not exist. */
export type OpenMode = 'read' | 'write' | 'create' | 'exclusive';

/** What is known of where a folder is kept. 'network': several machines may see it, each with attributes of its own for a while. */
export type Storage = { readonly kind: 'local' | 'network' | 'unknown'; readonly name: string };

/** One folder; those in it belong to one owner each (owned-disk.ts), and names of what is in them are written with a slash. */
export interface Disk {
  readonly folder: string;
  /** Creates the folder, durably, if it is not there. */
  ensureFolder(): Promise<void>;
  storage(): Promise<Storage>;
  list(folder?: string): Promise<string[]>;
  open(name: string, mode: OpenMode): Promise<DiskFile>;
  /** Of files and of folders, also from one folder to another. */
  rename(from: string, to: string): Promise<void>;
  unlink(name: string): Promise<void>;
  /** @throws with code EEXIST */
  makeFolder(name: string): Promise<void>;
  /** Of an empty one. Afterwards no call can do anything in it, not even one that was under way. */
  removeFolder(name: string): Promise<void>;
  /**
   * The number of the file under `name`, if at one moment within this call `folder` was under its name, and the file later within it;
   * otherwise undefined. One system call, and a synchronous one: it comes with each flush, and another thread's answer would take longer.
   */
  look(folder: string, name: string): number | undefined;
  /** Makes creations, renames and unlinks durable. */
  syncFolder(): Promise<void>;
}

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Runs `use` with the open file and closes it whatever happens. */
export async function withFile<T>(
  disk: Disk,
  name: string,
  mode: OpenMode,
  use: (file: DiskFile) => Promise<T>,
): Promise<T> {
  const file = await disk.open(name, mode);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

const FLAGS: Record<OpenMode, string> = { read: 'r', write: 'r+', create: 'w+', exclusive: 'wx+' };
const open = promisify(fs.open);

/** Up to here copying to the page cache takes less than handing it to another thread and hearing back. */
const COPIED_AT_ONCE = 256 * 1024;

class NodeFile implements DiskFile {
  constructor(readonly fd: number) {}

  async read(into: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const count = await new Promise<number>((resolve, reject) =>
        fs.read(this.fd, into, done, into.length - done, position + done, (error, n) =>
          error ? reject(error) : resolve(n),
        ),
      );
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  async #writeNow(bytes: Uint8Array, position: number): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      from += fs.writeSync(this.fd, bytes, from, bytes.length - from, position + from);
    }
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    if (bytes.length <= COPIED_AT_ONCE) return this.#writeNow(bytes, position);
    return new Promise((resolve, reject) => {
      const step = (from: number): void =>
        fs.write(this.fd, bytes, from, bytes.length - from, position + from, (error, n) => {
          if (error) reject(error);
          else if (from + n < bytes.length) step(from + n);
          else resolve();
        });
      step(0);
    });
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => fs.fdatasync(this.fd, (error) => (error ? reject(error) : resolve())));
  }

  truncate(size: number): Promise<void> {
    return promisify(fs.ftruncate)(this.fd, size);
  }

  async size(): Promise<number> {
    return (await promisify(fs.fstat)(this.fd)).size;
  }

  close(): Promise<void> {
    return promisify(fs.close)(this.fd);
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows can neither open nor sync a folder; its file system journals names by itself.
  if (process.platform === 'win32') return;
  const fd = await open(folder, 'r');
  try {
    await promisify(fs.fsync)(fd);
  } finally {
    await promisify(fs.close)(fd);
  }
}

/** By what `statfs` calls their type, on Linux. */
const NETWORK = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
]);
const UNKNOWN = new Map([
  [0x65735546, 'FUSE'],
  [0x01021997, '9p'],
]);

/** @internal Of the type that `statfs` tells. */
export function storageOf(type: number): Storage {
  const network = NETWORK.get(type >>> 0);
  if (network !== undefined) return { kind: 'network', name: network };
  const unknown = UNKNOWN.get(type >>> 0);
  return unknown === undefined ? { kind: 'local', name: 'local' } : { kind: 'unknown', name: unknown };
}

const LOOK = { throwIfNoEntry: false } as const;

/** The machine's disk. */
export function nodeDisk(folder: string): Disk {
  const at = (name: string) => `${folder}/${name}`;
  return {
    folder,
    async ensureFolder() {
      const first = await fs.promises.mkdir(folder, { recursive: true });
      if (first !== undefined) await syncFolder(`${first}/..`);
    },
    async storage() {
      if (process.platform !== 'linux') return { kind: 'local', name: 'local' };
      return fs.promises.statfs(folder).then(
        ({ type }) => storageOf(type),
        () => ({ kind: 'unknown', name: 'unknown' }),
      );
    },
    list: (name = '.') => fs.promises.readdir(at(name)),
    open: async (name, mode) => new NodeFile(await open(at(name), FLAGS[mode], 0o600)),
    rename: (from, to) => fs.promises.rename(at(from), at(to)),
    unlink: (name) => fs.promises.unlink(at(name)),
    makeFolder: (name) => fs.promises.mkdir(at(name)),
    removeFolder: (name) => fs.promises.rmdir(at(name)),
    look(name, file) {
      // Windows takes '..' away before it looks.
      if (process.platform === 'win32' && fs.statSync(at(name), LOOK) === undefined) return undefined;
      return fs.statSync(`${at(name)}/../${file}`, LOOK)?.ino;
    },
    syncFolder: () => syncFolder(folder),
  };
}
