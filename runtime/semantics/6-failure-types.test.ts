/**
 * Semantics, section 6: errors that are listed as failures.
 */
import { expect } from 'vitest';
import { condition, defineSignal, defineUpdate, setHandler, setWorkflowOptions } from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

class OutOfStock extends Error {}
class OutOfNails extends OutOfStock {}

const order = defineSignal('order');
const reserve = defineUpdate<void>('reserve');

for (const [who, classes, names] of [
  ['workflow', [OutOfStock], []],
  ['runtime', [], ['OutOfStock']],
] as const) {
  row('failures/listed-types', `when the ${who} lists it`, async () => {
    const fail = (): never => {
      throw new OutOfNails('none left', { cause: new RangeError('-1 nails') });
    };
    const main = async (at?: 'once') => {
      setHandler(order, fail);
      setHandler(reserve, fail);
      if (at === 'once') fail();
      await condition(() => false);
    };
    setWorkflowOptions({ failureExceptionTypes: [...classes] }, main);
    const system = await System.open({ workflows: { main } });
    system.deployed.failureTypeNames = names;
    await system.start('thrown by main', 'main', 'once').value();
    await system.start('w', 'main').value();
    const cause = { type: 'OutOfNails', message: 'none left', cause: { type: 'RangeError', message: '-1 nails' } };
    expect(await system.result('thrown by main').error()).toMatchObject({ fields: { status: 'FAILED' }, cause });
    expect(await system.update('w', 'reserve').error()).toMatchObject({ code: 'WORKFLOW_UPDATE_FAILED', cause });
    expect((await system.describe('w')).status).toBe('RUNNING');
    await system.signal('w', 'order').value();
    expect(await system.result('w').error()).toMatchObject({ fields: { status: 'FAILED' }, cause });
    await expectInvariants(system);
  });
}
