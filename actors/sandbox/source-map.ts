/**
 * Stack traces of evaluated workflow code, told in terms of the user's own files.
 * Thread: worker. In → out: stack as V8 wrote it → the same with the user's files and lines, without Holdfast's own frames.
 */
import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { BundleModule, WorkflowBundle } from './bundle.js';

/** Sets evaluated code apart from the same file loaded by Node, and a stack that is mapped already from one that is not. */
const EVALUATED = '#workflow';
const POSITION = /^#workflow:(\d+):(\d+)/;

/** The name under which a module is compiled. */
export function evaluatedName(filename: string): string {
  return `${filename}${EVALUATED}`;
}

/** A place in evaluated code, as a line of a stack tells it. */
interface Place {
  readonly module: BundleModule;
  readonly line: number;
  readonly column: number;
  /** The line of the stack before and after the place. */
  readonly before: string;
  readonly after: string;
}

function placeIn(frame: string, modules: readonly BundleModule[]): Place | undefined {
  const at = frame.indexOf(EVALUATED);
  if (at < 0) return undefined;
  const head = frame.slice(0, at);
  const [text, line, column] = POSITION.exec(frame.slice(at)) ?? [];
  // A known name, not a pattern: paths may hold spaces and parentheses.
  const module = modules.find(({ filename }) => head.endsWith(`(${filename}`) || head.endsWith(` ${filename}`));
  if (module === undefined || text === undefined) return undefined;
  const before = head.slice(0, head.length - module.filename.length);
  return { module, line: Number(line), column: Number(column), before, after: frame.slice(at + text.length) };
}

/** Where in evaluated code an error was thrown, if its stack begins there. */
export function topPlace(stack: string, bundle: WorkflowBundle): Place | undefined {
  const top = stack.split('\n').find((line) => line.startsWith('    at '));
  return top === undefined ? undefined : placeIn(top, bundle.modules);
}

/** Of the compiled package, and of its sources, which are what frames name where source maps are enabled. */
const ROOTS = ['../../', '../../../'].map((up) => fileURLToPath(new URL(up, import.meta.url)).replaceAll('\\', '/'));
const OWN = ROOTS.flatMap((root) => ['actors/', 'mailbox/', 'runtime/'].map((folder) => `${root}${folder}`));

function isOwnFrame(line: string): boolean {
  if (!line.startsWith('    at ') || line.includes(EVALUATED)) return false;
  if (line.includes('node:internal/') || line.includes('node:vm')) return true;
  const path = line.replaceAll('\\', '/');
  return OWN.some((folder) => path.includes(folder)) && !path.includes('.test.');
}

const MAX_CACHED = 1000;

/** For `setStackMapper`. Maps are parsed when first needed. */
export function stackMapper(bundle: WorkflowBundle): (stack: string) => string {
  const maps = new Map<BundleModule, SourceMap>();
  const frames = new Map<string, string>();

  const mapOf = (module: BundleModule): SourceMap | undefined => {
    let map = maps.get(module);
    if (map === undefined && module.map !== '') {
      map = new SourceMap(JSON.parse(module.map) as SourceMapPayload);
      maps.set(module, map);
    }
    return map;
  };
  const translate = (frame: string): string => {
    const place = placeIn(frame, bundle.modules);
    if (place === undefined) return frame;
    const { module, line, column, before, after } = place;
    const found = mapOf(module)?.findEntry(line - 1, column - 1);
    if (found === undefined || !('originalSource' in found)) {
      return `${before}${module.filename}:${line}:${column}${after}`;
    }
    return `${before}${found.originalSource}:${found.originalLine + 1}:${found.originalColumn + 1}${after}`;
  };
  const cached = (line: string): string => {
    if (!line.includes(EVALUATED)) return line;
    const known = frames.get(line);
    if (known !== undefined) return known;
    if (frames.size >= MAX_CACHED) frames.clear();
    const translated = translate(line);
    frames.set(line, translated);
    return translated;
  };
  return (stack) =>
    stack
      .split('\n')
      .filter((line) => !isOwnFrame(line))
      .map(cached)
      .join('\n');
}

/** File, line and column of the first frame of the user's code in a stack, as the mapper tells it. */
export function firstPlace(stack: string, mapper: (stack: string) => string): string | undefined {
  const frames = stack.split('\n').filter((line) => line.includes(EVALUATED));
  const [first] = mapper(frames.slice(0, 1).join('\n')).split('\n');
  return first === undefined ? undefined : /(?:\(|at (?:async )?)([^()]+:\d+:\d+)\)?$/.exec(first)?.[1];
}
