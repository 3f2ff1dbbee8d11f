/**
 * Which tsconfig.json is for a file, as TypeScript's editors find it: the nearest or the named one, or, if that leaves the file to projects that
 * it refers to, the first of these that includes it. esbuild follows `extends`, and reads of it the paths; of references it knows nothing.
 * Thread: embedding. In → out: file → path of a tsconfig.json.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { type AnyNode, parseExpressionAt } from 'acorn';

interface Project {
  /** As far as written, here or in what it extends. */
  readonly files?: readonly string[] | undefined;
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  /** Paths of other tsconfigs. */
  readonly references: readonly string[];
}

/** What a tsconfig.json may say of it, unchecked. */
interface Config {
  readonly extends?: unknown;
  readonly files?: unknown;
  readonly include?: unknown;
  readonly exclude?: unknown;
  readonly references?: unknown;
}

const NONE: Project = { references: [] };

export class Projects {
  readonly #read = new Map<string, Project>();
  readonly #nearest = new Map<string, string | undefined>();

  /** @param named the tsconfig for all files, instead of the nearest of each */
  constructor(private readonly named: string | undefined) {}

  /** Undefined if that is the nearest one, which esbuild finds by itself. */
  of(file: string): string | undefined {
    const start = this.named ?? this.#nearestTo(dirname(file));
    if (start === undefined || this.#project(start).references.length === 0) return this.named;
    const owner = this.#owner(start, file, new Set());
    return owner === undefined || owner === start ? this.named : owner;
  }

  #owner(path: string, file: string, asked: Set<string>): string | undefined {
    if (asked.has(path)) return undefined;
    asked.add(path);
    const project = this.#project(path);
    if (includes(project, dirname(path), file)) return path;
    for (const reference of project.references) {
      const owner = this.#owner(reference, file, asked);
      if (owner !== undefined) return owner;
    }
    return undefined;
  }

  #nearestTo(folder: string): string | undefined {
    if (this.#nearest.has(folder)) return this.#nearest.get(folder);
    const path = join(folder, 'tsconfig.json');
    const above = dirname(folder);
    const found = existsSync(path) ? path : above === folder ? undefined : this.#nearestTo(above);
    this.#nearest.set(folder, found);
    return found;
  }

  #project(path: string, extending: ReadonlySet<string> = new Set()): Project {
    const known = this.#read.get(path);
    if (known !== undefined || extending.has(path)) return known ?? NONE;
    const json = readConfig(path);
    const folder = dirname(path);
    let project: Project = {
      references: objects(json.references).flatMap(({ path: to }) =>
        typeof to === 'string' ? [configAt(resolve(folder, to))] : [],
      ),
    };
    const bases = typeof json.extends === 'string' ? [json.extends] : texts(json.extends);
    for (const base of bases ?? []) {
      const found = extended(path, base);
      if (found === undefined) continue;
      const { files, include, exclude } = this.#project(found, new Set([...extending, path]));
      project = { ...project, ...written({ files, include, exclude }) };
    }
    const absolute = (globs: string[] | undefined): string[] | undefined =>
      globs?.map((glob) => resolve(folder, glob.replace(/^\$\{configDir\}/, '.')));
    const own = { files: texts(json.files), include: texts(json.include), exclude: texts(json.exclude) };
    project = {
      ...project,
      ...written({ files: absolute(own.files), include: absolute(own.include), exclude: absolute(own.exclude) }),
    };
    this.#read.set(path, project);
    return project;
  }
}

function written(parts: Omit<Project, 'references'>): Partial<Project> {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

function includes({ files, include, exclude }: Project, folder: string, file: string): boolean {
  if (files?.includes(file)) return true;
  const patterns = include ?? (files === undefined ? [join(folder, '**/*')] : []);
  return patterns.some((glob) => matches(glob, file)) && exclude?.some((glob) => matches(glob, file)) !== true;
}

/** `*` and `?` within a name, `**` for any folders; a folder stands for all that is in it. */
function matches(glob: string, file: string): boolean {
  const names = glob
    .split(sep)
    .flatMap((name, index, all) => (name === '**' && index === all.length - 1 ? ['**', '*'] : [name]));
  const pattern = names.map((name) =>
    name === '**'
      ? '(?:[^/]+/)*'
      : `${name
          .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '[^/]*')
          .replaceAll('?', '[^/]')}/`,
  );
  const last = names.at(-1) ?? '';
  const rest = /[*?.]/.test(last) ? '' : '(?:.*/)?';
  return new RegExp(`^${pattern.join('')}${rest}$`).test(`${file.split(sep).join('/')}/`);
}

const configAt = (path: string): string => (path.endsWith('.json') ? path : join(path, 'tsconfig.json'));

function extended(from: string, base: string): string | undefined {
  const isPath = isAbsolute(base) || /^\.\.?(?:[\\/]|$)/.test(base);
  const path = resolve(dirname(from), base);
  if (isPath) return [path, `${path}.json`].find((each) => existsSync(each) && statSync(each).isFile());
  for (const name of [base, `${base}.json`, `${base}/tsconfig.json`]) {
    try {
      const found = createRequire(from).resolve(name);
      if (found.endsWith('.json')) return found;
    } catch {
      // The next form of the name, then: a package, or a file in it.
    }
  }
  return undefined;
}

/** What cannot be read says nothing here; esbuild tells of it if it needs it. */
function readConfig(path: string): Config {
  try {
    const text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
    // JSON with comments and trailing commas, which is an expression.
    return (literal(parseExpressionAt(text, 0, { ecmaVersion: 'latest' })) ?? {}) as Config;
  } catch {
    return {};
  }
}

function literal(node: AnyNode | null): unknown {
  switch (node?.type) {
    case 'Literal':
      return node.value;
    case 'ArrayExpression':
      return node.elements.map(literal);
    case 'ObjectExpression':
      return Object.fromEntries(
        node.properties.flatMap((each) =>
          each.type === 'Property' && each.key.type === 'Literal'
            ? [[String(each.key.value), literal(each.value)]]
            : [],
        ),
      );
    default:
      return undefined;
  }
}

function texts(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : undefined;
}

function objects(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : [];
}
