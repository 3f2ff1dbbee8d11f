/**
 * One file of the user's workflow code, read: TypeScript stripped, global names marked, parsed, and what it imports.
 * Thread: embedding. In → out: path → SourceModule, or the problem that keeps it from compiling.
 */
import { readFile } from 'node:fs/promises';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { extname } from 'node:path';
import type { AnyNode, Program } from 'acorn';
import esbuild, { type Loader, type Message, type TransformOptions } from 'esbuild';
import { withoutDecorators } from './decorations.js';
import { MARKS } from './global-marks.js';
import { inlineMap, originOf, standIn, withInlineMap } from './maps.js';
import type { Problem } from './problems.js';
import { parseModule, walk } from './syntax.js';

/** Lowest Node.js that is supported: newer syntax is compiled down to it. */
export const TARGET = 'node20';
/** Whatever a project's tsconfig says, so that code runs the same everywhere. */
export const TSCONFIG = { compilerOptions: { experimentalDecorators: false, useDefineForClassFields: true } };

const LOADERS: Readonly<Record<string, Loader>> = {
  ...{ '.ts': 'ts', '.mts': 'ts', '.cts': 'ts', '.tsx': 'tsx' },
  ...{ '.js': 'js', '.mjs': 'js', '.cjs': 'js', '.jsx': 'jsx' },
};

const TOO_DEEP = 'this is nested too deeply to be bundled: take it apart, or keep it as data (JSON)';

/** In the user's own file: what a compiled one was made from, if it has a map. */
export interface Position {
  readonly filename: string;
  readonly line: number;
  readonly column: number;
}

/** One `import`, `export … from`, `import()` or `require()` of a literal name. */
export interface ModuleRequest {
  readonly specifier: string;
  readonly kind: 'import-statement' | 'dynamic-import' | 'require-call';
  /** The string literal in `code`. */
  readonly start: number;
  readonly end: number;
  /** Imported names; undefined if any may be (`* as`, `import()`, `require`). */
  readonly names?: readonly string[];
  readonly at: Position;
}

export interface SourceModule {
  readonly filename: string;
  /** JavaScript with marked global names; JSON as it is. */
  readonly code: string;
  /** With the map inline, whose sources are stand-ins for `origins`. */
  readonly mappedCode: string;
  /** The files that it was written in: itself, or what it was compiled from. */
  readonly origins: readonly string[];
  /** Undefined for JSON. */
  readonly program: Program | undefined;
  /** True if it has `import` or `export`. */
  readonly isESM: boolean;
  readonly requests: readonly ModuleRequest[];
  /** Whether TypeScript source has that word in it. */
  mentions(name: string): boolean;
  /** Where in the user's file a node stands. */
  position(node: { start: number }): Position;
}

export function problemOf(message: Message, filename: string): Problem {
  const { location, text } = message;
  if (location === null) return { filename, text };
  return { filename, line: location.line, column: location.column + 1, text };
}

export async function readModule(filename: string): Promise<SourceModule | Problem[]> {
  const source = withoutHead(await readFile(filename, 'utf8'));
  const extension = extname(filename);
  if (extension === '.json') return readJson(filename, source);
  const loader = LOADERS[extension];
  if (loader === undefined) return [{ filename, text: 'only TypeScript, JavaScript and JSON can be imported' }];
  const deep = nesting(source);
  if (deep !== undefined) return [{ filename, ...deep, text: TOO_DEEP }];
  try {
    const { source: text, origins } = await withInlineMap(filename, source);
    const { code, map } = await strip(text, loader);
    const words = loader.startsWith('ts') ? text : '';
    return parsed({ filename, origins, code, map, mentions: (name) => hasWord(words, name) });
  } catch (error) {
    const messages = (error as { errors?: Message[] }).errors;
    if (messages === undefined) throw error;
    return messages.map((message) => problemOf(message, filename));
  }
}

/** To JavaScript that Node.js knows. */
async function strip(text: string, loader: Loader): Promise<{ code: string; map: string }> {
  const options: TransformOptions & { sourcemap: 'external' } = {
    ...{ sourcefile: standIn(0), tsconfigRaw: TSCONFIG, jsx: 'automatic' },
    ...{ sourcemap: 'external', logLevel: 'silent', legalComments: 'none' },
  };
  const whole = { ...options, target: TARGET, define: { ...MARKS } };
  const stripped = await esbuild.transform(text, { ...whole, loader });
  // What it makes of a decorator begins so.
  if (!stripped.code.includes('__decoratorStart(')) return stripped;
  const { code, map } = await esbuild.transform(text, { ...options, loader, target: 'esnext' });
  const plain = attempt(() => withoutDecorators(code));
  return plain === undefined ? stripped : esbuild.transform(plain + inlineMap(map), { ...whole, loader: 'js' });
}

/** Without a byte order mark; a `#!` line becomes a comment, as long as it is. */
function withoutHead(source: string): string {
  return source.replace(/^\uFEFF/, '').replace(/^#!/, '//');
}

/** Open at once, be some of them in strings: esbuild indents what it prints, so that of more it makes gigabytes. */
const MAX_BRACKETS = 3_000;

/** Where brackets are nested too deeply to be read at all. */
function nesting(source: string): { line: number; column: number } | undefined {
  let depth = 0;
  for (const { 0: bracket, index } of source.matchAll(/[([{}\])]/g)) {
    depth = Math.max(0, depth + ('([{'.includes(bracket) ? 1 : -1));
    if (depth <= MAX_BRACKETS) continue;
    const before = source.slice(0, index).split('\n');
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  }
  return undefined;
}

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!/[\w$]/.test(text[at - 1] ?? '') && !/[\w$]/.test(text[at + word.length] ?? '')) return true;
  }
  return false;
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function readJson(filename: string, source: string): SourceModule | Problem[] {
  try {
    // As text: in a literal the key `__proto__` would set the prototype.
    const code = `module.exports = JSON.parse(${JSON.stringify(JSON.stringify(JSON.parse(source)))});\n`;
    const position = () => ({ filename, line: 1, column: 1 });
    const mentions = () => false;
    return {
      ...{ filename, origins: [], code, mappedCode: code, program: undefined },
      isESM: false,
      requests: [],
      mentions,
      position,
    };
  } catch (error) {
    if (error instanceof RangeError) return [{ filename, line: 1, column: 1, text: TOO_DEEP }];
    return [{ filename, text: error instanceof Error ? error.message : String(error) }];
  }
}

interface Stripped extends Pick<SourceModule, 'filename' | 'origins' | 'code' | 'mentions'> {
  readonly map: string;
}

function parsed({ filename, origins, code, map, mentions }: Stripped): SourceModule | Problem[] {
  const lines = lineStarts(code);
  let decoded: SourceMap | undefined;
  const position = ({ start }: { start: number }): Position => {
    decoded ??= new SourceMap(JSON.parse(map) as SourceMapPayload);
    const line = lines.findLastIndex((at) => at <= start);
    const entry = decoded.findEntry(line, start - (lines[line] ?? 0));
    if (!('originalSource' in entry)) return { filename, line: 1, column: 1 };
    return {
      filename: originOf(entry.originalSource, origins),
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
    };
  };
  const parse = parseModule(code);
  if ('refused' in parse) {
    const { start, message } = parse.refused;
    return [{ ...position({ start }), text: message ?? TOO_DEEP }];
  }
  const { program } = parse;
  const requests: ModuleRequest[] = [];
  walk(program, (node) => {
    const request = requestOf(node);
    if (request !== undefined) requests.push({ ...request, at: position({ start: request.start }) });
  });
  return {
    ...{ filename, origins, code, program, requests, mentions, position },
    mappedCode: code + inlineMap(map),
    isESM: program.body.some(({ type }) => /^(?:Import|Export)/.test(type)),
  };
}

function requestOf(node: AnyNode): Omit<ModuleRequest, 'at'> | undefined {
  switch (node.type) {
    case 'ImportDeclaration': {
      const names = node.specifiers.map((specifier) =>
        specifier.type === 'ImportSpecifier'
          ? nameOf(specifier.imported)
          : specifier.type === 'ImportDefaultSpecifier'
            ? 'default'
            : '*',
      );
      return request(node.source, 'import-statement', names);
    }
    case 'ExportNamedDeclaration':
      if (node.source == null) return undefined;
      return request(
        node.source,
        'import-statement',
        node.specifiers.map((specifier) => nameOf(specifier.local)),
      );
    case 'ExportAllDeclaration':
      return request(node.source, 'import-statement', ['*']);
    case 'ImportExpression':
      return request(node.source, 'dynamic-import', ['*']);
    case 'CallExpression': {
      const [first] = node.arguments;
      const isRequire = node.callee.type === 'Identifier' && node.callee.name === 'require';
      return isRequire && first !== undefined && node.arguments.length === 1
        ? request(first, 'require-call', ['*'])
        : undefined;
    }
    default:
      return undefined;
  }
}

function request(
  source: AnyNode,
  kind: ModuleRequest['kind'],
  names: readonly string[],
): Omit<ModuleRequest, 'at'> | undefined {
  if (source.type !== 'Literal' || typeof source.value !== 'string') return undefined;
  const { value: specifier, start, end } = source;
  return { specifier, kind, start, end, ...(names.includes('*') ? {} : { names }) };
}

function nameOf(node: AnyNode): string {
  return node.type === 'Identifier' ? node.name : node.type === 'Literal' ? String(node.value) : '*';
}

function lineStarts(code: string): number[] {
  const starts = [0];
  for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
