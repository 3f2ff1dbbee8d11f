/**
 * What somebody reads who steals the disk.
 * Thread: main. In → out: folder of a store and words → those that stand in any of its files.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export function wordsOnDisk(folder: string, words: readonly string[]): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const contents = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name)));
  return words.filter((word) => contents.some((bytes) => bytes.includes(word)));
}
