/**
 * Modules that all executions of a thread share: their functions are their own, and frozen, so that what one execution puts on them never reaches another.
 * Thread: any. In → out: functions of Node.js → frozen ones; names and values → a frozen module.
 */

/** Functions that call those of a module of Node.js, which belong to the whole thread; looked up when called, for a later version may have one no more. */
export function owned(real: object, names: readonly string[]): Record<string, (...args: unknown[]) => unknown> {
  const call = (name: string) =>
    Object.defineProperty((...args: unknown[]): unknown => Reflect.apply(Reflect.get(real, name), real, args), 'name', {
      value: name,
    });
  return Object.fromEntries(names.map((name) => [name, call(name)]));
}

/**
 * What `require` and `import * as` give; `default` is the module itself, for `import name from`. `mine` is frozen with it, `global` is what
 * workflow code has as a global too.
 */
export function asModule<T extends object>(module: T, mine: object, global: object = {}): T {
  for (const [name, value] of Object.entries({ ...mine, ...global })) {
    Object.defineProperty(module, name, { value, enumerable: true });
  }
  Object.defineProperty(module, 'default', { value: module });
  for (const value of Object.values(mine)) if (typeof value === 'function') Object.freeze(value);
  return Object.freeze(module);
}
