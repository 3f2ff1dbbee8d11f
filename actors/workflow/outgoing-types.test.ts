/**
 * The types of what workflows ask of each other. Each line that must not compile says so.
 * Thread: none; only compiled, then run once over types alone.
 */
import { expectTypeOf, test } from 'vitest';
import type { ChildWorkflowHandle, executeChild, startChild } from './children.js';
import { defineQuery, defineSignal, defineUpdate } from './definitions.js';
import type { ExternalWorkflowHandle, getExternalWorkflowHandle } from './external.js';
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
}

declare const handleOf: typeof getExternalWorkflowHandle;
declare const start: typeof startChild;
declare const execute: typeof executeChild;
declare const handle: ExternalWorkflowHandle;
declare const child: ChildWorkflowHandle<typeof order>;

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
