/**
 * The orders example: its story.
 * Thread: the test's. In → out: the built main.js → its lines.
 */
import { expect, test } from 'vitest';
import { tell } from '../test-kit/story.test-kit.js';

test('its story', async () => {
  const { lines, ...ended } = await tell('finding-orders');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'the second: ada, by pigeon',
    'of ada: order-2, order-1',
    'unpaid, due before May: order-3',
    'gifts under 50: order-1',
    'open: order-3, order-1',
    'by sum: order-2, order-3, order-1',
    'order-2: COMPLETED, {"channel":"shop","carrier":"pigeon"}, due no more',
    '3 orders: 2 Running, 1 Completed',
    "Invalid list filter: 'Total' is compared with a number",
    "Customer = 'ada' AND Total > 'much'",
    '^',
  ]);
});
