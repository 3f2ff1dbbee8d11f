/**
 * Links the user's own ES modules by their names, as the language does, where compiled code would copy what it happens to find: `export *`
 * becomes a list of names, so that a cycle loses none; a name that is missing, or that two stars bring, is told of.
 * Thread: embedding. In → out: modules → problems, and per module what to change in its code.
 */
import { extname } from 'node:path';
import type { AnyNode } from 'acorn';
import { EXTERNAL_MODULES } from '../../actors/sandbox/externals.js';
import type { Edit } from './ambient-use.js';
import type { OwnModule } from './module-walk.js';
import type { Problem } from './problems.js';
import { boundNames, isReference, walk } from './syntax.js';

export interface Linked {
  readonly problems: readonly Problem[];
  readonly edits: readonly Edit[];
  /** Goes behind the module's code. */
  readonly appended: string;
}

/** Where a name of another module comes from: `*` is all of it. */
interface Source {
  readonly id: string;
  readonly name: string;
}

/** What a module says of its names. */
interface Names {
  /** Exported under its own name: by itself (undefined), or from elsewhere. */
  readonly exported: Map<string, Source | undefined>;
  /** What `export * from` names, in order. */
  readonly stars: { readonly id: string; readonly node: AnyNode; readonly source: AnyNode }[];
  /** Every name that it takes from another module. */
  readonly taken: {
    readonly source: Source;
    readonly specifier: string;
    readonly node: AnyNode;
    readonly local?: string;
  }[];
}

/** All that a name may stand for. */
interface Reach {
  /** Binding → the star by which the module comes to it soonest, if by one. */
  readonly bindings: ReadonlyMap<string, string | undefined>;
  /** There are modules on the way whose names are known only when they run. */
  readonly open: boolean;
  /** TypeScript on the way mentions the name: it may be a type. */
  readonly mentioned: boolean;
}

export class Linker {
  readonly #names = new Map<string, Names>();

  constructor(private readonly modules: ReadonlyMap<string, OwnModule>) {
    for (const module of modules.values()) {
      if (module.source.isESM) this.#names.set(module.id, namesOf(module));
    }
  }

  link(module: OwnModule): Linked {
    const names = this.#names.get(module.id);
    if (names === undefined) return { problems: [], edits: [], appended: '' };
    const own = names.stars.filter(({ id }) => this.#names.has(id));
    return {
      problems: this.#missing(module, names),
      // Still imported where it stands, for the order in which modules are evaluated.
      edits: own.map(({ node, source }) => ({ start: node.start, end: source.start, text: 'import ' })),
      appended: own.length === 0 ? '' : this.#listed(module, names),
    };
  }

  #missing(module: OwnModule, { taken }: Names): Problem[] {
    const problems: Problem[] = [];
    for (const { source, specifier, node, local } of taken) {
      if (source.name === '*' || !this.#names.has(source.id)) continue;
      const { bindings, open, mentioned } = this.#reach(source);
      if (bindings.size === 1 || (bindings.size === 0 && open)) continue;
      const isPassedOn = mentioned && isTypeScript(module) && (local === undefined || isOnlyExported(module, local));
      if (bindings.size === 0 && isPassedOn) continue;
      const text =
        bindings.size > 1
          ? `'${source.name}' of '${specifier}' is ambiguous: several modules that it takes all of export it. Export it there by name`
          : `'${specifier}' has no export '${source.name}'${isTypeScript(module) ? '; if it is only a type, say so: import type, export type' : ''}`;
      problems.push({ ...module.source.position(node), text });
    }
    return problems;
  }

  /** The exports that the module's stars make, each from the star that is nearest to where it is declared: so a cycle of stars has an end. */
  #listed(module: OwnModule, { exported, stars }: Names): string {
    const { names, open } = this.#starred(module.id);
    const lists = new Map<string, string[]>();
    for (const name of [...names].sort()) {
      if (exported.has(name)) continue;
      const { bindings } = this.#reach({ id: module.id, name });
      const [star] = bindings.values();
      if (bindings.size === 1 && star !== undefined)
        lists.set(star, [...(lists.get(star) ?? []), JSON.stringify(name)]);
    }
    const direct = stars.map(({ id }) => id);
    return [
      ...[...lists].map(([id, list]) => `export { ${list.join(', ')} } from ${JSON.stringify(id)};\n`),
      ...open.filter((id) => !direct.includes(id)).map((id) => `export * from ${JSON.stringify(id)};\n`),
    ].join('');
  }

  /** The names that the module and its stars export, and the modules among these whose names are not known. */
  #starred(id: string): { readonly names: ReadonlySet<string>; readonly open: readonly string[] } {
    const names = new Set<string>();
    const seen = new Set([id]);
    const open: string[] = [];
    // A set tells of what is added while it is gone through.
    for (const each of seen) {
      const module = this.#names.get(each);
      if (module === undefined) open.push(each);
      for (const name of module?.exported.keys() ?? []) if (name !== 'default') names.add(name);
      for (const star of module?.stars ?? []) seen.add(star.id);
    }
    return { names, open };
  }

  /** Breadth first, so that the first way to a binding is the shortest. */
  #reach(from: Source): Reach {
    const bindings = new Map<string, string | undefined>();
    let open = false;
    let mentioned = false;
    const seen = new Set<string>();
    const queue: (Source & { readonly star: string | undefined; readonly byStar: boolean })[] = [
      { ...from, star: undefined, byStar: false },
    ];
    const found = (binding: string, star: string | undefined) => {
      if (!bindings.has(binding)) bindings.set(binding, star);
    };
    for (const { id, name, star, byStar } of queue) {
      const key = JSON.stringify([id, name]);
      const visit = `${byStar}${key}`;
      if (seen.has(visit)) continue;
      seen.add(visit);
      const names = this.#names.get(id);
      const external = Object.hasOwn(EXTERNAL_MODULES, id) ? EXTERNAL_MODULES[id] : undefined;
      if (this.modules.get(id)?.source.mentions(name)) mentioned = true;
      if (names?.exported.has(name)) {
        const source = names.exported.get(name);
        if (source === undefined) found(key, star);
        else queue.push({ ...source, star, byStar: false });
      } else if (names === undefined || name === '*') {
        const isThere = external !== undefined && Object.hasOwn(external, name);
        if (!byStar || isThere) found(key, star);
        else if (external === undefined) open = true;
      } else if (name !== 'default') {
        for (const next of names.stars) queue.push({ id: next.id, name, star: star ?? next.id, byStar: true });
      }
    }
    return { bindings, open, mentioned };
  }
}

function namesOf({ source: { program }, ids }: OwnModule): Names {
  const names: Names = { exported: new Map(), stars: [], taken: [] };
  const imported = new Map<string, Source>();
  const idOf = (source: AnyNode & { value?: unknown }): string => ids.get(String(source.value)) ?? String(source.value);
  for (const node of program?.body ?? []) {
    if (node.type !== 'ImportDeclaration') continue;
    for (const each of node.specifiers) {
      const name = each.type === 'ImportSpecifier' ? nameOf(each.imported) : WHOLE[each.type];
      const source = { id: idOf(node.source), name };
      imported.set(each.local.name, source);
      names.taken.push({ source, specifier: String(node.source.value), node: each, local: each.local.name });
    }
  }
  for (const node of program?.body ?? []) {
    if (node.type === 'ExportDefaultDeclaration') names.exported.set('default', undefined);
    else if (node.type === 'ExportAllDeclaration') {
      const id = idOf(node.source);
      if (node.exported == null) names.stars.push({ id, node, source: node.source });
      else names.exported.set(nameOf(node.exported), undefined);
    } else if (node.type === 'ExportNamedDeclaration') {
      for (const name of declaredBy(node.declaration)) names.exported.set(name, undefined);
      for (const each of node.specifiers) {
        const name = nameOf(each.local);
        const source = node.source == null ? imported.get(name) : { id: idOf(node.source), name };
        // A namespace is exported as a binding of the module's own, as by V8.
        names.exported.set(nameOf(each.exported), node.source == null && source?.name === '*' ? undefined : source);
        if (node.source == null || source === undefined) continue;
        names.taken.push({ source, specifier: String(node.source.value), node: each });
      }
    }
  }
  return names;
}

const WHOLE = { ImportDefaultSpecifier: 'default', ImportNamespaceSpecifier: '*' } as const;

function declaredBy(node: AnyNode | null | undefined): string[] {
  if (node == null) return [];
  if (node.type === 'VariableDeclaration') return node.declarations.flatMap(({ id }) => boundNames(id));
  return 'id' in node && node.id?.type === 'Identifier' ? [node.id.name] : [];
}

function nameOf(node: AnyNode): string {
  return node.type === 'Identifier' ? node.name : node.type === 'Literal' ? String(node.value) : '';
}

const isTypeScript = ({ source }: OwnModule): boolean => /^\.[mc]?tsx?$/.test(extname(source.filename));

/** True for what is imported only to be exported again: of a type, that is all that is left of it. */
function isOnlyExported({ source }: OwnModule, local: string): boolean {
  let used = false;
  if (source.program === undefined) return true;
  walk(source.program, (node, around) => {
    const parent = around.at(-1);
    if (node.type !== 'Identifier' || node.name !== local || parent?.type.startsWith('Import')) return;
    if (isReference(node, parent)) used = true;
  });
  return !used;
}
