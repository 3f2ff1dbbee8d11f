/**
 * What one workflow can ask of another that is a class: each handler method as a function that sends its message.
 * Thread: worker. In → out: workflow class → class of its handles; method and arguments → request of the current execution.
 */
import type { ParametersOf, QueryStubs, ResultOf, SignalMethodOf, UpdateMethodOf } from './classes/stub-types.js';
import type { Sending } from './classes/stubs.js';
import type { ArgsOf, WorkflowClass } from './definitions.js';
import { OutgoingHandle, type OutgoingUpdateHandle, type OutgoingUpdateOptions } from './outgoing-handle.js';

/** Sends the update and waits for its result; with options by `execute`, or for its handle by `start`. */
export interface OutgoingUpdateStub<Args extends readonly unknown[], Ret> {
  (...args: Args): Promise<Ret>;
  /** As `executeUpdate` of the handle. */
  execute(options: OutgoingUpdateOptions & ArgsOf<Args>): Promise<Ret>;
  /** As `startUpdate` of the handle. */
  start(
    options: OutgoingUpdateOptions & { waitForStage: 'ACCEPTED' } & ArgsOf<Args>,
  ): Promise<OutgoingUpdateHandle<Ret>>;
}

/**
 * The methods of a class, under the kinds that they were decorated as. (Temporal has signals only.)
 * @example
 * const order = getExternalWorkflowHandle(Order, 'order-1');
 * await order.signal.addItem('apples', 3);
 * const total = await order.query.total('EUR');
 * const receipt = await order.update.approve('ada');
 */
export interface OutgoingStubs<C extends WorkflowClass> {
  readonly signal: {
    readonly [K in SignalMethodOf<InstanceType<C>>]: (...args: ParametersOf<InstanceType<C>[K]>) => Promise<void>;
  };
  readonly query: QueryStubs<InstanceType<C>>;
  readonly update: {
    readonly [K in UpdateMethodOf<InstanceType<C>>]: OutgoingUpdateStub<
      ParametersOf<InstanceType<C>[K]>,
      ResultOf<InstanceType<C>[K]>
    >;
  };
}

export const OUTGOING: Sending<OutgoingHandle> = {
  send: {
    signal: (handle, name, args) => OutgoingHandle.prototype.signal.call(handle, name, ...args),
    query: (handle, name, args) => OutgoingHandle.prototype.query.call(handle, name, ...args),
    update: (handle, name, args) => handle.executeUpdate(name, { args }),
  },
  withOptions: {
    signal: () => ({}),
    query: () => ({}),
    update: (handle, name) => ({
      execute: (options: object) => handle.executeUpdate(name, options),
      start: (options: { waitForStage: 'ACCEPTED' }) => handle.startUpdate(name, options),
    }),
  },
};
