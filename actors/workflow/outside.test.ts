/**
 * The authoring API where there is no workflow.
 */
import { expect, test } from 'vitest';
import { setCurrent } from '../current.js';
import { defineSignal, log, setHandler, sleep } from './index.js';

const go = defineSignal('go');

test('the authoring API outside of a workflow says where it works', () => {
  setCurrent(undefined);
  expect(() => sleep(1)).toThrow('Workflow.sleep(...) may only be used from a Workflow Execution');
  expect(() => setHandler(go, () => undefined)).toThrow('may only be used from a Workflow Execution');
  expect(() => log.info('lost')).toThrow('may only be used from a Workflow Execution');
});
