/**
 * Abandoned waits: what is left of callers that have given up, in a process of its own.
 * Thread: main. In → out: settings → what is left.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { AbandonedResult, AbandonedSettings } from './protocol.js';

export async function abandon(settings: AbandonedSettings): Promise<AbandonedResult> {
  const probe = new URL('../memory/probe.js', import.meta.url).href;
  const child = fileURLToPath(new URL('./child.js', import.meta.url));
  const args = ['--expose-gc', '--import', probe, child, JSON.stringify(settings)];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  process.stderr.write(stderr);
  return JSON.parse(stdout) as AbandonedResult;
}
