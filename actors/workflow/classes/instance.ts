/**
 * A run of a class workflow: the instance, its methods as handlers, its run method.
 * Thread: worker. In → out: class and its arguments → handlers set, and what the run method returns.
 */
import { decodePayloads, type Payload } from '../../../mailbox/payload.js';
import { toRawValues } from '../../../mailbox/raw-value.js';
import { currentExecution } from '../../current.js';
import type { Handler } from '../../handlers.js';
import type { ClassDefinition, HandlerMember } from './class-definition.js';

type Instance = Readonly<Record<string, (...args: unknown[]) => unknown>>;

/** Handlers are set all at once, before the run method begins: messages that came with the start find them, in their order. */
export function runClass(
  workflowClass: new () => object,
  definition: ClassDefinition,
  args: readonly unknown[],
): unknown {
  const instance = new workflowClass() as Instance; // Its methods are those that the definition names.
  const settings = definition.handlers.map((member) => ({
    kind: member.kind,
    name: member.name,
    handler: new MethodHandler(member, instance),
  }));
  currentExecution().setHandlers(...settings);
  return instance[definition.run]!(...args);
}

/** The arguments as the run method takes them. */
export function classArgs(definition: ClassDefinition, input: readonly Payload[]): unknown[] {
  return definition.dynamic ? [toRawValues(input)] : decodePayloads(input);
}

/** Two fields a handler and run, for there may be a hundred thousand runs. */
class MethodHandler implements Handler {
  constructor(
    private readonly member: HandlerMember,
    private readonly instance: Instance,
  ) {}

  get abandon(): boolean {
    return this.member.abandon;
  }

  get description(): string | undefined {
    return this.member.description;
  }

  decode(input: readonly Payload[]): unknown[] {
    return this.member.name === undefined ? [toRawValues(input)] : decodePayloads(input);
  }

  run(name: string, args: unknown[]): unknown {
    return this.#call(this.member.method, name, args);
  }

  get validate(): Handler['validate'] {
    const { validator } = this.member;
    return validator === undefined ? undefined : (name, args) => this.#call(validator, name, args);
  }

  #call(method: string, name: string, args: unknown[]): unknown {
    return this.member.name === undefined ? this.instance[method]!(name, ...args) : this.instance[method]!(...args);
  }
}
