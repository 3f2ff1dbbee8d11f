/**
 * Time skipping: every single thing that is under way keeps the clock where it is.
 * Thread: the test's. In → out: surroundings → where the clock is.
 */
import { expect, test } from 'vitest';
import { ManualClock } from '../clock.js';
import { TimeSkipping } from './time-skipping.js';
import { VirtualClock } from './virtual-clock.js';

function scene() {
  const state = {
    atRest: true,
    suspended: false,
    left: 0,
    attempts: new Set<number>(),
    awaited: true,
    host: true,
    clients: true,
  };
  const clock = new VirtualClock(0, new ManualClock());
  const rung: number[] = [];
  const woken: number[] = [];
  const asked: string[] = [];
  let onAsked: (who: string) => void = () => undefined;
  const answer = (who: 'host' | 'clients') =>
    new Promise<void>((resolve) => {
      asked.push(who);
      onAsked(who);
      if (state[who]) resolve();
    });
  const skipping = new TimeSkipping(clock, {
    atRest: () => state.atRest,
    anySuspended: () => state.suspended,
    attempts: () => state.attempts.size,
    isUnderWay: (attempt) => state.attempts.has(attempt),
    leftToClients: () => state.left,
    awaited: () => state.awaited,
    askHost: () => answer('host'),
    askClients: () => answer('clients'),
    wake: (id) => void woken.push(id),
  });
  const at = (time: number) => clock.after(time, () => rung.push(time));
  /** Promises only: a few turns of the event loop are more than enough. */
  const look = async () => {
    skipping.look();
    for (let i = 0; i < 3; i++) await new Promise(setImmediate);
  };
  const whenAsked = (act: (who: string) => void) => {
    onAsked = act;
  };
  return { state, clock, skipping, rung, woken, asked, at, look, whenAsked };
}

test('with an outcome awaited and nothing under way, everything that is due comes, one after the other', async () => {
  const { at, look, rung, clock } = scene();
  for (const time of [30, 10, 20]) at(time);
  await look();
  expect([rung, clock.now()]).toEqual([[10, 20, 30], 30]);
});

test.each([
  ['nobody awaits an outcome', { awaited: false }],
  ['a turn or a flush is under way', { atRest: false }],
  ['an activity is under way', { attempts: new Set([7]) }],
  ['the embedding thread has not answered', { host: false }],
  ['a client has not answered', { clients: false }],
  ['a run is suspended', { suspended: true }],
  ['a client is to complete an activity', { left: 1 }],
])('time stands while %s', async (_, state) => {
  const { state: now, at, look, rung, clock } = scene();
  Object.assign(now, state);
  at(10);
  await look();
  expect([rung, clock.now()]).toEqual([[], 0]);
});

test('the embedding thread is asked before the clients, and both again if anything happened meanwhile', async () => {
  const { at, look, skipping, rung, asked, whenAsked } = scene();
  at(10);
  let happened = false;
  whenAsked((who) => {
    if (who !== 'clients' || happened) return;
    happened = true;
    skipping.look();
    expect(rung).toEqual([]);
  });
  await look();
  expect(asked).toEqual(['host', 'clients', 'host', 'clients']);
  expect(rung).toEqual([10]);
});

test('an activity that starts while the clients are asked keeps the clock where it is', async () => {
  const { state, at, look, rung, whenAsked } = scene();
  at(10);
  whenAsked((who) => {
    if (who === 'clients') state.attempts.add(1);
  });
  await look();
  expect(rung).toEqual([]);
});

test('sleeps end in the order of their ends, each after what is due by then', async () => {
  const { state, at, look, skipping, rung, woken, clock } = scene();
  state.awaited = false;
  for (const time of [10, 20, 30]) at(time);
  skipping.sleep(1, 20, undefined);
  skipping.sleep(2, 15, undefined);
  await look();
  expect([rung, woken, clock.now()]).toEqual([[10, 20], [2, 1], 20]);
});

test.each([
  ['a run is suspended', { suspended: true }],
  ['a client is to complete an activity', { left: 1 }],
])('a sleep moves time also while %s', async (_, now) => {
  const { state, at, look, skipping, rung, woken } = scene();
  Object.assign(state, now);
  at(10);
  skipping.sleep(1, 20, undefined);
  await look();
  expect([rung, woken]).toEqual([[10], [1]]);
});

test('an activity that sleeps is not under way until its sleep is over; another is', async () => {
  const { state, at, look, skipping, rung, woken } = scene();
  state.attempts = new Set([1, 2]);
  for (const time of [10, 30]) at(time);
  skipping.sleep(1, 20, 1);
  await look();
  expect([rung, woken]).toEqual([[], []]);
  state.attempts.delete(2);
  await look();
  expect([rung, woken]).toEqual([[10], [1]]);
});
