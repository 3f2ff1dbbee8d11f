/**
 * Puts a copy of msgpackr, with its licence, in the place of dist/mailbox/msgpackr.js: a module instance that only this package has.
 * Thread: the build's. In → out: the installed msgpackr → one file.
 */
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const source = dirname(dirname(createRequire(import.meta.url).resolve('msgpackr')));
const target = fileURLToPath(new URL('../dist/mailbox/msgpackr.js', import.meta.url));
const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
const licence = readFileSync(join(source, 'LICENSE'), 'utf8').trim();

// The optional native accelerator is a dependency of msgpackr, and found from there.
const entry = `
import { createRequire } from 'node:module';
import { setExtractor } from './unpack.js';
export { addExtension, Packr } from './pack.js';
if (process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED?.toLowerCase() !== 'true') {
  try {
    const { resolve } = createRequire(import.meta.url);
    setExtractor(createRequire(resolve('msgpackr'))('msgpackr-extract').extractStrings);
  } catch {
    // It is optional.
  }
}`;

await build({
  stdin: { contents: entry, resolveDir: source, loader: 'js' },
  outfile: target,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  banner: { js: `/*\nmsgpackr ${version}, a copy.\n\n${licence}\n*/` },
  allowOverwrite: true,
  logLevel: 'warning',
});
rmSync(`${target}.map`, { force: true });
