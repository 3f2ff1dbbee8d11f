/**
 * Which global names workflow code may use, and what to use instead of the others. An allow-list: a name that is not on it is denied.
 * Thread: any. In → out: name → allowed or not; for the bundler, to refuse, and for the sandbox, to shadow.
 */

/** Passed through as they are: pure, or settled by microtasks alone. */
const PASSED = [
  ...['Object', 'Array', 'String', 'Number', 'Boolean', 'Symbol', 'BigInt', 'Promise', 'Proxy', 'Reflect'],
  ...['Map', 'Set', 'WeakMap', 'WeakSet', 'JSON', 'RegExp', 'Intl', 'Iterator', 'AsyncIterator'],
  ...['ArrayBuffer', 'DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array'],
  ...['Int32Array', 'Uint32Array', 'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
  ...['Error', 'AggregateError', 'EvalError', 'RangeError', 'ReferenceError', 'SuppressedError', 'SyntaxError'],
  ...['TypeError', 'URIError', 'DisposableStack', 'AsyncDisposableStack', 'undefined', 'NaN', 'Infinity'],
  ...['parseInt', 'parseFloat', 'isNaN', 'isFinite', 'escape', 'unescape'],
  ...['encodeURI', 'encodeURIComponent', 'decodeURI', 'decodeURIComponent'],
  ...[
    'AbortController',
    'DOMException',
    'Event',
    'EventTarget',
    'TextDecoder',
    'TextEncoder',
    'URL',
    'URLSearchParams',
  ],
  ...['structuredClone', 'atob', 'btoa'],
] as const;

/** By each of them workflow code reaches the global object. */
export const GLOBAL_OBJECTS = ['globalThis', 'global', 'self'] as const;

/** Replaced by the sandbox's own: they read the execution's clock, seed, timers and log, or lack a part. */
const REPLACED = [
  ...['Date', 'Math', 'console', 'crypto', 'performance', 'queueMicrotask', 'AbortSignal', 'AsyncLocalStorage'],
  ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Function'],
  ...GLOBAL_OBJECTS,
] as const;

export const PASSED_GLOBALS: ReadonlySet<string> = new Set(PASSED);
export type ReplacedGlobal = (typeof REPLACED)[number];
export const ALLOWED_GLOBALS: ReadonlySet<string> = new Set<string>([...PASSED, ...REPLACED]);

const ACTIVITY = 'do this in an activity';
const COLLECTED = 'when an object is collected is not deterministic; use Map, Set, WeakMap or WeakSet';

/** Denied names that deserve an answer of their own; paths are members of names that are allowed. */
const INSTEAD: Readonly<Record<string, string>> = {
  fetch: `${ACTIVITY}, and call it through proxyActivities`,
  XMLHttpRequest: ACTIVITY,
  WebSocket: ACTIVITY,
  EventSource: ACTIVITY,
  process: 'pass what you need as an argument of the workflow, or read it in an activity',
  require: "use import, or require of a literal name: require('./module')",
  module: 'use import and export',
  exports: 'use export',
  __filename: 'pass it as an argument of the workflow',
  __dirname: 'pass it as an argument of the workflow',
  'import.meta': 'pass it as an argument of the workflow',
  Buffer: 'use Uint8Array with TextEncoder and TextDecoder, or do this in an activity',
  setImmediate: 'use await null, queueMicrotask, or sleep for a durable timer',
  clearImmediate: 'use await null, queueMicrotask, or sleep for a durable timer',
  WeakRef: COLLECTED,
  FinalizationRegistry: COLLECTED,
  WebAssembly: `it settles outside the workflow's steps; ${ACTIVITY}`,
  SharedArrayBuffer: 'executions share no memory; use ArrayBuffer',
  Atomics: 'executions share no memory; use condition to wait',
  MessageChannel: "it settles outside the workflow's steps; use signals, updates or plain promises",
  MessagePort: "it settles outside the workflow's steps; use signals, updates or plain promises",
  BroadcastChannel: "it settles outside the workflow's steps; use signals",
  eval: 'write the code in the workflow file',
  'crypto.subtle': `it settles outside the workflow's steps; ${ACTIVITY}`,
  'AbortSignal.timeout': 'use CancellationScope.withTimeout, or an AbortController and setTimeout',
};

/** True for a name (or a path such as 'crypto.subtle') that workflow code may use. */
export function isAllowed(path: string): boolean {
  if (INSTEAD[path] !== undefined) return false;
  const dot = path.indexOf('.');
  return ALLOWED_GLOBALS.has(dot < 0 ? path : path.slice(0, dot));
}

/** Denied names whose mention in the user's code is no more than a warning: it may stand in a branch that never runs, and throws if it does. */
export const WARNED_GLOBALS: ReadonlySet<string> = new Set(['WeakRef', 'FinalizationRegistry', 'eval']);

export function isGlobalObjectName(name: string): boolean {
  return GLOBAL_OBJECTS.some((each) => each === name);
}

export function insteadOf(path: string): string {
  return INSTEAD[path] ?? INSTEAD[path.split('.')[0] ?? ''] ?? ACTIVITY;
}

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** Names that are denied on this thread: whatever Node has beside the allowed ones, and those with an answer of their own. */
export function deniedGlobals(): string[] {
  const names = new Set([...Object.getOwnPropertyNames(globalThis), ...Object.keys(INSTEAD)]);
  return [...names].filter((name) => IDENTIFIER.test(name) && !ALLOWED_GLOBALS.has(name));
}
