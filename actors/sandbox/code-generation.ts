/**
 * `Function` without what makes code from strings: such code would see the thread's own globals, and outlive the execution that made it.
 * Thread: worker. In → out: the constructors of functions → ones that refuse code, and for libraries one whose code sees what they see.
 */
import vm from 'node:vm';
import { NotAvailableInWorkflowError } from '../../runtime/errors.js';
import { insteadOf } from './global-names.js';

const RealFunction = Function;

/** Functions of each kind lead to a constructor of their own. */
const PROTOTYPES: readonly object[] = [
  Function.prototype,
  ...[async () => {}, function* () {}, async function* () {}].map((each) => Object.getPrototypeOf(each) as object),
];

/** `instanceof` and `extends` are as before; a call is an error. */
function refusing(prototype: object): FunctionConstructor {
  const name: string = prototype.constructor.name;
  function refuse(): never {
    throw new NotAvailableInWorkflowError({ name: `Code in a string (${name})`, hint: insteadOf('eval') });
  }
  const properties = { name: { value: name }, length: { value: 1 }, prototype: { value: prototype, writable: false } };
  return Object.freeze(Object.defineProperties(refuse, properties)) as unknown as FunctionConstructor;
}

const REFUSING = PROTOTYPES.map(refusing);

/** `Function` of the user's own modules. */
export const FunctionWithoutCode = REFUSING[0] as FunctionConstructor;

/** Whatever `constructor` of a function leads to refuses code from now on, in the whole thread: for a thread that is nobody else's. */
export function closeConstructors(): void {
  for (const [index, prototype] of PROTOTYPES.entries()) {
    Object.defineProperty(prototype, 'constructor', { value: REFUSING[index] });
  }
}

/** `Function` of libraries, some of which compile what they are given: the code sees the globals that the library sees. */
export function functionOfLibraries(names: readonly string[], values: () => readonly unknown[]): FunctionConstructor {
  function SandboxFunction(...code: unknown[]): unknown {
    // Its text is one whole function, whatever the parameters and the body try.
    const text = String(Reflect.construct(RealFunction, code));
    const made = vm.compileFunction(`return (${text}\n)`, [...names])(...values()) as object;
    const subclass: { prototype: object } | undefined = new.target;
    return subclass === undefined ? made : Object.setPrototypeOf(made, subclass.prototype);
  }
  const properties = {
    name: { value: 'Function' },
    length: { value: 1 },
    prototype: { value: Function.prototype, writable: false },
  };
  return Object.defineProperties(SandboxFunction, properties) as unknown as FunctionConstructor;
}
