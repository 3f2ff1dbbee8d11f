/**
 * Bundles all libraries that workflow code imports into one module.
 * Thread: embedding. In → out: libraries → BundleModule (`exports[id]()` evaluates one), and the built-ins that they import.
 */
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import esbuild, { type Message, type Metafile, type Plugin } from 'esbuild';
import { ASYNC_HOOKS, type BundleModule, LIBRARIES } from '../../actors/sandbox/bundle.js';
import { EXTERNALS } from '../../actors/sandbox/externals.js';
import { withAbsolutePaths } from './maps.js';
import { chainTo, type Library, refusedBuiltin } from './module-walk.js';
import type { Problem } from './problems.js';
import { PLATFORM } from './resolver.js';
import { problemOf, TARGET, TSCONFIG } from './source-module.js';

export async function bundleLibraries(
  entry: string,
  libraries: readonly Library[],
): Promise<{ readonly module: BundleModule } | { readonly problems: Problem[] }> {
  const folder = dirname(entry);
  const filename = join(folder, 'workflow-libraries.js');
  const loaders = libraries.map(({ id, path }) => `${JSON.stringify(id)}: () => require(${JSON.stringify(path)})`);
  const contents = `module.exports = {\n${loaders.join(',\n')}\n};\n`;
  try {
    const { outputFiles, metafile } = await esbuild.build({
      stdin: { contents, resolveDir: folder, sourcefile: 'workflow-libraries.js' },
      ...{ absWorkingDir: folder, outfile: filename, write: false, metafile: true, logLevel: 'silent' },
      ...{ bundle: true, format: 'cjs', platform: PLATFORM, target: TARGET, tsconfigRaw: TSCONFIG },
      ...{ sourcemap: 'external', sourcesContent: false, legalComments: 'none' },
      define: { 'process.env.NODE_ENV': '"production"', 'process.env.NODE_DEBUG': '""' },
      plugins: [externals],
    });
    const problems = builtinsIn(metafile, folder, libraries);
    if (problems.length > 0) return { problems };
    const text = (suffix: string): string => outputFiles.find(({ path }) => path.endsWith(suffix))?.text ?? '';
    return {
      module: {
        id: LIBRARIES,
        filename,
        code: text('.js'),
        map: withAbsolutePaths(text('.map'), folder),
        shareable: true,
      },
    };
  } catch (error) {
    const messages = (error as { errors?: Message[] }).errors;
    if (messages === undefined) throw error;
    return { problems: messages.map((message) => problemOf(message, message.location?.file ?? filename)) };
  }
}

/** Built-ins stay external here, to be found in the metafile with their import chain; unless the package itself does without (its "browser" field). */
const externals: Plugin = {
  name: 'holdfast-libraries',
  setup(build) {
    build.onResolve({ filter: /^[^./\\]/ }, async ({ path, kind, importer, resolveDir, namespace, pluginData }) => {
      if (pluginData === externals || kind === 'entry-point') return undefined;
      if (EXTERNALS.includes(path)) return { path, external: true };
      if (!isBuiltin(path)) return undefined;
      const own = await build.resolve(path, { kind, importer, resolveDir, namespace, pluginData: externals });
      const isReplaced = own.errors.length === 0 && !path.startsWith('node:');
      return isReplaced ? undefined : { path, external: true };
    });
  },
};

function builtinsIn({ inputs }: Metafile, folder: string, libraries: readonly Library[]): Problem[] {
  const importers = new Map<string, string>();
  const problems: Problem[] = [];
  const chain = (input: string): string[] => {
    const importer = importers.get(input);
    return importer === undefined ? [input] : [...chain(importer), input];
  };
  const visit = (input: string, library: Library): void => {
    for (const { path, external } of inputs[input]?.imports ?? []) {
      if (external === true && isBuiltin(path) && !ASYNC_HOOKS.includes(path) && !EXTERNALS.includes(path)) {
        const names = [...chainTo(library.importer), ...chain(input), path];
        problems.push({ ...library.at, text: refusedBuiltin(names) });
      } else if (external !== true && !importers.has(path) && !roots.has(path)) {
        importers.set(path, input);
        visit(path, library);
      }
    }
  };
  const roots = new Map<string, Library>();
  for (const library of libraries) {
    const input = Object.keys(inputs).find((name) => resolve(folder, name) === library.path);
    if (input !== undefined) roots.set(input, library);
  }
  for (const [input, library] of roots) visit(input, library);
  return problems;
}
