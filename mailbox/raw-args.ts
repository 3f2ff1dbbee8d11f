/**
 * Functions that take their arguments undecoded.
 * Thread: any. In → out: function of RawValues → function that runtimes recognize and give them to.
 */
import { decodePayloads, type Payload } from './payload.js';
import { RawValue, toRawValues } from './raw-value.js';

/** Wrapper → what it wraps. */
const RAW = new WeakMap<object, (...params: never[]) => unknown>();

/**
 * A workflow or an activity that gets its arguments as one array of `RawValue`s, decoded by nobody: a workflow `(args)`, the dynamic
 * activity `(name, args)`. Called directly, it encodes what it is given.
 * @example export default withRawArgs(async (args) => forward(workflowInfo().workflowType, args));
 */
export function withRawArgs<R>(workflow: (args: RawValue[]) => R): (...args: unknown[]) => R;
export function withRawArgs<R>(
  activity: (activityType: string, args: RawValue[]) => R,
): (activityType: string, ...args: unknown[]) => R;
export function withRawArgs(run: (...params: never[]) => unknown): (...args: never[]) => unknown {
  const heads = Math.max(0, run.length - 1);
  const wrapper = (...args: unknown[]) => {
    const raw = args.slice(heads).map((arg) => new RawValue(arg));
    return Reflect.apply(run, undefined, [...args.slice(0, heads), raw]);
  };
  Object.defineProperty(wrapper, 'name', { value: run.name, configurable: true });
  RAW.set(wrapper, run);
  return wrapper;
}

/** Calls a function of the user's with arguments from elsewhere: decoded, or raw if it asked for that. */
export function callWithPayloads(
  target: (...args: never[]) => unknown,
  receiver: unknown,
  heads: readonly unknown[],
  input: readonly Payload[],
): unknown {
  return callWithArgs(target, receiver, heads, argsFor(target, input));
}

/** The arguments as the function takes them, for whoever looks at them before it is called. */
export function argsFor(target: (...args: never[]) => unknown, input: readonly Payload[]): unknown[] {
  return RAW.has(target) ? toRawValues(input) : decodePayloads(input);
}

/** @param args as `argsFor` gave them */
export function callWithArgs(
  target: (...args: never[]) => unknown,
  receiver: unknown,
  heads: readonly unknown[],
  args: readonly unknown[],
): unknown {
  const raw = RAW.get(target);
  if (raw !== undefined) return Reflect.apply(raw, receiver, [...heads, args]);
  return Reflect.apply(target, receiver, heads.length === 0 ? (args as unknown[]) : [...heads, ...args]);
}
