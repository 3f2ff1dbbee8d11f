/**
 * Workflow classes in a bundle: whatever the project's own settings say of decorators, and shared if they hold no state.
 * Thread: the test's, with a supervisor and one worker where it says so.
 */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXTERNAL_MODULES } from '../../actors/sandbox/externals.js';
import { stackMapper } from '../../actors/sandbox/source-map.js';
import { createTestRuntime } from '../testing/index.js';
import { bundleOf, evaluate, type Files, writeProject } from './fixtures/project.js';

const CLASS = `
import * as workflow from 'holdfast/workflow';
import { condition } from 'holdfast/workflow';
import { greetings, type Language } from '#lib/languages';
@workflow.defn()
export class Greeting {
  language: Language = 'en';
  greetings: Record<string, string> = { ...greetings };
  #approver: string | undefined;
  @workflow.run
  async run(name: string): Promise<string> {
    await condition(() => this.#approver !== undefined);
    return \`\${this.greetings[this.language]}, \${name} (\${this.#approver})\`;
  }
  @workflow.signal()
  approve(input: { name: string }): void {
    this.#approver = input.name;
  }
  @workflow.signal()
  learn(language: Language, text: string): void {
    this.greetings[language] = text;
  }
  @workflow.update({ validator: 'check' })
  setLanguage(language: Language): Language {
    const before = this.language;
    this.language = language;
    return before;
  }
  check(language: Language): void {
    if (!(language in this.greetings)) throw workflow.ApplicationFailure.nonRetryable(\`no \${language}\`);
  }
  @workflow.query()
  languages(): string[] {
    return Object.keys(this.greetings);
  }
}
export async function plain(): Promise<string> {
  return 'plain';
}
`;

const project = (compilerOptions: object): Files => ({
  'tsconfig.json': JSON.stringify({
    compilerOptions: { ...compilerOptions, baseUrl: '.', paths: { '#lib/*': ['./lib/*'] } },
  }),
  'package.json': '{"type":"module"}',
  'lib/languages.ts':
    "export type Language = 'en' | 'fr';\nexport const greetings: Readonly<Record<string, string>> = Object.freeze({ en: 'Hello' });",
  'workflows.ts': CLASS,
});

describe.each([
  ['nothing', {}],
  [
    'experimentalDecorators',
    { experimentalDecorators: true, emitDecoratorMetadata: true, useDefineForClassFields: false },
  ],
])('a project whose settings say %s of decorators', (_, compilerOptions) => {
  test('has class workflows that run, with the other settings in force', async () => {
    const workflows = join(writeProject(project(compilerOptions)), 'workflows.ts');
    await using runtime = await createTestRuntime({ workflows });
    const { workflow } = runtime.client;
    const handle = await workflow.start('Greeting', { workflowId: 'g', args: ['Ada'] });
    const other = await workflow.start('Greeting', { workflowId: 'o', args: ['Bo'] });
    await expect(handle.executeUpdate('setLanguage', { args: ['fr'] })).rejects.toMatchObject({
      cause: { message: 'no fr' },
    });
    await handle.signal('learn', 'fr', 'Bonjour');
    expect(await handle.executeUpdate('setLanguage', { args: ['fr'] })).toBe('en');
    expect(await handle.query('languages')).toEqual(['en', 'fr']);
    expect(await other.query('languages')).toEqual(['en']);
    await handle.signal('approve', { name: 'Cy' });
    expect(await handle.result()).toBe('Bonjour, Ada (Cy)');
    expect(await workflow.execute('plain', { workflowId: 'p' })).toBe('plain');
  });

  test('has them shared by all executions', async () => {
    const { modules } = await bundleOf(project(compilerOptions));
    expect(modules.map(({ shareable }) => shareable)).toEqual([true, true]);
  });
});

const FAMILY = `
import * as workflow from 'holdfast/workflow';
@workflow.defn
export class Cart {
  items: string[] = [];
  done = false;
  @workflow.run async run(): Promise<string> {
    await workflow.condition(() => this.done);
    return this.items.join();
  }
  @workflow.signal({ name: 'add-item' }) add(item: string): void {
    this.items.push(item);
  }
  @workflow.signal finish(): void {
    this.done = true;
  }
  @workflow.query content(): string[] {
    return this.items;
  }
  @workflow.update({ validator: 'known' }) remove(item: string): number {
    return this.items.splice(this.items.indexOf(item), 1).length;
  }
  known(item: string): void {
    if (!this.items.includes(item)) throw new Error('there is no ' + item);
  }
}
@workflow.defn
export class Shop {
  @workflow.run async run(): Promise<unknown[]> {
    const cart = await workflow.startChild(Cart, { args: [], workflowId: 'cart' });
    await cart.signal.add('apples');
    const same = workflow.getExternalWorkflowHandle(Cart, 'cart');
    await same.signal.add('pears');
    const removed = await same.update.remove('apples');
    const content = await same.query.content();
    const refused = await (same.query as any).known('x').catch((error: Error) => error.message);
    await cart.signal.finish();
    return [removed, content, refused, await cart.result()];
  }
}`;

test.each([
  ['shared', FAMILY, true],
  ['not shared', `${FAMILY}\nlet count = 0;\nexport const counts = async () => ++count;`, false],
])(
  'classes that are %s by executions have their methods on the handles that workflows get',
  async (_, text, shared) => {
    const { modules } = await bundleOf(text);
    expect(modules.map(({ shareable }) => shareable)).toEqual([shared]);
    const workflows = join(writeProject({ 'workflows.ts': text }), 'workflows.ts');
    await using runtime = await createTestRuntime({ workflows });
    const validator = 'known is the validator of update remove, and no message';
    expect(await runtime.client.workflow.execute('Shop', { workflowId: 's' })).toEqual([
      1,
      ['pears'],
      expect.stringContaining(validator),
      'pears',
    ]);
  },
);

const SMALL = (more: string) => `
import { defn, run, signal } from 'holdfast/workflow';
${more}`;

describe('a decorated class', () => {
  test.each([
    [
      'names and literals as options',
      "@defn({ name: 'x', failureExceptionTypes: [TypeError] }) export class A { @run async r() {} @signal({ name: 's', dynamic: false }) s() {} }",
    ],
    ['a base class', 'class B { @signal() s() {} }\n@defn() export class A extends B { @run async r() {} }'],
    [
      'a base class of another module',
      "import { B } from './b';\n@defn() export class A extends B { @run async r() {} }",
    ],
    ['a default export', '@defn() export default class A { @run async r() {} }'],
    [
      'itself and static primitives named in it',
      '@defn() export class A { static x = 1; @run async r() { return A.x; } }',
    ],
    [
      'decorators without parentheses',
      '@defn export class A { @run async r() {} @signal s() {} }\n@defn() export class B { @run() async r() {} }',
    ],
    ['private members', '@defn() export class A { #n = 0; #m() { return this.#n++; } @run async r() { this.#m(); } }'],
  ])('is shared: %s', async (_, text) => {
    const files = {
      'workflows.ts': SMALL(text),
      'b.ts': SMALL('export class B { @signal() s() {} }; export { defn, run };'),
    };
    const { modules } = await bundleOf(files);
    expect(modules.map(({ shareable }) => shareable)).not.toContain(false);
    const evaluated = await evaluate(files, EXTERNAL_MODULES);
    expect(evaluated.graph.instantiate().exports).toBe(evaluated.graph.instantiate().exports);
  });

  test.each([
    ['an option is computed', 'const name = () => "x";\n@defn({ name: name() }) export class A { @run async r() {} }'],
    [
      'a decorator is another',
      'const other = (...all: unknown[]) => { void all; };\n@defn() export class A { @run async r() {} @other m() {} }',
    ],
    ['it has static state', '@defn() export class A { static n = [1]; @run async r() {} }'],
    [
      'its module changes it',
      '@defn() export class A { @run async r() {} }\nexport const f = async () => { (A as { n?: number }).n = 1; };',
    ],
  ])('is not shared, and works: %s', async (_, text) => {
    const evaluated = await evaluate(SMALL(text), EXTERNAL_MODULES);
    expect(evaluated.bundle.modules.map(({ shareable }) => shareable)).toEqual([false]);
    expect(Object.keys(evaluated.graph.instantiate().exports)).toContain('A');
  });

  test('that is shared is frozen with what decorators leave on it', async () => {
    const evaluated = await evaluate(SMALL('@defn() export class A { @run async r() {} }'), EXTERNAL_MODULES);
    const { A } = evaluated.graph.instantiate().exports as { A: new () => object };
    expect(Object.isFrozen(A)).toBe(true);
    expect(Object.isFrozen(A.prototype)).toBe(true);
    const left = Reflect.ownKeys(A).map((key) => Reflect.getOwnPropertyDescriptor(A, key)?.value);
    expect(left.filter((value) => typeof value === 'object' && value !== null && !Object.isFrozen(value))).toEqual([]);
  });
});

test('the authoring API is no copy of each execution, by whatever name it is imported', async () => {
  const text =
    "import * as workflow from 'holdfast/workflow';\nlet n = 0;\nexport async function a() { return [workflow, n++]; }";
  const evaluated = await evaluate(text, EXTERNAL_MODULES);
  expect(evaluated.graph.entryIsShared).toBe(false);
  const [namespace] = (await evaluated.execution()('a')) as [object];
  expect(namespace).toBe(EXTERNAL_MODULES['holdfast/workflow']);
});

test('an error that a method throws is mapped to its line', async () => {
  const text =
    "@defn()\nexport class A {\n  @run async r() {}\n  @signal() s() {\n    throw new Error('here');\n  }\n}";
  const evaluated = await evaluate(SMALL(text), EXTERNAL_MODULES);
  const { A } = evaluated.graph.instantiate().exports as { A: new () => { s(): void } };
  let stack = '';
  try {
    new A().s();
  } catch (error) {
    stack = stackMapper(evaluated.bundle)((error as Error).stack ?? '');
  }
  expect(stack).toMatch(/workflows\.ts:7:/);
});

test.each([
  ['without a run method', '@defn() export class A { @signal() s() {} }', { className: 'A' }],
  [
    'with a signal that is static',
    '@defn() export class A { @run async r() {} @signal() static s() {} }',
    { className: 'A', member: 's' },
  ],
  [
    'with a signal that is private',
    '@defn() export class A { @run async r() {} @signal() #s() {} }',
    { className: 'A', member: '#s' },
  ],
  [
    'with a signal that is a field',
    '@defn() export class A { @run async r() {} @signal() s = 1; }',
    { className: 'A', member: 's' },
  ],
  [
    'with a name of functions',
    '@defn() export class A { @run async r() {} @signal() apply() {} }',
    { className: 'A', member: 'apply' },
  ],
])('a class %s keeps the runtime from starting, which says what to do', async (_, text, fields) => {
  const workflows = join(writeProject({ 'workflows.ts': SMALL(text) }), 'workflows.ts');
  await expect(createTestRuntime({ workflows })).rejects.toMatchObject({ code: 'WORKFLOW_DEFINITION', fields });
});
