/**
 * Module resolution as esbuild does it: package exports, tsconfig paths (of the project that a file is in), './x.js' for x.ts.
 * Thread: embedding. In → out: specifier and importer → absolute path, or why not.
 */
import { dirname, resolve as resolvePath } from 'node:path';
import esbuild, { type ImportKind, type Message } from 'esbuild';
import { refuse } from './problems.js';
import { Projects } from './projects.js';
import { problemOf } from './source-module.js';

export type Resolve = (
  specifier: string,
  importer: string,
  kind: ImportKind,
) => Promise<{ readonly path: string } | { readonly problem: string }>;

/** Libraries are taken as for a browser: those builds do without Node's built-ins. */
export const PLATFORM = 'browser';

/**
 * @param tsconfig for the user's own modules, instead of the nearest of each; its path, if given, exists
 * @throws WorkflowBundleError if a tsconfig cannot be read
 */
export async function withResolver<T>(
  folder: string,
  tsconfig: string | undefined,
  use: (resolve: Resolve) => Promise<T>,
): Promise<T> {
  const projects = new Projects(tsconfig);
  const builds = new Map<string | undefined, Promise<OpenBuild>>();
  try {
    return await use(async (specifier, importer, kind) => {
      const project = projects.of(importer);
      const build = builds.get(project) ?? openBuild(folder, project);
      builds.set(project, build);
      return (await build).resolve(specifier, importer, kind);
    });
  } finally {
    await closeAll(folder, builds);
  }
}

/** Only at its end does a build say what is wrong with its tsconfig. */
async function closeAll(folder: string, builds: ReadonlyMap<string | undefined, Promise<OpenBuild>>): Promise<void> {
  const closed = await Promise.allSettled([...builds.values()].map(async (build) => (await build).close()));
  const messages = closed.flatMap((each) => (each.status === 'rejected' ? messagesOf(each.reason) : []));
  refuse(
    folder,
    messages.map((message) => problemOf(message, resolvePath(folder, message.location?.file ?? ''))),
  );
}

function messagesOf(error: unknown): Message[] {
  const messages = (error as { errors?: Message[] }).errors;
  if (messages === undefined) throw error;
  return messages;
}

interface OpenBuild {
  readonly resolve: Resolve;
  close(): Promise<unknown>;
}

/** esbuild resolves only within a build, and with one tsconfig: so an empty build is kept from ending. */
function openBuild(folder: string, tsconfig: string | undefined): Promise<OpenBuild> {
  return new Promise((opened, failed) => {
    const built = esbuild.build({
      ...{ stdin: { contents: '', resolveDir: folder }, absWorkingDir: folder, platform: PLATFORM },
      ...{ bundle: true, write: false, logLevel: 'silent' },
      ...(tsconfig === undefined ? {} : { tsconfig }),
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
            build.onStart(
              () =>
                new Promise((end) => {
                  opened({
                    resolve,
                    close: () => {
                      end();
                      return built;
                    },
                  });
                }),
            );
          },
        },
      ],
    });
    built.catch(failed);
  });
}
