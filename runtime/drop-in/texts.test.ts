/**
 * Texts of failures and errors, one by one: what ours begin with is what Temporal's SDK, its core or its server says, for tests and alerts match
 * them. What an error of ours says after that (whom it is about, what to do) is its own.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as theirClasses from '@temporalio/common';
import * as theirWorkflow from '@temporalio/workflow';
import { describe, expect, test } from 'vitest';
import { setCurrent } from '../../actors/current.js';
import * as ourWorkflow from '../../actors/workflow/index.js';
import {
  type ActivityFailure,
  CancellationScope,
  type ChildWorkflowFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  type LocalActivityOptions,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '../../actors/workflow/index.js';
import { runOptionsRecord } from '../../mailbox/run-options.js';
import { cancelledFailure } from '../activity/cancellation.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { running } from '../test-kit/running.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const require = createRequire(import.meta.url);
const of = (name: string) => join(require.resolve(`@temporalio/${name}/package.json`), '..');
const machine = (name: string) =>
  join(of('core-bridge'), `sdk-core/crates/sdk-core/src/worker/workflow/machines/${name}_state_machine.rs`);
const LOCAL = join(of('core-bridge'), 'sdk-core/crates/sdk-core/src/worker/activities/local_activities.rs');
const PROTOS = join(of('core-bridge'), 'sdk-core/crates/protos/src/protos/mod.rs');
const CLIENT = join(of('client'), 'lib/workflow-client.js');
const lib = (name: string, file: string) => join(of(name), 'lib', file);
/** Of the server, which is not installed: its constants as of 1.31 (`common/util.go`, `service/history`). */
const SERVER = undefined;

const forever = () => condition(() => false);
const poke = defineSignal('poke');
const fails = { kind: 'application', message: 'no', type: 'Mine', nonRetryable: true } as const;

type Drive = (system: System) => Promise<unknown>;

/** What the run `w` fails with. */
async function failed(main: () => unknown, drive: Drive, workflows: Record<string, () => unknown> = {}) {
  const system = await running(main, { workflows });
  await drive(system);
  await system.settle();
  return (await system.result('w').error()) as Error & { cause: ActivityFailure & ChildWorkflowFailure };
}

type Work = { work(): Promise<void> };

/** In a scope that ends when it is poked. */
function scoped(act: () => Promise<void>): () => Promise<void> {
  return () => {
    const scope = new CancellationScope();
    setHandler(poke, () => scope.cancel());
    return scope.run(act);
  };
}

const activity = (options: object, drive: Drive) =>
  failed(
    scoped(() => proxyActivities<Work>({ startToCloseTimeout: 1000, ...options }).work()),
    drive,
  );

const local = (options: LocalActivityOptions, drive: Drive) =>
  failed(
    scoped(() => proxyLocalActivities<Work>({ startToCloseTimeout: 1000, ...options }).work()),
    drive,
  );

const throwing: Drive = async (system) => system.activityThrows(system.attempts[0]!, fails);
const timingOut: Drive = async (system) => {
  system.activityStarts(system.attempts[0]!);
  await system.pass(1000);
};
const cancelling: Drive = (system) => system.cancel('w').value();
const ONCE = { retry: { maximumAttempts: 1 } };

/** How a child ends, as its parent is told. */
const child = (options: object, drive: Drive) =>
  failed(() => executeChild('child', { workflowId: 'c', ...options }), drive, {
    child: async () => {
      setHandler(poke, () => {
        throw ourWorkflow.ApplicationFailure.nonRetryable('no');
      });
      await forever();
    },
  });

/** How a run ends, as its caller is told. */
async function ended(options: object, drive: Drive) {
  const system = await System.open({
    workflows: {
      main: async () => {
        setHandler(poke, () => {
          throw ourWorkflow.ApplicationFailure.nonRetryable('no');
        });
        await forever();
      },
    },
  });
  const record = runOptionsRecord(options);
  await system.startWith({ workflowId: 'w', workflowType: 'main', ...(record && { options: record }) }, '').value();
  await drive(system);
  await system.settle();
  return system.result('w').error();
}

const poking: Drive = (system) => system.signal('w', 'poke').value();
const terminating: Drive = (system) => system.terminate('w').value();
const passing: Drive = (system) => system.pass(1000);

async function asked(main: () => unknown, ask: (system: System) => { error(): Promise<Error> }): Promise<Error> {
  return ask(await running(main)).error();
}

const messageOf = async (error: Promise<Error>) => (await error).message;
const causeOf = async (error: Promise<{ cause?: unknown }>) => ((await error).cause as Error).message;
const deepCauseOf = async (error: Promise<{ cause?: unknown }>) =>
  (((await error).cause as Error).cause as Error).message;

/** What is said, in which file Temporal says so, how ours comes about; and what ours says first if that file has but the form of it. */
const texts: [says: string, file: string | undefined, ours: () => Promise<string>, filledIn?: string][] = [
  ['Activity task failed', machine('activity'), () => causeOf(activity({}, throwing))],
  ['Activity task timed out', machine('activity'), () => causeOf(activity(ONCE, timingOut))],
  ['Activity cancelled', machine('activity'), () => causeOf(activity({}, poking))],
  ['activity StartToClose timeout', SERVER, () => deepCauseOf(activity(ONCE, timingOut))],
  ['activity ScheduleToStart timeout', SERVER, () => deepCauseOf(activity({ scheduleToStartTimeout: 1000 }, passing))],
  ['activity ScheduleToClose timeout', SERVER, () => deepCauseOf(activity({ scheduleToCloseTimeout: 1000 }, passing))],
  ['activity Heartbeat timeout', SERVER, () => deepCauseOf(activity({ ...ONCE, heartbeatTimeout: 500 }, timingOut))],
  [
    'Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying',
    SERVER,
    () => deepCauseOf(activity({ scheduleToCloseTimeout: 1500 }, timingOut)),
  ],
  ['Local Activity timed out', machine('local_activity'), () => causeOf(local(ONCE, timingOut))],
  ['Activity timed out', LOCAL, () => deepCauseOf(local(ONCE, timingOut))],
  ['Local Activity cancelled', machine('local_activity'), () => causeOf(local({}, poking))],
  ['Activity cancelled', PROTOS, () => deepCauseOf(local({}, poking))],
  [
    'Child Workflow execution failed',
    lib('common', 'failure.js'),
    () => causeOf(child({}, (system) => system.signal('c', 'poke').value())),
  ],
  ['Timed out', machine('child_workflow'), () => deepCauseOf(child({ workflowRunTimeout: 1000 }, passing))],
  [
    'Workflow execution already started',
    lib('workflow', 'internals.js'),
    () =>
      causeOf(
        failed(
          () => executeChild('main', { workflowId: 'w' }),
          async () => undefined,
        ),
      ),
  ],
  [
    'Unable to signal external workflow because {reason}',
    machine('signal_external'),
    () =>
      causeOf(
        failed(
          () => getExternalWorkflowHandle('x').signal('poke'),
          async () => undefined,
        ),
      ),
    'Unable to signal external workflow because it was not found',
  ],
  [
    'Unable to cancel external workflow because {reason}',
    machine('cancel_external'),
    () =>
      causeOf(
        failed(
          () => getExternalWorkflowHandle('x').cancel(),
          async () => undefined,
        ),
      ),
    'Unable to cancel external workflow because not found',
  ],
  [
    'Cancellation scope cancelled',
    lib('workflow', 'cancellation-scope.js'),
    () =>
      causeOf(
        failed(
          () =>
            CancellationScope.cancellable(async () => {
              CancellationScope.current().cancel();
              await ourWorkflow.sleep(1);
            }),
          async () => undefined,
        ),
      ),
  ],
  [
    'Workflow cancelled',
    lib('workflow', 'cancellation-scope.js'),
    async () => {
      let told = '';
      await cancelling(
        await running(() =>
          ourWorkflow.sleep(1).catch((error: Error) => {
            told = error.message;
            throw error;
          }),
        ),
      );
      return told;
    },
  ],
  ['Workflow execution failed', CLIENT, () => messageOf(ended({}, poking))],
  ['Workflow execution cancelled', CLIENT, () => messageOf(ended({}, cancelling))],
  ['Workflow canceled', CLIENT, () => causeOf(ended({}, cancelling))],
  ['Workflow execution terminated', CLIENT, () => messageOf(ended({}, terminating))],
  ['Workflow execution terminated', CLIENT, () => causeOf(ended({}, terminating))],
  ['Workflow execution timed out', CLIENT, () => messageOf(ended({ workflowRunTimeout: 1000 }, passing))],
  ['Workflow execution timed out', CLIENT, () => causeOf(ended({ workflowRunTimeout: 1000 }, passing))],
  [
    'Workflow execution continued as new',
    CLIENT,
    async () => {
      let first = true;
      const system = await running(() => {
        if (!first) return forever();
        first = false;
        return continueAsNew();
      });
      const [runId] = [...system.histories().keys()];
      return messageOf(system.request({ kind: 'result', workflowId: 'w', runId: runId!, followRuns: false }).error());
    },
  ],
  [
    'Workflow execution already started',
    CLIENT,
    () => messageOf(asked(forever, (system) => system.start('w', 'main'))),
  ],
  [
    'Workflow Update failed',
    CLIENT,
    () =>
      messageOf(
        asked(
          async () => {
            setHandler(defineUpdate('u'), () => {
              throw ourWorkflow.ApplicationFailure.nonRetryable('no');
            });
            await forever();
          },
          (system) => system.update('w', 'u'),
        ),
      ),
  ],
  [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as their file has it
    'Workflow did not register a handler for ${queryName}. Registered queries: [${knownQueryTypes}]',
    lib('workflow', 'internals.js'),
    () =>
      messageOf(
        asked(
          async () => {
            for (const name of ['a', 'b']) setHandler(defineQuery<string>(name), () => name);
            await forever();
          },
          (system) => system.query('w', 'c'),
        ),
      ),
    'Workflow did not register a handler for c. Registered queries: [a b]',
  ],
  ['WORKER_SHUTDOWN', lib('worker', 'worker.js'), async () => cancelledFailure('workerShutdown').message],
  ['TIMED_OUT', lib('activity', 'index.js'), async () => cancelledFailure('timedOut').message],
  ['NOT_FOUND', lib('activity', 'index.js'), async () => cancelledFailure('notFound').message],
  [
    'CANCELLED',
    lib('testing', 'mocking-activity-environment.js'),
    async () => cancelledFailure('cancelRequested').message,
  ],
];

describe('the text of ours begins as that of Temporal', () => {
  test.each(texts)('%s', async (says, file, ours, filledIn = says) => {
    if (file !== undefined) expect(readFileSync(file, 'utf8')).toContain(says);
    expect((await ours()).slice(0, filledIn.length)).toBe(filledIn);
  });
});

/** What both packages have, called where there is no workflow. */
const calls: Record<string, (api: typeof theirWorkflow) => unknown> = {
  sleep: (api) => api.sleep(1),
  condition: (api) => api.condition(() => true),
  workflowInfo: (api) => api.workflowInfo(),
  scheduleActivity: (api) => api.scheduleActivity('a', [], { startToCloseTimeout: 1 }),
  startChild: (api) => api.startChild('c'),
  executeChild: (api) => api.executeChild('c'),
  continueAsNew: (api) => api.continueAsNew(),
  getExternalWorkflowHandle: (api) => api.getExternalWorkflowHandle('x'),
  setHandler: (api) => api.setHandler(api.defineSignal('s'), () => undefined),
  currentUpdateInfo: (api) => api.currentUpdateInfo(),
  allHandlersFinished: (api) => api.allHandlersFinished(),
  patched: (api) => api.patched('p'),
  deprecatePatch: (api) => api.deprecatePatch('p'),
  upsertMemo: (api) => api.upsertMemo({}),
  upsertSearchAttributes: (api) => api.upsertSearchAttributes([]),
};

describe('outside of a workflow ours says what theirs says', () => {
  test.each(Object.entries(calls))('%s', async (_, call) => {
    setCurrent(undefined);
    const message = async (api: typeof theirWorkflow): Promise<string> => {
      try {
        await call(api);
        return expect.unreachable();
      } catch (error) {
        return (error as Error).message;
      }
    };
    const [theirs] = (await message(theirWorkflow)).split(' Consider ');
    // biome-ignore lint/suspicious/noExplicitAny: of the same names, as drop-in/types.test.ts shows
    expect(await message(ourWorkflow as any)).toContain(theirs!.replace(/\.$/, ''));
  });
});

test('what a workflow throws to continue as new says what theirs says', async () => {
  const theirs = new theirWorkflow.ContinueAsNew({} as never);
  let ours = '';
  let first = true;
  await running(async () => {
    if (!first) return forever();
    first = false;
    return continueAsNew().catch((error: Error) => {
      ours = error.message;
      throw error;
    });
  });
  expect(ours).toBe(theirs.message);
});

test('failures of the same class made alike have the same text', () => {
  const execution = { workflowId: 'w', runId: 'r' };
  const theirs = new theirClasses.ChildWorkflowFailure('default', execution as never, 't', 'TIMEOUT');
  expect(new ourWorkflow.ChildWorkflowFailure('default', execution, 't', 'TIMEOUT').message).toBe(theirs.message);
});
