/**
 * What decorators write down of a class while it is evaluated: its members with a part in the workflow, and what is wrong with them.
 * Thread: any. In → out: a decorator's call, of the standard or the legacy form → records by class.
 */
import { WorkflowDefinitionError } from '../../../runtime/errors.js';
import type { HandlerUnfinishedPolicy } from '../definitions.js';

export type MemberKind = 'run' | 'signal' | 'query' | 'update';

export interface MemberOptions {
  readonly name?: string;
  readonly dynamic?: boolean;
  readonly validator?: string;
  readonly unfinishedPolicy?: HandlerUnfinishedPolicy;
  readonly description?: string;
}

export interface Member {
  readonly kind: MemberKind;
  /** Name of the method. */
  readonly method: string;
  readonly options: MemberOptions;
}

/** Told once the class, and so its name, is known. */
export interface Problem {
  readonly member: string;
  readonly reason: string;
}

export interface Members {
  readonly members: Member[];
  readonly problems: Problem[];
}

/**
 * By what a member's decorator and the class both know: the metadata object of standard decorators, the prototype of legacy ones. Compilers
 * make metadata objects only if the symbol for them exists, which it does not in the Node.js versions of today.
 */
const RECORDS = new WeakMap<object, Members>();
const symbols = Symbol as { metadata?: symbol };
if (symbols.metadata === undefined) {
  Object.defineProperty(Symbol, 'metadata', { value: Symbol.for('Symbol.metadata') });
}
const METADATA = symbols.metadata as unknown as keyof object;

export type AnyClass = abstract new (...args: never[]) => object;

/** What the class itself declares, without its base classes. */
export function membersOf(type: AnyClass, metadata?: object): Members | undefined {
  const own = metadata ?? (Object.hasOwn(type, METADATA) ? (type[METADATA] as object) : undefined);
  return (own && RECORDS.get(own)) ?? RECORDS.get(type.prototype as object);
}

function recordsFor(key: object): Members {
  let records = RECORDS.get(key);
  if (records === undefined) {
    records = { members: [], problems: [] };
    RECORDS.set(key, records);
  }
  return records;
}

/** The parts of a standard decorator's context that matter here. */
interface StandardContext {
  readonly kind: string;
  readonly name: string | symbol;
  readonly static?: boolean;
  readonly private?: boolean;
  readonly metadata?: object;
}

interface Decorated {
  readonly records: Members;
  readonly name: string;
  /** Why a member of this sort cannot have a part in a workflow. */
  readonly unfit: string | undefined;
}

/** A member decorator was called. Nothing is thrown but over what has no class: a problem is told with the class, by `defn`. */
export function record(kind: MemberKind, options: MemberOptions, call: readonly unknown[], problem?: string): void {
  const { records, name, unfit } = decorated(kind, call);
  const reason = unfit ?? problem;
  if (reason === undefined) records.members.push({ kind, method: name, options });
  else records.problems.push({ member: name, reason });
}

function decorated(kind: MemberKind, [target, context, descriptor]: readonly unknown[]): Decorated {
  if (isStandard(context)) return decoratedByStandard(kind, target, context);
  if (typeof target === 'function' && context === undefined) {
    throw new WorkflowDefinitionError({ className: target.name, reason: `@workflow.${kind} is for methods` });
  }
  const isStatic = typeof target === 'function';
  const isMethod = typeof (descriptor as PropertyDescriptor | undefined)?.value === 'function';
  return {
    records: recordsFor((isStatic ? target.prototype : target) as object),
    name: String(context),
    unfit: isStatic
      ? unfitFor(kind, 'a static method')
      : !isMethod
        ? unfitFor(kind, 'a field or an accessor')
        : typeof context === 'symbol'
          ? unfitFor(kind, 'a method named by a symbol')
          : undefined,
  };
}

function decoratedByStandard(kind: MemberKind, target: unknown, context: StandardContext): Decorated {
  const name = String(context.name);
  if (context.kind === 'class') {
    throw new WorkflowDefinitionError({ className: name, reason: `@workflow.${kind} is for methods` });
  }
  if (context.metadata === undefined) {
    const reason =
      'its compiler gives decorators no metadata. Use esbuild 0.21, TypeScript 5.2 or newer, or experimentalDecorators';
    throw new WorkflowDefinitionError({ className: 'a workflow class', member: name, reason });
  }
  const unfit =
    context.kind !== 'method' || typeof target !== 'function'
      ? `${context.kind === 'accessor' ? 'an' : 'a'} ${context.kind}`
      : context.static === true
        ? 'a static method'
        : context.private === true
          ? 'a private method'
          : typeof context.name === 'symbol'
            ? 'a method named by a symbol'
            : undefined;
  return { records: recordsFor(context.metadata), name, unfit: unfit && unfitFor(kind, unfit) };
}

function unfitFor(kind: MemberKind, what: string): string {
  return `@workflow.${kind} is for public methods of the instance, and this is ${what}`;
}

export function isStandard(context: unknown): context is StandardContext {
  return typeof context === 'object' && context !== null && 'kind' in context;
}
