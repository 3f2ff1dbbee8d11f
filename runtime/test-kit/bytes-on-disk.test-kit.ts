/**
 * What a store has written, as bytes.
 * Thread: the test's. In → out: folder → the content of all its files.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export function bytesUnder(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map(({ parentPath, name }) => readFileSync(join(parentPath, name))));
}
