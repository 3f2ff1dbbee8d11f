/**
 * Withdrawals at the moments in which a caller is on its way: from one run of a chain to the next, or before it is known what its start is.
 * Thread: the test's. In → out: requests of one port, withdrawn → nobody waits.
 */
import { expect, test } from 'vitest';
import { condition, continueAsNew, defineSignal, setHandler } from '../../../actors/workflow/index.js';
import type { Reply, Request } from '../../client/protocol.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { running } from '../../test-kit/running.test-kit.js';
import { type RequestBody, System } from '../../test-kit/system.test-kit.js';

routeRejections();

const go = defineSignal('go');

/** Continues as new once told to. */
async function chain(): Promise<void> {
  let told = false;
  setHandler(go, () => {
    told = true;
  });
  await condition(() => told);
  await continueAsNew();
}

/** A client of the system, which sends and withdraws under ids of its own. */
function clientOf(system: System) {
  const replies: Reply[] = [];
  const port = { send: (reply: Reply) => void replies.push(reply) };
  const send = (id: number, body: RequestBody) => system.supervisor.request({ ...body, id } as Request, port);
  return { replies, send, close: () => system.supervisor.portClosed(port) };
}

const waiting = ({ supervisor }: System) => [supervisor.controlPlane.callers(), supervisor.core.requestsInFlight];

test.each(['withdrawn', 'gone'])('a caller is %s while its run continues as new, and waits in no run', async (how) => {
  const system = await running(chain);
  const { replies, send, close } = clientOf(system);
  send(1, { kind: 'result', workflowId: 'w', followRuns: true });
  await system.settle();
  expect(waiting(system)).toEqual([1, 0]);
  system.workers.returns.shut();
  await system.signal('w', 'go').value();
  system.store.flushes.shut();
  system.workers.returns.open();
  await system.settle();
  if (how === 'gone') close();
  else send(1, { kind: 'withdraw', workflowId: 'w' });
  await system.settle();
  system.store.flushes.open();
  await system.settle();
  expect(system.history('w')[0]).toMatchObject({ continuedFromRunId: expect.any(String) });
  expect(waiting(system)).toEqual([0, 0]);
  expect(replies).toEqual([]);
  await expectInvariants(system);
});

test.each(['withdrawn', 'gone'])(
  'a start that is %s while it is compared with the first one waits for nothing',
  async (how) => {
    const system = await System.open({ workflows: { main: chain } });
    const { replies, send, close } = clientOf(system);
    const start = {
      kind: 'start' as const,
      workflowId: 'w',
      workflowType: 'main',
      input: [],
      requestId: 'r',
    } satisfies RequestBody;
    await system.startWith({ workflowId: 'w', workflowType: 'main', requestId: 'r' }).value();
    system.store.reads.shut();
    send(1, { ...start, awaitResult: true });
    await system.settle();
    expect(waiting(system)).toEqual([0, 1]);
    if (how === 'gone') close();
    else send(1, { kind: 'withdraw', workflowId: 'w' });
    await system.settle();
    expect(waiting(system)).toEqual([0, 0]);
    system.store.reads.open();
    await system.settle();
    expect(waiting(system)).toEqual([0, 0]);
    expect(replies).toEqual([]);
    await expectInvariants(system);
  },
);
