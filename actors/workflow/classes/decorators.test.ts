/**
 * The decorators: what they make of a class, in both forms, and every way of using them wrong.
 */
import { describe, expect, test } from 'vitest';
import { WorkflowDefinitionError } from '../../../runtime/errors.js';
import * as workflow from '../index.js';
import { definitionOf } from './class-definition.js';

/** The fields of the error that `define` throws. */
function refusal(define: () => unknown): { className: string; member?: string; reason: string } {
  try {
    define();
  } catch (error) {
    if (error instanceof WorkflowDefinitionError) return error.fields;
    throw error;
  }
  throw new Error('it was accepted');
}

/** For what the types refuse already. */
// biome-ignore lint/suspicious/noExplicitAny: so that misuse compiles
type Untyped = any;
const untyped: Untyped = workflow;

describe('misuse is refused with class, method and what to do', () => {
  test('no run method', () => {
    const fields = refusal(() => {
      @workflow.defn()
      class Idle {
        @workflow.signal()
        go(): void {}
      }
      return Idle;
    });
    expect(fields).toEqual({ className: 'Idle', reason: 'it has no run method: mark one with @workflow.run' });
  });

  test('two run methods', () => {
    const fields = refusal(() => {
      @workflow.defn()
      class Twice {
        @workflow.run
        async run(): Promise<void> {}
        @workflow.run
        async other(): Promise<void> {}
      }
      return Twice;
    });
    expect(fields).toMatchObject({
      className: 'Twice',
      member: 'other',
      reason: expect.stringContaining("'run' and 'other'"),
    });
  });

  test('an async query, also as an override', () => {
    class Base {
      @workflow.query()
      total(): unknown {
        return 1;
      }
    }
    const fields = refusal(() => {
      @workflow.defn()
      class Async extends Base {
        @workflow.run
        async run(): Promise<void> {}
        override async total(): Promise<number> {
          return 1;
        }
      }
      return Async;
    });
    expect(fields).toMatchObject({
      className: 'Async',
      member: 'total',
      reason: expect.stringContaining('must not be async'),
    });
  });

  test('a validator that does not exist, is no method, is async, or belongs to no update', () => {
    const withValidator = (kind: 'signal' | 'update', validator: unknown) =>
      refusal(() => {
        @workflow.defn()
        class Checked {
          field = 1;
          @workflow.run
          async run(): Promise<void> {}
          @(untyped[kind]({ validator }))
          change(): void {}
          async later(): Promise<void> {}
        }
        return Checked;
      });
    expect(withValidator('update', 'missing')).toMatchObject({
      ...{ className: 'Checked', member: 'change', reason: "its validator 'missing' is no method of the class" },
    });
    expect(withValidator('update', 'field').reason).toContain('no method');
    expect(withValidator('update', () => undefined).reason).toContain('no method');
    expect(withValidator('update', 'later')).toMatchObject({
      member: 'later',
      reason: expect.stringContaining('async'),
    });
    expect(withValidator('signal', 'change').reason).toContain("no option 'validator'");
  });

  test('two handlers of one name and kind, or two dynamic ones of a kind', () => {
    const named = refusal(() => {
      @workflow.defn()
      class Twins {
        @workflow.run
        async run(): Promise<void> {}
        @workflow.signal({ name: 'b' })
        a(): void {}
        @workflow.signal()
        b(): void {}
      }
      return Twins;
    });
    expect(named).toEqual({ className: 'Twins', member: 'b', reason: "it is the handler of signal 'b', as 'a' is" });
    const dynamic = refusal(() => {
      @workflow.defn()
      class Twins {
        @workflow.run
        async run(): Promise<void> {}
        @workflow.query({ dynamic: true })
        a(): unknown {
          return 1;
        }
        @workflow.query({ dynamic: true })
        b(): unknown {
          return 1;
        }
      }
      return Twins;
    });
    expect(dynamic).toMatchObject({ member: 'b', reason: "it is the dynamic query handler, as 'a' is" });
  });

  test('one name of two kinds is fine', () => {
    @workflow.defn()
    class Language {
      @workflow.run
      async run(): Promise<void> {}
      @workflow.query({ name: 'language' })
      get(): string {
        return 'en';
      }
      @workflow.signal({ name: 'language' })
      set(_: string): void {}
    }
    expect(definitionOf(Language)?.handlers.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      ...['query language', 'signal language'],
    ]);
  });

  test.each(['__holdfast_x', '__temporal_y', ''])('the reserved or empty name %j', (name) => {
    const fields = refusal(() => {
      @workflow.defn()
      class Reserved {
        @workflow.run
        async run(): Promise<void> {}
        @workflow.signal({ name })
        go(): void {}
      }
      return Reserved;
    });
    expect(fields).toMatchObject({
      className: 'Reserved',
      member: 'go',
      reason: expect.stringContaining('signal name'),
    });
  });

  test.each([
    'name',
    'length',
    'apply',
    'call',
    'bind',
    'toString',
    'prototype',
    'arguments',
    'caller',
    'then',
    'valueOf',
  ])('a handler by the name of a member that functions have, %j', (method) => {
    const define = (kind: string, options: object = {}) => {
      @workflow.defn()
      class Colliding {
        @workflow.run
        async run(): Promise<void> {}
        @(untyped[kind](options))
        [method](): void {}
      }
      return Colliding;
    };
    expect(refusal(() => define('signal'))).toMatchObject({ className: 'Colliding', member: method });
    expect(refusal(() => define('update', { name: 'other' })).reason).toContain(`handle.update.${method}`);
    // It has no stub.
    expect(define('signal', { dynamic: true })).toBeTypeOf('function');
  });

  test('decorators on what is no method of the instance', () => {
    const define = (decorate: (decorator: Untyped) => unknown) => refusal(() => decorate(untyped.signal()));
    const cases: [string, string, (on: Untyped) => unknown][] = [
      [
        'fixed',
        'a static method',
        (on) => {
          @workflow.defn()
          class X {
            @on static fixed() {}
            @workflow.run async run() {}
          }
          return X;
        },
      ],
      [
        '#hidden',
        'a private method',
        (on) => {
          @workflow.defn()
          class X {
            @on #hidden() {}
            use() {
              this.#hidden();
            }
            @workflow.run async run() {}
          }
          return X;
        },
      ],
      [
        'field',
        'a field',
        (on) => {
          @workflow.defn()
          class X {
            @on field = 1;
            @workflow.run async run() {}
          }
          return X;
        },
      ],
      [
        'value',
        'a getter',
        (on) => {
          @workflow.defn()
          class X {
            @on get value() {
              return 1;
            }
            @workflow.run async run() {}
          }
          return X;
        },
      ],
      [
        'box',
        'an accessor',
        (on) => {
          @workflow.defn()
          class X {
            @on accessor box = 1;
            @workflow.run async run() {}
          }
          return X;
        },
      ],
      [
        'Symbol(s)',
        'a method named by a symbol',
        (on) => {
          @workflow.defn()
          class X {
            @on [Symbol('s')]() {}
            @workflow.run async run() {}
          }
          return X;
        },
      ],
    ];
    for (const [member, what, decorate] of cases) {
      expect(define(decorate)).toMatchObject({ className: 'X', member, reason: expect.stringContaining(what) });
    }
  });

  test('one method with two parts', () => {
    const fields = refusal(() => {
      @workflow.defn()
      class Both {
        @workflow.run
        async run(): Promise<void> {}
        @workflow.signal()
        @workflow.update()
        go(): void {}
      }
      return Both;
    });
    expect(fields).toMatchObject({ member: 'go', reason: expect.stringMatching(/a update and a signal/) });
  });

  test('unknown options, and the wrong place', () => {
    const member = (decorator: Untyped) =>
      refusal(() => {
        @workflow.defn()
        class Odd {
          @workflow.run
          async run(): Promise<void> {}
          @decorator
          go(): void {}
        }
        return Odd;
      });
    expect(member(untyped.signal({ nmae: 'x' }))).toMatchObject({
      className: 'Odd',
      member: 'go',
      reason: expect.stringContaining("no option 'nmae'"),
    });
    expect(member(untyped.run({ name: 'x' })).reason).toContain("no option 'name'");
    expect(member(untyped.defn()).reason).toBe('@workflow.defn is for classes');
    expect(member(untyped.defn).reason).toBe('@workflow.defn is for classes');
    const onClass = (decorator: Untyped) =>
      refusal(() => {
        @decorator
        class Odd {}
        return Odd;
      });
    expect(onClass(untyped.signal())).toEqual({ className: 'Odd', reason: '@workflow.signal is for methods' });
    expect(onClass(untyped.signal)).toEqual({ className: 'Odd', reason: '@workflow.signal is for methods' });
    expect(onClass(untyped.defn({ nmae: 'x' })).reason).toContain("no option 'nmae'");
  });

  test('a constructor that takes arguments', () => {
    const fields = refusal(() => {
      @untyped.defn()
      class Built {
        constructor(readonly input: string) {}
        @workflow.run
        async run(): Promise<void> {}
      }
      return Built;
    });
    expect(fields).toMatchObject({ className: 'Built', reason: expect.stringContaining('constructor') });
  });

  test('a dynamic handler with a name', () => {
    const fields = refusal(() => {
      @workflow.defn()
      class Named {
        @workflow.run
        async run(): Promise<void> {}
        @workflow.signal({ dynamic: true, name: 'x' })
        any(): void {}
      }
      return Named;
    });
    expect(fields).toMatchObject({ member: 'any', reason: expect.stringContaining('no name') });
  });

  test('a base class that is wrong, by the name of the class that derives from it', () => {
    class Base {
      seen = 1;
      @untyped.signal()
      static go(): void {}
    }
    const fields = refusal(() => {
      @workflow.defn()
      class Derived extends Base {
        @workflow.run
        async run(): Promise<void> {}
      }
      return Derived;
    });
    expect(fields).toMatchObject({ className: 'Derived', member: 'go' });
  });
});

describe('legacy decorators', () => {
  /** As `experimentalDecorators` calls them: members from the top, then the class. */
  function legacy(
    type: new () => object,
    members: Record<string, unknown>,
    decorate: (type: never) => void,
  ): typeof type {
    for (const [name, decorator] of Object.entries(members)) {
      const owner = Object.hasOwn(type, name) ? type : type.prototype;
      const call = decorator as (...args: unknown[]) => void;
      call(owner, name, Object.getOwnPropertyDescriptor(owner, name));
    }
    decorate(type as never);
    return type;
  }

  test('make the same definition', () => {
    class Base {
      kept(): void {}
    }
    legacy(Base, { kept: workflow.signal({ name: 'kept-name' }) }, () => undefined);
    class Plain extends Base {
      async run(): Promise<void> {}
      change(): void {}
      check(): void {}
    }
    const type = legacy(
      Plain,
      { run: workflow.run, change: untyped.update({ validator: 'check' }) },
      workflow.defn({ name: 'type' }) as never,
    );
    expect(definitionOf(type)).toMatchObject({
      className: 'Plain',
      name: 'type',
      run: 'run',
      handlers: [
        { kind: 'signal', method: 'kept', name: 'kept-name' },
        { kind: 'update', method: 'change', name: 'change', validator: 'check' },
      ],
    });
  });

  test('make the same definition without parentheses', () => {
    class Plain {
      async run(): Promise<void> {}
      go(): void {}
      sum(): number {
        return 1;
      }
      change(): void {}
    }
    const { run, signal, query, update, defn } = untyped;
    expect(legacy(Plain, { run, go: signal, sum: query, change: update }, defn)).toBe(Plain);
    expect(definitionOf(Plain)).toMatchObject({
      run: 'run',
      handlers: [
        { kind: 'signal', method: 'go', name: 'go' },
        { kind: 'query', method: 'sum', name: 'sum' },
        { kind: 'update', method: 'change', name: 'change' },
      ],
    });
  });

  test('are refused on classes, if they are for methods', () => {
    class Odd {}
    expect(refusal(() => untyped.signal(Odd))).toEqual({ className: 'Odd', reason: '@workflow.signal is for methods' });
  });

  test('are refused on what is no method of the instance', () => {
    class Odd {
      static fixed(): void {}
      get value(): number {
        return 1;
      }
      async run(): Promise<void> {}
    }
    const on = (name: string) =>
      refusal(() => legacy(Odd, { run: workflow.run, [name]: workflow.signal() }, workflow.defn() as never));
    expect(on('fixed')).toMatchObject({ className: 'Odd', member: 'fixed', reason: expect.stringContaining('static') });
  });

  test('are refused on fields and accessors', () => {
    class Odd {
      get value(): number {
        return 1;
      }
      async run(): Promise<void> {}
    }
    const fields = refusal(() =>
      legacy(Odd, { run: workflow.run, value: workflow.signal(), field: workflow.signal() }, workflow.defn() as never),
    );
    expect(fields).toMatchObject({ className: 'Odd', member: 'value', reason: expect.stringContaining('an accessor') });
  });
});

test('a class without @workflow.defn() has no definition, though it may hand its members down', () => {
  class Base {
    @workflow.signal()
    go(): void {}
  }
  expect(definitionOf(Base)).toBeUndefined();
});
