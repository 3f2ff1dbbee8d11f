/**
 * What cannot be locked, for V8 would leave its fast paths at any change of it, even to read-only: it is looked at after every step instead.
 * Thread: worker. In → out: what workflow code has changed of it, put back.
 */

export const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([].values())) as {
  [Symbol.iterator]: unknown;
};

// Its own in some versions of Node.js only; where nothing can be added any more, it must be there to be set.
if (!Object.hasOwn(Error, 'prepareStackTrace')) {
  Object.defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: true, configurable: true });
}

const regExp = RegExp.prototype;
const iterate: typeof Symbol.iterator = Symbol.iterator;

type Watched = readonly [name: string, owner: object, keys: readonly PropertyKey[]];

/** Beyond all of `RegExp.prototype`. */
const WATCHED: readonly Watched[] = [
  ['Array.prototype', Array.prototype, ['constructor', iterate]],
  ['Promise.prototype', Promise.prototype, ['constructor', 'then']],
  ['Iterator.prototype', IteratorPrototype, [iterate]],
  ['Error', Error, ['stackTraceLimit', 'prepareStackTrace']],
];

export function isWatched(owner: object, key: PropertyKey): boolean {
  return WATCHED.some(([, watched, keys]) => watched === owner && keys.includes(key));
}

interface Kept {
  readonly name: string;
  readonly owner: object;
  readonly keys: ReadonlySet<PropertyKey>;
  readonly properties: readonly { readonly key: PropertyKey; readonly property: PropertyDescriptor }[];
}

/** Looks after what it finds when it is made. */
export class WatchedIntrinsics {
  readonly #kept: readonly Kept[];
  readonly #limit = Error.stackTraceLimit;
  readonly #prepare: unknown = Error.prepareStackTrace;
  readonly #arrayConstructor: unknown = Array.prototype.constructor;
  readonly #arrayIterate: unknown = Array.prototype[iterate];
  readonly #promiseConstructor: unknown = Promise.prototype.constructor;
  readonly #then: unknown = Promise.prototype.then;
  readonly #iterate: unknown = IteratorPrototype[iterate];
  readonly #exec: unknown = regExp.exec;
  readonly #test: unknown = regExp.test;
  readonly #compile: unknown = regExp.compile;
  readonly #toString: unknown = regExp.toString;
  readonly #regExpConstructor: unknown = regExp.constructor;
  readonly #match: unknown = regExp[Symbol.match];
  readonly #matchAll: unknown = regExp[Symbol.matchAll];
  readonly #replace: unknown = regExp[Symbol.replace];
  readonly #search: unknown = regExp[Symbol.search];
  readonly #split: unknown = regExp[Symbol.split];

  constructor() {
    const all: readonly Watched[] = [['RegExp.prototype', regExp, Reflect.ownKeys(regExp)], ...WATCHED];
    this.#kept = all.map(([name, owner, keys]) => ({
      name,
      owner,
      keys: new Set(Reflect.ownKeys(owner)),
      properties: keys.map((key) => ({ key, property: Object.getOwnPropertyDescriptor(owner, key)! })),
    }));
  }

  /**
   * After every step, hence written out: some 5 ns. What code sets of how stacks are made holds until then.
   * @returns what was changed; it is as before again. @throws Error if it cannot be put back
   */
  check(): string | undefined {
    if (Error.stackTraceLimit !== this.#limit || Error.prepareStackTrace !== this.#prepare) this.restore();
    return this.#seemsIntact() ? undefined : this.restore();
  }

  #seemsIntact(): boolean {
    try {
      for (const _ in regExp) return false;
      return this.#hasSameValues();
    } catch {
      // A getter that was put there.
      return false;
    }
  }

  #hasSameValues(): boolean {
    return (
      regExp.exec === this.#exec &&
      regExp.test === this.#test &&
      regExp.compile === this.#compile &&
      regExp.toString === this.#toString &&
      regExp.constructor === this.#regExpConstructor &&
      regExp[Symbol.match] === this.#match &&
      regExp[Symbol.matchAll] === this.#matchAll &&
      regExp[Symbol.replace] === this.#replace &&
      regExp[Symbol.search] === this.#search &&
      regExp[Symbol.split] === this.#split &&
      Array.prototype.constructor === this.#arrayConstructor &&
      Array.prototype[iterate] === this.#arrayIterate &&
      Promise.prototype.constructor === this.#promiseConstructor &&
      Promise.prototype.then === this.#then &&
      IteratorPrototype[iterate] === this.#iterate
    );
  }

  /**
   * Once a turn: also what `check` does not see, accessors and properties that no loop finds.
   * @returns what was not as it had been. @throws Error if it cannot be put back
   */
  restore(): string | undefined {
    let changed: string | undefined;
    // By index throughout: how arrays iterate may be what was changed.
    for (let i = 0; i < this.#kept.length; i++) changed = restore(this.#kept[i]!) ?? changed;
    return changed;
  }
}

function restore({ name, owner, keys, properties }: Kept): string | undefined {
  let changed: string | undefined;
  const now = Reflect.ownKeys(owner);
  for (let i = 0; i < now.length; i++) {
    const key = now[i]!;
    if (keys.has(key)) continue;
    changed = nameOf(name, key);
    if (!Reflect.deleteProperty(owner, key)) throw new Error(`${changed} cannot be removed`);
  }
  for (let i = 0; i < properties.length; i++) {
    const { key, property } = properties[i]!;
    if (isSame(Object.getOwnPropertyDescriptor(owner, key), property)) continue;
    changed = nameOf(name, key);
    if (!Reflect.defineProperty(owner, key, property)) throw new Error(`${changed} cannot be put back`);
  }
  return changed;
}

function isSame(now: PropertyDescriptor | undefined, before: PropertyDescriptor): boolean {
  if (now === undefined) return false;
  return (
    now.value === before.value && now.get === before.get && now.set === before.set && now.writable === before.writable
  );
}

function nameOf(owner: string, key: PropertyKey): string {
  return typeof key === 'symbol' ? `${owner}[${String(key)}]` : `${owner}.${String(key)}`;
}
