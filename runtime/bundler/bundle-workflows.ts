/**
 * Bundles a workflow file and all that it imports, and refuses what would not be deterministic.
 * Thread: embedding, at start. In → out: path of the workflow file → WorkflowBundle, or WorkflowBundleError.
 */
import { createHash } from 'node:crypto';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BundleModule, WorkflowBundle } from '../../actors/sandbox/bundle.js';
import { EXTERNALS } from '../../actors/sandbox/externals.js';
import { WorkflowBundleError } from '../errors.js';
import { findAmbientUse } from './ambient-use.js';
import { emitModule } from './emit.js';
import { findMissingNames } from './external-names.js';
import { bundleLibraries } from './libraries.js';
import { Linker } from './linker.js';
import { moduleId, type OwnModule, walkModules } from './module-walk.js';
import { type Problem, refuse } from './problems.js';
import { withResolver } from './resolver.js';
import { shareableModules } from './shareability.js';
import { type Proof, prove } from './state-proof.js';
import { mayExportWorkflow } from './workflow-exports.js';

/** What is bundled with the workflow file: file URLs or paths. */
export interface BundleOptions {
  readonly payloadConverter?: URL | string | undefined;
  /** Modules that export `interceptors`. */
  readonly interceptors?: readonly (URL | string)[] | undefined;
  /** The tsconfig whose `paths` and `baseUrl` resolve imports. Default: the nearest one of each file. */
  readonly tsconfig?: URL | string | undefined;
}

/**
 * `source`: file URL, or path (relative to the working directory). If it names a TypeScript file that does not exist but its
 * compiled JavaScript does, or the other way round, that is taken. Nothing is evaluated. Throws `WorkflowBundleError`.
 */
export async function bundleWorkflows(
  source: URL | string,
  { payloadConverter, interceptors = [], tsconfig }: BundleOptions = {},
): Promise<WorkflowBundle> {
  const entryFile = findEntry(source);
  const converterFile = payloadConverter === undefined ? undefined : findEntry(payloadConverter);
  const interceptorFiles = interceptors.map(findEntry);
  const also = converterFile === undefined ? interceptorFiles : [converterFile, ...interceptorFiles];
  const config = tsconfig === undefined ? undefined : findConfig(tsconfig);
  const walk = await withResolver(dirname(entryFile), config, (resolver) => walkModules(entryFile, also, resolver));
  const own = [...walk.modules.values()];
  const proofs = new Map(own.map((module) => [module.id, prove(module.source)]));
  const ambient = new Map(own.map((module) => [module.id, findAmbientUse(module.source)]));
  const problems = [...walk.problems, ...[...ambient.values()].flatMap((use) => use.problems)];
  problems.push(...own.flatMap((module) => findMissingNames(module.source)));
  problems.push(...own.flatMap((module) => changedExternals(module, proofs)));
  const linker = new Linker(walk.modules);
  const linked = new Map(own.map((module) => [module.id, linker.link(module)]));
  // A module that is not there, or does not compile, has no names: to miss them would only hide why.
  if (walk.problems.length === 0) problems.push(...[...linked.values()].flatMap((each) => each.problems));
  if (problems.length === 0 && walk.entry !== undefined && !mayExportWorkflow(walk.entry, walk.modules)) {
    const text = 'it exports no workflow. Export an async function or a class: its export name is the workflow type';
    problems.push({ filename: entryFile, text });
  }
  const libraries = [...walk.libraries.values()];
  const bundled = libraries.length === 0 ? undefined : await bundleLibraries(entryFile, libraries);
  if (bundled !== undefined && 'problems' in bundled) problems.push(...bundled.problems);
  refuse(entryFile, problems);

  const imports = new Map(own.map((module) => [module.id, module.imports]));
  const shareable = shareableModules(proofs, imports);
  const emitted = await Promise.all(
    own.map((module) => {
      const proof = shareable.has(module.id) ? proofs.get(module.id) : undefined;
      const { edits = [], appended = '' } = linked.get(module.id) ?? {};
      return emitModule(module, proof, [...(ambient.get(module.id)?.edits ?? []), ...edits], appended);
    }),
  );
  refuse(
    entryFile,
    emitted.flatMap((result) => (Array.isArray(result) ? result : [])),
  );
  const modules = emitted.filter((result): result is BundleModule => !Array.isArray(result));
  modules.sort((a, b) => (a.id < b.id ? -1 : 1));
  if (bundled !== undefined && 'module' in bundled) modules.push(bundled.module);
  const warnings = [...ambient.values()].flatMap((use) => use.warnings);
  const idOf = (file: string) => moduleId(entryFile, file);
  return {
    build: nameBuild(modules),
    entry: walk.entry?.id ?? '',
    payloadConverter: converterFile && idOf(converterFile),
    ...(interceptorFiles.length === 0 ? {} : { interceptors: interceptorFiles.map(idOf) }),
    modules,
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

function changedExternals(module: OwnModule, proofs: ReadonlyMap<string, Proof>): Problem[] {
  const changes = proofs.get(module.id)?.changes ?? [];
  return changes
    .filter(({ specifier }) => EXTERNALS.includes(specifier))
    .map(({ specifier, at }) => ({
      ...at,
      text: `this changes what '${specifier}' exports, which all executions share: extend it instead`,
    }));
}

const TWINS: readonly (readonly [string, string])[] = [
  ['.ts', '.js'],
  ['.mts', '.mjs'],
  ['.cts', '.cjs'],
  ['.tsx', '.js'],
  ['.js', '.ts'],
  ['.js', '.tsx'],
  ['.mjs', '.mts'],
  ['.cjs', '.cts'],
];

function findConfig(tsconfig: URL | string): string {
  const path = pathOf(tsconfig);
  if (!existsSync(path) || !statSync(path).isFile()) {
    throw new WorkflowBundleError({ file: path, reason: 'the tsconfig does not exist' });
  }
  return realpathSync(path);
}

function pathOf(file: URL | string): string {
  return file instanceof URL || file.startsWith('file:') ? fileURLToPath(file) : resolve(file);
}

function findEntry(source: URL | string): string {
  const path = pathOf(source);
  const twins = TWINS.filter(([from]) => path.endsWith(from)).map(([from, to]) => path.slice(0, -from.length) + to);
  const found = [path, ...twins].find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
  if (found === undefined) {
    const also = twins.length === 0 ? '' : `, nor does ${twins.join(' or ')}`;
    throw new WorkflowBundleError({ file: path, reason: `the file does not exist${also}` });
  }
  // Imports resolve to real paths: so must the entry, for ids are relative to it.
  return realpathSync(found);
}

/** From ids and code only: the same on every machine that has the same code. */
function nameBuild(modules: readonly BundleModule[]): string {
  const hash = createHash('sha256');
  for (const { id, code, shareable } of modules) hash.update(JSON.stringify([id, code, shareable]));
  return hash.digest('hex').slice(0, 16);
}
