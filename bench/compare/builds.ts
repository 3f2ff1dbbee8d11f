/**
 * The builds that are compared: a checkout that is there and built, or a revision that is built in a folder of its own.
 * Thread: main. In → out: what the command line says → root of a built checkout.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The checkout that this comparison was built from: its repository, workloads and floor. */
export const OWN_ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const run = promisify(execFile);

export interface Build {
  /** As the command line says it. */
  readonly given: string;
  /** Commit, and whether files differ from it. */
  readonly version: string;
  readonly root: string;
}

/**
 * A path of a checkout that is built (`.`: this one), or anything that git takes for a commit.
 * @param folder of its own, not there yet; a revision is built in it
 * @throws Error if it is neither, or does not build
 */
export async function prepareBuild(given: string, folder: string): Promise<Build> {
  const path = given === '.' ? OWN_ROOT : resolve(given);
  if (existsSync(join(path, 'package.json'))) {
    if (existsSync(join(path, 'dist/runtime/index.js'))) return { given, version: await describe(path), root: path };
    throw new Error(`${path} is not built: run 'npm run build' there`);
  }
  const commit = await git(OWN_ROOT, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${given}^{commit}`).catch(
    () => {
      throw new Error(`'${given}' is neither a commit of this repository nor the path of a checkout`);
    },
  );
  await mkdir(folder);
  const archive = `${folder}.tar`;
  await git(OWN_ROOT, 'archive', '--output', archive, commit);
  await run('tar', ['-xf', archive, '-C', folder]);
  const npm = (...args: string[]) => run('npm', args, { cwd: folder });
  const lock = (root: string) => readFile(join(root, 'package-lock.json'), 'utf8');
  if ((await lock(folder)) === (await lock(OWN_ROOT)))
    await symlink(join(OWN_ROOT, 'node_modules'), join(folder, 'node_modules'));
  else await npm('ci', '--no-audit', '--no-fund');
  await npm('run', '--silent', 'build');
  return { given, version: commit.slice(0, 12), root: folder };
}

async function describe(root: string): Promise<string> {
  return git(root, 'describe', '--always', '--dirty', '--abbrev=12').catch(() => 'no repository');
}

async function git(root: string, ...args: string[]): Promise<string> {
  return (await run('git', ['-C', root, ...args])).stdout.trim();
}
