/**
 * The interpreter example: a program is data. It is run, looked at while it waits, and a wrong one is refused with its places.
 * Thread: main. In → out: nothing → a short story on the console.
 *
 * Run it with `npm run example -- dsl-interpreter`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime } from 'holdfast';
import { rootCause } from 'holdfast/workflow';
import * as activities from './activities.js';
import type { Program } from './program.js';
import { getUnderWay, getVariables, interpret, proceed, untilUnderWay } from './workflows.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-interpreter-'));
const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, activities, store, logger: 'error' });
const run = (workflowId: string, program: Program) =>
  runtime.client.workflow.start(interpret, { workflowId, args: [program] });

/** As it might come from a form, a file or a table. */
const weekly: Program = {
  body: {
    sequence: [
      { call: 'regions', into: 'regions' },
      {
        forEach: 'regions',
        as: 'region',
        do: {
          sequence: [
            { call: 'sales', with: [{ $: 'region' }], into: 'total' },
            { call: 'isLow', with: [{ $: 'total' }], into: 'low' },
            { when: 'low', do: { call: 'report', with: ['sales are low'] } },
          ],
        },
      },
      { parallel: [{ waitFor: 'signature' }, { wait: '50 ms' }] },
      { call: 'report', with: ['signed'], into: 'last' },
    ],
  },
  result: 'last',
};

console.log('A program');
const handle = await run('weekly', weekly);
const waiting = '{"waitFor":"signature"}';
await handle.executeUpdate(untilUnderWay, { args: [waiting] });
console.log(
  `  under way: ${(await handle.query(getUnderWay)).includes(waiting)}; variables: ${Object.keys(await handle.query(getVariables)).join(', ')}`,
);
await handle.signal(proceed, 'signature');
console.log(`  → ${await handle.result()}`);

console.log('What is no program');
const wrong: Program = { body: { sequence: [{ call: '' }, { wait: 'a while' }, {} as never] } };
await (await run('wrong', wrong)).result().catch((error: Error) => console.log(`  ${rootCause(error.cause)}`));

console.log('A program that calls what is not there');
const unknown: Program = { body: { call: 'fly', with: ['home'] } };
await (await run('unknown', unknown)).result().catch((error: Error) => console.log(`  ${rootCause(error.cause)}`));

await runtime.shutdown();
await rm(store, { recursive: true });
