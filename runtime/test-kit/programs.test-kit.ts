/**
 * Random programs: a script and a schedule, as fast-check makes and shrinks them.
 * Thread: the test's. In → out: nothing → arbitraries.
 */
import {
  type Arbitrary,
  array,
  boolean,
  constant,
  constantFrom,
  integer,
  letrec,
  oneof,
  option,
  record,
  type WeightedArbitrary,
} from 'fast-check';
import type { RetryPolicyRecord } from '../../mailbox/events.js';
import type { Action, Beginning } from './schedule.test-kit.js';
import type { Script, Statement } from './script.test-kit.js';
import type { Version } from './script-interpreter.test-kit.js';

export interface Program {
  readonly script: Script;
  readonly beginning: Beginning;
  readonly actions: readonly Action[];
  readonly slots: number;
  readonly maxResident: number;
  readonly version: Version;
  /** Of the scripted runs. */
  readonly retry: RetryPolicyRecord | undefined;
}

const cell = constantFrom('x' as const, 'y' as const);
const name = constantFrom('a' as const, 'b' as const, 'late' as const);
const updateName = constantFrom('u' as const, 'v' as const, 'lateUpdate' as const);
const gate = constantFrom('shut' as const, 'letThrough' as const, 'open' as const);
const is = constant;

const childPlan = {
  how: constantFrom('returns' as const, 'returns' as const, 'fails' as const, 'waits' as const),
  ms: constantFrom(1, 50, 500),
  cancellationType: constantFrom('TRY_CANCEL' as const, 'ABANDON' as const),
  closePolicy: constantFrom('TERMINATE' as const, 'ABANDON' as const, 'REQUEST_CANCEL' as const),
};

interface Vocabulary {
  /** Beside those of which models know. */
  readonly statements: readonly WeightedArbitrary<Statement>[];
  /** Of conditions, in milliseconds. */
  readonly timeouts: readonly number[];
}

const bodies = ({ statements, timeouts }: Vocabulary) =>
  letrec<{ statement: Statement; statements: readonly Statement[] }>((tie) => ({
    statement: oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 16, arbitrary: record({ do: is('note' as const) }) },
      { weight: 12, arbitrary: record({ do: is('add' as const), cell }) },
      { weight: 8, arbitrary: record({ do: is('set' as const), cell, value: integer({ min: 0, max: 4 }) }) },
      {
        weight: 24,
        arbitrary: record({
          do: is('wait' as const),
          cell,
          least: integer({ min: 0, max: 5 }),
          timeout: option(constantFrom(...timeouts), { nil: undefined }),
        }),
      },
      { weight: 12, arbitrary: record({ do: is('sleep' as const), ms: constantFrom(0, 1, 50, 500) }) },
      { weight: 8, arbitrary: record({ do: is('draw' as const) }) },
      { weight: 4, arbitrary: record({ do: is('open' as const) }) },
      { weight: 1, arbitrary: record({ do: is('fail' as const), final: boolean() }) },
      { weight: 12, arbitrary: record({ do: is('locked' as const), body: tie('statements') }) },
      { weight: 8, arbitrary: record({ do: is('shielded' as const), body: tie('statements') }) },
      {
        weight: 8,
        arbitrary: record({
          do: is('activity' as const),
          host: constantFrom('scheduled' as const, 'local' as const),
          fails: constantFrom(0, 0, 1, 2),
          limit: constantFrom(0, 0, 1, 2),
        }),
      },
      { weight: 6, arbitrary: record({ do: is('child' as const), ...childPlan }) },
      {
        weight: 8,
        arbitrary: record({
          do: is('scope' as const),
          scope: constantFrom('cancellable' as const, 'nonCancellable' as const, 'timeout' as const),
          ms: constantFrom(1, 50, 500),
          body: tie('statements'),
        }),
      },
      { weight: 4, arbitrary: record({ do: is('cancelScope' as const) }) },
      {
        weight: 8,
        arbitrary: record({
          do: is('patched' as const),
          id: constantFrom('p' as const, 'q' as const),
          body: tie('statements'),
        }),
      },
      ...statements,
    ) as Arbitrary<Statement>,
    statements: array(tie('statement'), { maxLength: 4, depthIdentifier: 'statement' }) as Arbitrary<
      readonly Statement[]
    >,
  })).statements as Arbitrary<readonly Statement[]>;

function scripts(vocabulary: Vocabulary): Arbitrary<Script> {
  const body = bodies(vocabulary);
  /** Failing is for updates, mostly: elsewhere it ends the run, and with it the program. */
  const updateBody = record({
    body,
    end: constantFrom<readonly Statement[]>([], [], [{ do: 'fail', final: false }]),
  }).map(({ body: begin, end }): readonly Statement[] => [...begin, ...end]);
  const update = record({ body: updateBody, refused: record({ cell, below: constantFrom(0, 0, 1, 3) }) });

  /** Main waits for its end, and perhaps for its handlers; what is late may never be opened. */
  const main = record({
    before: body,
    open: constantFrom<readonly Statement[]>([{ do: 'open' }], [{ do: 'open' }], []),
    after: body,
    finish: constantFrom<readonly Statement[]>(
      [],
      [{ do: 'fail', final: false }],
      [{ do: 'allFinished' }],
      [{ do: 'continueAsNew' }],
      [{ do: 'continueAsNew' }],
    ),
  }).map(({ before, open, after, finish }): readonly Statement[] => [
    ...before,
    ...open,
    { do: 'wait', cell: 'end', least: 1, timeout: undefined },
    ...after,
    ...finish,
  ]);

  const signal = record({ body, end: constantFrom<readonly Statement[]>([], [], [{ do: 'continueAsNew' }]) }).map(
    ({ body: begin, end }): readonly Statement[] => [...begin, ...end],
  );

  return record({
    main,
    signals: record({ a: body, b: signal, late: signal }),
    updates: record({ u: update, v: update, lateUpdate: update }),
  });
}

export const action: Arbitrary<Action> = oneof(
  { weight: 8, arbitrary: record({ do: is('signal' as const), name }) },
  { weight: 2, arbitrary: record({ do: is('signal' as const), name: is('end' as const) }) },
  { weight: 3, arbitrary: record({ do: is('signalOnce' as const), name, id: integer({ min: 0, max: 2 }) }) },
  {
    weight: 6,
    arbitrary: record({
      do: is('update' as const),
      name: updateName,
      stage: constantFrom('ACCEPTED' as const, 'COMPLETED' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: record({ do: is('updateOnce' as const), name: updateName, id: integer({ min: 0, max: 2 }) }),
  },
  { weight: 5, arbitrary: record({ do: is('query' as const) }) },
  { weight: 1, arbitrary: record({ do: is('cancel' as const) }) },
  { weight: 4, arbitrary: record({ do: is('pass' as const), ms: constantFrom(1, 50, 400, 1500) }) },
  { weight: 5, arbitrary: record({ do: is('ticks' as const), count: integer({ min: 1, max: 6 }) }) },
  { weight: 3, arbitrary: record({ do: is('settle' as const) }) },
  { weight: 6, arbitrary: record({ do: is('work' as const), attempts: integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: record({ do: is('keep' as const), actors: integer({ min: 0, max: 2 }) }) },
  { weight: 3, arbitrary: record({ do: is('flushes' as const), gate }) },
  { weight: 3, arbitrary: record({ do: is('returns' as const), gate }) },
  { weight: 1, arbitrary: record({ do: is('reads' as const), gate }) },
  { weight: 2, arbitrary: record({ do: is('loseTurns' as const), turns: integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: record({ do: is('shortTurns' as const) }) },
  { weight: 1, arbitrary: record({ do: is('longTurns' as const) }) },
  { weight: 2, arbitrary: record({ do: is('crash' as const), flush: constantFrom('lost' as const, 'kept' as const) }) },
  { weight: 1, arbitrary: record({ do: is('restart' as const) }) },
  { weight: 2, arbitrary: record({ do: is('checkpoint' as const) }) },
  { weight: 1, arbitrary: record({ do: is('deploy' as const) }) },
);

const beginning: Arbitrary<Beginning> = oneof(
  { weight: 2, arbitrary: record({ with: is('nothing' as const) }) },
  { weight: 1, arbitrary: record({ with: is('signal' as const), name }) },
  { weight: 1, arbitrary: record({ with: is('update' as const), name: updateName }) },
);

/** Limited, so that a run that always fails comes to an end. */
const retry: Arbitrary<RetryPolicyRecord> = record({
  initialInterval: constantFrom(1, 50, 500),
  backoffCoefficient: constantFrom(1, 2),
  maximumInterval: constant(700),
  maximumAttempts: integer({ min: 1, max: 4 }),
  nonRetryableErrorTypes: constantFrom<string[]>([], [], [], ['OnPurpose']),
});

export const programs = (vocabulary: Vocabulary): Arbitrary<Program> =>
  record({
    script: scripts(vocabulary),
    beginning,
    actions: array(action, { maxLength: 40, size: 'max' }),
    slots: integer({ min: 1, max: 2 }),
    maxResident: integer({ min: 0, max: 2 }),
    version: constantFrom('old' as const, 'old' as const, 'patched' as const),
    retry: option(retry, { nil: undefined }),
  });

/** What models know of. */
const MODELLED: Vocabulary = { statements: [], timeouts: [0, 1, 50, 1000] };

export const script: Arbitrary<Script> = scripts(MODELLED);
export const program: Arbitrary<Program> = programs(MODELLED);
