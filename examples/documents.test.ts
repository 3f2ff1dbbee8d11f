/**
 * The documents' code: every block is printed from a file that is compiled and run, every command and every name in them exists.
 * Thread: the test's. In → out: README.md and docs/*.md → what in them is not so, which must be nothing.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as holdfast from 'holdfast';
import * as activity from 'holdfast/activity';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const docs = existsSync(join(ROOT, 'docs')) ? readdirSync(join(ROOT, 'docs')) : [];
const documents = ['README.md', ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

interface Block {
  readonly language: string;
  /** The file that it is printed from, from the root. */
  readonly title: string | undefined;
  readonly lines: readonly string[];
  /** For messages. */
  readonly at: string;
}

function blocksOf(document: string): Block[] {
  const text = read(document);
  return [...text.matchAll(/^```(\S*)(?: title="([^"]*)")?\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1] ?? '',
    title: match[2],
    lines: (match[3] ?? '').trimEnd().split('\n'),
    at: `${document}:${text.slice(0, match.index).split('\n').length}`,
  }));
}

/** A line that stands for lines left out. */
const GAP = '// …';

/** The parts between gaps, each as consecutive lines. */
function partsOf(lines: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  for (const line of lines) {
    if (line.trim() === GAP) parts.push([]);
    else parts.at(-1)?.push(line);
  }
  return parts;
}

/** Whether `part` stands in `file` from line `at` on, each line moved right by `indent`. */
function standsAt(part: readonly string[], file: readonly string[], at: number, indent: string): boolean {
  return part.every((line, offset) => file[at + offset] === (line === '' ? '' : indent + line));
}

/** Whether the lines occur in the file as printed: in order, moved as a whole, with something left out at each gap. */
function isPrintedFrom(lines: readonly string[], text: string): boolean {
  const file = text.split('\n');
  const parts = partsOf(lines);
  return ['', '  ', '    ', '      '].some((indent) => {
    let next = 0;
    return parts.every((part, index) => {
      if (part.length === 0) return true; // A gap begins or ends the block.
      const from = index === 0 ? next : next + 1;
      const found = file.findIndex((_, at) => at >= from && standsAt(part, file, at, indent));
      next = found + part.length;
      return found !== -1;
    });
  });
}

describe('what counts as printed', () => {
  const FILE = ['const a = 1;', '', 'if (a) {', '  b();', '  c();', '}'].join('\n');
  test.each([
    ['consecutive lines', ['if (a) {', '  b();'], true],
    ['lines moved to the left as a whole', ['b();', 'c();'], true],
    ['lines with some left out', ['const a = 1;', '// …', '  c();', '}'], true],
    ['lines left out at the end', ['if (a) {', '  // …'], true],
    ['lines in another order', ['  c();', '// …', '  b();'], false],
    ['lines moved apart', ['if (a) {', 'b();'], false],
    ['a line changed', ['if (a) {', '  d();'], false],
    ['a gap where nothing is left out', ['  b();', '// …', '  c();'], false],
    ['a line missing without a gap', ['if (a) {', '  c();'], false],
  ])('%s: %o is %s', (_, lines, expected) => {
    expect(isPrintedFrom(lines, FILE)).toBe(expected);
  });
});

describe('README.md', () => {
  const rowsTo = (pattern: RegExp) => [...read('README.md').matchAll(pattern)].map(([, name]) => name ?? '').sort();

  test('lists every example once', () => {
    const folders = readdirSync(join(ROOT, 'examples')).filter((name) =>
      existsSync(join(ROOT, 'examples', name, 'main.ts')),
    );
    expect(rowsTo(/^\| \[[^\]]+\]\(examples\/([\w-]+)\)/gm)).toEqual(folders.sort());
  });

  test('lists every guide once', () => {
    const guides = documents.filter((path) => path.startsWith('docs/') && path !== 'docs/semantics-coverage.md');
    expect(rowsTo(/^\| \[[^\]]+\]\((docs\/[\w-]+\.md)\)/gm)).toEqual(guides.sort());
  });

  test('says of every package that Holdfast uses what it is for', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    const [, told = ''] = read('README.md').split('\n## Dependencies\n');
    const names = Object.keys({ ...dependencies, ...devDependencies }).map((name) =>
      name.startsWith('@temporalio/') ? '@temporalio/*' : name,
    );
    expect(names.filter((name) => !told.includes(`\`${name}\``))).toEqual([]);
  });
});

describe.each(documents)('%s', (document) => {
  const blocks = blocksOf(document);
  const code = blocks.filter(({ language }) => /^[jt]sx?$/.test(language));

  test('closes each block that it opens, in a language known here', () => {
    expect(read(document).match(/^```/gm)?.length ?? 0).toBe(blocks.length * 2);
    const known = ['ts', 'js', 'sh', 'text'];
    expect(blocks.filter(({ language }) => !known.includes(language)).map(({ at }) => at)).toEqual([]);
  });

  test('prints its code from files of the examples that are compiled and tested', () => {
    // The README's program is no part of the examples: it is packed, installed and run by the package's own test.
    const printed = document === 'README.md' ? code.slice(1) : code;
    const wrong = printed.filter(({ title = '' }) => {
      const folder = join(ROOT, dirname(title));
      const tested = existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.test.ts'));
      return (
        !/^examples\/[\w-]+\/[\w-]+(?:\.test)?\.ts$/.test(title) ||
        !tested ||
        !existsSync(join(ROOT, 'dist', jsOf(title)))
      );
    });
    expect(wrong.map(({ at }) => at)).toEqual([]);
    const changed = printed.filter(({ lines, title = '' }) => !isPrintedFrom(lines, read(title)));
    expect(changed.map(({ at, title }) => `${at} is not as in ${title}`)).toEqual([]);
  });

  test('names npm scripts that exist', () => {
    const named = [...read(document).matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name]) => name ?? '');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test('names examples that exist', () => {
    const named = [...read(document).matchAll(/npm run example -- ([\w-]+)/g)].map(([, name]) => name ?? '');
    expect(named.filter((name) => name !== 'NAME' && !existsSync(join(ROOT, 'examples', name, 'main.ts')))).toEqual([]);
  });

  test('links to files and headings that exist', () => {
    const links = [...read(document).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    const broken = links.filter(([, path = '', heading]) => {
      const target = path === '' ? document : join(dirname(document), path);
      return !existsSync(join(ROOT, target)) || (heading !== undefined && !anchorsOf(target).includes(heading));
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  test('names errors and failures that exist', () => {
    // But for the table of Temporal's names that are missing.
    const text = read(document).replaceAll(/^\| `(?:workflow|common|activity|client)`.*$/gm, '');
    const named = [...text.matchAll(/`([A-Z]\w*(?:Error|Failure))\b/g)].map(([, name]) => name ?? '');
    expect(named.filter((name) => !(name in holdfast) && !(name in activity) && !(name in globalThis))).toEqual([]);
  });
});

const jsOf = (path: string) => path.replace(/\.ts$/, '.js');

/** As GitHub and npm make them of headings. */
function anchorsOf(document: string): string[] {
  const headings = [...read(document).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading ?? '');
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
