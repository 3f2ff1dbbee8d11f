/**
 * Semantics, section 1: what one step is, in which order things happen in it, and what waits.
 */
import { expect } from 'vitest';
import {
  ApplicationFailure,
  CancelledFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { InvalidArgumentError } from '../errors.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { made, running } from '../test-kit/running.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import { ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const add = defineSignal<[entry: string]>('add');
const other = defineSignal<[entry: string]>('other');
const go = defineSignal('go');
const entries = defineQuery<unknown[]>('entries');
const update = defineUpdate<string, [entry: string]>('update');
const forEver = () => condition(() => false);

row('steps/one-message-at-a-time', 'each message is worked through before the next begins', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    let begun = 0;
    let noticed = 0;
    setHandler(entries, () => seen);
    setHandler(add, async (entry) => {
      begun++;
      seen.push(`${entry} begins`);
      for (let i = 0; i < 50; i++) await null;
      seen.push(`${entry} ends`);
    });
    for (;;) {
      await condition(() => begun > noticed);
      noticed = begun;
      seen.push(`main saw ${noticed}`);
    }
  });
  system.workers.returns.shut();
  system.signal('w', 'add', 'first');
  await system.settle();
  // These two go out in one turn.
  system.signal('w', 'add', 'a');
  system.signal('w', 'add', 'b');
  await system.settle();
  system.workers.returns.open();
  expect(await system.query('w', 'entries').value()).toEqual(
    ['first', 'a', 'b'].flatMap((entry, index) => [`${entry} begins`, `main saw ${index + 1}`, `${entry} ends`]),
  );
  await expectInvariants(system);
});

row('steps/condition-at-once', 'one that is true needs no message and no round', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    let looks = 0;
    setHandler(entries, () => seen);
    await condition(() => ++looks > 0);
    seen.push(`after ${looks} look`);
    const waiting = condition(() => ++looks > 2);
    seen.push(`after ${looks} looks, at once`);
    await waiting;
    await forEver();
  });
  expect(await system.query('w', 'entries').value()).toEqual(['after 1 look', 'after 2 looks, at once']);
  await expectInvariants(system);
});

row('steps/conditions-in-creation-order', 'the oldest is asked first and goes on first', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    let open = false;
    setHandler(entries, () => seen);
    setHandler(go, () => {
      open = true;
    });
    const wait = async (name: string) => {
      await condition(() => {
        if (open) seen.push(`asked ${name}`);
        return open;
      });
      seen.push(`went on ${name}`);
    };
    await Promise.all(['c', 'a', 'b'].map(wait));
    await forEver();
  });
  await system.signal('w', 'go').value();
  expect(await system.query('w', 'entries').value()).toEqual([
    ...['asked c', 'asked a', 'asked b'],
    ...['went on c', 'went on a', 'went on b'],
  ]);
  await expectInvariants(system);
});

row('steps/conditions-before-continuations', 'what goes on first cannot make another one false again', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    let open = false;
    setHandler(entries, () => seen);
    setHandler(go, () => {
      open = true;
    });
    const wait = async (name: string) => {
      await condition(() => open);
      seen.push(`${name} found it ${open ? 'open' : 'closed'}`);
      open = false;
    };
    await Promise.all([wait('a'), wait('b')]);
    await forEver();
  });
  await system.signal('w', 'go').value();
  expect(await system.query('w', 'entries').value()).toEqual(['a found it open', 'b found it closed']);
  await expectInvariants(system);
});

row('steps/rounds-until-nothing-changes', 'a chain of conditions is walked to its end in one step', async () => {
  const system = await running(async () => {
    let reached = 0;
    setHandler(entries, () => [reached]);
    setHandler(go, () => {
      reached = 1;
    });
    const link = async (n: number) => {
      await condition(() => reached === n);
      reached = n + 1;
    };
    // The last link is made first, so that each needs a round of its own.
    await Promise.all(Array.from({ length: 20 }, (_, index) => link(20 - index)));
    await forEver();
  });
  await system.signal('w', 'go').value();
  expect(await system.query('w', 'entries').value()).toEqual([21]);
  await expectInvariants(system);
});

row(
  'steps/start-runs-main-first',
  'what is admitted right behind the start finds the handlers main has set',
  async () => {
    const system = await System.open({
      workflows: {
        main: async () => {
          const seen: string[] = [];
          setHandler(entries, () => seen);
          await null;
          await condition(() => true);
          seen.push('main is quiet');
          setHandler(update, (entry) => `handled ${entry} after ${seen.join()}`);
          await forEver();
        },
      },
    });
    system.start('w', 'main');
    const call = system.update('w', 'update', 'a');
    expect(await call.value()).toBe('handled a after main is quiet');
    await expectInvariants(system);
  },
);

const late = async () => {
  const seen: string[] = [];
  setHandler(entries, () => seen);
  await sleep(1000);
  seen.push('set');
  setHandler(add, (entry) => {
    seen.push(entry);
  });
  seen.push('returned');
  setHandler(other, (entry) => {
    seen.push(entry);
  });
  await forEver();
};

async function lateWithMail(): Promise<System> {
  const system = await running(late);
  for (const [name, entry] of [
    ['add', 'a'],
    ['other', 'b'],
    ['add', 'c'],
  ] as const) {
    await system.signal('w', name, entry).value();
  }
  return system;
}

row('steps/buffered-in-order', 'those of one name come in the order in which they were sent', async () => {
  const system = await lateWithMail();
  await system.pass(1000);
  const seen = (await system.query('w', 'entries').value()) as string[];
  expect(seen.filter((entry) => 'abc'.includes(entry))).toEqual(['a', 'c', 'b']);
  expect(seen.indexOf('a')).toBeLessThan(seen.indexOf('c'));
  await expectInvariants(system);
});

row('steps/set-handler-drains', 'they are handled when it returns, and only those of its name', async () => {
  const system = await lateWithMail();
  await system.pass(1000);
  const expected = ['set', 'a', 'c', 'returned', 'b'];
  expect(await system.query('w', 'entries').value()).toEqual(expected);
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(expected);
  await expectInvariants(system);
});

row('steps/set-handler-drains', 'a handler that sets another goes on once the rest is handled', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    setHandler(entries, () => seen);
    await sleep(1000);
    setHandler(add, (entry) => {
      seen.push(`${entry} begins`);
      setHandler(other, () => undefined);
      seen.push(`${entry} ends`);
    });
    await forEver();
  });
  for (const entry of ['a', 'b']) await system.signal('w', 'add', entry).value();
  await system.pass(1000);
  const expected = ['a begins', 'b begins', 'b ends', 'a ends'];
  expect(await system.query('w', 'entries').value()).toEqual(expected);
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(expected);
  await expectInvariants(system);
});

row(
  'steps/unhandled-signal-waits',
  'it is there for a handler that comes after an eviction and a restart',
  async () => {
    const system = await lateWithMail();
    await system.evictAll();
    await system.restart();
    expect(await system.query('w', 'entries').value()).toEqual([]);
    await system.pass(1000);
    expect(await system.query('w', 'entries').value()).toEqual(['set', 'a', 'c', 'returned', 'b']);
    await expectInvariants(system);
  },
);

row(
  'steps/unhandled-signal-waits',
  'a handler that was removed keeps its signals waiting for the next one',
  async () => {
    const system = await running(async () => {
      const seen: string[] = [];
      setHandler(entries, () => seen);
      const take = (entry: string) => {
        seen.push(entry);
      };
      setHandler(add, take);
      setHandler(go, () => setHandler(add, undefined));
      setHandler(other, (entry) => {
        seen.push(entry);
        setHandler(add, take);
      });
      await forEver();
    });
    await system.signal('w', 'add', 'a').value();
    await system.signal('w', 'go').value();
    await system.signal('w', 'add', 'b').value();
    expect(await system.query('w', 'entries').value()).toEqual(['a']);
    await system.signal('w', 'other', 'again').value();
    expect(await system.query('w', 'entries').value()).toEqual(['a', 'again', 'b']);
    await expectInvariants(system);
  },
);

row('steps/unhandled-update-rejected', 'by name, without an event', async () => {
  const system = await running(async () => {
    setHandler(update, () => 'handled');
    await forEver();
  });
  expect(await system.update('w', 'unheard of').error()).toMatchObject({
    code: 'WORKFLOW_UPDATE_FAILED',
    cause: { message: 'No registered handler for update: unheard of', type: 'Error', nonRetryable: true },
  });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  expect(await system.update('w', 'update', '').value()).toBe('handled');
  await expectInvariants(system);
});

row('steps/unhandled-query-fails', 'and its error lists the handlers that are set', async () => {
  const system = await running(async () => {
    setHandler(entries, () => []);
    setHandler(defineQuery<number>('total'), () => 0);
    await forEver();
  });
  const error = await system.query('w', 'unheard of').error();
  expect(error).toMatchObject({ code: 'QUERY_NOT_REGISTERED', fields: { registered: ['entries', 'total'] } });
  expect(error.message).toContain('Registered queries: [entries total]');
  await expectInvariants(system);
});

row('steps/reserved-names', 'for signals, queries and updates', () => {
  for (const prefix of ['__holdfast_', '__temporal_']) {
    const definers: ((name: string) => unknown)[] = [
      (name) => defineSignal(name),
      (name) => defineQuery(name),
      (name) => defineUpdate(name),
    ];
    for (const define of definers) {
      expect(() => define(`${prefix}name`)).toThrow(InvalidArgumentError);
      expect(() => define(`${prefix}name`)).toThrow('reserved');
      expect(() => define(`x${prefix}name`)).not.toThrow();
    }
  }
});

/** A ledger whose `finish` is computed and on its way back, not yet seen by the supervisor. */
async function closingLedger(): Promise<System> {
  const system = await running(ledger);
  system.workers.returns.shut();
  await system.signal('w', 'finish').value();
  return system;
}

row('steps/close-sees-acknowledged', 'one that came while the close was on its way is in the result', async () => {
  const system = await closingLedger();
  expect(await system.signal('w', 'add', 'late').value()).toBe('done');
  system.workers.returns.open();
  expect(await system.result('w').value()).toEqual(['late']);
  await expectInvariants(system);
});

const ends: [string, () => unknown][] = [
  ['a completion', () => 'over'],
  [
    'a failure',
    () => {
      throw ApplicationFailure.nonRetryable('over');
    },
  ],
  [
    'a cancellation',
    () => {
      throw new CancelledFailure('over');
    },
  ],
];

for (const [what, end] of ends) {
  row('steps/close-void', `${what} is forgotten with all that its step made`, async () => {
    let tries = 0;
    const system = await running(async () => {
      const seen: string[] = [];
      let late = false;
      setHandler(entries, () => seen);
      setHandler(add, () => {
        late = true;
      });
      await forEver().catch(() => undefined);
      tries++;
      return late ? 'was told' : end();
    });
    system.workers.returns.shut();
    await system.cancel('w').value();
    await system.signal('w', 'add', 'late').value();
    system.workers.returns.open();
    expect(await system.result('w').value()).toBe('was told');
    expect(tries).toBe(2);
    expect(made(system)).toEqual(['WorkflowExecutionCompleted']);
    await expectInvariants(system);
  });
}

row('steps/merged-order', 'signals and updates first, and main sees what they changed', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    let over = false;
    setHandler(entries, () => seen);
    setHandler(add, async (entry) => {
      seen.push(`signal ${entry}`);
      await null;
      seen.push(`then ${entry}`);
    });
    setHandler(update, (entry) => {
      seen.push(`update ${entry}`);
      return entry;
    });
    setHandler(go, () => {
      over = true;
    });
    void sleep(1000).then(() => seen.push('timer'));
    await condition(() => over);
    seen.push('main');
    return seen;
  });
  system.workers.returns.shut();
  await system.signal('w', 'go').value();
  await system.pass(1000);
  system.update('w', 'update', 'b');
  await system.signal('w', 'add', 'c').value();
  const query = system.query('w', 'entries');
  await system.settle();
  system.workers.returns.open();
  const result = (await system.result('w').value()) as string[];
  // The timer was admitted before the update and the signal; what awaits goes on in the order in which it was settled.
  expect(result).toEqual(['update b', 'signal c', 'then c', 'timer', 'main']);
  expect(await query.value()).toEqual(result);
  expect(system.history('w').flatMap(({ ran = [] }) => ran.filter((entry) => typeof entry !== 'number'))).toHaveLength(
    1,
  );
  await expectInvariants(system);
});

row('steps/held-until-decided', 'nobody is told anything before, then each what the decision makes of it', async () => {
  const system = await closingLedger();
  await system.signal('w', 'add', 'late').value();
  system.workers.returns.letThrough();
  await system.settle();
  const held = [system.signal('w', 'add', 'too late'), system.update('w', 'append', 'too late'), system.cancel('w')];
  await system.settle();
  expect(held.map(({ answered }) => answered)).toEqual([false, false, false]);
  expect(system.types('w').filter((type) => type === 'WorkflowExecutionSignaled')).toHaveLength(2);
  system.workers.returns.open();
  expect(await system.result('w').value()).toEqual(['late']);
  for (const call of held) expect(await call.error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
  await expectInvariants(system);
});

row('steps/terminate-exempt', 'signals that wait are not stepped first', async () => {
  const system = await running(ledger);
  system.workers.returns.shut();
  await system.signal('w', 'add', 'a').value();
  await system.signal('w', 'add', 'b').value();
  expect(await system.terminate('w', 'enough').value()).toBe('done');
  expect(system.types('w').at(-1)).toBe('WorkflowExecutionTerminated');
  system.workers.returns.open();
  expect(await system.result('w').error()).toMatchObject({ code: 'WORKFLOW_FAILED', cause: { message: 'enough' } });
  await expectInvariants(system);
});

row('steps/nothing-after-close', 'an update behind the close in the same turn never runs, a query does', async () => {
  let ran = 0;
  const system = await running(async () => {
    let over = false;
    setHandler(entries, () => [ran]);
    setHandler(go, () => {
      over = true;
    });
    setHandler(update, () => {
      ran++;
      return 'ran';
    });
    await condition(() => over);
  });
  // One turn for the three of them.
  system.signal('w', 'go');
  const updated = system.update('w', 'update', 'a');
  const asked = system.query('w', 'entries');
  expect(await updated.error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
  expect(await asked.value()).toEqual([0]);
  expect(ran).toBe(0);
  await expectInvariants(system);
});
