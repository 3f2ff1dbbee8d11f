/**
 * The subscription example: its story, and a year in each way in which it may end.
 * Thread: the test's. In → out: messages on days of a virtual calendar → charges, mails, dates.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { WorkflowUpdateFailedError } from 'holdfast';
import { TestWorkflowEnvironment } from 'holdfast/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rejectionOf } from '../test-kit/rejection.test-kit.js';
import { tell } from '../test-kit/story.test-kit.js';
import { activitiesOf } from './activities.js';
import { monthsAfter } from './calendar.js';
import { cancel, nextBillingDate, type Plan, subscription, upgrade } from './workflows.js';

let env: TestWorkflowEnvironment;
let charges: string[];
let mails: string[];
let declinedOn: (day: string) => boolean;

beforeEach(async () => {
  charges = [];
  mails = [];
  declinedOn = () => false;
  env = await TestWorkflowEnvironment.createTimeSkipping({
    workflows: new URL('./workflows.js', import.meta.url),
    startTime: '2027-01-31T09:00:00Z',
    activities: activitiesOf({
      async charge(_, amount) {
        const day = new Date(await env.currentTimeMs()).toISOString().slice(0, 10);
        if (declinedOn(day)) throw new Error('declined');
        charges.push(`${day} ${amount}`);
      },
      async mail(_, text) {
        mails.push(text);
      },
    }),
  });
});
afterEach(() => env.teardown());

const start = (plan: Plan = 'basic') =>
  env.client.workflow.start(subscription, { workflowId: 's', args: [{ customer: 'Ada', plan }] });

test('a year is paid month by month, on the day on which it began', async () => {
  const handle = await start();
  expect(await handle.result()).toEqual({ why: 'the year is over', paid: 120 });
  expect(charges).toHaveLength(12);
  expect(charges.slice(0, 3)).toEqual(['2027-02-28 10', '2027-03-31 10', '2027-04-30 10']);
  expect(mails).toEqual(['a month for free', 'your subscription has ended: the year is over']);
});

test('the next billing date is known on every day', async () => {
  const handle = await start();
  expect(await handle.query(nextBillingDate)).toBe('2027-02-28T09:00:00.000Z');
  await env.sleep('30 days');
  expect(await handle.query(nextBillingDate)).toBe('2027-03-31T09:00:00.000Z');
  await handle.signal(cancel);
  await handle.result();
  expect(await handle.query(nextBillingDate)).toBeUndefined();
});

test('an upgrade counts from the next charge on, and is checked at the door', async () => {
  const handle = await start();
  await env.sleep('45 days');
  expect(await handle.executeUpdate(upgrade, { args: ['pro'] })).toBe('pro');
  const refused = await rejectionOf(handle.executeUpdate(upgrade, { args: ['basic'] }));
  expect(refused).toBeInstanceOf(WorkflowUpdateFailedError);
  expect(await handle.result()).toEqual({ why: 'the year is over', paid: 10 + 11 * 25 });
});

test('who cancels pays nothing more', async () => {
  const handle = await start();
  await env.sleep('29 days');
  await handle.signal(cancel);
  expect(await handle.result()).toEqual({ why: 'cancelled', paid: 10 });
});

test('a card that is declined is tried again every day', async () => {
  declinedOn = (day) => day >= '2027-03-31' && day <= '2027-04-03';
  const handle = await start();
  await env.sleep('80 days');
  expect(charges).toEqual(['2027-02-28 10', '2027-04-04 10']);
  expect(await handle.query(nextBillingDate)).toBe('2027-04-30T09:00:00.000Z');
});

test('and after a week the subscription ends', async () => {
  declinedOn = (day) => day >= '2027-03-31';
  const handle = await start();
  expect(await handle.result()).toEqual({ why: 'not paid', paid: 10 });
  expect(new Date(await env.currentTimeMs()).toISOString()).toBe('2027-04-06T09:00:00.000Z');
});

test('a month later is the same day, or the last of a shorter month', () => {
  const later = (date: string, months: number) => new Date(monthsAfter(Date.parse(date), months)).toISOString();
  expect(later('2027-01-31T09:00:00Z', 1)).toBe('2027-02-28T09:00:00.000Z');
  expect(later('2027-01-31T09:00:00Z', 2)).toBe('2027-03-31T09:00:00.000Z');
  expect(later('2027-12-15T00:00:00Z', 3)).toBe('2028-03-15T00:00:00.000Z');
  expect(later('2027-01-30T00:00:00Z', 13)).toBe('2028-02-29T00:00:00.000Z');
});

test('the same under node:test', async () => {
  const file = fileURLToPath(new URL('./under-node-test.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--test', file]);
  expect(stdout).toMatch(/pass 1/);
});

test('its story', async () => {
  const { lines, ...ended } = await tell('subscription');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines.filter((line) => !line.startsWith('20'))).toEqual([
    'Ada takes the bigger plan after some months',
    '→ next on 2027-05-31T09:00:00.000Z',
    '→ {"why":"the year is over","paid":255}',
    'Grace cancels within the first month',
    '→ {"why":"cancelled","paid":0}',
    'Mary’s card expires',
    '→ {"why":"not paid","paid":10}',
  ]);
  expect(lines).toContain('2027-05-11 to Ada: you have pro now, 25 a month');
});
