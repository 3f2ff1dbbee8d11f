/**
 * What workflow code gets for `globalThis`: an object of the allowed names only.
 * Thread: worker. In → out: names and values → a view for the user's own code (strict) and one for libraries (lenient).
 */
import { changingGlobal, unavailableGlobal } from './denied.js';
import { GLOBAL_OBJECTS } from './global-names.js';

function bare(values: Readonly<Record<string, unknown>>): Record<PropertyKey, unknown> {
  const object: Record<PropertyKey, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(object, name, { value, writable: true, configurable: true, enumerable: false });
  }
  return object;
}

/** Reading a denied name and changing any is an error: what all executions share must not change, and ambient I/O must not go unnoticed. */
export function strictGlobalObject(values: Readonly<Record<string, unknown>>, denied: ReadonlySet<string>): object {
  const refuse = (name: PropertyKey): never => {
    throw changingGlobal(name);
  };
  const object = bare(values);
  const proxy: object = new Proxy(object, {
    get(target, name) {
      if (typeof name === 'string' && denied.has(name)) throw unavailableGlobal(name);
      return target[name];
    },
    set: (_, name) => refuse(name),
    defineProperty: (_, name) => refuse(name),
    deleteProperty: (_, name) => refuse(name),
    setPrototypeOf: () => refuse('__proto__'),
    preventExtensions: () => refuse('*'),
  });
  for (const alias of GLOBAL_OBJECTS) object[alias] = proxy;
  return proxy;
}

/** Libraries look for what there is and leave registries behind: denied names are absent, and what they set stays with the libraries of the thread. */
export function lenientGlobalObject(values: Readonly<Record<string, unknown>>): object {
  const object = bare(values);
  for (const alias of GLOBAL_OBJECTS) object[alias] = object;
  return object;
}
