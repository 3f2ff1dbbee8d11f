/**
 * Follows the imports of the workflow file through the user's own modules, up to libraries and externals.
 * Thread: embedding. In → out: entry path → modules, libraries and problems.
 */
import { isBuiltin } from 'node:module';
import { dirname, isAbsolute, relative, sep } from 'node:path';
import { ASYNC_HOOKS } from '../../actors/sandbox/bundle.js';
import { EXTERNALS } from '../../actors/sandbox/externals.js';
import type { Problem } from './problems.js';
import type { Resolve } from './resolver.js';
import { type ModuleRequest, readModule, type SourceModule } from './source-module.js';

export interface OwnModule {
  readonly id: string;
  readonly source: SourceModule;
  /** The module by which the walk came here first; none for the entry. */
  readonly importer: OwnModule | undefined;
  /** The user's own modules that it imports: specifier → id. */
  readonly imports: Map<string, string>;
  /** What `require` is to be called with: specifier → id of a module or library. */
  readonly ids: Map<string, string>;
}

export interface Library {
  readonly id: string;
  readonly path: string;
  readonly importer: OwnModule;
  readonly at: ModuleRequest['at'];
}

export interface Walk {
  readonly entry: OwnModule | undefined;
  readonly modules: ReadonlyMap<string, OwnModule>;
  readonly libraries: ReadonlyMap<string, Library>;
  readonly problems: Problem[];
}

interface Pending {
  readonly filename: string;
  readonly importer: OwnModule | undefined;
}

/** Relative to the workflow file, so that a bundle is the same on another machine. */
export function moduleId(entry: string, filename: string): string {
  const path = relative(dirname(entry), filename).split(sep).join('/');
  return path.startsWith('../') ? path : `./${path}`;
}

/** `workflows.ts → helper.ts`. */
export function chainTo(module: OwnModule | undefined): string[] {
  return module === undefined ? [] : [...chainTo(module.importer), module.id.replace(/^\.\//, '')];
}

export function refusedBuiltin(chain: readonly string[]): string {
  return `imports a Node.js built-in, which is not available in workflow code: ${chain.join(' → ')}. Do this in an activity; import type is fine`;
}

const isLibrary = (path: string): boolean => path.split(sep).includes('node_modules');

/** @param also further roots, whose ids are relative to the entry too */
export async function walkModules(entry: string, also: readonly string[], resolve: Resolve): Promise<Walk> {
  const modules = new Map<string, OwnModule>();
  const libraries = new Map<string, Library>();
  const libraryIds = new Set<string>();
  const problems: Problem[] = [];
  const roots = new Set([entry, ...also]);
  const seen = new Set(roots);

  const libraryOf = (path: string, request: ModuleRequest, importer: OwnModule): Library => {
    const known = libraries.get(path);
    if (known !== undefined) return known;
    let id = request.specifier;
    for (let copy = 2; libraryIds.has(id); copy++) id = `${request.specifier}#${copy}`;
    libraryIds.add(id);
    const library = { id, path, importer, at: request.at };
    libraries.set(path, library);
    return library;
  };
  const follow = async (module: OwnModule, request: ModuleRequest): Promise<Pending | undefined> => {
    const { specifier } = request;
    const { filename } = module.source;
    const refusal = refusedSpecifier(module, request);
    if (refusal !== undefined) problems.push({ ...request.at, text: refusal });
    if (refusal !== undefined || EXTERNALS.includes(specifier) || ASYNC_HOOKS.includes(specifier)) return undefined;
    const found = await resolve(specifier, filename, request.kind);
    if ('problem' in found || !isAbsolute(found.path)) {
      const text = 'problem' in found ? found.problem : `'${specifier}' is not a file that can be bundled`;
      problems.push({ ...request.at, text });
      return undefined;
    }
    if (isLibrary(found.path)) {
      module.ids.set(specifier, libraryOf(found.path, request, module).id);
      return undefined;
    }
    const id = moduleId(entry, found.path);
    module.imports.set(specifier, id);
    module.ids.set(specifier, id);
    if (seen.has(found.path)) return undefined;
    seen.add(found.path);
    return { filename: found.path, importer: module };
  };

  // Breadth first and in order: import chains are the shortest, and ids the same each time.
  for (let level: Pending[] = [...roots].map((filename) => ({ filename, importer: undefined })); level.length > 0; ) {
    const read = await Promise.all(
      level.map(async (pending) => ({ ...pending, source: await readModule(pending.filename) })),
    );
    level = [];
    for (const { filename, importer, source } of read) {
      if (Array.isArray(source)) {
        problems.push(...source);
        continue;
      }
      const module = { id: moduleId(entry, filename), source, importer, imports: new Map(), ids: new Map() };
      modules.set(module.id, module);
      for (const request of source.requests) {
        const next = await follow(module, request);
        if (next !== undefined) level.push(next);
      }
    }
  }
  return { entry: modules.get(moduleId(entry, entry)), modules, libraries, problems };
}

function refusedSpecifier(module: OwnModule, { specifier, names }: ModuleRequest): string | undefined {
  if (ASYNC_HOOKS.includes(specifier)) {
    if (names?.every((name) => name === 'AsyncLocalStorage')) return undefined;
    return `only AsyncLocalStorage can be imported from '${specifier}' in workflow code: import { AsyncLocalStorage } from '${specifier}'`;
  }
  if (isBuiltin(specifier) && !EXTERNALS.includes(specifier)) return refusedBuiltin([...chainTo(module), specifier]);
  if ((specifier === 'holdfast' || specifier.startsWith('holdfast/')) && !EXTERNALS.includes(specifier)) {
    return `'${specifier}' is not available in workflow code: import from 'holdfast/workflow', or only types (import type)`;
  }
  return specifier.startsWith('@temporalio/') ? refusedTemporal(specifier) : undefined;
}

/** Of Temporal's packages only the two for workflow code are there, and of those no inner file. */
function refusedTemporal(specifier: string): string | undefined {
  const [scope, name] = specifier.split('/');
  const owner = `${scope}/${name}`;
  if (specifier === '@temporalio/activity') {
    return `'${specifier}' is for activities, which run outside of workflow code: import only its types (import type), and call activities through proxyActivities`;
  }
  if (EXTERNALS.includes(specifier)) return undefined;
  if (EXTERNALS.includes(owner)) {
    return `'${specifier}' is a file inside Temporal's package, which Holdfast stands in for as a whole: import from '${owner}'`;
  }
  return `'${specifier}' is not available in workflow code: import from '@temporalio/workflow' or 'holdfast/workflow', or only types (import type)`;
}
