/**
 * The types of what workflows ask of each other. Each line that must not compile says so.
 * Thread: none; only compiled, then run once over types alone.
 */
import { expectTypeOf, test } from 'vitest';
import type { ChildWorkflowClassHandle, ChildWorkflowHandle, executeChild, startChild } from './children.js';
import { defineQuery, defineSignal, defineUpdate } from './definitions.js';
import type { ExternalWorkflowClassHandle, ExternalWorkflowHandle, getExternalWorkflowHandle } from './external.js';
import type { OutgoingUpdateHandle } from './outgoing-handle.js';

const add = defineSignal<[what: string, count: number]>('add');
const stop = defineSignal('stop');
const total = defineQuery<number, [currency: string]>('total');
const approve = defineUpdate<{ at: Date }, [by: string]>('approve');
const flush = defineUpdate<void>('flush');
declare function order(what: string, count: number): Promise<{ total: number }>;
declare function idle(): Promise<void>;
declare function greet(name?: string): Promise<string>;
declare class Approval {
  run(what: string): Promise<boolean>;
  decide(by: string, verdict?: string): void;
  hurry(): Promise<void>;
  state(of: string): number;
  extend(days: number): Promise<{ until: Date }>;
}
declare class Review {
  run(what: number): Promise<boolean>;
}

declare const handleOf: typeof getExternalWorkflowHandle;
declare const start: typeof startChild;
declare const execute: typeof executeChild;
declare const handle: ExternalWorkflowHandle;
declare const child: ChildWorkflowHandle<typeof order>;
declare const approval: ExternalWorkflowClassHandle<typeof Approval>;
declare const approvalChild: ChildWorkflowClassHandle<typeof Approval>;
declare const either: typeof approval | typeof approvalChild;

/** Compiled, never called. */
function compiled(_: () => unknown): void {}

test('a child takes the arguments of its workflow function and gives its result', () => {
  expectTypeOf(() => start(order, { args: ['apples', 3] })).returns.resolves.toEqualTypeOf<
    ChildWorkflowHandle<typeof order>
  >();
  expectTypeOf(() => execute(order, { args: ['apples', 3] })).returns.resolves.toEqualTypeOf<{ total: number }>();
  expectTypeOf(() => child.result()).returns.resolves.toEqualTypeOf<{ total: number }>();
  expectTypeOf(() => execute(idle)).returns.resolves.toEqualTypeOf<void>();
  expectTypeOf(() => execute(Approval, { args: ['it'] })).returns.resolves.toEqualTypeOf<boolean>();
  compiled(() => start(idle));
  compiled(() => start(idle, { workflowId: 'i', parentClosePolicy: 'ABANDON' }));
  compiled(() => start(greet, { args: ['Ada'] }));
  compiled(() => start('order', { args: ['apples', 3] }));
  compiled(() => start<typeof order>('order', { args: ['apples', 3] }));
  compiled(() => execute<typeof order>('order', { args: ['apples', 3], cancellationType: 'TRY_CANCEL' }));
  // @ts-expect-error the arguments are missing
  compiled(() => start(order, {}));
  // @ts-expect-error the arguments are missing
  compiled(() => start(order));
  // @ts-expect-error the second argument is a number
  compiled(() => start(order, { args: ['apples', '3'] }));
  // @ts-expect-error the workflow takes no arguments
  compiled(() => start(idle, { args: [1] }));
  // @ts-expect-error there is no such policy
  compiled(() => start(idle, { parentClosePolicy: 'NEVER' }));
  // @ts-expect-error there is no such option
  compiled(() => start(idle, { conflict: true }));
  // @ts-expect-error the run method takes a string
  compiled(() => start(Approval, { args: [1] }));
});

test('what is sent to another workflow takes exactly the arguments of its definition', () => {
  compiled(() => handle.signal(add, 'apples', 3));
  compiled(() => child.signal(stop));
  compiled(() => handle.signal('add', 'apples', 3));
  compiled(() => handleOf('o', 'run').cancel('reason'));
  // @ts-expect-error the count is missing
  compiled(() => handle.signal(add, 'apples'));
  // @ts-expect-error the signal takes no arguments
  compiled(() => child.signal(stop, 1));
  // @ts-expect-error a query is no signal
  compiled(() => handle.signal(total, 'EUR'));
});

test('signalWithStart takes the arguments of the workflow and of the signal', () => {
  compiled(() => handleOf('o').signalWithStart(order, { args: ['apples', 3], signal: add, signalArgs: ['pears', 1] }));
  compiled(() => handleOf<typeof order>('o').signalWithStart('order', { args: ['apples', 3], signal: stop }));
  compiled(() => handleOf('o').signalWithStart(idle, { signal: 'stop' }));
  // @ts-expect-error the workflow's arguments are missing
  compiled(() => handleOf('o').signalWithStart(order, { signal: stop }));
  // @ts-expect-error the signal's arguments are missing
  compiled(() => handleOf('o').signalWithStart(idle, { signal: add }));
  // @ts-expect-error the count is a number
  compiled(() => handleOf('o').signalWithStart(idle, { signal: add, signalArgs: ['apples', '3'] }));
  // @ts-expect-error by its type the handle is of another workflow
  compiled(() => handleOf<typeof order>('o').signalWithStart(idle, { signal: stop }));
});

test('updates and queries of another workflow give what their definition says', () => {
  expectTypeOf(() => handle.executeUpdate(approve, { args: ['ada'] })).returns.resolves.toEqualTypeOf<{ at: Date }>();
  expectTypeOf(() => child.executeUpdate(flush)).returns.resolves.toEqualTypeOf<void>();
  expectTypeOf(() =>
    handle.startUpdate(approve, { args: ['ada'], waitForStage: 'ACCEPTED' }),
  ).returns.resolves.toEqualTypeOf<OutgoingUpdateHandle<{ at: Date }>>();
  expectTypeOf(() => handle.query(total, 'EUR')).returns.resolves.toEqualTypeOf<number>();
  compiled(() => handle.executeUpdate('approve', { args: ['ada'], updateId: 'u' }));
  // @ts-expect-error the arguments are missing
  compiled(() => handle.executeUpdate(approve));
  // @ts-expect-error the argument is a string
  compiled(() => handle.executeUpdate(approve, { args: [1] }));
  // @ts-expect-error the stage is missing
  compiled(() => handle.startUpdate(approve, { args: ['ada'] }));
  // @ts-expect-error the currency is missing
  compiled(() => handle.query(total));
  // @ts-expect-error an update is no query
  compiled(() => handle.query(flush));
});

test('the handle of a class has its methods, each as what it may be', () => {
  expectTypeOf(() => handleOf(Approval, 'a')).returns.toEqualTypeOf<ExternalWorkflowClassHandle<typeof Approval>>();
  expectTypeOf(() => start(Approval, { args: ['it'] })).returns.resolves.toEqualTypeOf<
    ChildWorkflowClassHandle<typeof Approval>
  >();
  expectTypeOf(() => approvalChild.result()).returns.resolves.toEqualTypeOf<boolean>();
  expectTypeOf(() => either.signal.decide('ada')).returns.resolves.toEqualTypeOf<void>();
  expectTypeOf(() => either.query.state('it')).returns.resolves.toEqualTypeOf<number>();
  expectTypeOf(() => either.update.extend(3)).returns.resolves.toEqualTypeOf<{ until: Date }>();
  expectTypeOf(() => either.update.extend.execute({ args: [3], updateId: 'u' })).returns.resolves.toEqualTypeOf<{
    until: Date;
  }>();
  expectTypeOf(() =>
    either.update.extend.start({ args: [3], waitForStage: 'ACCEPTED' }),
  ).returns.resolves.toEqualTypeOf<OutgoingUpdateHandle<{ until: Date }>>();
  compiled(() => either.signal.hurry());
  compiled(() => either.signal(add, 'apples', 3));
  compiled(() => either.executeUpdate(approve, { args: ['ada'] }));
  // @ts-expect-error the name is a string
  compiled(() => either.signal.decide(1));
  // @ts-expect-error the days are missing
  compiled(() => either.update.extend());
  // @ts-expect-error a signal is no query
  compiled(() => either.query.decide('ada'));
  // @ts-expect-error an update with a result is no signal
  compiled(() => either.signal.extend(3));
  // @ts-expect-error there is no such method
  compiled(() => either.signal.decided('ada'));
  // @ts-expect-error the run method is called by a start
  compiled(() => either.update.run('it'));
});

test('signalWithStart takes a class, and the method of a signal with its arguments', () => {
  const begin = { args: ['it'] as [string] };
  compiled(() => handleOf('a').signalWithStart(Approval, { ...begin, signal: 'decide', signalArgs: ['ada', 'yes'] }));
  compiled(() => handleOf('a').signalWithStart(Approval, { ...begin, signal: 'hurry' }));
  compiled(() => approval.signalWithStart(Approval, { ...begin, signal: add, signalArgs: ['apples', 3] }));
  // @ts-expect-error the workflow's arguments are missing
  compiled(() => handleOf('a').signalWithStart(Approval, { signal: 'hurry' }));
  // @ts-expect-error the signal's arguments are missing
  compiled(() => handleOf('a').signalWithStart(Approval, { ...begin, signal: 'decide' }));
  // @ts-expect-error the name is a string
  compiled(() => handleOf('a').signalWithStart(Approval, { ...begin, signal: 'decide', signalArgs: [1] }));
  // @ts-expect-error an update with a result is no signal
  compiled(() => handleOf('a').signalWithStart(Approval, { ...begin, signal: 'extend', signalArgs: [1] }));
  // @ts-expect-error there is no such method
  compiled(() => handleOf('a').signalWithStart(Approval, { ...begin, signal: 'decided', signalArgs: ['ada'] }));
  // @ts-expect-error by its type the handle is of another workflow
  compiled(() => approval.signalWithStart(Review, { args: [1], signal: stop }));
});
