/**
 * The key ring: several keys that can be read with, the newest of which is written with; kept in a file that may change at any time.
 * Thread: every one that reads or writes payloads. In → out: path of a JSON file → keys by id.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';

/** The variable that says where the keys are; set before the runtime is created, for its threads get the environment then. */
export const KEY_FILE = 'PAYLOAD_KEY_FILE';

/** What the file holds: keys in base64, the newest last. A real service has them from a vault. */
type KeyFile = readonly { readonly id: string; readonly key: string }[];

export interface Key {
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Buffer;
}

export class KeyRing {
  #keys: ReadonlyMap<string, Key> = new Map();
  #newest: Key | undefined;
  #seen = '';

  constructor(private readonly path: string) {}

  /** The key to write with. */
  newest(): Key {
    this.#refresh();
    if (this.#newest === undefined) throw new Error(`There is no key in ${this.path}`);
    return this.#newest;
  }

  /** A key to read with. */
  find(id: string): Key {
    this.#refresh();
    const key = this.#keys.get(id);
    if (key !== undefined) return key;
    const known = [...this.#keys.keys()].join(', ');
    throw new Error(
      `This was written with key '${id}', which is not in the key ring (${known}): put it back to read it`,
    );
  }

  /** A look at the file's entry is all that it takes while nothing changes: every thread follows a rotation at once. */
  #refresh(): void {
    const { ino, mtimeMs, size } = statSync(this.path);
    const seen = `${ino} ${mtimeMs} ${size}`;
    if (seen === this.#seen) return;
    const keys = readKeys(this.path).map(({ id, key }) => ({ id, bytes: Buffer.from(key, 'base64') }));
    const wrong = keys.find(({ id, bytes }) => bytes.byteLength !== 32 || id === '' || Buffer.byteLength(id) > 255);
    if (wrong !== undefined) throw new Error(`Key '${wrong.id}' in ${this.path} must have 32 bytes and a short id`);
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#newest = keys.at(-1);
    this.#seen = seen;
  }
}

export function readKeys(path: string): KeyFile {
  return JSON.parse(readFileSync(path, 'utf8')) as KeyFile; // Only the operator writes it.
}

/** Replaced as a whole: no thread reads half of it. */
export function writeKeys(path: string, keys: KeyFile): void {
  writeFileSync(`${path}.new`, JSON.stringify(keys), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** What is written from now on is written with a new key; what was written stays readable. */
export function addKey(path: string, id: string, before: KeyFile): void {
  writeKeys(path, [...before, { id, key: randomBytes(32).toString('base64') }]);
}
