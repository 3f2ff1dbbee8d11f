/**
 * The exactly-once example: its story, and what each id does.
 * Thread: the test's. In → out: messages sent again and again → what was applied.
 */
import { InvalidArgumentError, type Runtime, RuntimeClosedError, WorkflowUpdateFailedError } from 'holdfast';
import { createTestRuntime } from 'holdfast/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rejectionOf } from '../test-kit/rejection.test-kit.js';
import { tell } from '../test-kit/story.test-kit.js';
import { activitiesOf, Bank } from './activities.js';
import { insist } from './client.js';
import { account, deposit, getBalance, withdraw } from './workflows.js';

let runtime: Runtime;
let bank: Bank;
beforeEach(async () => {
  bank = new Bank();
  const workflows = new URL('./workflows.js', import.meta.url);
  runtime = await createTestRuntime({ workflows, activities: activitiesOf(bank) });
});
afterEach(() => runtime.shutdown());

const open = (balance: number, entriesPerRun = 1_000) =>
  runtime.client.workflow.start(account, { workflowId: 'account', args: [{ balance, entriesPerRun }] });

test('a signal without an id is applied as often as it is sent, one with an id once', async () => {
  const handle = await open(0);
  await handle.signal(deposit, 1);
  await handle.signal(deposit, 1);
  for (let times = 0; times < 3; times++) await handle.signalWithOptions(deposit, { args: [10], requestId: 'ten' });
  expect(await handle.query(getBalance)).toBe(12);
});

test('an update sent again gets the first outcome, in later runs too', async () => {
  const handle = await open(100, 1);
  expect(await handle.executeUpdate(withdraw, { args: [30], updateId: 'thirty' })).toBe(70);
  expect(await handle.executeUpdate(withdraw, { args: [20], updateId: 'twenty' })).toBe(50);
  expect(await handle.executeUpdate(withdraw, { args: [30], updateId: 'thirty' })).toBe(70);
  expect(await handle.query(getBalance)).toBe(50);
  expect(bank.calls).toBe(2);
});

test('a rejection is not remembered: the same update may succeed later', async () => {
  const handle = await open(0);
  const again = { args: [5], updateId: 'five' } as const;
  const error = await rejectionOf(handle.executeUpdate(withdraw, again));
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  expect(error.cause.message).toBe('there are only 0');
  await handle.signal(deposit, 5);
  expect(await handle.executeUpdate(withdraw, again)).toBe(0);
});

test('insisting asks again only while the outcome is open', async () => {
  const errors = [new RuntimeClosedError(), new InvalidArgumentError({ argument: 'x', reason: 'is wrong' })];
  const prepared: Error[] = [];
  const send = async () => {
    throw errors[prepared.length] ?? new Error('asked too often');
  };
  const insisted = insist(send, async (error) => {
    prepared.push(error);
  });
  await expect(insisted).rejects.toBe(errors[1]);
  expect(prepared).toEqual([errors[0]]);
});

test('its story', async () => {
  const { lines, ...ended } = await tell('exactly-once');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'Three deposits, each sent twice under its own id',
    'the balance is 60',
    'A withdrawal: the bank pays, and the runtime ends before the bank can say so',
    'RuntimeClosedError: nobody knows what came of it, so it is sent again to the next runtime',
    'withdrawn; 35 are left',
    'the bank was called 2 times, and has made 1 payment',
    'The account has continued as new, and everything is sent once more',
    'withdrawn; 35 are left',
    'the balance is 35, with 1 payment made',
    'in another run than at first: true',
  ]);
});
