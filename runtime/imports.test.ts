/**
 * The shape of the sources: imports run one way, every file says what it is for, none grows too long, the documents name what is there.
 * Thread: the test's. In → out: all source files but tests and fixtures → what breaks a rule, which must be nothing.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS = ['mailbox', 'actors', 'runtime', 'examples', 'bench'];
const LEAVES = [
  'runtime/errors.ts',
  'runtime/activity-errors.ts',
  'runtime/base-error.ts',
  'runtime/call-errors.ts',
  'runtime/code-errors.ts',
  'runtime/outcome-errors.ts',
  'runtime/portability-errors.ts',
  'runtime/schedule-errors.ts',
  'runtime/search-errors.ts',
  'runtime/store-errors.ts',
  'runtime/clock.ts',
];
const LONGEST = 400;
/** Tests, and what only they use. */
const TEST = /\.test\.ts$|(^|[/-])fixtures\/|\/test-kit\//;

interface Source {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

interface Import {
  /** As it is written. */
  readonly specifier: string;
  /** The source file that a relative one names, from the root; undefined for packages and Node's own. */
  readonly file: string | undefined;
}

/** Type imports too: what a folder knows of another is what matters, not what is left at run time. */
const IMPORTS = [
  /^(?:import|export)\b[^;]*?\bfrom\s+'([^']+)'/gm,
  /^import\s+'([^']+)'/gm,
  /\bimport\(\s*'([^']+)'\s*\)/g,
  /\bnew URL\(\s*'([^']+\.js)',\s*import\.meta\.url\s*\)/g,
];

function importsOf(path: string, text: string): Import[] {
  const code = text.replaceAll(/^\s*(?:\/?\*|\/\/).*$/gm, '');
  const specifiers = IMPORTS.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ''));
  return specifiers.map((specifier) => ({
    specifier,
    file: specifier.startsWith('.')
      ? normalize(join(dirname(path), specifier))
          .replaceAll('\\', '/')
          .replace(/\.js$/, '.ts')
      : undefined,
  }));
}

function sourcesIn(folder: string): Source[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  const paths = names.map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
  const sources = paths.filter((path) => path.endsWith('.ts') && !TEST.test(path));
  return sources.map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    return { path, text, imports: importsOf(path, text) };
  });
}

const sources = FOLDERS.flatMap(sourcesIn);
const startsWithAny = (path: string, prefixes: readonly string[]) => prefixes.some((prefix) => path.startsWith(prefix));

/** `from` → imported, of every import in `folders` that `forbidden` refuses. */
function violations(folders: readonly string[], forbidden: (to: Import, from: Source) => boolean): string[] {
  const concerned = sources.filter(({ path }) => startsWithAny(path, folders));
  return concerned.flatMap((from) =>
    from.imports.filter((to) => forbidden(to, from)).map(({ specifier }) => `${from.path} → ${specifier}`),
  );
}

test('the imports are found, or all that follows says nothing', () => {
  const of = (path: string) =>
    sources.find((source) => source.path === path)?.imports.map(({ specifier }) => specifier);
  expect(of('mailbox/messages.ts')).toEqual(['./events.js', './failures.js', './payload.js', './records.js']);
  expect(of('runtime/index.ts')).toContain('./errors.js');
  expect(of('runtime/runtime.ts')).toEqual(expect.arrayContaining(['./supervisor/thread.js', 'node:worker_threads']));
  expect(of('runtime/workflow-bundle.ts')).toContainEqual(expect.stringMatching(/^\.\/bundler\//));
  const files = new Set(sources.map(({ path }) => path));
  const inProduct = sources.filter(({ path }) => startsWithAny(path, ['mailbox/', 'actors/', 'runtime/']));
  const targets = inProduct.flatMap(({ imports }) => imports.flatMap(({ file }) => file ?? []));
  expect(targets.filter((file) => !files.has(file))).toEqual([]);
});

describe('imports run one way', () => {
  test('leaves import nothing but leaves', () => {
    expect(violations(LEAVES, ({ file }) => file === undefined || !LEAVES.includes(file))).toEqual([]);
  });

  test('mailbox knows only itself and the leaves', () => {
    const known = ['mailbox/', ...LEAVES];
    expect(violations(['mailbox/'], ({ file }) => file !== undefined && !startsWithAny(file, known))).toEqual([]);
  });

  test('actors know only themselves, mailbox and the leaves: the authoring API never reaches the runtime', () => {
    const known = ['actors/', 'mailbox/', ...LEAVES];
    expect(violations(['actors/'], ({ file }) => file !== undefined && !startsWithAny(file, known))).toEqual([]);
  });

  test('the product knows neither examples nor bench, nor itself by its package name', () => {
    const product = ['mailbox/', 'actors/', 'runtime/'];
    const forbidden = ({ file, specifier }: Import) =>
      file === undefined ? /^holdfast(\/|$)/.test(specifier) : !startsWithAny(file, product);
    expect(violations(product, forbidden)).toEqual([]);
  });

  test('examples see what users see', () => {
    // What the service is made with that the example embeds Holdfast in.
    const OF_SERVICES = ['fastify'];
    const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { exports: object };
    const entries = Object.keys(exports).map((entry) => `holdfast${entry.slice(1)}`);
    const forbidden = ({ file, specifier }: Import, from: Source) =>
      file === undefined
        ? !specifier.startsWith('node:') && ![...entries, ...OF_SERVICES].includes(specifier)
        : !file.startsWith(`${from.path.split('/').slice(0, 2).join('/')}/`);
    expect(violations(['examples/'], forbidden)).toEqual([]);
  });
});

describe('only the store knows files', () => {
  const product = ['mailbox/', 'actors/', 'runtime/'];
  const store = ['runtime/store/', 'runtime/cli/'];
  const outside = (from: Source) => !startsWithAny(from.path, store);

  test('others import the interface of the store and its factory, not its formats', () => {
    const open = ['runtime/store/store.ts', 'runtime/store/index.ts'];
    const forbidden = ({ file }: Import, from: Source) =>
      file?.startsWith('runtime/store/') === true && !open.includes(file) && outside(from);
    expect(violations(product, forbidden)).toEqual([]);
  });

  test('others do not touch the disk, except to read the workflow files that they bundle', () => {
    const forbidden = ({ specifier }: Import, from: Source) =>
      /^(node:)?fs(\/|$)/.test(specifier) && outside(from) && !from.path.startsWith('runtime/bundler/');
    expect(violations(product, forbidden)).toEqual([]);
  });
});

describe('every source file', () => {
  test('begins by saying what it is for, which thread runs it, and what goes in and comes out', () => {
    const headOf = ({ text }: Source) => /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? '';
    const headless = sources.filter(
      (source) => !['Thread:', 'In → out:'].every((part) => headOf(source).includes(part)),
    );
    expect(headless.map(({ path }) => path)).toEqual([]);
  });

  test(`has at most ${LONGEST} lines`, () => {
    const lengths = sources.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }));
    const written = lengths.filter(({ path }) => !path.includes('/generated-'));
    expect(written.filter(({ lines }) => lines > LONGEST)).toEqual([]);
  });
});

test('the documents name files that exist', () => {
  const named = (document: string): string[] => {
    const text = readFileSync(join(ROOT, document), 'utf8');
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)];
    const inCode = [...text.matchAll(/`((?:mailbox|actors|runtime|examples|bench)\/[\w/.-]+\.ts)`/g)];
    return [...links, ...inCode].map(([, path]) => path ?? '');
  };
  const missing = ['README.md', 'ARCHITECTURE.md', 'ERRORS.md', 'CHANGELOG.md'].flatMap((document) =>
    named(document)
      .filter((path) => !existsSync(join(ROOT, path)))
      .map((path) => `${document} → ${path}`),
  );
  expect(missing).toEqual([]);
});
