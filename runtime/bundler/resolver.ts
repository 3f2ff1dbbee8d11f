/**
 * Module resolution as esbuild does it: package exports, tsconfig paths, './x.js' for x.ts.
 * Thread: embedding. In → out: specifier and importer → absolute path, or why not.
 */
import { dirname } from 'node:path';
import esbuild, { type ImportKind } from 'esbuild';

export type Resolve = (
  specifier: string,
  importer: string,
  kind: ImportKind,
) => Promise<{ readonly path: string } | { readonly problem: string }>;

/** Libraries are taken as for a browser: those builds do without Node's built-ins. */
export const PLATFORM = 'browser';

/** esbuild resolves only within a build: so `use` runs inside an empty one. */
export async function withResolver<T>(folder: string, use: (resolve: Resolve) => Promise<T>): Promise<T> {
  let outcome: { value: T } | { error: unknown } | undefined;
  await esbuild.build({
    ...{ stdin: { contents: '', resolveDir: folder }, absWorkingDir: folder, platform: PLATFORM },
    ...{ bundle: true, write: false, logLevel: 'silent' },
    plugins: [
      {
        name: 'holdfast-resolver',
        setup(build) {
          const resolve: Resolve = async (specifier, importer, kind) => {
            const found = await build.resolve(specifier, {
              kind,
              importer,
              resolveDir: dirname(importer),
              namespace: 'file',
            });
            const [error] = found.errors;
            return error === undefined ? { path: found.path } : { problem: error.text };
          };
          build.onStart(async () => {
            outcome = await use(resolve).then(
              (value) => ({ value }),
              (error: unknown) => ({ error }),
            );
          });
        },
      },
    ],
  });
  if (outcome === undefined) throw new Error('esbuild ended before the modules were resolved');
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}
