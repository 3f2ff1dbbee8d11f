/**
 * The tenants example: its story.
 * Thread: the test's. In → out: the example → what it prints.
 */
import { expect, test } from 'vitest';
import { tell } from '../test-kit/story.test-kit.js';

test('its story', async () => {
  const { lines, ...ended } = await tell('tenants');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'A request of acme',
    'activity for acme: booked anvils',
    'activity for acme: booked rockets',
    'workflow for acme: ordered 2',
    'activity for acme: booked shipment of 2',
    'answer: 2 on their way',
    'A request of globex',
    'activity for globex: booked globes',
    'workflow for globex: ordered 1',
    'activity for globex: booked shipment of 1',
    'answer: 1 on their way',
    'The ledger of acme: anvils, rockets, shipment of 2',
    'The ledger of globex: globes, shipment of 1',
    'Counted: order.items 3',
  ]);
});
