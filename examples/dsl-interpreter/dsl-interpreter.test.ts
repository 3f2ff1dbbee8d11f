/**
 * The interpreter example: its story, and each kind of statement.
 * Thread: the test's. In → out: programs → their calls in order, results, failures.
 */
import { ApplicationFailure, type Runtime } from 'holdfast';
import { createTestRuntime } from 'holdfast/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rejectionOf } from '../test-kit/rejection.test-kit.js';
import { tell } from '../test-kit/story.test-kit.js';
import { type Program, problemsOf } from './program.js';
import { interpret, proceed } from './workflows.js';

let runtime: Runtime;
let calls: string[];
beforeEach(async () => {
  calls = [];
  const workflows = new URL('./workflows.js', import.meta.url);
  let open: (() => void) | undefined;
  const activities = {
    echo: async (value: unknown) => {
      calls.push(`echo ${value}`);
      return value;
    },
    /** Two calls meet: neither ends before both have begun. */
    meet: async (name: string) => {
      calls.push(`meet ${name}`);
      if (open === undefined) await new Promise<void>((resolve) => (open = resolve));
      else open();
      return name;
    },
  };
  runtime = await createTestRuntime({ workflows, activities });
});
afterEach(() => runtime.shutdown());

const run = (program: Program) => runtime.client.workflow.start(interpret, { workflowId: 'p', args: [program] });
const resultOf = async (program: Program) => (await run(program)).result();

test('a sequence passes values on by variables', async () => {
  const body = {
    sequence: [
      { call: 'echo', with: [1], into: 'one' },
      { call: 'echo', with: [{ $: 'one' }], into: 'same' },
    ],
  };
  expect(await resultOf({ body, result: 'same' })).toBe(1);
  expect(calls).toEqual(['echo 1', 'echo 1']);
});

test('what is parallel is under way at once', async () => {
  const body = {
    parallel: [
      { call: 'meet', with: ['a'] },
      { call: 'meet', with: ['b'] },
    ],
  };
  await resultOf({ body });
  expect(calls).toEqual(['meet a', 'meet b']);
});

test('a loop goes through a list, in order, as many at once as it says', async () => {
  const loop = (call: string, atOnce: number): Program => ({
    variables: { names: ['a', 'b'] },
    body: { forEach: 'names', as: 'name', atOnce, do: { call, with: [{ $: 'name' }], into: 'last' } },
    result: 'last',
  });
  expect(await resultOf(loop('echo', 1))).toBe('b');
  await resultOf(loop('meet', 2));
  expect(calls).toEqual(['echo a', 'echo b', 'meet a', 'meet b']);
});

test('a branch is taken by the truth of a variable', async () => {
  const branch = (low: boolean): Program => ({
    variables: { low },
    body: { when: 'low', do: { call: 'echo', with: ['yes'] }, otherwise: { call: 'echo', with: ['no'] } },
  });
  await resultOf(branch(true));
  await resultOf(branch(false));
  expect(calls).toEqual(['echo yes', 'echo no']);
});

test('what is waited for may come before', async () => {
  const handle = await run({
    body: { sequence: [{ wait: '1 ms' }, { waitFor: 'go' }, { call: 'echo', with: ['gone'] }] },
  });
  await handle.signal(proceed, 'go');
  await handle.result();
  expect(calls).toEqual(['echo gone']);
});

test('a variable that is not there fails the program, and says which', async () => {
  const error = await rejectionOf(resultOf({ body: { call: 'echo', with: [{ $: 'nothing' }] } }));
  expect(error.cause).toBeInstanceOf(ApplicationFailure);
  expect(error.cause.message).toBe("there is no variable 'nothing'");
});

test.each([
  [{ body: {} }, 'body: must have one of call, sequence, parallel, forEach, when, wait, waitFor'],
  [
    { body: { call: 'a', wait: '1 s' } },
    'body: must have one of call, sequence, parallel, forEach, when, wait, waitFor',
  ],
  [{ body: { sequence: 'a' } }, 'body.sequence: must be a list'],
  [{ body: { parallel: [{ call: 'a' }, { call: 1 }] } }, 'body.parallel[1].call: must be a text'],
  [{ body: { wait: 'soon' } }, "body.wait: must be a duration, such as '3 days'"],
  [{ body: { forEach: 'l', as: 'x', atOnce: 0, do: { call: 'a' } } }, 'body.atOnce: must be a whole number from 1'],
  [{ body: { when: 'x', do: { waitFor: '' } } }, 'body.do.waitFor: must be a text'],
])('%j is refused: %s', (program, problem) => {
  expect(problemsOf(program as never)).toEqual([problem]);
});

test('its story', async () => {
  const { lines, ...ended } = await tell('dsl-interpreter');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'A program',
    'sales of north: 200',
    'sales of south: 30',
    'report: sales are low',
    'sales of west: 0',
    'report: sales are low',
    'under way: true; variables: regions, total, low',
    'report: signed',
    '→ signed',
    'What is no program',
    "not a program: body.sequence[0].call: must be a text; body.sequence[1].wait: must be a duration, such as '3 days'; body.sequence[2]: must have one of call, sequence, parallel, forEach, when, wait, waitFor",
    'A program that calls what is not there',
    'Activity function fly is not registered on this Worker, available activities: ["isLow","regions","report","sales"]. ' +
      "Add it to the runtime's activities, or give the runtime a defaultActivity",
  ]);
});
