/**
 * Source maps between esbuild's two passes, files on disk and Node.js. esbuild treats sources as URLs of sorts, so for the user's own
 * modules it sees only numbered stand-ins for the paths.
 * Thread: embedding. In → out: maps → maps.
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

interface RawMap {
  sources: string[];
  sourceRoot?: string;
  sourcesContent?: unknown;
}

const STAND_IN = /origin-(\d+)$/;
export const standIn = (index: number): string => `origin-${index}`;

export function originOf(source: string, origins: readonly string[]): string {
  return origins[Number(STAND_IN.exec(source)?.[1] ?? 0)] ?? source;
}

export function inlineMap(json: string): string {
  return `//# sourceMappingURL=data:application/json;base64,${Buffer.from(json).toString('base64')}\n`;
}

/** The map with paths for stand-ins. */
export function withOrigins(json: string, origins: readonly string[]): string {
  const map = JSON.parse(json) as RawMap;
  map.sources = map.sources.map((source) => originOf(source, origins));
  return JSON.stringify(map);
}

/** The map of a build in `folder`, with absolute paths. */
export function withAbsolutePaths(json: string, folder: string): string {
  const map = JSON.parse(json) as RawMap;
  map.sources = map.sources.map((source) => resolve(folder, decoded(source)));
  return JSON.stringify(map);
}

function decoded(source: string): string {
  try {
    return decodeURIComponent(source);
  } catch {
    return source;
  }
}

export interface Origin {
  readonly source: string;
  /** Absolute paths that stand-ins stand for. */
  readonly origins: readonly string[];
}

/** A compiled service has maps beside its files: esbuild follows them only if they are inline. */
export async function withInlineMap(filename: string, source: string): Promise<Origin> {
  const link = /\n\/\/# sourceMappingURL=([^\s:]+\.map)\s*$/.exec(source);
  if (link?.[1] === undefined) return { source, origins: [filename] };
  const path = resolve(dirname(filename), decoded(link[1]));
  try {
    const map = JSON.parse(await readFile(path, 'utf8')) as RawMap;
    const folder = resolve(dirname(path), map.sourceRoot ?? '');
    const origins = map.sources.map((name) => resolve(folder, decoded(name)));
    const sources = origins.map((_, index) => standIn(index));
    const inline = inlineMap(JSON.stringify({ ...map, sources, sourceRoot: undefined, sourcesContent: undefined }));
    return { source: `${source.slice(0, link.index)}\n${inline}`, origins };
  } catch {
    // The code compiles without its map; stacks then name the compiled file.
    return { source, origins: [filename] };
  }
}
