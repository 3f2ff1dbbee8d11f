/**
 * Freezes what a shareable module declares, so that a mutation that the proof overlooked throws instead of reaching other executions.
 * Thread: worker, once per shared module. In → out: functions, classes, enums → the same, frozen with their prototypes.
 */
import { types } from 'node:util';
import { makeOverridable } from './override.js';

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/** Proxies (of activities) are left alone: they hold nothing, and their traps may not bear it. */
export function freezeShared(...values: readonly unknown[]): void {
  for (const value of values) {
    if (!isObject(value) || types.isProxy(value) || Object.isFrozen(value)) continue;
    const prototype =
      typeof value === 'function' ? Reflect.getOwnPropertyDescriptor(value, 'prototype')?.value : undefined;
    freezeMembers(value);
    if (isObject(prototype)) freezeMembers(prototype);
  }
}

/** Methods become accessors: a derived object may be assigned a property of that name. */
function freezeMembers(owner: object): void {
  for (const key of Reflect.ownKeys(owner)) {
    const property = Reflect.getOwnPropertyDescriptor(owner, key);
    if (property === undefined) continue;
    for (const accessor of [property.get, property.set]) if (accessor !== undefined) Object.freeze(accessor);
    const { value } = property;
    if (typeof value !== 'function' || !property.configurable || !property.writable) continue;
    if (key !== 'constructor') freezeFunction(value);
    makeOverridable(owner, key, value);
  }
  Object.freeze(owner);
}

/** Generator methods have a prototype of their own. */
function freezeFunction(method: object): void {
  const prototype: unknown = Reflect.getOwnPropertyDescriptor(method, 'prototype')?.value;
  if (isObject(prototype)) Object.freeze(prototype);
  Object.freeze(method);
}
