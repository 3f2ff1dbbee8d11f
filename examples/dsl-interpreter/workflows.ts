/**
 * The interpreter: a workflow that runs a program which it gets as data, so that what a service does can change without a deployment.
 * Thread: worker (the definitions also where clients are). In → out: a program → its calls, waits and result, all durable.
 */
import {
  ApplicationFailure,
  condition,
  type Duration,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
  sleep,
} from 'holdfast/workflow';
import { type Expression, type Program, problemsOf, type Statement } from './program.js';

/** Goes on behind `{ "waitFor": name }`; also if it has not come so far. */
export const proceed = defineSignal<[name: string]>('proceed');
/** The statements under way, as they are written. */
export const getUnderWay = defineQuery<string[]>('getUnderWay');
/** Resolves once that statement, as it is written, is under way. */
export const untilUnderWay = defineUpdate<void, [statement: string]>('untilUnderWay');
export const getVariables = defineQuery<Record<string, unknown>>('getVariables');

/** By name only: which activities there are is not known here. A name that none has fails the program. */
const activities = proxyActivities({ startToCloseTimeout: '1 minute', retry: { maximumAttempts: 3 } });

type Variables = Map<string, unknown>;

export async function interpret({ variables: given = {}, body, result }: Program): Promise<unknown> {
  const problems = problemsOf({ body });
  if (problems.length > 0) {
    throw ApplicationFailure.nonRetryable(`not a program: ${problems.join('; ')}`, 'InvalidProgram', problems);
  }
  const variables: Variables = new Map(Object.entries(given));
  const proceeded = new Set<string>();
  const underWay = new Set<string>();
  setHandler(proceed, (name) => void proceeded.add(name));
  setHandler(getUnderWay, () => [...underWay]);
  setHandler(untilUnderWay, (statement) => condition(() => underWay.has(statement)));
  setHandler(getVariables, () => Object.fromEntries(variables));

  await run(body, variables);
  return result === undefined ? undefined : evaluate({ $: result }, variables);

  async function run(statement: Statement, scope: Variables): Promise<void> {
    if ('sequence' in statement) {
      for (const each of statement.sequence) await run(each, scope);
    } else if ('parallel' in statement) {
      await Promise.all(statement.parallel.map((each) => run(each, scope)));
    } else if ('forEach' in statement) {
      await forEach(statement, scope);
    } else if ('when' in statement) {
      const branch = evaluate({ $: statement.when }, scope) ? statement.do : statement.otherwise;
      if (branch !== undefined) await run(branch, scope);
    } else {
      const text = JSON.stringify(statement);
      underWay.add(text);
      await runSimple(statement, scope);
      underWay.delete(text);
    }
  }

  async function runSimple(
    statement: Extract<Statement, { call: string } | { wait: string } | { waitFor: string }>,
    scope: Variables,
  ): Promise<void> {
    if ('wait' in statement) {
      await sleep(statement.wait as Duration); // Checked with the program.
    } else if ('waitFor' in statement) {
      await condition(() => proceeded.has(statement.waitFor));
    } else {
      const args = (statement.with ?? []).map((each) => evaluate(each, scope));
      const value: unknown = await activities[statement.call]!(...args);
      if (statement.into !== undefined) assign(statement.into, value, scope);
    }
  }

  /** Each element in a scope of its own, as many at once as is allowed, begun in the order of the list. */
  async function forEach(
    { forEach: list, as, do: body, atOnce = 1 }: Extract<Statement, { forEach: string }>,
    scope: Variables,
  ) {
    const elements = evaluate({ $: list }, scope);
    if (!Array.isArray(elements)) throw failure(`'${list}' is no list`);
    const rest = elements.values();
    const lane = async () => {
      for (const element of rest) await run(body, new Map([...scope, [as, element]]));
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, elements.length) }, lane));
  }

  /** What a loop's body assigns is seen outside of it, but for its own variable. */
  function assign(name: string, value: unknown, scope: Variables): void {
    scope.set(name, value);
    if (scope !== variables) variables.set(name, value);
  }
}

function evaluate(expression: Expression, scope: Variables): unknown {
  if (typeof expression !== 'object' || expression === null) return expression;
  if (!scope.has(expression.$)) throw failure(`there is no variable '${expression.$}'`);
  return scope.get(expression.$);
}

function failure(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'ProgramFailed');
}
