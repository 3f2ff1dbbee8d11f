/**
 * An example's story as a newcomer sees it: its main.js run in a process of its own, in an empty folder.
 * Thread: the test's. In → out: name of an example → the lines that it prints, what it complains of, its exit code.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export interface Story {
  /** Without indentation and empty lines, runs of blanks as one. */
  readonly lines: readonly string[];
  readonly errors: string;
  readonly exitCode: number | null;
  /** Files that it left in the folder in which it ran, or in that for temporary files. */
  readonly left: readonly string[];
}

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** Runs `npm run example -- ARGS` without the build before it. */
export async function tell(...args: string[]): Promise<Story> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-story-'));
  try {
    const env = { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder };
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [output, errors, [exitCode]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    const lines = output.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' '));
    return { lines: lines.filter((line) => line !== ''), errors, exitCode, left: readdirSync(folder) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
