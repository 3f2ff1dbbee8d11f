/**
 * Handles of class workflows: classes of handles that have each handler method, as a function that sends its message.
 * Thread: any client thread, and workers. In → out: workflow class → class of its handles, made once; method and arguments → request.
 */
import { InvalidArgumentError } from '../../../runtime/errors.js';
import type { HandlerKind } from '../../handlers.js';
import { handlerNameOf } from '../names.js';
import { type ClassDefinition, definitionOf, isFunctionMember, methodOf } from './class-definition.js';

// biome-ignore lint/suspicious/noExplicitAny: whatever makes a handle; only passed through
type HandleClass<H extends object> = new (...args: any[]) => H;

/** How a handle sends what its stubs are called with. */
export interface Sending<H> {
  readonly send: { readonly [K in HandlerKind]: (handle: H, name: string, args: unknown[]) => Promise<unknown> };
  /** What each stub has besides, for calls with options. */
  readonly withOptions: { readonly [K in HandlerKind]: (handle: H, name: string) => object };
}

const KINDS = ['signal', 'query', 'update'] as const satisfies readonly HandlerKind[];
const OWNER = Symbol('handle');

/** The classes of handles of one sort: a client's, those of external workflows, those of children. */
export class HandleClasses<H extends object> {
  readonly #made = new WeakMap<object, HandleClass<H>>();

  constructor(
    private readonly base: HandleClass<H>,
    private readonly sending: Sending<H>,
  ) {}

  /** The class to make handles of: for a workflow class one with its stubs. */
  of(workflow: unknown): HandleClass<H> {
    const definition = typeof workflow === 'function' ? definitionOf(workflow) : undefined;
    if (definition === undefined) return this.base;
    const type = workflow as NewableFunction;
    let made = this.#made.get(type);
    if (made === undefined) {
      made = this.#make(type.prototype as object, definition);
      this.#made.set(type, made);
    }
    return made;
  }

  #make(methods: object, definition: ClassDefinition): HandleClass<H> {
    const { base, sending } = this;
    const type = class extends (base as HandleClass<object>) {} as HandleClass<H>;
    for (const kind of KINDS) {
      const send = sending.send[kind];
      const prototype = stubsOf(kind, methods, definition, sending);
      Object.defineProperty(type.prototype, kind, {
        get(this: H) {
          const call = (def: string, ...args: unknown[]) => send(this, def, args);
          const stubs: object = kind === 'update' ? {} : call;
          Object.setPrototypeOf(stubs, prototype);
          Object.defineProperty(stubs, OWNER, { value: this });
          // Made when first asked for, as most handles are for one message.
          Object.defineProperty(this, kind, { value: stubs });
          return stubs;
        },
      });
    }
    // Executions share it.
    Object.freeze(type.prototype);
    return Object.freeze(type);
  }
}

/** The prototype of all stubs of one kind and class. Each gives a function that needs no `this`. */
function stubsOf<H>(kind: HandlerKind, methods: object, definition: ClassDefinition, sending: Sending<H>): object {
  const refusing = (name: string, reason: string) => {
    const refuse = () => Promise.reject(new InvalidArgumentError({ argument: `handle.${kind}.${name}`, reason }));
    return Object.assign(refuse, { send: refuse, execute: refuse, start: refuse });
  };
  const unknown = new Proxy(kind === 'update' ? Object.prototype : Function.prototype, {
    get: (target, key, stubs) =>
      typeof key === 'string' && !isProbed(key) && !(key in target)
        ? refusing(key, explain(kind, key, definition, false))
        : Reflect.get(target, key, stubs),
  });
  const prototype: object = Object.create(unknown);
  for (const method of methodsOf(methods)) {
    const handler = definition.handlers.find((each) => each.method === method);
    const { name } = handler ?? {};
    const refusal = handler?.kind === kind && name !== undefined ? undefined : explain(kind, method, definition, true);
    Object.defineProperty(prototype, method, {
      get(this: { readonly [OWNER]: H }) {
        if (refusal !== undefined) return refusing(method, refusal);
        const handle = this[OWNER];
        const stub = (...args: unknown[]) => sending.send[kind](handle, name as string, args);
        return Object.assign(stub, sending.withOptions[kind](handle, name as string));
      },
    });
  }
  return Object.freeze(prototype);
}

/** Names that no method has: whoever has such a member is taken for something special by those who print, compare or await. */
const PROBED: ReadonlySet<string> = new Set(['toJSON', 'inspect', 'asymmetricMatch', 'nodeType', 'tagName', 'mock']);

function isProbed(name: string): boolean {
  return PROBED.has(name) || isFunctionMember(name) || !/^\p{ID_Start}/u.test(name);
}

/**
 * By which name a message goes to a workflow. If that is a class, a string is the name of a method of it; or else what a message is called
 * that the run sets a handler for itself.
 * @throws InvalidArgumentError unless `def` is a definition of that kind or a possible name, also if it is a method of another kind, or none
 */
export function messageNameOf(kind: HandlerKind, workflow: unknown, def: object | string): string {
  const definition = typeof workflow === 'function' ? definitionOf(workflow) : undefined;
  if (definition === undefined || typeof def !== 'string') return handlerNameOf(kind, def);
  const own = definition.handlers.filter((handler) => handler.kind === kind);
  const handler = own.find(({ method }) => method === def);
  if (handler?.name !== undefined) return handler.name;
  const methods = methodsOf((workflow as NewableFunction).prototype as object);
  if (!methods.has(def) || own.some(({ name }) => name === def)) return handlerNameOf(kind, def);
  throw new InvalidArgumentError({ argument: `${kind} '${def}'`, reason: explain(kind, def, definition, true) });
}

/** Why a name is no message of that kind, and what there is. */
function explain(kind: HandlerKind, method: string, definition: ClassDefinition, exists: boolean): string {
  const { className, handlers, run } = definition;
  if (method === run) return `${method} is the run method of ${className}: it is called by a start`;
  const handler = handlers.find((each) => each.method === method);
  if (handler?.name !== undefined) {
    const what = `${method} is ${handler.kind === 'update' ? 'an' : 'a'} ${handler.kind} of ${className}`;
    return `${what}: use handle.${handler.kind}.${method}`;
  }
  if (handler !== undefined) {
    const names = `${method} takes the ${handler.kind} names that no method of ${className} has`;
    return `${names}: use ${byName(handler.kind)}`;
  }
  const validated = handlers.filter(({ validator }) => validator === method);
  const what = !exists
    ? `${className} has no method ${method}`
    : validated.length > 0
      ? `${method} is the validator of ${validated.map((each) => `update ${each.method}`).join(' and ')}, and no message`
      : `${method} is no signal, query or update of ${className}: decorate it`;
  const dynamic = handlers.some((each) => each.kind === kind && each.name === undefined);
  return `${what}. ${listed(definition)}${dynamic ? `. Other ${kind} names go through ${byName(kind)}` : ''}`;
}

function byName(kind: HandlerKind): string {
  return kind === 'update' ? 'handle.executeUpdate(name, …)' : `handle.${kind}(name, …)`;
}

const PLURAL: Readonly<Record<HandlerKind, string>> = { signal: 'signals', query: 'queries', update: 'updates' };

function listed({ handlers }: ClassDefinition): string {
  const parts = KINDS.map((kind) => {
    const methods = handlers.filter((each) => each.kind === kind && each.name !== undefined);
    return `${PLURAL[kind]}: ${methods.map(({ method }) => method).join(', ') || 'none'}`;
  });
  return `It has ${parts.join('; ')}`;
}

/** Those that a stub could be asked for. */
function methodsOf(prototype: object): Set<string> {
  const methods = new Set<string>();
  for (
    let owner: object | null = prototype;
    owner !== null && owner !== Object.prototype;
    owner = Object.getPrototypeOf(owner)
  ) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      if (!isFunctionMember(name) && methodOf(prototype, name) !== undefined) methods.add(name);
    }
  }
  return methods;
}
