/**
 * Cancellation: the order in which the request to cancel a scope reaches what is awaited in it.
 * Thread: worker. In → out: a cancelled scope, everything that is awaited → each told in its turn, in microtasks of this step.
 *
 * As if each scope were a promise that the scopes and waits inside it have attached themselves to, in the order in which they began: what began in the
 * scope itself is told one microtask after the request, what began in a scope inside it one microtask later, and so on.
 */
import { CancelledFailure } from '../mailbox/failures.js';
import { isRoot, type Scope } from './scopes.js';

/** What is awaited. */
export interface Cancellable {
  readonly scope: Scope;
  /** Its place among all that began in its run. */
  readonly order: number;
  /** Told once, if it is still awaited then. */
  readonly tell: (failure: CancelledFailure) => void;
}

interface Branch {
  readonly order: number;
  readonly items: (Cancellable | Branch)[];
  readonly inside: Map<Scope, Branch>;
}

/**
 * Tells everything that the cancellation of `scope` reaches.
 * @param awaited all that it may reach, in any order
 */
export function reachAll(scope: Scope, awaited: Iterable<Cancellable>): void {
  const branch: Branch = { order: 0, items: [], inside: new Map() };
  let failure: CancelledFailure | undefined;
  const failureOf = (text: string) => {
    failure ??= new CancelledFailure(text);
    return failure;
  };
  for (const item of awaited) {
    const { cancellation, watches } = item.scope;
    if (cancellation === undefined) continue;
    if (watches !== undefined && same(watches, scope)) {
      item.tell(failureOf(cancellation));
      continue;
    }
    const around = pathTo(watches?.parent ?? item.scope, scope);
    if (around === undefined) continue;
    failureOf(cancellation);
    let at = branch;
    for (const inner of around) at = insideOf(at, inner);
    // Before the scope that it watches, which has the same place.
    at.items.push(watches === undefined ? item : { ...item, order: (watches.order ?? 0) - 0.5 });
  }
  if (failure !== undefined) tellSoon(branch, failure);
}

/** The scopes from inside `outer` to `scope`, outermost first; undefined if that is not within it. */
function pathTo(scope: Scope, outer: Scope): Scope[] | undefined {
  const path: Scope[] = [];
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    if (same(at, outer)) return path.reverse();
    path.push(at);
  }
  return undefined;
}

function same(one: Scope, other: Scope): boolean {
  return one === other || (isRoot(one) && isRoot(other));
}

function insideOf(branch: Branch, scope: Scope): Branch {
  const known = branch.inside.get(scope);
  if (known !== undefined) return known;
  const made: Branch = { order: scope.order ?? 0, items: [], inside: new Map() };
  branch.inside.set(scope, made);
  branch.items.push(made);
  return made;
}

function tellSoon({ items }: Branch, failure: CancelledFailure): void {
  items.sort((a, b) => a.order - b.order);
  void Promise.resolve().then(() => {
    for (const item of items) {
      if ('items' in item) tellSoon(item, failure);
      else item.tell(failure);
    }
  });
}
