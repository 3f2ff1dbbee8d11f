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
  /** Where in the user's file a node stands. */
  position(node: { start: number }): Position;
}

export function problemOf(message: Message, filename: string): Problem {
  const { location, text } = message;
  if (location === null) return { filename, text };
  return { filename, line: location.line, column: location.column + 1, text };
}

export async function readModule(filename: string): Promise<SourceModule | Problem[]> {
  const source = await readFile(filename, 'utf8');
  const extension = extname(filename);
  if (extension === '.json') return readJson(filename, source);
  const loader = LOADERS[extension];
  if (loader === undefined) return [{ filename, text: 'only TypeScript, JavaScript and JSON can be imported' }];
  try {
    const { source: text, origins } = await withInlineMap(filename, source);
    const { code, map } = await strip(text, loader);
    return parsed(filename, origins, code, map);
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

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function readJson(filename: string, source: string): SourceModule | Problem[] {
  try {
    const code = `module.exports = ${JSON.stringify(JSON.parse(source))};\n`;
    const position = () => ({ filename, line: 1, column: 1 });
    return { filename, origins: [], code, mappedCode: code, program: undefined, isESM: false, requests: [], position };
  } catch (error) {
    return [{ filename, text: error instanceof Error ? error.message : String(error) }];
  }
}

function parsed(filename: string, origins: readonly string[], code: string, map: string): SourceModule {
  const program = parseModule(code);
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
  const requests: ModuleRequest[] = [];
  walk(program, (node) => {
    const request = requestOf(node);
    if (request !== undefined) requests.push({ ...request, at: position({ start: request.start }) });
  });
  return {
    ...{ filename, origins, code, program, requests, position },
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
