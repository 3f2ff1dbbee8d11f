/**
 * Properties that cannot be changed where they are, but assigned on what inherits them: a frozen data property would forbid that too.
 * Thread: worker. In → out: owner and key of a data property → an accessor in its place.
 */

/** `error.name = 'X'` and `this.run = this.run.bind(this)` go on working; assigning to the owner itself is an error. The key must be configurable. */
export function makeOverridable(owner: object, key: PropertyKey, value: unknown): void {
  const get = () => value;
  function set(this: unknown, next: unknown): void {
    if (this === owner) {
      throw new TypeError(`Cannot assign to '${String(key)}': all executions share it, so it is frozen`);
    }
    // As assignment would have: an own property keeps what it is, which this only sees through `super` and `Reflect.set`.
    const own = Object.hasOwn(this as object, key);
    const property = own ? { value: next } : { value: next, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(this, key, property);
  }
  Object.freeze(get);
  Object.freeze(set);
  Object.defineProperty(owner, key, { get, set });
}
