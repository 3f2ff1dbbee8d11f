/**
 * Handles of class workflows: each method sends what it was decorated as, and says so if it is called as something else.
 * Thread: the test's.
 */
import { inspect } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import * as workflow from '../../actors/workflow/index.js';
import { decodePayloads, encodePayload } from '../../mailbox/payload.js';
import { FakeSupervisor } from './fixtures/fake-supervisor.js';
import type { Request } from './protocol.js';

class Base {
  @workflow.signal()
  inherited(): void {}
}

@workflow.defn({ name: 'greeting' })
class Greeting extends Base {
  greetings = { en: 'Hello' };
  @workflow.run
  async run(name: string): Promise<string> {
    return name;
  }
  @workflow.signal()
  approve(_input: { name: string }): void {}
  @workflow.signal({ name: 'learn-language' })
  learn(_language: string, _text?: string): void {}
  @workflow.signal({ dynamic: true })
  anything(_name: string, _args: workflow.RawValue[]): void {}
  @workflow.query()
  languages(_input: { supportedOnly: boolean }): string[] {
    return Object.keys(this.greetings);
  }
  @workflow.update({ validator: 'validateLanguage' })
  async setLanguage(language: string): Promise<string> {
    return language;
  }
  validateLanguage(_language: string): void {}
  toText(): string {
    return 'greeting';
  }
}

/** For what the types refuse already. */
// biome-ignore lint/suspicious/noExplicitAny: so that misuse compiles
const untyped = (handle: unknown) => handle as any;

let supervisor: FakeSupervisor;
let requests: Request[];
afterEach(() => supervisor.client.close());

function supervise() {
  requests = [];
  supervisor = new FakeSupervisor(
    (request) => {
      requests.push(request);
      const result = encodePayload('result');
      switch (request.kind) {
        case 'start':
          return request.awaitResult === true
            ? { kind: 'closed', runId: 'run-1', result }
            : { kind: 'started', runId: 'run-1', started: true };
        case 'query':
          return { kind: 'queryResult', result };
        case 'update':
          return { kind: 'updateCompleted', runId: 'run-1', result };
        default:
          return { kind: 'done' };
      }
    },
    {},
    100,
  );
  return supervisor.client.workflow;
}

const sent = () =>
  requests.map((request) => {
    const { kind, name, input } = request as Extract<Request, { kind: 'signal' }>;
    return [kind, name, ...decodePayloads(input)];
  });

test('a class is started under its type, with the arguments of its run method', async () => {
  const client = supervise();
  const handle = await client.start(Greeting, { workflowId: 'w', args: ['Ada'] });
  expect(handle.firstExecutionRunId).toBe('run-1');
  expect(await client.execute(Greeting, { workflowId: 'w', args: ['Bo'] })).toBe('result');
  expect(requests).toMatchObject([
    { kind: 'start', workflowType: 'greeting', workflowId: 'w' },
    { kind: 'start', workflowType: 'greeting', workflowId: 'w', awaitResult: true },
  ]);
});

test('handler methods send their messages by their registered names', async () => {
  const handle = supervise().getHandle(Greeting, 'w', 'run-2');
  await handle.signal.approve({ name: 'Ada' });
  await handle.signal.learn('fr', 'Bonjour');
  await handle.signal.inherited();
  expect(await handle.query.languages({ supportedOnly: true })).toBe('result');
  expect(await handle.update.setLanguage('fr')).toBe('result');
  expect(sent()).toEqual([
    ['signal', 'approve', { name: 'Ada' }],
    ['signal', 'learn-language', 'fr', 'Bonjour'],
    ['signal', 'inherited'],
    ['query', 'languages', { supportedOnly: true }],
    ['update', 'setLanguage', 'fr'],
  ]);
  expect(requests.every((request) => 'runId' in request && request.runId === 'run-2')).toBe(true);
});

test('what every handle has stays usable beside the methods', async () => {
  const handle = await supervise().start(Greeting, { workflowId: 'w', args: ['Ada'] });
  requests = [];
  await handle.signal(workflow.defineSignal<[string]>('note'), 'text');
  await handle.signal('anything else', 1, 2);
  await handle.signalWithOptions('approve', { args: ['x'], requestId: 'r' });
  expect(await handle.query('languages')).toBe('result');
  expect(await handle.executeUpdate('setLanguage', { args: ['fr'], updateId: 'u' })).toBe('result');
  await handle.signal.call(handle, 'called');
  expect(sent()).toEqual([
    ['signal', 'note', 'text'],
    ['signal', 'anything else', 1, 2],
    ['signal', 'approve', 'x'],
    ['query', 'languages'],
    ['update', 'setLanguage', 'fr'],
    ['signal', 'called'],
  ]);
});

test('a method can be passed on without its handle, and each handle has its own', async () => {
  const client = supervise();
  const one = client.getHandle(Greeting, 'one');
  const other = client.getHandle(Greeting, 'other');
  const { approve } = one.signal;
  await approve({ name: 'a' });
  await other.signal.approve({ name: 'b' });
  await one.signal.learn('fr');
  expect(requests.map((request) => 'workflowId' in request && request.workflowId)).toEqual(['one', 'other', 'one']);
  expect(Object.getPrototypeOf(one)).toBe(Object.getPrototypeOf(other));
  expect(one.signal).toBe(one.signal);
});

test('a method called as what it is not says what it is', async () => {
  const handle = untyped(supervise().getHandle(Greeting, 'w'));
  const names = 'It has signals: inherited, approve, learn; queries: languages; updates: setLanguage';
  const refused = [
    [handle.query.approve, 'approve is a signal of Greeting: use handle.signal.approve'],
    [handle.signal.setLanguage, 'setLanguage is an update of Greeting: use handle.update.setLanguage'],
    [handle.update.languages, 'languages is a query of Greeting: use handle.query.languages'],
    [
      handle.update.validateLanguage,
      `validateLanguage is the validator of update setLanguage, and no message. ${names}`,
    ],
    [handle.query.toText, `toText is no signal, query or update of Greeting: decorate it. ${names}`],
    [handle.signal.anything, 'use handle.signal(name, …)'],
    [handle.signal.run, 'run is the run method of Greeting'],
  ];
  for (const [call, message] of refused) {
    await expect(call()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) });
  }
  expect(requests).toEqual([]);
});

test('a name that no method has says which there are, and where other names go', async () => {
  const handle = untyped(supervise().getHandle(Greeting, 'w'));
  const message = expect.stringContaining('Greeting has no method aprove. It has signals: inherited, approve, learn;');
  const error = { code: 'INVALID_ARGUMENT', message };
  await expect(handle.signal.aprove()).rejects.toMatchObject(error);
  await expect(handle.query.aprove()).rejects.toMatchObject(error);
  await expect(handle.update.aprove.execute({ args: [] })).rejects.toMatchObject(error);
  await expect(handle.signal.aprove()).rejects.toThrow('Other signal names go through handle.signal(name, …)');
  expect(requests).toEqual([]);
});

test('stubs can be printed, compared and looked into like other functions', () => {
  const handle = supervise().getHandle(Greeting, 'w');
  for (const stubs of [handle.signal, handle.query, handle.update]) {
    expect(stubs).toEqual(stubs);
    expect(inspect(stubs)).toBeTypeOf('string');
    expect(JSON.stringify({ stubs })).not.toContain('aprove');
    expect('approve' in stubs).toBe(true);
    expect('aprove' in stubs).toBe(false);
  }
});

test('a handle is not taken for a promise, and neither are its methods', async () => {
  const handle = supervise().getHandle(Greeting, 'w');
  expect(await Promise.resolve(handle.signal)).toBe(handle.signal);
  expect(await Promise.resolve(handle.update)).toBe(handle.update);
  expect(Object.keys(handle)).not.toContain('signal');
});

test('a class without @workflow.defn() is refused where it is used', async () => {
  const client = supervise();
  const error = { code: 'INVALID_ARGUMENT', message: expect.stringContaining('class Base is no workflow') };
  await expect(client.start(Base, { workflowId: 'w' })).rejects.toMatchObject(error);
  expect(() => client.getHandle(Base, 'w')).toThrow(expect.objectContaining(error));
});

test('signals and updates with options go through their stubs too', async () => {
  const handle = await supervise().start(Greeting, { workflowId: 'w', args: ['Ada'] });
  requests.length = 0;
  await handle.signal.learn.send({ args: ['fr', 'Salut'], requestId: 'r' });
  expect(await handle.update.setLanguage.execute({ args: ['fr'], updateId: 'u' })).toBe('result');
  const update = await handle.update.setLanguage.start({ args: ['de'], waitForStage: 'COMPLETED' });
  expect(await update.result()).toBe('result');
  expect(requests).toMatchObject([
    { kind: 'signal', name: 'learn-language', requestId: 'r' },
    { kind: 'update', name: 'setLanguage', updateId: 'u', stage: 'COMPLETED' },
    { kind: 'update', name: 'setLanguage', stage: 'COMPLETED' },
  ]);
  const { signal, update: updates } = untyped(handle);
  await expect(updates.approve.start({ args: [], waitForStage: 'ACCEPTED' })).rejects.toThrow('approve is a signal');
  await expect(signal.setLanguage.send({ args: ['fr'] })).rejects.toThrow('setLanguage is an update');
});
