/**
 * Semantics, section 19: class workflows. What their handles refuse to compile is in the tests of types.
 */
import { afterEach, expect } from 'vitest';
import * as workflow from '../../actors/workflow/index.js';
import { WithStartWorkflowOperation } from '../client/with-start.js';
import { type Connected, connect } from '../test-kit/connected.test-kit.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const { condition, defineQuery, defineSignal, getExternalWorkflowHandle, setHandler, startChild } = workflow;

@workflow.defn
class Cart {
  readonly items: string[] = [];
  closed = false;
  @workflow.run
  async run(owner: string): Promise<string> {
    this.items.push(`for ${owner}`);
    await condition(() => this.closed);
    return this.items.join();
  }
  @workflow.signal({ name: 'add-item' })
  add(item: string, count = 1): void {
    this.items.push(`${count} ${item}`);
  }
  @workflow.signal
  async close(): Promise<void> {
    this.closed = true;
  }
  @workflow.query
  content(): string[] {
    return this.items;
  }
  @workflow.update({ name: 'remove-item', validator: 'known' })
  remove(item: string): number {
    this.items.splice(this.items.indexOf(item), 1);
    return this.items.length;
  }
  known(item: string): void {
    if (!this.items.includes(item)) throw new Error(`there is no ${item}`);
  }
  helper(): void {}
}

let connected: Connected | undefined;
afterEach(() => connected?.close());

async function open() {
  const system = await System.open({ workflows: { Cart } });
  connected = connect(system);
  return { system, client: connected.client.workflow };
}

/** What `act` came to in a workflow beside the cart `c`, if it is started. */
async function asking(act: () => Promise<unknown>, start = true): Promise<System> {
  const main = async () => {
    let outcome: unknown;
    setHandler(defineQuery<unknown>('told'), () => outcome);
    try {
      outcome = await act();
    } catch (error) {
      const { name, message, cause } = error as Error;
      outcome = [name, message, (cause as Error | undefined)?.message];
    }
    await condition(() => false);
  };
  const system = await System.open({ workflows: { main, Cart } });
  if (start) await system.start('c', 'Cart', 'ada').value();
  await system.start('w', 'main').value();
  await system.settle();
  return system;
}
const toldBy = (system: System) => system.query('w', 'told').value();
/** For what the types refuse already. */
// biome-ignore lint/suspicious/noExplicitAny: so that misuse compiles
const untyped = (handle: unknown) => handle as any;

row('classes/handlers-first', 'for all that came with the start', async () => {
  const system = await asking(() =>
    getExternalWorkflowHandle('d').signalWithStart(Cart, { args: ['bo'], signal: 'add', signalArgs: ['pears', 2] }),
  );
  expect(await system.query('d', 'content').value()).toEqual(['2 pears', 'for bo']);
  await expectInvariants(system);
});

row('classes/stubs', 'for another workflow: signals, queries and updates, by the registered names', async () => {
  const system = await asking(async () => {
    const cart = getExternalWorkflowHandle(Cart, 'c');
    await cart.signal.add('apples');
    await cart.signal.add('pears', 3);
    const left = await cart.update.remove('1 apples');
    const again = await cart.update.remove.execute({ args: ['3 pears'], updateId: 'u' });
    const update = await cart.update.remove.start({ args: ['for ada'], waitForStage: 'ACCEPTED' });
    return [left, again, await update.result(), await cart.query.content()];
  });
  expect(await toldBy(system)).toEqual([2, 1, 0, []]);
  expect(system.history('c').filter(({ eventType }) => eventType === 'WorkflowExecutionSignaled')).toMatchObject([
    { signalName: 'add-item' },
    { signalName: 'add-item' },
  ]);
  await expectInvariants(system);
});

row('classes/stubs', 'for a child, beside what every handle has', async () => {
  const system = await asking(async () => {
    const cart = await startChild(Cart, { args: ['bo'], workflowId: 'child' });
    const { add } = cart.signal;
    await add('plums');
    await cart.signal(defineSignal<[string]>('add-item'), 'figs');
    const content = await cart.query.content();
    await cart.signal.close();
    return [content, await cart.result()];
  }, false);
  expect(await toldBy(system)).toEqual([['for bo', '1 plums', '1 figs'], 'for bo,1 plums,1 figs']);
  await expectInvariants(system);
});

row('classes/stubs', 'on a handle that is pinned to one run', async () => {
  const system = await asking(() => getExternalWorkflowHandle(Cart, 'c', 'no such run').signal.close());
  expect(await toldBy(system)).toMatchObject(['ApplicationFailure', expect.stringContaining('no such run'), undefined]);
});

row('classes/stubs', 'for a client, on every handle that comes of the class', async () => {
  const { system, client } = await open();
  const cart = await client.start(Cart, { workflowId: 'c', args: ['ada'] });
  await cart.signal.add('apples');
  const same = client.getHandle(Cart, 'c');
  await same.signal.add.send({ args: ['pears', 2], requestId: 'r' });
  expect(await same.update.remove('1 apples')).toBe(2);
  expect(await cart.query.content()).toEqual(['for ada', '2 pears']);
  await same.signal.close();
  expect(await same.result()).toBe('for ada,2 pears');
  await expectInvariants(system);
});

row('classes/wrong-kind', 'in a workflow too, with the names that there are', async () => {
  const system = await asking(async () => {
    const { signal, query, update } = untyped(getExternalWorkflowHandle(Cart, 'c'));
    const calls = [query.add, signal.remove, update.content, signal.known, update.helper, signal.ad, signal.run];
    const refused = await Promise.allSettled(calls.map((call) => call('x')));
    return refused.map((each) => [each.status, each.status === 'rejected' && each.reason.fields.reason]);
  });
  const names = 'It has signals: add, close; queries: content; updates: remove';
  expect(await toldBy(system)).toEqual(
    [
      'add is a signal of Cart: use handle.signal.add',
      'remove is an update of Cart: use handle.update.remove',
      'content is a query of Cart: use handle.query.content',
      `known is the validator of update remove, and no message. ${names}`,
      `helper is no signal, query or update of Cart: decorate it. ${names}`,
      `Cart has no method ad. ${names}`,
      'run is the run method of Cart: it is called by a start',
    ].map((reason) => ['rejected', reason]),
  );
  expect(system.types('c')).toEqual(['WorkflowExecutionStarted']);
});

row('classes/with-start', 'from a workflow, by the method or by a definition', async () => {
  const system = await asking(async () => {
    const cart = getExternalWorkflowHandle(Cart, 'c');
    await cart.signalWithStart(Cart, { args: ['bo'], signal: 'add', signalArgs: ['plums', 2] });
    const addItem = defineSignal<[item: string]>('add-item');
    await cart.signalWithStart(Cart, { args: ['bo'], signal: addItem, signalArgs: ['figs'] });
    const { signaledRunId } = await cart.signalWithStart(Cart, { args: ['bo'], signal: 'close' });
    return signaledRunId === undefined;
  });
  expect(await toldBy(system)).toBe(false);
  expect(await system.result('c').value()).toBe('for ada,2 plums,1 figs');
  await expectInvariants(system);
});

row('classes/with-start', 'signalled by a client, whose handle has the methods', async () => {
  const { system, client } = await open();
  const options = { workflowId: 'c', args: ['ada'] as [string] };
  const cart = await client.signalWithStart(Cart, { ...options, signal: 'add', signalArgs: ['apples', 2] });
  expect(await cart.query.content()).toEqual(['2 apples', 'for ada']);
  const addItem = defineSignal<[item: string]>('add-item');
  const same = await client.signalWithStart(Cart, { ...options, signal: addItem, signalArgs: ['pears'] });
  expect(same.signaledRunId).toBe(cart.signaledRunId);
  await same.signal.add('figs');
  expect(await cart.query.content()).toEqual(['2 apples', 'for ada', '1 pears', '1 figs']);
  await expectInvariants(system);
});

row('classes/with-start', 'updated by a client, whose handle has the methods', async () => {
  const { system, client } = await open();
  const start = { workflowId: 'c', args: ['ada'] as [string], workflowIdConflictPolicy: 'USE_EXISTING' } as const;
  const first = new WithStartWorkflowOperation(Cart, start);
  const rejected = client.executeUpdateWithStart('remove', { startWorkflowOperation: first, args: ['apples'] });
  await expect(rejected).rejects.toMatchObject({ cause: { message: 'there is no apples' } });
  const cart = await first.workflowHandle();
  await cart.signal.add('apples');
  const second = new WithStartWorkflowOperation(Cart, start);
  expect(await client.executeUpdateWithStart('remove', { startWorkflowOperation: second, args: ['1 apples'] })).toBe(1);
  const third = new WithStartWorkflowOperation(Cart, start);
  const update = await client.startUpdateWithStart('remove', {
    startWorkflowOperation: third,
    args: ['for ada'],
    waitForStage: 'ACCEPTED',
  });
  expect(await update.result()).toBe(0);
  expect(await (await third.workflowHandle()).query.content()).toEqual([]);
  await expectInvariants(system);
});

row(
  'classes/with-start',
  'by a client too: a method that is no such message is refused before anything starts',
  async () => {
    const { system, client } = await open();
    const start = { workflowId: 'c', args: ['ada'], workflowIdConflictPolicy: 'FAIL' } as const;
    const sent = untyped(client).signalWithStart(Cart, { workflowId: 'c', args: ['ada'], signal: 'known' });
    await expect(sent).rejects.toThrow('known is the validator of update remove, and no message');
    const startWorkflowOperation = new WithStartWorkflowOperation(Cart, untyped(start));
    const updated = client.executeUpdateWithStart('add', { startWorkflowOperation, args: ['apples'] });
    await expect(updated).rejects.toThrow('add is a signal of Cart: use handle.signal.add');
    expect(system.histories().size).toBe(0);
  },
);

row('classes/with-start', 'which refuses a method that is no such message', async () => {
  const system = await asking(async () => {
    const cart = untyped(getExternalWorkflowHandle(Cart, 'c'));
    const names = ['content', 'known', 'run', 'helper'];
    const calls = names.map((signal) => cart.signalWithStart(Cart, { args: ['bo'], signal }));
    return (await Promise.allSettled(calls)).map((each) => each.status === 'rejected' && each.reason.code);
  });
  expect(await toldBy(system)).toEqual(Array.from({ length: 4 }, () => 'INVALID_ARGUMENT'));
  expect(system.types('c')).toEqual(['WorkflowExecutionStarted']);
});

row('classes/decorators', 'alike', async () => {
  @workflow.defn()
  class With {
    seen = '';
    @workflow.run()
    async run(): Promise<string> {
      await condition(() => this.seen !== '');
      return this.seen;
    }
    @workflow.signal()
    see(what: string): void {
      this.seen = what;
    }
    @workflow.query()
    sight(): string {
      return this.seen;
    }
    @workflow.update()
    change(to: string): string {
      this.seen = to;
      return to;
    }
  }
  @workflow.defn
  class Without {
    seen = '';
    @workflow.run
    async run(): Promise<string> {
      await condition(() => this.seen !== '');
      return this.seen;
    }
    @workflow.signal
    see(what: string): void {
      this.seen = what;
    }
    @workflow.query
    sight(): string {
      return this.seen;
    }
    @workflow.update
    change(to: string): string {
      this.seen = to;
      return to;
    }
  }
  const system = await System.open({ workflows: { With, Without } });
  for (const type of ['With', 'Without']) {
    await system.start(type, type).value();
    await system.signal(type, 'see', '').value();
    expect(await system.query(type, 'sight').value()).toBe('');
    expect(await system.update(type, 'change', 'it').value()).toBe('it');
    expect(await system.result(type).value()).toBe('it');
  }
});

row('classes/validator', 'nor the run method of its class', () => {
  const define = (part: unknown) => () => {
    @workflow.defn
    class Both {
      @untyped(part)
      check(): Promise<void> {
        return Promise.resolve();
      }
      @untyped(workflow.update({ validator: 'check' }))
      change(): void {}
      @untyped(part === workflow.run ? () => undefined : workflow.run)
      async run(): Promise<void> {}
    }
    return Both;
  };
  for (const part of [workflow.run, workflow.signal, workflow.query, workflow.update] as const) {
    expect(define(part)).toThrow(
      expect.objectContaining({
        code: 'WORKFLOW_DEFINITION',
        fields: expect.objectContaining({
          className: 'Both',
          member: 'check',
          reason: expect.stringContaining('it is the validator of update change'),
        }),
      }),
    );
  }
});
