/**
 * A process that is measured: a script of its own, with the probe in each of its threads.
 * Thread: main. In → out: script and its arguments → what it prints as JSON.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export async function inChild<R>(script: URL, ...args: string[]): Promise<R> {
  const probe = new URL('./probe.js', import.meta.url).href;
  const all = ['--expose-gc', '--import', probe, fileURLToPath(script), ...args];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, all);
  process.stderr.write(stderr);
  return JSON.parse(stdout) as R; // As its protocol says.
}
