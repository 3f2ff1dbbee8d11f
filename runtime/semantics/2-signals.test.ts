/**
 * Semantics, section 2: signals, as their senders and their handlers see them.
 */
import { expect } from 'vitest';
import { condition, defineQuery, defineSignal, setHandler, sleep } from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { made, running } from '../test-kit/running.test-kit.js';
import { ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const add = defineSignal<[entry: string]>('add');
const entries = defineQuery<unknown[]>('entries');
const forEver = () => condition(() => false);

row('signals/acknowledged-once-durable', 'not while the flush with its event is under way', async () => {
  const system = await running(ledger);
  system.store.flushes.shut();
  const call = system.signal('w', 'add', 'a');
  await system.settle();
  expect(call.answered).toBe(false);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  system.store.flushes.open();
  expect(await call.value()).toBe('done');
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'WorkflowExecutionSignaled']);
  await expectInvariants(system);
});

row('signals/acknowledged-once-durable', 'though it is not handled yet', async () => {
  let handled = false;
  const system = await running(async () => {
    setHandler(add, () => {
      handled = true;
    });
    await forEver();
  });
  // The worker's last turn does not come back, so the next one cannot go out.
  system.workers.returns.shut();
  const before = system.query('w', 'entries');
  await system.settle();
  expect(await system.signal('w', 'add', 'a').value()).toBe('done');
  expect(handled).toBe(false);
  system.workers.returns.open();
  await before.error();
  expect(handled).toBe(true);
  await expectInvariants(system);
});

row('signals/closed-or-unknown', 'and nothing is written', async () => {
  const system = await running(ledger);
  await system.signal('w', 'finish').value();
  const history = system.types('w');
  expect(history.at(-1)).toBe('WorkflowExecutionCompleted');
  expect(await system.signal('w', 'add', 'late').error()).toMatchObject({
    code: 'WORKFLOW_NOT_FOUND',
    fields: { workflowId: 'w', closed: true },
  });
  expect(await system.signal('nobody', 'add', 'a').error()).toMatchObject({
    code: 'WORKFLOW_NOT_FOUND',
    fields: { workflowId: 'nobody' },
  });
  expect(system.types('w')).toEqual(history);
  expect(system.histories().size).toBe(1);
  await expectInvariants(system);
});

row('signals/return-value-ignored', 'whatever it is, also what could not be told to anybody', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    const values: Record<string, unknown> = { text: 'text', function: () => 1, promise: Promise.resolve(() => 1) };
    setHandler(add, (entry) => {
      seen.push(entry);
      return values[entry] as undefined;
    });
    await forEver();
  });
  for (const entry of ['text', 'function', 'promise']) {
    expect(await system.signal('w', 'add', entry).value()).toBe('done');
  }
  expect(await system.query('w', 'entries').value()).toEqual(['text', 'function', 'promise']);
  expect(made(system)).toEqual([]);
  await expectInvariants(system);
});

row('signals/async-handlers', 'several are in progress at once', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    setHandler(add, async (entry) => {
      seen.push(`${entry} begins`);
      await sleep(entry === 'slow' ? 2000 : 1000);
      seen.push(`${entry} ends`);
    });
    await forEver();
  });
  await system.signal('w', 'add', 'slow').value();
  await system.signal('w', 'add', 'fast').value();
  await system.evictAll();
  await system.pass(1000);
  await system.pass(1000);
  expect(await system.query('w', 'entries').value()).toEqual(['slow begins', 'fast begins', 'fast ends', 'slow ends']);
  await expectInvariants(system);
});

row('signals/request-id-once', 'at once, after a restart, and with other arguments', async () => {
  const system = await running(ledger);
  const calls = [system.signalOnce('r', 'w', 'add', 'a'), system.signalOnce('r', 'w', 'add', 'a')];
  for (const call of calls) expect(await call.value()).toBe('done');
  await system.crash();
  expect(await system.signalOnce('r', 'w', 'add', 'other').value()).toBe('done');
  expect(await system.signalOnce('s', 'w', 'add', 'b').value()).toBe('done');
  expect(await system.query('w', 'entries').value()).toEqual(['a', 'b']);
  await expectInvariants(system);
});

row('signals/request-id-once', 'also by another chain under the same workflow id', async () => {
  const system = await running(ledger);
  await system.signalOnce('r', 'w', 'add', 'a').value();
  await system.signal('w', 'finish').value();
  await system.start('w', 'main').value();
  await system.crash();
  expect(await system.signalOnce('r', 'w', 'add', 'a').value()).toBe('done');
  expect(await system.signalOnce('s', 'w', 'add', 'b').value()).toBe('done');
  expect(await system.query('w', 'entries').value()).toEqual(['b']);
  await expectInvariants(system);
});

row('signals/request-id-once', 'also once the run has closed', async () => {
  const system = await running(ledger);
  await system.signalOnce('r', 'w', 'add', 'a').value();
  await system.signal('w', 'finish').value();
  expect(await system.signalOnce('r', 'w', 'add', 'a').value()).toBe('done');
  expect(await system.signalOnce('s', 'w', 'add', 'b').error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
  expect(await system.result('w').value()).toEqual(['a']);
  await expectInvariants(system);
});
