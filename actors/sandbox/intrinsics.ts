/**
 * What all executions of a thread share, locked: the intrinsics, Node's classes and the authoring API can be neither extended nor changed.
 * Thread: worker, once, when its libraries are loaded (they may add to prototypes, the same on every thread) and before any of the user's code.
 * In → out: whatever workflow code can reach → the same, frozen; the few exceptions are in watched-intrinsics.ts.
 */
import { types } from 'node:util';
import { PASSED_GLOBALS } from './global-names.js';
import { makeOverridable } from './override.js';
import { IteratorPrototype, isWatched } from './watched-intrinsics.js';

/** Iterators whose `next` V8 knows, and leaves its fast paths if anything happens to it. */
const BUILT_IN_ITERATORS = [[].values(), new Map().values(), new Set().values(), ''[Symbol.iterator]()];

const TypedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;

const CHANGING = ['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse'] as const;

/** Objects whose functions are called everywhere: only these of theirs become accessors. */
const HOT: ReadonlyMap<object, readonly PropertyKey[]> = new Map<object, readonly PropertyKey[]>([
  [Array.prototype, ['toString', 'toLocaleString', 'concat', ...CHANGING]],
  [Function.prototype, ['constructor', 'toString', 'apply', 'bind', 'call']],
  [Promise.prototype, ['catch', 'finally']],
  [String.prototype, ['constructor', 'toString', 'valueOf']],
  [Map.prototype, ['constructor', 'get', 'set', 'has', 'delete', 'clear', 'forEach']],
  [Set.prototype, ['constructor', 'add', 'has', 'delete', 'clear', 'forEach']],
  [TypedArrayPrototype, ['toString', 'toLocaleString']],
  [Array, ['from', 'of']],
  ...[Object, Promise, String, Number, Symbol, BigInt, JSON, Reflect].map((each) => [each, []] as const),
  ...BUILT_IN_ITERATORS.map((each) => [Object.getPrototypeOf(each) as object, []] as const),
]);

/** Prototypes that no global leads to. */
function hidden(): object[] {
  async function asynchronous() {}
  function* generator() {}
  async function* asynchronousGenerator() {}
  const segments = new Intl.Segmenter().segment('a');
  const found: object[] = [
    ...[asynchronous, generator, asynchronousGenerator, generator(), asynchronousGenerator(), IteratorPrototype],
    ...[...BUILT_IN_ITERATORS, 'a'.matchAll(/a/g), segments, segments[Symbol.iterator]()],
    ...[new URLSearchParams().entries(), new AbortController().signal],
  ];
  // Of later versions of Node.js.
  const { Iterator } = globalThis as { Iterator?: { from(given: object): object & { map?(f: () => void): object } } };
  if (Iterator !== undefined) {
    found.push(Iterator.from({ next: () => ({ done: true }) }), Iterator.from([]).map?.(() => undefined) ?? []);
  }
  return found;
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/** Locks whatever `roots`, the allowed globals and literals lead to. */
export function lockIntrinsics(roots: Iterable<unknown>): void {
  const seen = new Set<object>([globalThis]);
  const waiting: object[] = [];
  const meet = (value: unknown): void => {
    // A proxy (of activities) holds nothing, and its traps may not bear it.
    if (!isObject(value) || types.isProxy(value) || seen.has(value)) return;
    seen.add(value);
    waiting.push(value);
  };
  for (const name of PASSED_GLOBALS) {
    if (!(name in globalThis)) continue;
    const value: unknown = Reflect.get(globalThis, name);
    meet(value);
    lockGlobal(name, value);
  }
  for (const root of roots) meet(root);
  for (const each of hidden()) meet(each);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    meet(Object.getPrototypeOf(next));
    for (const property of Object.values(Object.getOwnPropertyDescriptors(next))) meetAll(property, meet);
    for (const key of Object.getOwnPropertySymbols(next)) meetAll(Object.getOwnPropertyDescriptor(next, key), meet);
    lock(next, HOT.get(next));
  }
}

function meetAll(property: PropertyDescriptor | undefined, meet: (value: unknown) => void): void {
  meet(property?.value);
  meet(property?.get);
  meet(property?.set);
}

/** @param overridable which properties derived objects may be assigned; undefined: all */
function lock(owner: object, overridable: readonly PropertyKey[] | undefined): void {
  // Any change of its map, even to one without writable properties, makes `replace` with a regular expression ten times slower.
  if (owner === RegExp.prototype || types.isModuleNamespaceObject(owner)) return;
  const isClass = Object.hasOwn(owner, 'constructor');
  let watched = false;
  for (const key of Reflect.ownKeys(owner)) {
    const { configurable, writable, value } = Object.getOwnPropertyDescriptor(owner, key)!;
    if (isWatched(owner, key)) watched = true;
    else if (configurable && writable && (overridable?.includes(key) ?? (isClass || typeof value === 'function'))) {
      makeOverridable(owner, key, value);
    }
  }
  if (watched || isOfIndexed(owner)) lockSingly(owner);
  else Object.freeze(owner);
  makeFast(owner);
}

/** Frozen as a whole, these would slow every read beyond the end of an array, and double the time that writing bytes takes. */
function isOfIndexed(owner: object): boolean {
  if (owner === Object.prototype || owner === Array.prototype || owner === TypedArrayPrototype) return true;
  return owner === Buffer.prototype || Object.getPrototypeOf(owner) === TypedArrayPrototype;
}

function lockSingly(owner: object): void {
  for (const key of Reflect.ownKeys(owner)) {
    if (isWatched(owner, key)) continue;
    const { configurable, writable } = Object.getOwnPropertyDescriptor(owner, key)!;
    if (writable) Object.defineProperty(owner, key, { writable: false });
    if (configurable) Object.defineProperty(owner, key, { configurable: false });
  }
  Object.preventExtensions(owner);
}

/**
 * Many changes make V8 keep an object's properties in a table, and forget what it could inline: `charCodeAt` takes five times as long. Being
 * read through an heir, by code that has run before, makes them fast again, once nothing changes any more.
 */
function makeFast(owner: object): void {
  const heir = Object.create(owner) as object;
  for (let read = 0; read < 30; read++) inherited(heir);
}

function inherited(heir: object): unknown {
  return heir.constructor;
}

/** By `this` of a sloppy function the user's code reaches the thread's own global object, and by a name what is not shadowed. */
function lockGlobal(name: string, value: unknown): void {
  const property = Object.getOwnPropertyDescriptor(globalThis, name);
  if (property?.configurable !== true) return;
  const { enumerable = false } = property;
  Object.defineProperty(globalThis, name, { value, enumerable, writable: false, configurable: false });
}
