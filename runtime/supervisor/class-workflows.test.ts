/**
 * Class workflows: instance, handlers and run method of each run, inheritance, and functions beside them.
 */
import { expect, test } from 'vitest';
import type { RawValue } from '../../actors/workflow/index.js';
import * as workflow from '../../actors/workflow/index.js';
import { encodePayloads } from '../../mailbox/payload.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { warnings } from '../test-kit/running.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const { ApplicationFailure, condition, payloadConverter, sleep } = workflow;

type Language = 'en' | 'fr' | 'zh';

@workflow.defn()
class Greeting {
  greetings: Partial<Record<Language, string>> = { en: 'Hello', fr: 'Bonjour' };
  language: Language = 'en';
  approver: string | undefined;
  readonly log: unknown[] = [];

  @workflow.run
  async run(name = 'World'): Promise<string> {
    this.log.push('run');
    await condition(() => this.approver !== undefined);
    return `${this.greetings[this.language]}, ${name}`;
  }

  @workflow.signal()
  approve(input: { name: string }): void {
    this.log.push(`approve ${input.name}`);
    this.approver = input.name;
  }

  @workflow.signal({ name: 'learn-language', description: 'adds a greeting' })
  learn(language: Language, text: string): void {
    this.log.push(`learn ${language}`);
    this.greetings[language] = text;
  }

  @workflow.update({ validator: 'validateLanguage' })
  setLanguage(language: Language): Language {
    const previous = this.language;
    this.language = language;
    return previous;
  }

  validateLanguage(language: Language): void {
    if (!(language in this.greetings))
      throw ApplicationFailure.nonRetryable(`${language} is not supported`, 'Unsupported');
  }

  @workflow.update()
  async setLater(language: Language, ms: number): Promise<Language> {
    await sleep(ms);
    this.language = language;
    return language;
  }

  @workflow.query()
  languages(): string[] {
    return Object.keys(this.greetings);
  }

  @workflow.query()
  getLog(): unknown[] {
    return this.log;
  }
}

async function running(type: new () => object, ...args: unknown[]): Promise<System> {
  const system = await System.open({ workflows: { [type.name]: type } });
  await system.start('w', type.name, ...args).value();
  return system;
}

test('a class workflow takes signals, updates and queries by its methods, and its run method gives the result', async () => {
  const system = await running(Greeting, 'Ada');
  expect(await system.query('w', 'languages').value()).toEqual(['en', 'fr']);
  expect(await system.update('w', 'setLanguage', 'zh').error()).toMatchObject({
    cause: { message: 'zh is not supported', type: 'Unsupported' },
  });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await system.signal('w', 'learn-language', 'zh', '你好').value();
  expect(await system.update('w', 'setLanguage', 'zh').value()).toBe('en');
  await system.evictAll();
  expect(await system.query('w', 'languages').value()).toEqual(['en', 'fr', 'zh']);
  const later = system.update('w', 'setLater', 'fr', 1000);
  await system.settle();
  expect(later.answered).toBe(false);
  await system.pass(1000);
  expect(await later.value()).toBe('fr');
  await system.signal('w', 'approve', { name: 'Bo' }).value();
  expect(await system.result('w').value()).toBe('Bonjour, Ada');
  expect(await system.query('w', 'getLog').value()).toEqual(['run', 'learn zh', 'approve Bo']);
  await expectInvariants(system);
});

test('a method is called by its registered name only', async () => {
  const system = await running(Greeting);
  await system.signal('w', 'learn', 'zh', '你好').value();
  expect(await system.query('w', 'getLog').value()).toEqual(['run']);
  expect(await system.query('w', 'learn-language').error()).toMatchObject({
    code: 'QUERY_NOT_REGISTERED',
    fields: { registered: ['languages', 'getLog'] },
  });
});

test('fields belong to the instance: two runs share none of them', async () => {
  const system = await running(Greeting);
  await system.start('v', 'Greeting').value();
  await system.signal('w', 'learn-language', 'zh', '你好').value();
  expect(await system.query('v', 'languages').value()).toEqual(['en', 'fr']);
  expect(await system.query('w', 'languages').value()).toEqual(['en', 'fr', 'zh']);
});

test('what waits for handlers when the run begins is handed over in the order in which it came, before run', async () => {
  const seen: string[] = [];
  @workflow.defn()
  class Buffered {
    @workflow.run
    async run(): Promise<string[]> {
      seen.push('run');
      return seen;
    }
    // Declared in another order than the messages come.
    @workflow.signal()
    b(text: string): void {
      seen.push(`b ${text}`);
    }
    @workflow.signal()
    a(text: string): void {
      seen.push(`a ${text}`);
    }
    @workflow.signal({ dynamic: true })
    rest(name: string, [text]: RawValue[]): void {
      seen.push(`${name} ${payloadConverter().fromPayload(text!)}`);
    }
  }
  const begun = await System.open({ workflows: { Buffered } });
  const { Execution } = await import('../../actors/execution.js');
  const { runWorkflow } = await import('../../actors/exported-workflows.js');
  const { setCurrent } = await import('../../actors/current.js');
  const info = { workflowId: 'w', runId: 'r', workflowType: 'Buffered', firstRunId: 'r', startTime: 0 };
  const host = {
    log: () => undefined,
    failureTypeNames: [],
    encode: () => new Uint8Array(),
    explain: <T>(thrown: T) => thrown,
  };
  const execution = new Execution(info, (input) => runWorkflow(Buffered as never, input), host);
  const mail = (seq: number, name: string) => ({
    kind: 'signal' as const,
    seq,
    time: 0,
    name,
    input: encodePayloads([`${seq}`]),
  });
  setCurrent(execution);
  execution.begin(
    [mail(1, 'a'), mail(2, 'x'), mail(3, 'b'), mail(4, 'a'), { kind: 'start', seq: 5, time: 0, input: [] }],
    undefined,
  );
  setCurrent(undefined);
  expect(seen).toEqual(['a 1', 'x 2', 'b 3', 'a 4', 'run']);
  void begun;
});

test('base classes hand down run and handlers; an override keeps its part, or has the one it is decorated with', async () => {
  class Base {
    readonly seen: string[] = [];
    @workflow.run
    async run(): Promise<string> {
      await condition(() => this.seen.includes('stop'));
      return `ended by ${this.constructor.name}`;
    }
    @workflow.signal()
    kept(): void {
      this.seen.push('kept of base');
    }
    @workflow.signal()
    overridden(): void {
      this.seen.push('overridden of base');
    }
    @workflow.signal()
    renamed(): void {
      this.seen.push('renamed of base');
    }
    @workflow.signal()
    stop(): void {
      this.seen.push('stop');
    }
  }
  @workflow.defn({ name: 'derived-type' })
  class Derived extends Base {
    override overridden(): void {
      this.seen.push('overridden of derived');
    }
    @workflow.signal({ name: 'new-name' })
    override renamed(): void {
      this.seen.push('renamed of derived');
    }
    @workflow.query()
    getSeen(): string[] {
      return this.seen;
    }
  }
  const system = await System.open({ workflows: { Derived, Base } });
  await system.start('w', 'derived-type').value();
  for (const name of ['kept', 'overridden', 'new-name', 'renamed', 'stop']) await system.signal('w', name).value();
  expect(await system.result('w').value()).toBe('ended by Derived');
  expect(await system.query('w', 'getSeen').value()).toEqual([
    'kept of base',
    'overridden of derived',
    'renamed of derived',
    'stop',
  ]);
  // A base class without `defn` is no workflow of its own.
  expect(await system.start('b', 'Base').error()).toMatchObject({
    fields: { registered: expect.arrayContaining(['derived-type', 'idle']) },
  });
  await expectInvariants(system);
});

test('dynamic methods get the name and raw arguments of what no other method takes', async () => {
  const { fromPayload } = payloadConverter();
  @workflow.defn()
  class Dynamic {
    readonly seen: unknown[] = [];
    @workflow.run
    async run(): Promise<void> {
      await condition(() => false);
    }
    @workflow.signal()
    known(text: string): void {
      this.seen.push(text);
    }
    @workflow.signal({ dynamic: true })
    anySignal(name: string, args: RawValue[]): void {
      this.seen.push([name, ...args.map((arg) => fromPayload(arg))]);
    }
    @workflow.update({ dynamic: true, validator: 'checkUpdate' })
    anyUpdate(name: string, args: RawValue[]): unknown {
      return [name, args.length];
    }
    checkUpdate(name: string, args: RawValue[]): void {
      if (args.length === 0) throw ApplicationFailure.nonRetryable(`${name} takes arguments`);
    }
    @workflow.query({ dynamic: true })
    anyQuery(name: string, args: RawValue[]): unknown {
      return name === 'seen' ? this.seen : args[0];
    }
  }
  const system = await running(Dynamic);
  await system.signal('w', 'known', 'a').value();
  await system.signal('w', 'unknown', 'b', 1).value();
  expect(await system.query('w', 'seen').value()).toEqual(['a', ['unknown', 'b', 1]]);
  expect(await system.query('w', 'echo', { deep: 1 }).value()).toEqual({ deep: 1 });
  expect(await system.update('w', 'u', 1, 2).value()).toEqual(['u', 2]);
  expect(await system.update('w', 'u').error()).toMatchObject({ cause: { message: 'u takes arguments' } });
  // A method that is no handler cannot be called from outside.
  expect(await system.update('w', 'checkUpdate', 1).value()).toEqual(['checkUpdate', 1]);
  await expectInvariants(system);
});

test('a dynamic class runs every type that no other export has, with raw arguments', async () => {
  @workflow.defn({ dynamic: true })
  class Anything {
    @workflow.run
    async run(args: RawValue[]): Promise<unknown> {
      return [workflow.workflowInfo().workflowType, args.length, args[0]?.payload instanceof Uint8Array];
    }
  }
  const system = await System.open({ workflows: { Anything, named: async () => 'named' } });
  await system.start('a', 'whatever', 'x', 'y').value();
  expect(await system.result('a').value()).toEqual(['whatever', 2, true]);
  await system.start('n', 'named').value();
  expect(await system.result('n').value()).toBe('named');
  await expectInvariants(system);
});

test('a class that is the default export runs every type too, with its arguments decoded', async () => {
  @workflow.defn()
  class Default {
    @workflow.run
    async run(...args: unknown[]): Promise<unknown> {
      return [workflow.workflowInfo().workflowType, ...args];
    }
  }
  const system = await System.open({ workflows: { default: Default } });
  await system.start('a', 'whatever', 'x', { y: 1 }).value();
  expect(await system.result('a').value()).toEqual(['whatever', 'x', { y: 1 }]);
});

test('functions may set further handlers beside those of the class, and take one over', async () => {
  @workflow.defn()
  class Mixed {
    readonly seen: string[] = [];
    @workflow.run
    async run(): Promise<string[]> {
      workflow.setHandler(workflow.defineSignal<[string]>('late'), (text) => {
        this.seen.push(`late ${text}`);
      });
      await condition(() => this.seen.includes('stop'));
      return this.seen;
    }
    @workflow.signal()
    note(text: string): void {
      this.seen.push(text);
      workflow.setHandler(workflow.defineSignal<[string]>('note'), (other) => {
        this.seen.push(`taken over ${other}`);
      });
    }
  }
  const system = await running(Mixed);
  for (const [name, text] of [
    ['note', 'a'],
    ['note', 'b'],
    ['late', 'c'],
  ] as const) {
    await system.signal('w', name, text).value();
  }
  await system.evictAll();
  await system.signal('w', 'late', 'd').value();
  await system.signal('w', 'note', 'e').value();
  await system.terminate('w').value();
  await expectInvariants(system);
});

test('an error of the constructor, of a field or of a signal that waited fails the run like one of main', async () => {
  @workflow.defn()
  class Broken {
    readonly id = fail('no instance');
    @workflow.run
    async run(): Promise<void> {}
  }
  const system = await running(Broken);
  expect(await system.result('w').error()).toMatchObject({ cause: { message: 'no instance' } });
  await expectInvariants(system);
});

test('errors of failureExceptionTypes fail the run of a class, and its updates', async () => {
  class OutOfStock extends Error {}
  @workflow.defn({ failureExceptionTypes: [OutOfStock] })
  class Order {
    stopped = false;
    @workflow.run
    async run(): Promise<void> {
      await condition(() => this.stopped);
      throw new OutOfStock('no apples');
    }
    @workflow.update()
    add(): void {
      throw new OutOfStock('no pears');
    }
    @workflow.signal()
    stop(): void {
      this.stopped = true;
    }
  }
  const system = await running(Order);
  expect(await system.update('w', 'add').error()).toMatchObject({ cause: { message: 'no pears', type: 'OutOfStock' } });
  await system.signal('w', 'stop').value();
  expect(await system.result('w').error()).toMatchObject({ cause: { message: 'no apples', type: 'OutOfStock' } });
  await expectInvariants(system);
});

function fail(message: string): string {
  throw ApplicationFailure.nonRetryable(message);
}

test('a run method that is not async may return its result at once', async () => {
  @workflow.defn()
  class Sync {
    @workflow.run
    run(): Promise<string> {
      return Promise.resolve('done');
    }
  }
  const system = await running(Sync);
  expect(await system.result('w').value()).toBe('done');
});

test('two exports that would run the same type are refused, one class under two names is not', async () => {
  @workflow.defn({ name: 'same' })
  class One {
    @workflow.run
    async run(): Promise<void> {}
  }
  @workflow.defn({ dynamic: true })
  class Other {
    @workflow.run
    async run(): Promise<void> {}
  }
  const same = async () => undefined;
  await expect(System.open({ workflows: { One, same } })).rejects.toMatchObject({
    code: 'WORKFLOW_DEFINITION',
    message: expect.stringContaining("it runs workflow type 'same', as the export 'One' does"),
  });
  await expect(System.open({ workflows: { Other, default: same } })).rejects.toMatchObject({
    code: 'WORKFLOW_DEFINITION',
  });
  await System.open({ workflows: { One, Again: One } });
});

test('async methods may await activities, children, timers and conditions, and others run meanwhile', async () => {
  const { fetch } = workflow.proxyActivities<{ fetch(what: string): Promise<string> }>({ startToCloseTimeout: 60_000 });
  @workflow.defn
  class Kid {
    @workflow.run
    async run(name: string): Promise<string> {
      return `child ${name}`;
    }
  }
  @workflow.defn
  class Busy {
    readonly log: unknown[] = [];
    ready = false;
    @workflow.run
    async run(): Promise<unknown[]> {
      await condition(() => this.log.includes('stop') && workflow.allHandlersFinished());
      return this.log;
    }
    @workflow.signal
    async gather(): Promise<void> {
      this.log.push(await fetch('it'));
      this.log.push(await workflow.executeChild(Kid, { args: ['ada'] }));
      await sleep(1000);
      await condition(() => this.ready);
      this.log.push('gathered');
    }
    @workflow.update
    async prepare(): Promise<number> {
      await sleep(2000);
      this.ready = true;
      return this.log.push('ready');
    }
    @workflow.signal
    note(text: string): void {
      this.log.push(text);
    }
  }
  const system = await System.open({ workflows: { Busy, Kid } });
  await system.start('w', 'Busy').value();
  await system.signal('w', 'gather').value();
  await system.signal('w', 'note', 'stop').value();
  const prepared = system.update('w', 'prepare');
  await system.settle();
  system.activityReturns(system.attempts.at(-1)!, 'fetched');
  await system.settle();
  await system.pass(1000);
  await system.pass(1000);
  expect(await prepared.value()).toBe(4);
  expect(await system.result('w').value()).toEqual(['stop', 'fetched', 'child ada', 'ready', 'gathered']);
  await expectInvariants(system);
});

test('a lock in a field lets one call of a method through at a time', async () => {
  @workflow.defn
  class Locked {
    readonly lock = new workflow.Mutex();
    readonly log: string[] = [];
    @workflow.run
    async run(): Promise<void> {
      await condition(() => false);
    }
    @workflow.signal
    async locate(who: string): Promise<void> {
      await this.lock.runExclusive(async () => {
        this.log.push(`${who} begins`);
        await sleep(1000);
        this.log.push(`${who} ends`);
      });
    }
    @workflow.query
    getLog(): string[] {
      return this.log;
    }
  }
  const system = await running(Locked);
  for (const who of ['a', 'b']) await system.signal('w', 'locate', who).value();
  await system.pass(1000);
  await system.pass(1000);
  expect(await system.query('w', 'getLog').value()).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  await expectInvariants(system);
});

test('of unfinished methods those are named whose policy does not abandon them', async () => {
  const { ABANDON } = workflow.HandlerUnfinishedPolicy;
  @workflow.defn
  class Leaving {
    over = false;
    @workflow.run
    async run(): Promise<void> {
      await condition(() => this.over);
    }
    @workflow.signal
    async slow(): Promise<void> {
      await condition(() => false);
    }
    @workflow.signal({ unfinishedPolicy: ABANDON })
    async abandoned(): Promise<void> {
      await condition(() => false);
    }
    @workflow.update({ unfinishedPolicy: ABANDON })
    async abandonedUpdate(): Promise<void> {
      await condition(() => false);
    }
    @workflow.signal
    leave(): void {
      this.over = true;
    }
  }
  const system = await running(Leaving);
  const update = system.update('w', 'abandonedUpdate');
  for (const name of ['slow', 'abandoned', 'leave']) await system.signal('w', name).value();
  await system.settle();
  expect(warnings(system)).toEqual([expect.stringContaining('slow')]);
  expect(warnings(system)[0]).not.toContain('abandoned');
  expect(await update.error()).toMatchObject({ cause: { type: 'AcceptedUpdateCompletedWorkflow' } });
});
