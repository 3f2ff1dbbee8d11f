/**
 * Marks on global names. esbuild knows scopes: it is told to replace each *free* use of a global by a marked name, so that
 * whoever reads the syntax tree need not know them; and to take the marks off again when it makes the final code.
 * Thread: embedding. In → out: global names → `define`s for esbuild; node → the global that it names.
 */
import type { AnyNode } from 'acorn';
import { ALLOWED_GLOBALS, deniedGlobals } from '../../actors/sandbox/global-names.js';

const MARK = '__holdfast_global_';
/** Not marked: names that esbuild or CommonJS treats specially. They are found by their names. */
const PLAIN = new Set(['undefined', 'NaN', 'Infinity', 'eval', 'require', 'module', 'exports']);
const marked = [...ALLOWED_GLOBALS, ...deniedGlobals()].filter((name) => !PLAIN.has(name));

export const MARKS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(marked.map((name) => [name, `${MARK}${name}`])),
  'import.meta': `${MARK}import_meta`,
};
export const UNMARKS: Readonly<Record<string, string>> = Object.fromEntries(
  marked.map((name) => [`${MARK}${name}`, name]),
);

/** The global that a node names, if any. */
export function globalOf(node: AnyNode): string | undefined {
  if (node.type !== 'Identifier' || !node.name.startsWith(MARK)) return undefined;
  const name = node.name.slice(MARK.length);
  return name === 'import_meta' ? 'import.meta' : name;
}

export function isGlobal(node: AnyNode, name: string): boolean {
  return globalOf(node) === name;
}
