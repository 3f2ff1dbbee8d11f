/**
 * The types: definitions and workflow functions decide what callers may pass and what they get. Each line that must not compile says so.
 * Thread: none; only compiled, then run once over types alone.
 */
import { expectTypeOf, test } from 'vitest';
import {
  defineQuery,
  defineSignal,
  defineUpdate,
  type Handler,
  type UpdateHandlerOptions,
  type WorkflowResultType,
} from '../../actors/workflow/definitions.js';
import * as workflow from '../../actors/workflow/index.js';
import type { TemporalFailure } from '../../mailbox/failures.js';
import type { HoldfastError } from '../errors.js';
import type { LifecycleEvent } from '../host/lifecycle-events.js';
import type {
  WorkflowClassHandle,
  WorkflowClassHandleWithFirstExecutionRunId,
  WorkflowClassHandleWithSignaledRunId,
} from './class-handle.js';
import type {
  WorkflowHandle,
  WorkflowHandleWithFirstExecutionRunId,
  WorkflowHandleWithSignaledRunId,
} from './handle.js';
import type { HistoryEvent, HistoryEventOf } from './history.js';
import type { WorkflowUpdateHandle } from './update-handle.js';
import { WithStartWorkflowOperation } from './with-start.js';
import type { WorkflowClient } from './workflow-client.js';

const add = defineSignal<[what: string, count: number]>('add');
const stop = defineSignal('stop');
const paint = defineSignal<['red' | 'blue']>('paint');
const note = defineSignal<[text: string, by?: string]>('note');
const total = defineQuery<number, [currency: string]>('total');
const status = defineQuery<'open' | 'closed'>('status');
const approve = defineUpdate<{ at: Date }, [by: string]>('approve');
const flush = defineUpdate<void>('flush');
declare function order(what: string, count: number): Promise<{ total: number }>;
declare function idle(): Promise<void>;
declare function greet(name?: string): Promise<string>;

declare const client: WorkflowClient;
declare const handle: WorkflowHandle<typeof order>;
declare const op: WithStartWorkflowOperation<typeof order>;
declare const anyString: string;

/** A class workflow, of which only the types count here. */
class Greeting {
  greetings = { en: 'Hello' };
  @workflow.run
  async run(name: string): Promise<number> {
    return name.length;
  }
  @workflow.signal()
  approve(_input: { name: string }): void {}
  @workflow.update({ validator: 'check' })
  async setLanguage(language: string): Promise<string> {
    return language;
  }
  check(_language: string): void {}
  @workflow.query()
  languages(_input: { supportedOnly: boolean }): string[] {
    return [];
  }
}
declare const greeting: WorkflowClassHandle<typeof Greeting>;
declare const classOp: WithStartWorkflowOperation<typeof Greeting>;

/** Compiled, never called. */
function compiled(_: () => unknown): void {}

test('a signal or an update may come with the start', () => {
  const policy = { workflowIdConflictPolicy: 'USE_EXISTING' } as const;
  const made = () => new WithStartWorkflowOperation(order, { workflowId: 'o', args: ['apples', 3], ...policy });
  expectTypeOf(made).returns.toEqualTypeOf<typeof op>();
  expectTypeOf(() => op.workflowHandle()).returns.resolves.toEqualTypeOf<WorkflowHandle<typeof order>>();
  const executed = () =>
    client.executeUpdateWithStart(approve, { startWorkflowOperation: op, args: ['Ada'], updateId: 'u' });
  expectTypeOf(executed).returns.resolves.toEqualTypeOf<{ at: Date }>();
  const started = () => client.startUpdateWithStart(flush, { startWorkflowOperation: op, waitForStage: 'ACCEPTED' });
  expectTypeOf(started).returns.resolves.toEqualTypeOf<WorkflowUpdateHandle<void>>();
  const signaled = () =>
    client.signalWithStart(order, { workflowId: 'o', args: ['apples', 3], signal: add, signalArgs: ['pears', 1] });
  expectTypeOf(signaled).returns.resolves.toEqualTypeOf<WorkflowHandleWithSignaledRunId<typeof order>>();
  compiled(() => client.signalWithStart(idle, { workflowId: 'i', signal: stop }));
  compiled(() =>
    client.signalWithStart('idle', { workflowId: 'i', signal: 'stop', signalArgs: [1], startDelay: '1h' }),
  );
  // @ts-expect-error the workflow's arguments are missing
  compiled(() => client.signalWithStart(order, { workflowId: 'o', signal: stop }));
  // @ts-expect-error the signal's arguments are missing
  compiled(() => client.signalWithStart(idle, { workflowId: 'i', signal: add }));
  // @ts-expect-error the signal's arguments are of another type
  compiled(() => client.signalWithStart(idle, { workflowId: 'i', signal: add, signalArgs: ['pears', '1'] }));
  // @ts-expect-error the update's arguments are missing
  compiled(() => client.executeUpdateWithStart(approve, { startWorkflowOperation: op }));
  // @ts-expect-error the conflict policy is missing
  compiled(() => new WithStartWorkflowOperation(idle, { workflowId: 'i' }));
  // @ts-expect-error the workflow's arguments are missing
  compiled(() => new WithStartWorkflowOperation(order, { workflowId: 'o', ...policy }));
});

test('with a class, what comes with the start is one of its methods, and the handle has them', () => {
  const start = { workflowId: 'g', args: ['Ada'] as [string] };
  const signaled = () =>
    client.signalWithStart(Greeting, { ...start, signal: 'approve', signalArgs: [{ name: 'Bo' }] });
  expectTypeOf(signaled).returns.resolves.toEqualTypeOf<WorkflowClassHandleWithSignaledRunId<typeof Greeting>>();
  const defined = () => client.signalWithStart(Greeting, { ...start, signal: add, signalArgs: ['pears', 1] });
  expectTypeOf(defined).returns.resolves.toEqualTypeOf<WorkflowClassHandleWithSignaledRunId<typeof Greeting>>();
  const policy = { workflowIdConflictPolicy: 'USE_EXISTING' } as const;
  const made = () => new WithStartWorkflowOperation(Greeting, { ...start, ...policy });
  expectTypeOf(made).returns.toEqualTypeOf<typeof classOp>();
  expectTypeOf(() => classOp.workflowHandle()).returns.resolves.toEqualTypeOf<WorkflowClassHandle<typeof Greeting>>();
  const executed = () =>
    client.executeUpdateWithStart('setLanguage', { startWorkflowOperation: classOp, args: ['fr'], updateId: 'u' });
  expectTypeOf(executed).returns.resolves.toEqualTypeOf<string>();
  const started = () =>
    client.startUpdateWithStart('setLanguage', {
      startWorkflowOperation: classOp,
      args: ['fr'],
      waitForStage: 'ACCEPTED',
    });
  expectTypeOf(started).returns.resolves.toEqualTypeOf<WorkflowUpdateHandle<string>>();
  const byDefinition = () => client.executeUpdateWithStart(approve, { startWorkflowOperation: classOp, args: ['Bo'] });
  expectTypeOf(byDefinition).returns.resolves.toEqualTypeOf<{ at: Date }>();
  // @ts-expect-error the workflow's arguments are missing
  compiled(() => client.signalWithStart(Greeting, { workflowId: 'g', signal: add, signalArgs: ['pears', 1] }));
  // @ts-expect-error the signal's arguments are missing
  compiled(() => client.signalWithStart(Greeting, { ...start, signal: 'approve' }));
  // @ts-expect-error the signal's arguments are of another type
  compiled(() => client.signalWithStart(Greeting, { ...start, signal: 'approve', signalArgs: ['Bo'] }));
  // @ts-expect-error there is no such signal
  compiled(() => client.signalWithStart(Greeting, { ...start, signal: 'aprove', signalArgs: [{ name: 'Bo' }] }));
  // @ts-expect-error an update that returns a value is no signal
  compiled(() => client.signalWithStart(Greeting, { ...start, signal: 'setLanguage', signalArgs: ['fr'] }));
  // @ts-expect-error the definition's arguments are of another type
  compiled(() => client.signalWithStart(Greeting, { ...start, signal: add, signalArgs: ['pears', '1'] }));
  // @ts-expect-error the workflow's arguments are missing
  compiled(() => new WithStartWorkflowOperation(Greeting, { workflowId: 'g', ...policy }));
  // @ts-expect-error the conflict policy is missing
  compiled(() => new WithStartWorkflowOperation(Greeting, start));
  // @ts-expect-error there is no such method
  compiled(() => client.executeUpdateWithStart('setLang', { startWorkflowOperation: classOp, args: ['fr'] }));
  // @ts-expect-error the update's arguments are missing
  compiled(() => client.executeUpdateWithStart('setLanguage', { startWorkflowOperation: classOp }));
  // @ts-expect-error the update's arguments are of another type
  compiled(() => client.executeUpdateWithStart('setLanguage', { startWorkflowOperation: classOp, args: [1] }));
  // @ts-expect-error the run method is called by the start
  compiled(() => client.executeUpdateWithStart('run', { startWorkflowOperation: classOp, args: ['Ada'] }));
});

test('start and execute take the arguments of the workflow function and give its result', () => {
  const start = () => client.start(order, { workflowId: 'o', args: ['apples', 3] });
  expectTypeOf(start).returns.resolves.toEqualTypeOf<WorkflowHandleWithFirstExecutionRunId<typeof order>>();
  const execute = () => client.execute(order, { workflowId: 'o', args: ['apples', 3] });
  expectTypeOf(execute).returns.resolves.toEqualTypeOf<{ total: number }>();
  expectTypeOf<WorkflowResultType<typeof order>>().toEqualTypeOf<{ total: number }>();
  expectTypeOf(() => handle.result()).returns.resolves.toEqualTypeOf<{ total: number }>();
  compiled(() => client.start(idle, { workflowId: 'i' }));
  compiled(() => client.start(greet, { workflowId: 'g' }));
  compiled(() => client.start(greet, { workflowId: 'g', args: ['Ada'] }));
  compiled(() => client.start('order', { workflowId: 'o', args: ['apples', 3] }));
  compiled(() => client.start<typeof order>('order', { workflowId: 'o', args: ['apples', 3] }));
  // @ts-expect-error the arguments are missing
  compiled(() => client.start(order, { workflowId: 'o' }));
  // @ts-expect-error one argument is missing
  compiled(() => client.start(order, { workflowId: 'o', args: ['apples'] }));
  // @ts-expect-error the second argument is a number
  compiled(() => client.start(order, { workflowId: 'o', args: ['apples', '3'] }));
  // @ts-expect-error the workflow takes no arguments
  compiled(() => client.start(idle, { workflowId: 'i', args: [1] }));
  // @ts-expect-error the workflow id is missing
  compiled(() => client.start(idle, {}));
  // @ts-expect-error there is no such policy
  compiled(() => client.start(idle, { workflowId: 'i', workflowIdReusePolicy: 'NEVER' }));
  // @ts-expect-error there is no such option
  compiled(() => client.start(idle, { workflowId: 'i', taskQueue: 'q' }));
  // @ts-expect-error a workflow returns a promise
  compiled(() => client.start((n: number) => n, { workflowId: 'i', args: [1] }));
  // @ts-expect-error by this type the arguments are a string and a number
  compiled(() => client.start<typeof order>('order', { workflowId: 'o', args: [3] }));
});

test('signals take exactly the arguments of their definition', () => {
  compiled(() => handle.signal(add, 'apples', 3));
  compiled(() => handle.signal(stop));
  compiled(() => handle.signal(paint, 'red'));
  compiled(() => handle.signal(note, 'hello'));
  compiled(() => handle.signal(note, 'hello', 'Ada'));
  compiled(() => handle.signal('add', 'apples', 3));
  compiled(() => handle.signal<[string]>('say', 'hello'));
  compiled(() => handle.signalWithOptions(add, { args: ['apples', 3], requestId: 'r' }));
  compiled(() => handle.signalWithOptions(stop, { requestId: 'r' }));
  // @ts-expect-error the arguments are missing
  compiled(() => handle.signal(add));
  // @ts-expect-error the second argument is a number
  compiled(() => handle.signal(add, 'apples', '3'));
  // @ts-expect-error there is no third argument
  compiled(() => handle.signal(add, 'apples', 3, true));
  // @ts-expect-error the signal takes no arguments
  compiled(() => handle.signal(stop, 1));
  // @ts-expect-error not every string is a colour
  compiled(() => handle.signal(paint, anyString));
  // @ts-expect-error a query is not a signal
  compiled(() => handle.signal(total, 'EUR'));
  // @ts-expect-error the arguments are missing
  compiled(() => handle.signalWithOptions(add, { requestId: 'r' }));
  // @ts-expect-error the first argument is a string
  compiled(() => handle.signalWithOptions(add, { args: [1, 3] }));
  // @ts-expect-error by this type the argument is a string
  compiled(() => handle.signal<[string]>('say', 1));
});

test('queries take the arguments and give the result of their definition', () => {
  expectTypeOf(() => handle.query(total, 'EUR')).returns.resolves.toEqualTypeOf<number>();
  expectTypeOf(() => handle.query(status)).returns.resolves.toEqualTypeOf<'open' | 'closed'>();
  expectTypeOf(() => handle.query<number, []>('count')).returns.resolves.toEqualTypeOf<number>();
  expectTypeOf(() => handle.query('count', 1, 2)).returns.resolves.toEqualTypeOf<unknown>();
  // @ts-expect-error the argument is missing
  compiled(() => handle.query(total));
  // @ts-expect-error the argument is a string
  compiled(() => handle.query(total, 1));
  // @ts-expect-error the query takes no arguments
  compiled(() => handle.query(status, 1));
  // @ts-expect-error an update is not a query
  compiled(() => handle.query(approve, 'Ada'));
  // @ts-expect-error the result is a number
  compiled(async () => (await handle.query(total, 'EUR')).length);
});

test('updates take the arguments and give the result of their definition', () => {
  expectTypeOf(() => handle.executeUpdate(approve, { args: ['Ada'] })).returns.resolves.toEqualTypeOf<{ at: Date }>();
  expectTypeOf(() => handle.executeUpdate(flush)).returns.resolves.toEqualTypeOf<void>();
  const start = () => handle.startUpdate(approve, { args: ['Ada'], waitForStage: 'ACCEPTED', updateId: 'u' });
  expectTypeOf(start).returns.resolves.toEqualTypeOf<WorkflowUpdateHandle<{ at: Date }>>();
  expectTypeOf<WorkflowUpdateHandle<number>['result']>().returns.resolves.toEqualTypeOf<number>();
  expectTypeOf(() => handle.getUpdateHandle<number>('u')).returns.toEqualTypeOf<WorkflowUpdateHandle<number>>();
  compiled(() => handle.executeUpdate(flush, { updateId: 'u' }));
  compiled(() => handle.executeUpdate('approve', { args: ['Ada', 1] }));
  compiled(() => handle.executeUpdate<string, [number]>('approve', { args: [1] }));
  compiled(() => handle.startUpdate(flush, { waitForStage: 'ACCEPTED' }));
  // @ts-expect-error the options with the arguments are missing
  compiled(() => handle.executeUpdate(approve));
  // @ts-expect-error the arguments are missing
  compiled(() => handle.executeUpdate(approve, { updateId: 'u' }));
  // @ts-expect-error the argument is a string
  compiled(() => handle.executeUpdate(approve, { args: [1] }));
  // @ts-expect-error the update takes no arguments
  compiled(() => handle.executeUpdate(flush, { args: [1] }));
  // @ts-expect-error startUpdate has to say what it waits for
  compiled(() => handle.startUpdate(approve, { args: ['Ada'] }));
  compiled(() => handle.startUpdate(approve, { args: ['Ada'], waitForStage: 'COMPLETED' }));
  // @ts-expect-error no caller is told of mere admission
  compiled(() => handle.startUpdate(approve, { args: ['Ada'], waitForStage: 'ADMITTED' }));
  // @ts-expect-error a signal is not an update
  compiled(() => handle.executeUpdate(stop));
});

declare class Messages {
  run(): Promise<void>;
  silent(): void;
  silentLater(): Promise<void>;
  later(): Promise<number>;
  value(): string | undefined;
  either(): string | Promise<string>;
  // biome-ignore lint/suspicious/noExplicitAny: which may be anything
  anything(): any;
  protected hidden(): void;
}
declare const messages: WorkflowClassHandle<typeof Messages>;

test('a workflow class decides what its start takes, what its handle offers and what each method takes and gives', () => {
  const start = () => client.start(Greeting, { workflowId: 'g', args: ['Ada'] });
  expectTypeOf(start).returns.resolves.toEqualTypeOf<WorkflowClassHandleWithFirstExecutionRunId<typeof Greeting>>();
  expectTypeOf(() => client.execute(Greeting, { workflowId: 'g', args: ['Ada'] })).returns.resolves.toBeNumber();
  expectTypeOf(() => client.getHandle(Greeting, 'g')).returns.toEqualTypeOf<WorkflowClassHandle<typeof Greeting>>();
  expectTypeOf(() => greeting.result()).returns.resolves.toBeNumber();
  expectTypeOf(() => greeting.signal.approve({ name: 'Ada' })).returns.resolves.toBeVoid();
  expectTypeOf(() => greeting.update.setLanguage('fr')).returns.resolves.toBeString();
  expectTypeOf(() => greeting.query.languages({ supportedOnly: true })).returns.resolves.toEqualTypeOf<string[]>();
  compiled(() => greeting.signal(add, 'apples', 3));
  const begun = () => greeting.update.setLanguage.start({ args: ['fr'], waitForStage: 'ACCEPTED' });
  expectTypeOf(begun).returns.resolves.toEqualTypeOf<WorkflowUpdateHandle<string>>();
  compiled(() => greeting.signal.approve.send({ args: [{ name: 'Ada' }], requestId: 'r' }));
  // @ts-expect-error the language is a string
  compiled(() => greeting.update.setLanguage.execute({ args: [1], updateId: 'u' }));
  compiled(() => greeting.query(total, 'EUR'));
  compiled(() => greeting.executeUpdate(approve, { args: ['Ada'] }));
  compiled((): WorkflowHandle<(name: string) => Promise<number>> => greeting);
  // @ts-expect-error the argument is missing
  compiled(() => client.start(Greeting, { workflowId: 'g' }));
  // @ts-expect-error the argument is a string
  compiled(() => client.start(Greeting, { workflowId: 'g', args: [1] }));
  // @ts-expect-error the argument is missing
  compiled(() => greeting.signal.approve());
  // @ts-expect-error the name is a string
  compiled(() => greeting.signal.approve({ name: 1 }));
  // @ts-expect-error there is no second argument
  compiled(() => greeting.signal.approve({ name: 'Ada' }, 1));
  // @ts-expect-error there is no such method
  compiled(() => greeting.signal.aprove({ name: 'Ada' }));
  // @ts-expect-error a field is no method
  compiled(() => greeting.query.greetings());
  // @ts-expect-error the run method is called by a start
  compiled(() => greeting.signal.run('Ada'));
  // @ts-expect-error the language is a string
  compiled(() => greeting.update.setLanguage(1));
  // @ts-expect-error the result is a string
  compiled(async () => (await greeting.update.setLanguage('fr')).toFixed());
  // @ts-expect-error a definition still decides its arguments
  compiled(() => greeting.signal(add, 'apples'));
});

test('decorators go only where they can work', () => {
  compiled(() => {
    class Wrong {
      // @ts-expect-error there is no such method
      @workflow.update({ validator: 'chek' })
      misspelled(_: string): void {}
      // @ts-expect-error the validator takes other arguments
      @workflow.update({ validator: 'check' })
      other(_: number): void {}
      check(_: string): void {}
      // @ts-expect-error a query answers at once
      @workflow.query()
      async later(): Promise<number> {
        return 1;
      }
      // @ts-expect-error only methods of the instance
      @workflow.signal()
      static fixed(): void {}
      // @ts-expect-error only methods
      @workflow.signal()
      field = 1;
      // @ts-expect-error a query answers with a value
      @workflow.query
      nothing(): void {}
      // @ts-expect-error the sender of a signal gets no value
      @workflow.signal()
      valued(): number {
        return 1;
      }
      // @ts-expect-error the sender of a signal gets no value, also later
      @workflow.signal
      async valuedLater(): Promise<string> {
        return '';
      }
      // @ts-expect-error only updates have a validator
      @workflow.signal({ validator: 'check' })
      checked(_: string): void {}
      // @ts-expect-error the run method returns a promise
      @workflow.run
      run(): void {}
    }
    return Wrong;
  });
  compiled(() => {
    // @ts-expect-error the constructor takes arguments
    @workflow.defn()
    class Built {
      constructor(readonly input: string) {}
    }
    return Built;
  });
});

test('decorators stand with parentheses or without', () => {
  compiled(() => {
    @workflow.defn
    class Bare {
      @workflow.run
      async run(): Promise<void> {}
      @workflow.signal
      async wait(_: string): Promise<void> {}
      @workflow.query
      sum(): number | undefined {
        return 1;
      }
      @workflow.update
      change(): void {}
    }
    @workflow.defn()
    class Called {
      @workflow.run()
      async run(): Promise<void> {}
      @workflow.signal()
      async wait(_: string): Promise<void> {}
      @workflow.query()
      sum(): number | undefined {
        return 1;
      }
      @workflow.update()
      change(): void {}
    }
    return [Bare, Called];
  });
});

test('a handle has a method only as what it may be by its type', () => {
  compiled(() => messages.signal.silent());
  compiled(() => messages.signal.silentLater());
  compiled(() => messages.update.silent());
  compiled(() => messages.update.later());
  compiled(() => messages.update.value());
  expectTypeOf(() => messages.query.value()).returns.resolves.toEqualTypeOf<string | undefined>();
  compiled(() => messages.query.anything());
  compiled(() => messages.signal.anything());
  // @ts-expect-error a query returns something
  compiled(() => messages.query.silent());
  // @ts-expect-error a query answers at once
  compiled(() => messages.query.later());
  // @ts-expect-error a query answers at once, whatever the answer
  compiled(() => messages.query.either());
  // @ts-expect-error a signal returns nothing
  compiled(() => messages.signal.value());
  // @ts-expect-error a signal returns nothing, also later
  compiled(() => messages.signal.later());
  // @ts-expect-error what is private is nobody's message
  compiled(() => messages.update.hidden());
  // @ts-expect-error a signal is no query
  compiled(() => greeting.query.approve({ name: 'Ada' }));
  // @ts-expect-error an update that returns a value is no signal
  compiled(() => greeting.signal.setLanguage('fr'));
});

test('definitions with other arguments or results are other types', () => {
  const other = defineSignal<[number]>('add');
  // @ts-expect-error the arguments differ
  compiled((): typeof add => other);
  const otherQuery = defineQuery<string, [currency: string]>('total');
  // @ts-expect-error the results differ
  compiled((): typeof total => otherQuery);
  // @ts-expect-error a definition cannot be changed
  compiled(() => Object.defineProperty(add, 'x', {}) && delete add.name);
});

test('handlers and validators follow from the definition', () => {
  expectTypeOf<Handler<{ at: Date }, [string], typeof approve>>().toEqualTypeOf<
    (by: string) => { at: Date } | Promise<{ at: Date }>
  >();
  expectTypeOf<Handler<number, [string], typeof total>>().toEqualTypeOf<(currency: string) => number>();
  expectTypeOf<Handler<unknown, [string, number], typeof add>>().returns.toEqualTypeOf<void | Promise<void>>();
  expectTypeOf<UpdateHandlerOptions<[string]>['validator']>().toEqualTypeOf<((by: string) => void) | undefined>();
});

test('the type of an event says which attributes it has', () => {
  expectTypeOf<HistoryEventOf<'WorkflowExecutionSignaled'>['input']>().toEqualTypeOf<unknown[]>();
  expectTypeOf<HistoryEventOf<'WorkflowExecutionFailed'>['failure']>().toEqualTypeOf<TemporalFailure>();
  expectTypeOf<HistoryEventOf<'TimerStarted'>['fireAt']>().toEqualTypeOf<Date>();
  expectTypeOf<HistoryEvent['eventTime']>().toEqualTypeOf<Date>();
  // @ts-expect-error a timer has no input
  expectTypeOf<HistoryEventOf<'TimerFired'>['input']>();
});

test('lifecycle events carry instances, not records', () => {
  expectTypeOf<LifecycleEvent<'failed'>['error']>().toEqualTypeOf<HoldfastError>();
  expectTypeOf<LifecycleEvent<'workflowStarted'>['workflowId']>().toEqualTypeOf<string>();
});
