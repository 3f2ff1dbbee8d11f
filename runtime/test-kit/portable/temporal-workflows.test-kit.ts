/**
 * The workflow file of the campaign: scripts through names that Temporal's package has too, so that both sides run this very file.
 * Thread: stepped in the command's, and in a worker of Temporal's. In → out: script and version as arguments → one run.
 */
import { condition, defineSignal, setHandler, startChild, uuid4, workflowInfo } from 'holdfast/workflow';
import type { Script, State } from '../script.test-kit.js';
import { type InterpreterHost, interpret, leaf, type Version } from '../script-interpreter.test-kit.js';

export { leaf };

/** Not an async function, for the interpreter's own promise is enough. */
export function scripted(script: Script, version: Version, state?: State): Promise<State> {
  return interpret(script, version, sharedHost(), state);
}

/** Whom scripts tell something. */
export async function listener(): Promise<void> {
  setHandler(defineSignal<[tag: string]>('hello'), () => undefined);
  await condition(() => false);
}

function sharedHost(): InterpreterHost {
  let children = 0;
  return {
    lock: new Lock(),
    draw: () => Number.parseInt(uuid4().slice(0, 3), 16),
    startLeaf: (tag, { how, ms, cancellationType, closePolicy }) => {
      const workflowId = `${workflowInfo().runId} leaf ${++children}`;
      const args: Parameters<typeof leaf> = [tag, how, ms];
      return { awaited: startChild(leaf, { workflowId, args, cancellationType, parentClosePolicy: closePolicy }) };
    },
    resultOf: (child) => (child as { result(): Promise<unknown> }).result(),
  };
}

/** In user code, for there is none in the package. */
class Lock {
  #held = false;

  async acquire(): Promise<() => void> {
    while (this.#held) await condition(() => !this.#held);
    this.#held = true;
    return () => {
      this.#held = false;
    };
  }
}
