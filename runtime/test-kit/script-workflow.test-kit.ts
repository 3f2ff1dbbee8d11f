/**
 * The workflow that runs a script through the authoring API.
 * Thread: stepped in the test's. In → out: a script → handlers and main of one run.
 */
import type { StartedChild } from '../../actors/children.js';
import { currentExecution } from '../../actors/current.js';
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  deprecatePatch,
  Mutex,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { encodePayloads } from '../../mailbox/payload.js';
import {
  type ChildPlan,
  type Effect,
  freshState,
  perform,
  type Running,
  refuses,
  type Script,
  type SignalName,
  type State,
  type Statement,
  type UpdateName,
  type World,
} from './script.test-kit.js';
import type { Workflows } from './system.test-kit.js';

export const stateQuery = defineQuery<State>('state');

/** Before the changes that patches guard, with them, and with the new way only. */
export type Version = 'old' | 'patched' | 'deprecated';

/** Not an async function: it would add promises between the script and its run that no user's code has. */
function scripted(script: Script, version: Version, state = freshState()): Promise<State> {
  const lock = new Mutex();
  let release: () => void = () => undefined;

  /** What is awaited, and what the script gets for it if that is something else than what comes of it. */
  const begin = (effect: Effect): { awaited: Promise<unknown>; answer?: unknown } => {
    switch (effect.kind) {
      case 'wait': {
        const { until, timeout } = effect;
        return { awaited: timeout === undefined ? condition(until) : condition(until, timeout) };
      }
      case 'sleep':
        return { awaited: sleep(effect.ms) };
      case 'acquire':
        return { awaited: lock.acquire() };
      case 'continueAsNew':
        return { awaited: continueAsNew(effect.next) };
      case 'activity': {
        const retry = { maximumAttempts: effect.limit, initialInterval: 20, maximumInterval: 100 };
        const options = { startToCloseTimeout: '1 hour', retry } as const;
        const { work } =
          effect.host === 'local'
            ? proxyLocalActivities({ ...options, cancellationType: 'TRY_CANCEL' })
            : proxyActivities(options);
        return { awaited: work!(effect.tag, effect.fails) };
      }
      case 'startChild': {
        const child = startLeaf(effect.tag, effect.plan);
        return { awaited: child.started, answer: child };
      }
      case 'awaitChild':
        return { awaited: (effect.child as StartedChild).completed };
      case 'scope': {
        const run = () => drive(effect.body(), (text) => text);
        switch (effect.scope) {
          case 'cancellable':
            return { awaited: CancellationScope.cancellable(run) };
          case 'nonCancellable':
            return { awaited: CancellationScope.nonCancellable(run) };
          case 'timeout':
            return { awaited: CancellationScope.withTimeout(effect.ms, run) };
        }
      }
    }
  };

  const drive = async <T>(running: Running, result: (text: string) => T): Promise<T> => {
    let next = running.next();
    while (next.done !== true) {
      const effect = next.value;
      let settled: unknown;
      let begun: ReturnType<typeof begin>;
      try {
        begun = begin(effect);
        settled = await begun.awaited;
      } catch (error) {
        next = running.throw(error);
        continue;
      }
      if (effect.kind === 'acquire') release = settled as () => void;
      next = running.next(begun.answer ?? settled);
    }
    return result(next.value);
  };

  const handle = <T>(statements: readonly Statement[], tag: string, result: (text: string) => T): Promise<T> =>
    drive(perform(statements, tag, world), result);

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
    patched: (id) => {
      if (version === 'patched') return patched(id);
      if (version === 'deprecated') deprecatePatch(id);
      return version === 'deprecated';
    },
    cancelScope: () => {
      const scope = CancellationScope.current();
      if (scope.parent !== undefined) scope.cancel();
    },
  };

  setHandler(stateQuery, () => state);
  setHandler(defineSignal('end'), () => {
    state.cells.end++;
  });
  for (const name of ['a', 'b'] as const) openSignal(name);
  for (const name of ['u', 'v'] as const) openUpdate(name);
  return handle(script.main, 'main', () => state);
}

/** Through no async function of the authoring API: what is awaited is what is settled. */
function startLeaf(tag: string, { how, ms, cancellationType, closePolicy }: ChildPlan): StartedChild {
  const execution = currentExecution();
  return execution.children.start((childId) => ({
    workflowId: `${execution.info.runId} leaf ${childId}`,
    workflowType: 'leaf',
    input: encodePayloads([tag, how, ms]),
    options: { parentClosePolicy: closePolicy },
    cancellationType,
  }));
}

/** The child of a script. */
async function leaf(tag: string, how: ChildPlan['how'], ms: number): Promise<string> {
  if (how === 'waits') await condition(() => false);
  await sleep(ms);
  if (how === 'fails') throw ApplicationFailure.nonRetryable(tag, 'OnPurpose');
  return `leaf of ${tag}`;
}

/** What is deployed of a program. */
export function workflowsOf(script: Script, version: Version): Workflows {
  return { scripted: (state?: State) => scripted(script, version, state), leaf };
}
