/**
 * Temporal's worker with its core, installed on demand into a folder of its own: `npm ci` stays light.
 * Thread: the command's. In → out: nothing → folder from which `@temporalio/worker` is resolved.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** The version is that of the packages that the tests compare with. @throws Error if it cannot be installed */
export function temporalFolder(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules/@temporalio/workflow/package.json'), 'utf8'));
  const folder = join(ROOT, 'node_modules/.cache', `temporal-worker-${version}`);
  if (existsSync(join(folder, 'node_modules/@temporalio/worker/package.json'))) return folder;
  mkdirSync(folder, { recursive: true });
  console.log(`Installs @temporalio/worker@${version} into ${folder}`);
  const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', `@temporalio/worker@${version}`];
  const { status, error } = spawnSync('npm', args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status === 0) return folder;
  throw new Error(`@temporalio/worker@${version} could not be installed: npm ended with ${status}`, { cause: error });
}
