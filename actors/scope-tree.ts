/**
 * Scope tree: what is awaited in each scope but the root, so that who cancels a scope need not look at all that a run awaits.
 * Thread: worker. In → out: keys of what begins and ends in a scope → the keys of all that its cancellation may reach.
 */
import { isRoot, type Scope } from './scopes.js';

interface Node {
  readonly keys: Set<string>;
  /** Scopes inside this one in which something is awaited. */
  readonly inside: Set<Scope>;
}

export class ScopeTree {
  /** Only scopes in which something is awaited. Made when first needed. */
  #nodes: Map<Scope, Node> | undefined;

  add(began: Scope, key: string): void {
    let scope = placeOf(began);
    if (isRoot(scope)) return;
    this.#nodeOf(scope).keys.add(key);
    for (let { parent } = scope; parent !== undefined && !isRoot(parent); { parent } = scope) {
      const { inside } = this.#nodeOf(parent);
      if (inside.has(scope)) return;
      inside.add(scope);
      scope = parent;
    }
  }

  delete(began: Scope, key: string): void {
    let scope = placeOf(began);
    if (isRoot(scope)) return;
    this.#nodes?.get(scope)?.keys.delete(key);
    for (;;) {
      const node = this.#nodes?.get(scope);
      if (node === undefined || node.keys.size > 0 || node.inside.size > 0) return;
      this.#nodes!.delete(scope);
      const { parent } = scope;
      if (parent === undefined) return;
      this.#nodes!.get(parent)?.inside.delete(scope);
      scope = parent;
    }
  }

  /** Keys of what is awaited in a scope, which is not the root, and in the scopes inside it, in no order. */
  *within(scope: Scope): IterableIterator<string> {
    const scopes = [scope];
    for (let next = scopes.pop(); next !== undefined; next = scopes.pop()) {
      const node = this.#nodes?.get(next);
      if (node === undefined) continue;
      yield* node.keys;
      for (const inner of node.inside) scopes.push(inner);
    }
  }

  #nodeOf(scope: Scope): Node {
    this.#nodes ??= new Map();
    let node = this.#nodes.get(scope);
    if (node === undefined) {
      node = { keys: new Set(), inside: new Set() };
      this.#nodes.set(scope, node);
    }
    return node;
  }
}

/** What waits for a scope to be cancelled stands where that scope does. */
function placeOf(scope: Scope): Scope {
  return scope.watches ?? scope;
}
