/**
 * Overload is refused at the door, never dropped inside: bounded mailboxes, updates, requests and histories.
 */
import { expect, test } from 'vitest';
import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import type { Limits } from './config.js';

routeRejections();

const EXHAUSTED = { code: 'RESOURCE_EXHAUSTED' };
const { charge } = proxyActivities<{ charge(): Promise<string> }>({ startToCloseTimeout: 60_000 });

const workflows = {
  async busy() {
    const log: string[] = [];
    let open = false;
    setHandler(defineQuery<string[]>('entries'), () => log);
    setHandler(defineSignal<[string]>('add'), (entry) => {
      log.push(entry);
    });
    setHandler(defineSignal('open'), () => {
      open = true;
    });
    setHandler(defineUpdate<string, [string]>('hold'), async (entry) => {
      await condition(() => open);
      log.push(entry);
      return entry;
    });
    void (async () => {
      await sleep(1000);
      log.push('rang');
    })();
    void (async () => {
      log.push(await charge());
    })();
    await condition(() => log.includes('end'));
    return log;
  },
};

async function busy(limits: Partial<Limits>): Promise<System> {
  const system = await System.open({ workflows, limits });
  await system.start('w', 'busy').value();
  await system.settle();
  return system;
}

test('a full mailbox refuses signals, updates and queries; what was refused never happens', async () => {
  const system = await busy({ mailboxMessages: 3 });
  system.workers.returns.shut();
  const admitted = ['a', 'b', 'c'].map((entry) => system.signal('w', 'add', entry));
  const refused = [
    system.signal('w', 'add', 'd'),
    system.signalOnce('r', 'w', 'add', 'd'),
    system.update('w', 'hold', 'd'),
    system.query('w', 'entries'),
  ];
  await system.settle();
  for (const call of admitted) expect(await call.value()).toBe('done');
  for (const call of refused) {
    expect(await call.error()).toMatchObject({
      ...EXHAUSTED,
      fields: { resource: 'the mailbox', limit: 3, workflowId: 'w' },
    });
  }
  const history = system.types('w');
  expect(history.filter((type) => type === 'WorkflowExecutionSignaled')).toHaveLength(3);
  system.workers.returns.open();
  await system.settle();
  expect(await system.query('w', 'entries').value()).toEqual(['a', 'b', 'c']);
  // There is room again, also for what was refused by the same id.
  expect(await system.signalOnce('r', 'w', 'add', 'd').value()).toBe('done');
  expect(await system.query('w', 'entries').value()).toEqual(['a', 'b', 'c', 'd']);
  await expectInvariants(system);
});

test('a full mailbox still takes timers and the results of activities', async () => {
  const system = await busy({ mailboxMessages: 2 });
  system.workers.returns.shut();
  await system.signal('w', 'add', 'a').value();
  await system.signal('w', 'add', 'b').value();
  expect(await system.signal('w', 'add', 'c').error()).toMatchObject(EXHAUSTED);
  await system.pass(1000);
  system.activityReturns(system.attempts[0]!, 'paid');
  await system.settle();
  expect((await system.describe('w')).waitingMessages).toBe(4);
  system.workers.returns.open();
  await system.settle();
  expect(await system.query('w', 'entries').value()).toEqual(['a', 'b', 'rang', 'paid']);
  await expectInvariants(system);
});

test('one full mailbox is no other run’s concern, and termination needs no room', async () => {
  const system = await busy({ mailboxMessages: 1 });
  await system.start('v', 'busy').value();
  system.workers.returns.shut();
  await system.signal('w', 'add', 'a').value();
  expect(await system.signal('w', 'add', 'b').error()).toMatchObject(EXHAUSTED);
  expect(await system.signal('v', 'add', 'a').value()).toBe('done');
  expect(await system.terminate('w').value()).toBe('done');
  system.workers.returns.open();
  await expectInvariants(system);
});

test('so many updates may be unfinished; one more is refused until one has ended, also after a restart', async () => {
  const system = await busy({ updatesInFlight: 2 });
  const held = [system.update('w', 'hold', 'a'), system.update('w', 'hold', 'b')];
  await system.settle();
  const refusal = { ...EXHAUSTED, fields: { limit: 2, workflowId: 'w' } };
  expect(await system.update('w', 'hold', 'c').error()).toMatchObject(refusal);
  await system.evictAll();
  expect(await system.update('w', 'hold', 'c').error()).toMatchObject(refusal);
  expect(held.map(({ answered }) => answered)).toEqual([false, false]);
  await system.crash();
  expect(await system.update('w', 'hold', 'c').error()).toMatchObject(refusal);
  await system.signal('w', 'open').value();
  expect(await system.update('w', 'hold', 'c').value()).toBe('c');
  expect(await system.update('w', 'hold', 'd').value()).toBe('d');
  expect(await system.query('w', 'entries').value()).toEqual(['a', 'b', 'c', 'd']);
  await expectInvariants(system);
});

test('rejected updates take no place among the unfinished ones', async () => {
  const system = await busy({ updatesInFlight: 1 });
  for (let i = 0; i < 5; i++) {
    expect(await system.update('w', 'unheard of').error()).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED' });
  }
  await system.signal('w', 'open').value();
  expect(await system.update('w', 'hold', 'a').value()).toBe('a');
  await expectInvariants(system);
});

test('past the window of requests in flight a request is refused at once, whatever it waits for', async () => {
  const system = await busy({ requestsInFlight: 3 });
  system.store.flushes.shut();
  const admitted = [system.signal('w', 'add', 'a'), system.query('w', 'entries'), system.start('v', 'busy')];
  const refused = [
    system.signal('w', 'add', 'b'),
    system.start('u', 'busy'),
    system.query('w', 'entries'),
    system.terminate('w'),
  ];
  for (const call of refused) {
    expect(call.reply).toMatchObject({
      kind: 'error',
      error: { name: 'ResourceExhaustedError', fields: { limit: 3 } },
    });
  }
  await system.settle();
  expect(admitted.map(({ answered }) => answered)).toEqual([false, false, false]);
  system.store.flushes.open();
  await system.settle();
  expect(admitted.map(({ answered }) => answered)).toEqual([true, true, true]);
  expect(await system.query('w', 'entries').value()).toEqual(['a']);
  expect(system.histories().size).toBe(2);
  await expectInvariants(system);
});

test('waiting for a result or for an accepted update takes no place in the window', async () => {
  const system = await busy({ requestsInFlight: 2 });
  const results = Array.from({ length: 10 }, () => system.result('w'));
  const updates: ReturnType<System['update']>[] = [];
  for (let i = 0; i < 5; i++) {
    updates.push(system.updateWith({ workflowId: 'w', name: 'hold', updateId: `u${i}` }, `u${i}`));
    await system.settle();
    updates.push(system.pollUpdate('w', `u${i}`));
    updates.push(system.updateWith({ workflowId: 'w', name: 'hold', updateId: `u${i}` }, `u${i}`));
    await system.settle();
  }
  expect(system.supervisor.core.requestsInFlight).toBe(0);
  expect(await system.signal('w', 'open').value()).toBe('done');
  for (const update of updates) expect(await update.value()).toMatch(/^u\d$/);
  expect(await system.signal('w', 'add', 'end').value()).toBe('done');
  for (const result of results) expect(await result.value()).toContain('end');
  expect(system.supervisor.core.requestsInFlight).toBe(0);
  await expectInvariants(system);
});

test('every kind of answer gives its place in the window back', async () => {
  const system = await busy({ requestsInFlight: 1 });
  const calls: [() => ReturnType<System['update']>, string][] = [
    [() => system.query('w', 'entries'), 'queryResult'],
    [() => system.query('w', 'unheard of'), 'error'],
    [() => system.query('unheard of', 'entries'), 'error'],
    [() => system.update('w', 'unheard of'), 'error'],
    [() => system.signal('unheard of', 'add'), 'error'],
    [() => system.start('w', 'busy'), 'error'],
    [() => system.start('x', 'unheard of'), 'error'],
    [() => system.cancel('unheard of'), 'error'],
    [() => system.request({ kind: 'fetchHistory', workflowId: 'w' }), 'history'],
    [() => system.signal('w', 'add', 'end'), 'done'],
    [() => system.signal('w', 'add', 'after'), 'error'],
    [() => system.query('w', 'entries'), 'queryResult'],
    [() => system.terminate('w'), 'error'],
  ];
  for (const [call, kind] of calls) {
    const made = call();
    await system.settle();
    expect(made.reply?.kind).toBe(kind);
    expect(made.reply).not.toMatchObject({ error: { name: 'ResourceExhaustedError' } });
    expect(system.supervisor.core.requestsInFlight).toBe(0);
  }
  await expectInvariants(system);
});

test('a history that is full takes no more messages of clients, but ends what it began', async () => {
  const system = await busy({ historyEvents: 6 });
  expect(system.types('w')).toHaveLength(3);
  for (const entry of ['a', 'b', 'c']) expect(await system.signal('w', 'add', entry).value()).toBe('done');
  const full = { ...EXHAUSTED, fields: { resource: 'the history (events)', limit: 6 } };
  expect(await system.signal('w', 'add', 'end').error()).toMatchObject(full);
  expect(await system.update('w', 'hold', 'd').error()).toMatchObject(full);
  await system.pass(1000);
  system.activityReturns(system.attempts[0]!, 'end');
  await system.settle();
  expect(await system.result('w').value()).toEqual(['a', 'b', 'c', 'rang', 'end']);
  await expectInvariants(system);
});

test('a history that is full by its bytes takes no more messages of clients', async () => {
  const system = await busy({ historyBytes: 5000 });
  for (let i = 0; i < 5; i++) await system.signal('w', 'add', 'x'.repeat(1000)).value();
  expect(await system.signal('w', 'add', 'end').error()).toMatchObject({
    ...EXHAUSTED,
    fields: { resource: 'the history (bytes)', limit: 5000 },
  });
  expect(await system.terminate('w').value()).toBe('done');
  await expectInvariants(system);
});

test('a history that has become large is told of once, well before it is full', async () => {
  const system = await busy({ historyEvents: 50 });
  const told = () => system.lifecycle.filter(({ name }) => name === 'historyLarge');
  for (let i = 0; i < 14; i++) await system.signal('w', 'add', `${i}`).value();
  expect(told()).toEqual([]);
  for (let i = 14; i < 30; i++) await system.signal('w', 'add', `${i}`).value();
  expect(told()).toMatchObject([{ workflowId: 'w', events: 20 }]);
  await expectInvariants(system);
});

test('a run that continues as new when that is suggested is never told of as large', async () => {
  async function heeding(sum = 0): Promise<never> {
    setHandler(defineSignal<[string]>('add'), () => {
      sum++;
    });
    await condition(() => workflowInfo().continueAsNewSuggested);
    return continueAsNew<typeof heeding>(sum);
  }
  const system = await System.open({ workflows: { heeding }, limits: { historyEvents: 50 } });
  await system.start('w', 'heeding').value();
  for (let i = 0; i < 60; i++) await system.signal('w', 'add', `${i}`).value();
  expect(system.histories().size).toBeGreaterThan(3);
  expect(system.lifecycle.filter(({ name }) => name === 'historyLarge')).toEqual([]);
  await expectInvariants(system);
});
