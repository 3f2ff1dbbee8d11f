/**
 * Semantics, section 10: what workflows ask of each other, and child workflows.
 */
import { expect } from 'vitest';
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  setHandler,
  startChild,
  WorkflowExecutionAlreadyStartedError,
} from '../../actors/workflow/index.js';
import type { WorkflowEvent } from '../../mailbox/events.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { System, type Workflows } from '../test-kit/system.test-kit.js';
import { add, append, appendLater, entries, finish, ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const told = defineQuery<unknown>('told');
const go = defineSignal('go');
const greet = defineUpdate<string>('greet');
const other = () => getExternalWorkflowHandle<typeof ledger>('l');

/** The ledger `l`, and `w`, which does what `act` says, tells what came of it, and then stays. */
async function asking(act: () => Promise<unknown>, workflows: Workflows = {}): Promise<System> {
  const main = async () => {
    let outcome: unknown;
    setHandler(told, () => outcome);
    try {
      outcome = await act();
    } catch (error) {
      outcome = error instanceof ApplicationFailure ? [error.type, error.message, error.nonRetryable] : String(error);
    }
    await condition(() => false);
  };
  const system = await System.open({ workflows: { ledger, main, ...workflows } });
  await system.start('l', 'ledger').value();
  await system.start('w', 'main').value();
  await system.settle();
  return system;
}

const toldBy = (system: System) => system.query('w', 'told').value();
const ofKind = (history: readonly WorkflowEvent[], type: string) =>
  history.filter(({ eventType }) => eventType === type);

row('others/recorded-in-both', 'with the sender’s ids in the recipient’s history', async () => {
  const system = await asking(() => other().signal(add, 'a'));
  expect(system.types('w').slice(1)).toEqual([
    'SignalExternalWorkflowExecutionInitiated',
    'ExternalWorkflowExecutionSignaled',
  ]);
  const { runId } = await system.describe('w');
  expect(system.history('l').at(-1)).toMatchObject({ signalName: 'add', sender: { workflowId: 'w', runId } });
  await expectInvariants(system);
});

row('others/recorded-in-both', 'also when it fails', async () => {
  const system = await asking(() => getExternalWorkflowHandle('nobody').signal(add, 'a'));
  expect(system.types('w').at(-1)).toBe('SignalExternalWorkflowExecutionFailed');
  await expectInvariants(system);
});

row('others/ours', 'each with the answer that a client would get', async () => {
  const system = await asking(async () => {
    await getExternalWorkflowHandle<typeof ledger>('n').signalWithStart(ledger, { signal: add, signalArgs: ['a'] });
    const started = await other().startUpdate(append, { args: ['b'], waitForStage: 'ACCEPTED' });
    const executed = await other().executeUpdate(append, { args: ['c'] });
    return [await getExternalWorkflowHandle('n').query(entries), await started.result(), executed];
  });
  expect(await toldBy(system)).toEqual([['a'], 1, 2]);
  expect(new Set(system.types('w').slice(1))).toEqual(
    new Set([
      'SignalExternalWorkflowExecutionInitiated',
      'ExternalWorkflowExecutionSignaled',
      'UpdateExternalWorkflowExecutionInitiated',
      'ExternalWorkflowExecutionUpdateCompleted',
      'QueryExternalWorkflowExecutionInitiated',
      'ExternalWorkflowExecutionQueried',
    ]),
  );
  await expectInvariants(system);
});

row('others/once', 'when the process ends between its effect and its answer', async () => {
  const system = await asking(async () => {
    await new Promise<void>((resolve) => setHandler(go, () => resolve()));
    await other().signal(add, 'a');
    return other().executeUpdate(append, { args: ['b'] });
  });
  system.store.flushes.shut();
  system.signal('w', 'go');
  for (let flush = 0; flush < 12; flush++) {
    await system.settle();
    system.store.flushes.letThrough();
    await system.settle();
    await system.crash('lost');
    system.store.flushes.shut();
    if (ofKind(system.history('w'), 'WorkflowExecutionSignaled').length === 0) system.signal('w', 'go');
  }
  system.store.flushes.open();
  await system.settle();
  expect(await toldBy(system)).toBe(2);
  expect(await system.query('l', 'entries').value()).toEqual(['a', 'b']);
  await expectInvariants(system);
});

row('others/in-order', 'all that one step asks', async () => {
  const system = await asking(() =>
    Promise.all([other().signal(add, 'a'), other().executeUpdate(append, { args: ['b'] }), other().signal(add, 'c')]),
  );
  expect(await system.query('l', 'entries').value()).toEqual(['a', 'b', 'c']);
  await expectInvariants(system);
});

row('others/failures', 'by name, with message and cause', async () => {
  const system = await asking(async () => [
    await getExternalWorkflowHandle('nobody')
      .cancel()
      .catch((error: ApplicationFailure) => [error.type, error.nonRetryable]),
    await other()
      .executeUpdate(append, { args: [''] })
      .catch((error: ApplicationFailure) => [error.type, (error.cause as ApplicationFailure).type]),
    await other()
      .query('unknown')
      .catch((error: ApplicationFailure) => [error.type, error.message.includes('entries')]),
  ]);
  expect(await toldBy(system)).toEqual([
    ['WorkflowNotFoundError', true],
    ['WorkflowUpdateFailedError', 'Empty'],
    ['QueryNotRegisteredError', true],
  ]);
  await expectInvariants(system);
});

row('others/cancellation', 'of what is asked in a scope', async () => {
  const cancelled = (error: unknown) => error instanceof CancelledFailure;
  const system = await asking(async () => {
    const withdrawn = new CancellationScope();
    const never = withdrawn.run(() => other().signal(add, 'never')).catch(cancelled);
    withdrawn.cancel();
    const waited = new CancellationScope();
    const both = waited.run(() =>
      Promise.all([
        other()
          .executeUpdate(appendLater, { args: ['later', 1000] })
          .catch(cancelled),
        other()
          .signal(add, 'sent')
          .then(() => 'waited for'),
      ]),
    );
    await getExternalWorkflowHandle('l').query(entries);
    waited.cancel();
    return [await never, await both];
  });
  expect(await toldBy(system)).toEqual([true, [true, 'waited for']]);
  await system.pass(1000);
  expect(await system.query('l', 'entries').value()).toEqual(['sent', 'later']);
  await expectInvariants(system);
});

row('others/itself', 'neither hangs', async () => {
  const system = await asking(
    async () => {
      setHandler(greet, () => 'w greets itself');
      const self = await getExternalWorkflowHandle('w').executeUpdate(greet);
      setHandler(greet, () => getExternalWorkflowHandle('p').executeUpdate(greet));
      return self;
    },
    {
      partner: async () => {
        let asked = 0;
        setHandler(greet, async () => (asked++ === 0 ? getExternalWorkflowHandle('w').executeUpdate(greet) : 'hello'));
        await condition(() => false);
      },
    },
  );
  expect(await toldBy(system)).toBe('w greets itself');
  await system.start('p', 'partner').value();
  expect(await system.update('p', 'greet').value()).toBe('hello');
  await expectInvariants(system);
});

row('others/limit', 'the next one fails, and those before it do not', async () => {
  const system = await asking(async () => {
    const all = await Promise.allSettled(Array.from({ length: 2001 }, () => other().signal(add, 'x')));
    return all.filter(({ status }) => status === 'rejected').length;
  });
  expect(await toldBy(system)).toBe(1);
  expect((await system.query('l', 'entries').value()) as string[]).toHaveLength(2000);
});

row('children/result', 'whichever it is', async () => {
  const system = await asking(
    async () => [
      await executeChild('adding', { args: [1, 2] }),
      await executeChild('failing').catch((error: ChildWorkflowFailure) => [
        error instanceof ChildWorkflowFailure,
        (error.cause as ApplicationFailure).type,
      ]),
    ],
    {
      adding: async (a: number, b: number) => a + b,
      failing: async () => {
        throw ApplicationFailure.nonRetryable('no', 'Odd');
      },
    },
  );
  expect(await toldBy(system)).toEqual([3, [true, 'Odd']]);
  await expectInvariants(system);
});

row('children/chain', 'and its result is the child’s', async () => {
  const system = await asking(() => executeChild('counting', { args: [0] }), {
    counting: async (n: number) => (n < 3 ? continueAsNew(n + 1) : n),
  });
  expect(await toldBy(system)).toBe(3);
  await expectInvariants(system);
});

row('children/once', 'when the process ends before its parent has heard of it', async () => {
  const system = await System.open({ workflows: { ledger, main: () => executeChild(ledger, { workflowId: 'c' }) } });
  system.store.flushes.shut();
  system.start('w', 'main');
  await system.settle();
  while (system.types('c').length === 0) {
    system.store.flushes.letThrough();
    await system.settle();
  }
  await system.crash('lost');
  expect(system.types('w')).not.toContain('ChildWorkflowExecutionStarted');
  await system.signal('c', 'finish').value();
  expect(await system.result('w').value()).toEqual([]);
  const runs = [...system.histories().values()].map(([started]) => started).filter((started) => started !== undefined);
  expect(runs).toHaveLength(2);
  await expectInvariants(system);
});

row('children/id-taken', 'and so is told to the parent', async () => {
  const system = await asking(async () => [
    await startChild(ledger, { workflowId: 'l' }).catch(
      (error) => error instanceof WorkflowExecutionAlreadyStartedError,
    ),
    await startChild('missing').catch((error: ApplicationFailure) => [error.type, error.message.includes('ledger')]),
  ]);
  expect(await toldBy(system)).toEqual([true, ['UnknownWorkflowTypeError', true]]);
  await expectInvariants(system);
});

row('children/close-policy', 'and not before', async () => {
  const system = await System.open({
    workflows: {
      ledger,
      main: async () => {
        await startChild(ledger, { workflowId: 'default' });
        await startChild(ledger, { workflowId: 'cancel', parentClosePolicy: 'REQUEST_CANCEL' });
        await startChild(ledger, { workflowId: 'abandon', parentClosePolicy: 'ABANDON' });
        await new Promise<void>((resolve) => setHandler(go, () => resolve()));
      },
    },
  });
  await system.start('w', 'main').value();
  await system.settle();
  system.store.flushes.shut();
  system.terminate('w');
  await system.settle();
  const statuses = async () =>
    Promise.all(['default', 'cancel', 'abandon'].map((id) => system.history(id).at(-1)?.eventType));
  expect(await statuses()).toEqual(Array(3).fill('WorkflowExecutionStarted'));
  system.store.flushes.open();
  await system.settle();
  expect(await statuses()).toEqual([
    'WorkflowExecutionTerminated',
    'WorkflowExecutionCanceled',
    'WorkflowExecutionStarted',
  ]);
  await expectInvariants(system);
});

row('others/cancelled-scope', 'and who asks is told that it is cancelled', async () => {
  const system = await asking(async () => {
    const scope = new CancellationScope();
    scope.cancel();
    const cancelled = (error: unknown) => isCancellation(error);
    return scope.run(async () => [
      await other().signal(add, 'never').catch(cancelled),
      await other().cancel().catch(cancelled),
      await other().query(entries).catch(cancelled),
    ]);
  });
  expect(await toldBy(system)).toEqual([true, true, true]);
  expect(system.types('l')).toEqual(['WorkflowExecutionStarted']);
  await expectInvariants(system);
});

row('children/cancelled-before-start', 'though the child starts all the same', async () => {
  const system = await System.open({
    workflows: {
      ledger,
      main: async () => {
        let fate: unknown;
        setHandler(told, () => fate);
        const scope = new CancellationScope();
        setHandler(go, () => scope.cancel());
        await scope
          .run(() => startChild(ledger, { workflowId: 'l', cancellationType: 'ABANDON' }))
          .catch((error: unknown) => {
            fate = isCancellation(error);
          });
        await condition(() => false);
      },
    },
  });
  // Both are in one turn, so that the scope is cancelled before the child can have started.
  system.start('w', 'main');
  system.signal('w', 'go');
  await system.settle();
  expect(await toldBy(system)).toBe(true);
  expect((await system.describe('l')).status).toBe('RUNNING');
  await expectInvariants(system);
});

row('children/cancellation-type', 'by what the parent sees, and the child', async () => {
  const stubborn = async () => {
    await condition(() => false).catch(() => undefined);
    await CancellationScope.nonCancellable(() => new Promise<void>((resolve) => setHandler(finish, () => resolve())));
    throw new CancelledFailure('at last');
  };
  const types = ['ABANDON', 'TRY_CANCEL', 'WAIT_CANCELLATION_REQUESTED', 'WAIT_CANCELLATION_COMPLETED'] as const;
  const system = await System.open({
    workflows: {
      stubborn,
      main: async () => {
        const gone: string[] = [];
        setHandler(told, () => gone);
        const scope = new CancellationScope();
        for (const type of types) {
          void scope
            .run(() => executeChild(stubborn, { workflowId: type, cancellationType: type }))
            .catch((error: unknown) => gone.push(isCancellation(error) ? type : String(error)));
        }
        setHandler(go, () => scope.cancel());
        await condition(() => false);
      },
    },
  });
  await system.start('w', 'main').value();
  await system.settle();
  await system.signal('w', 'go').value();
  await system.settle();
  expect(await toldBy(system)).toEqual(types.slice(0, 3));
  for (const type of types) {
    const requests = ofKind(system.history(type), 'WorkflowExecutionCancelRequested');
    expect(requests, type).toHaveLength(type === 'ABANDON' ? 0 : 1);
  }
  await system.signal('WAIT_CANCELLATION_COMPLETED', 'finish').value();
  await system.settle();
  expect(await toldBy(system)).toEqual(types);
  await expectInvariants(system);
});

row('children/handle', 'also once the child is closed and its id used by another', async () => {
  const system = await asking(async () => {
    const child = await startChild(ledger, { workflowId: 'c' });
    const appended = await child.executeUpdate(append, { args: ['a'] });
    await child.signal(finish);
    await child.result();
    await getExternalWorkflowHandle('c').signalWithStart(ledger, { signal: add, signalArgs: ['not of the child'] });
    const late = await child.signal(add, 'late').catch((error: ApplicationFailure) => error.type);
    return [appended, await child.query(entries), late];
  });
  expect(await toldBy(system)).toEqual([1, ['a'], 'WorkflowNotFoundError']);
  expect(await system.query('c', 'entries').value()).toEqual(['not of the child']);
  await expectInvariants(system);
});
