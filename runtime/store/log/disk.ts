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

/** One flat folder. */
export interface Disk {
  readonly folder: string;
  /** Creates the folder, durably, if it is not there. */
  ensureFolder(): Promise<void>;
  list(): Promise<string[]>;
  open(name: string, mode: OpenMode): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(name: string): Promise<void>;
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

/** The machine's disk. */
export function nodeDisk(folder: string): Disk {
  const at = (name: string) => `${folder}/${name}`;
  return {
    folder,
    async ensureFolder() {
      const first = await fs.promises.mkdir(folder, { recursive: true });
      if (first !== undefined) await syncFolder(`${first}/..`);
    },
    list: () => fs.promises.readdir(folder),
    open: async (name, mode) => new NodeFile(await open(at(name), FLAGS[mode], 0o600)),
    rename: (from, to) => fs.promises.rename(at(from), at(to)),
    unlink: (name) => fs.promises.unlink(at(name)),
    syncFolder: () => syncFolder(folder),
  };
}
