/**
 * Attributes as a store tells of them: in the order in which runs are found, some of it twice, and some that was no longer so.
 * Thread: the test's.
 */
import { expect, test } from 'vitest';
import { Run } from '../runs/run.js';
import { FoundAttributes } from './found-attributes.js';

const found = (attributes: FoundAttributes, id: string, before?: Run): Run => {
  const run = new Run(id, `run-${id}`, 0);
  attributes.add(run, before);
  return run;
};

test('rows are given in the order of the runs, whatever the order in which they are found', () => {
  for (const order of [
    [0, 1, 2],
    [2, 0, 1],
  ]) {
    const attributes = new FoundAttributes();
    const runs = ['a', 'b', 'c'].map((id) => found(attributes, id));
    attributes.update(runs[0]!, [['Stage', 'KEYWORD', 'a']]);
    attributes.update(runs[2]!, [['Stage', 'KEYWORD', 'c']]);
    attributes.update(runs[2]!, [['Amount', 'INT', 3]]);
    const columns = attributes.inOrder(order.map((at) => runs[at]!));
    expect(columns.of(order.indexOf(0))).toEqual([['Stage', 'KEYWORD', 'a']]);
    expect(columns.of(order.indexOf(1))).toBeUndefined();
    expect(columns.of(order.indexOf(2)), 'by name').toEqual([
      ['Amount', 'INT', 3],
      ['Stage', 'KEYWORD', 'c'],
    ]);
  }
});

test('a newer entry of a run takes the place of the older one', () => {
  const attributes = new FoundAttributes();
  const older = found(attributes, 'a');
  attributes.update(older, [['Stage', 'KEYWORD', 'old']]);
  const newer = found(attributes, 'a', older);
  attributes.update(newer, [['Amount', 'INT', 1]]);
  const columns = attributes.inOrder([newer]);
  expect(columns.of(0)).toEqual([['Amount', 'INT', 1]]);
  expect(columns.names).toEqual(['Amount']);
});

test('a name may have had another type than another run gives it now', () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const attributes = new FoundAttributes();
    const [a, b] = [found(attributes, 'a'), found(attributes, 'b')];
    attributes.update(b, [['Stage', 'INT', 5]]);
    // What the entry of `b` is ahead of: `a` had the name when its frames were written, and gave it up.
    attributes.update(a, [
      ['Stage', 'KEYWORD', 'old'],
      ['Amount', 'INT', 1],
    ]);
    attributes.update(a, [['Stage'], ['Amount', 'INT', 2]]);
    const columns = attributes.inOrder(order.map((at) => [a, b][at]!));
    expect(columns.of(order.indexOf(0))).toEqual([['Amount', 'INT', 2]]);
    expect(columns.of(order.indexOf(1))).toEqual([['Stage', 'INT', 5]]);
  }
});
