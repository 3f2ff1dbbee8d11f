/**
 * The authoring API where there is no workflow.
 */
import { expect, test } from 'vitest';
import { setCurrent } from '../current.js';
import { defineSignal, log, setHandler, sleep } from './index.js';

const go = defineSignal('go');

test('the authoring API outside of a workflow says where it works', () => {
  setCurrent(undefined);
  expect(() => sleep(1)).toThrow('only inside a workflow');
  expect(() => setHandler(go, () => undefined)).toThrow('only inside a workflow');
  expect(() => log.info('lost')).toThrow('only inside a workflow');
});
