/**
 * What is said of a handler, a timer or a definition and cannot be meant is refused where it is said.
 * Thread: the test's.
 */
import { expect, test } from 'vitest';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setDefaultQueryHandler,
  setDefaultUpdateHandler,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

const signal = defineSignal('signal');
const query = defineQuery<number>('query');
const update = defineUpdate<number>('update');
/** As from JavaScript. */
const loosely = <T>(value: object): T => value as T;

test('options that a handler or a timer does not have are refused by name', async () => {
  const attempts: (() => unknown)[] = [
    () => setHandler(signal, () => {}, loosely({ validator: () => {} })),
    () => setHandler(query, () => 1, loosely({ unfinishedPolicy: 'ABANDON' })),
    () => setHandler(update, () => 1, loosely({ unfinishedPolcy: 'ABANDON' })),
    () => setDefaultQueryHandler(() => 1, loosely({ rawArg: true })),
    () => setDefaultUpdateHandler(() => 1, loosely({ validater: () => {} })),
    () => sleep(1, loosely({ eventGroups: [] })),
    () => condition(() => false, 1, loosely({ sumary: 'a' })),
  ];
  const workflows = {
    async mistaken() {
      setHandler(signal, () => {}, { description: 'd', unfinishedPolicy: 'ABANDON' });
      setHandler(query, () => 1, { description: 'd' });
      setHandler(update, () => 1, { description: 'd', unfinishedPolicy: 'ABANDON', validator: () => {} });
      return attempts.map((attempt) => {
        try {
          attempt();
          return 'done';
        } catch (error) {
          return `${(error as Error).name}: ${/'(\w+)'/.exec((error as Error).message)?.[1]}`;
        }
      });
    },
  };
  const system = await System.open({ workflows });
  await system.start('w', 'mistaken').value();
  expect(await system.result('w').value()).toEqual([
    'InvalidOptionError: validator',
    'InvalidOptionError: unfinishedPolicy',
    'InvalidOptionError: unfinishedPolcy',
    'InvalidOptionError: rawArg',
    'InvalidOptionError: validater',
    'InvalidOptionError: eventGroups',
    'InvalidOptionError: sumary',
  ]);
  await expectInvariants(system);
});
