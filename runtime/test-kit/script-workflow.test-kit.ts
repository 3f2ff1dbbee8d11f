/**
 * The workflow that runs a script through the authoring API.
 * Thread: stepped in the test's. In → out: a script → handlers and main of one run.
 */
import { currentExecution } from '../../actors/current.js';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  Mutex,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import {
  type Effect,
  freshState,
  perform,
  refuses,
  type Script,
  type SignalName,
  type State,
  type Statement,
  type UpdateName,
  type World,
} from './script.test-kit.js';

export const stateQuery = defineQuery<State>('state');

/** Not an async function: it would add promises between the script and its run that no user's code has. */
export function scripted(script: Script, state = freshState()): Promise<State> {
  const lock = new Mutex();
  let release: () => void = () => undefined;

  const begin = (effect: Effect): Promise<unknown> => {
    switch (effect.kind) {
      case 'wait':
        return effect.timeout === undefined ? condition(effect.until) : condition(effect.until, effect.timeout);
      case 'sleep':
        return sleep(effect.ms);
      case 'acquire':
        return lock.acquire();
      case 'continueAsNew':
        return continueAsNew(effect.next);
    }
  };

  const handle = async <T>(statements: readonly Statement[], tag: string, result: (text: string) => T): Promise<T> => {
    const running = perform(statements, tag, world);
    let next = running.next();
    while (next.done !== true) {
      const effect = next.value;
      let answer: unknown;
      try {
        answer = await begin(effect);
      } catch (error) {
        next = running.throw(error);
        continue;
      }
      if (effect.kind === 'acquire') release = answer as () => void;
      next = running.next(answer);
    }
    return result(next.value);
  };

  const openSignal = (name: SignalName) =>
    setHandler(defineSignal<[tag: string]>(name), (tag) => handle(script.signals[name], tag, () => undefined));
  const openUpdate = (name: UpdateName) => {
    const { body, refused } = script.updates[name];
    setHandler(defineUpdate<string, [tag: string]>(name), (tag) => handle(body, tag, (text) => text), {
      validator: () => {
        if (refuses(state, refused)) throw new Error('refused');
      },
    });
  };

  const world: World = {
    state,
    draw: () => Math.floor(currentExecution().random() * 1000),
    open: () => {
      openSignal('late');
      openUpdate('lateUpdate');
    },
    release: () => release(),
    allFinished: allHandlersFinished,
  };

  setHandler(stateQuery, () => state);
  setHandler(defineSignal('end'), () => {
    state.cells.end++;
  });
  for (const name of ['a', 'b'] as const) openSignal(name);
  for (const name of ['u', 'v'] as const) openUpdate(name);
  return handle(script.main, 'main', () => state);
}
