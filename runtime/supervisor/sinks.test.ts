/**
 * Sinks: what workflow code calls outside is called once its step is durable, in order, and not again in a replay.
 */
import { expect, test } from 'vitest';
import { MAX_SINK_CALLS } from '../../actors/sink-calls.js';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxySinks,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { decodePlain } from '../../mailbox/payload.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const { audit } = proxySinks<{ audit: { note(text: unknown): void; always(text: string): void } }>();
const say = defineSignal<[string]>('say');
const ask = defineQuery<string>('ask');
const change = defineUpdate<void>('change');
const stop = defineSignal('stop');

async function talker(): Promise<void> {
  let stopped = false;
  setHandler(say, (text) => audit.note(text));
  setHandler(ask, () => {
    audit.note('asked');
    return 'answer';
  });
  setHandler(change, () => undefined, { validator: () => audit.note('validated') });
  setHandler(stop, () => {
    stopped = true;
  });
  audit.note('began');
  audit.always('began');
  await condition(() => stopped);
  audit.note('ended');
}

/** What the embedding thread was told to call. */
function called(system: System): unknown[] {
  return system.toHost.flatMap((message) => {
    if (message.kind !== 'sinkCalls') return [];
    return message.calls.map(({ sink, fn, content }) => {
      const [info, , [text]] = decodePlain(content) as [{ workflowId: string }, unknown, unknown[]];
      return `${info.workflowId}: ${sink}.${fn} ${text}`;
    });
  });
}

async function talking(): Promise<System> {
  const system = await System.open({ workflows: { talker } });
  system.deployed.sinksInReplay = new Set(['audit.always']);
  await system.start('w', 'talker').value();
  await system.settle();
  return system;
}

test('calls are made in their order, those of queries and validators too', async () => {
  const system = await talking();
  for (const text of ['a', 'b', 'c']) system.signal('w', 'say', text);
  await system.query('w', 'ask').value();
  await system.update('w', 'change').value();
  await system.signal('w', 'stop').value();
  await system.settle();
  await system.query('w', 'ask').value();
  const texts = [
    'note began',
    'always began',
    'note a',
    'note b',
    'note c',
    'note asked',
    'note validated',
    'note ended',
  ];
  expect(called(system)).toEqual([...texts, 'always began', 'note asked'].map((text) => `w: audit.${text}`));
});

test('nothing is called before its step is durable, and nothing if the process dies before', async () => {
  const system = await System.open({ workflows: { talker } });
  system.store.flushes.shut();
  system.start('w', 'talker');
  await system.settle();
  expect(called(system)).toEqual([]);
  await system.crash('lost');
  expect(called(system)).toEqual([]);
  await system.start('w', 'talker').value();
  await system.settle();
  expect(called(system)).toEqual(['w: audit.note began', 'w: audit.always began']);
});

test('a replay calls only those that say so', async () => {
  const system = await talking();
  await system.evictAll();
  await system.signal('w', 'say', 'again').value();
  await system.settle();
  const live = ['w: audit.note began', 'w: audit.always began'];
  expect(called(system).filter((call) => String(call).startsWith('w:'))).toEqual([
    ...live,
    'w: audit.always began',
    'w: audit.note again',
  ]);
});

test('a step that fails calls nothing', async () => {
  let fails = true;
  const system = await System.open({
    workflows: {
      async w() {
        audit.note('about to fail');
        if (fails) throw new Error('broken');
        audit.note('did not');
      },
    },
  });
  await system.start('w', 'w').value();
  await system.settle();
  expect(called(system)).toEqual([]);
  fails = false;
  await system.pass(60_000);
  expect(called(system)).toEqual(['w: audit.note about to fail', 'w: audit.note did not']);
});

test('a step that closed too early calls what the step made instead of it calls', async () => {
  const system = await talking();
  system.workers.returns.shut();
  system.signal('w', 'stop');
  await system.settle();
  system.signal('w', 'say', 'still heard');
  await system.settle();
  system.workers.returns.open();
  await system.settle();
  expect(called(system).slice(2)).toEqual([
    // The run was rebuilt.
    'w: audit.always began',
    'w: audit.note still heard',
    'w: audit.note ended',
  ]);
});

test('a call that cannot be copied is logged and dropped, and so are those after the limit of a step', async () => {
  const system = await System.open({
    workflows: {
      async w() {
        audit.note(() => undefined);
        audit.note('fine');
        await sleep(1);
        for (let i = 0; i < MAX_SINK_CALLS + 5; i++) audit.note(i);
      },
    },
  });
  await system.start('w', 'w').value();
  await system.pass(1);
  await system.result('w').value();
  expect(called(system)).toHaveLength(1 + MAX_SINK_CALLS);
  const warned = system.lifecycle.flatMap((event) => (event.name === 'log' ? [event.message] : []));
  expect(warned).toEqual([
    expect.stringContaining('Sink function audit.note is not called'),
    expect.stringContaining('those after the first 1000 are dropped'),
  ]);
});
