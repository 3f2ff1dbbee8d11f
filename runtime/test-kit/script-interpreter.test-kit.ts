/**
 * The interpreter of scripts: what a script asks for, asked of the authoring API by names that Temporal's has too.
 * Thread: stepped in the test's, and in a worker of Temporal's. In → out: a script → handlers and main of one run.
 */
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
  getExternalWorkflowHandle,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
} from 'holdfast/workflow';
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

export const stateQuery = defineQuery<State>('state');

/** Before the changes that patches guard, with them, and with the new way only. */
export type Version = 'old' | 'patched' | 'deprecated';

/** What is awaited, and what the script gets for it if that is something else than what comes of it. */
export interface Begun {
  readonly awaited: Promise<unknown>;
  readonly answer?: unknown;
}

/** What is done differently where only the names count that Temporal has too. */
export interface InterpreterHost {
  readonly lock: { acquire(): Promise<() => void> };
  draw(): number;
  /** Answered with what `resultOf` needs. */
  startLeaf(tag: string, plan: ChildPlan): Begun;
  resultOf(child: unknown): Promise<unknown>;
}

/** Not an async function: it would add promises between the script and its run that no user's code has. */
export function interpret(
  script: Script,
  version: Version,
  host: InterpreterHost,
  state = freshState(),
): Promise<State> {
  const { lock } = host;
  let release: () => void = () => undefined;

  const begin = (effect: Effect): Begun => {
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
        return { awaited: continueAsNew<(next: State) => Promise<State>>(effect.next) };
      case 'activity': {
        const limit = effect.limit === 0 ? {} : { maximumAttempts: effect.limit };
        const retry = { ...limit, initialInterval: 20, maximumInterval: 100 };
        const options = { startToCloseTimeout: '1 hour', retry } as const;
        const { work } =
          effect.host === 'local'
            ? proxyLocalActivities({ ...options, cancellationType: 'TRY_CANCEL' })
            : proxyActivities(options);
        return { awaited: work!(effect.tag, effect.fails) };
      }
      case 'startChild': {
        return host.startLeaf(effect.tag, effect.plan);
      }
      case 'awaitChild':
        return { awaited: host.resultOf(effect.child) };
      case 'tell': {
        const handle = getExternalWorkflowHandle(effect.whom);
        if (effect.what === 'signal') return { awaited: handle.signal('hello', effect.tag) };
        // Shielded: where its scope is cancelled, Temporal's package writes a patch of its own.
        return { awaited: CancellationScope.nonCancellable(() => handle.cancel()) };
      }
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
      let begun: Begun;
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
    draw: host.draw,
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
    show: (where, value) => {
      if (where === 'memo') upsertMemo({ shown: value });
      else upsertSearchAttributes({ Shown: [value] });
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

/** The child of a script. */
export async function leaf(tag: string, how: ChildPlan['how'], ms: number): Promise<string> {
  if (how === 'waits') await condition(() => false);
  await sleep(ms);
  if (how === 'fails') throw ApplicationFailure.nonRetryable(tag, 'OnPurpose');
  return `leaf of ${tag}`;
}
