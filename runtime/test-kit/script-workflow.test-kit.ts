/**
 * The workflow that runs a script through the authoring API, in such a way that a model without promises can follow.
 * Thread: stepped in the test's. In → out: a script → workflows to deploy.
 */
import type { StartedChild } from '../../actors/children.js';
import { currentExecution } from '../../actors/current.js';
import { Mutex } from '../../actors/workflow/index.js';
import { encodePayloads } from '../../mailbox/payload.js';
import type { ChildPlan, Script, State } from './script.test-kit.js';
import { type Begun, type InterpreterHost, interpret, leaf, type Version } from './script-interpreter.test-kit.js';
import type { Workflows } from './system.test-kit.js';

/** With locks, and no promise that the runtime does not need. */
const ownHost = (): InterpreterHost => ({
  lock: new Mutex(),
  draw: () => Math.floor(currentExecution().random() * 1000),
  startLeaf,
  resultOf: (child) => (child as StartedChild).completed,
});

/** Through no async function of the authoring API: what is awaited is what is settled. */
function startLeaf(tag: string, { how, ms, cancellationType, closePolicy }: ChildPlan): Begun {
  const execution = currentExecution();
  const child = execution.children.start((childId) => ({
    workflowId: `${execution.info.runId} leaf ${childId}`,
    workflowType: 'leaf',
    input: encodePayloads([tag, how, ms]),
    options: { parentClosePolicy: closePolicy },
    cancellationType,
  }));
  return { awaited: child.started, answer: child };
}

/** What is deployed of a program. */
export function workflowsOf(script: Script, version: Version): Workflows {
  return { scripted: (state?: State) => interpret(script, version, ownHost(), state), leaf };
}
