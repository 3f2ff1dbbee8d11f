/**
 * The exactly-once example: everything is sent more than once, a runtime ends in the middle of a payment, and the sums are right.
 * Thread: main. In → out: nothing → a short story on the console.
 *
 * Run it with `npm run example -- exactly-once`.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime } from 'holdfast';
import { activitiesOf, Bank } from './activities.js';
import { insist } from './client.js';
import { account, deposit, getBalance, withdraw } from './workflows.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-exactly-once-'));
const bank = new Bank();
const workflows = new URL('./workflows.js', import.meta.url);
const openRuntime = () => Runtime.create({ workflows, activities: activitiesOf(bank), store, logger: 'warn' });
let runtime = await openRuntime();
/** The account, through whichever runtime is open. */
const ada = () => runtime.client.workflow.getHandle<typeof account>('ada');

await runtime.client.workflow.start(account, { workflowId: 'ada', args: [{ balance: 0, entriesPerRun: 4 }] });
const firstRun = (await ada().describe()).runId;

console.log('Three deposits, each sent twice under its own id');
const deposits = { 'letter-1': 10, 'letter-2': 20, 'letter-3': 30 };
const sendDeposits = async () => {
  for (const [requestId, amount] of Object.entries(deposits)) {
    await ada().signalWithOptions(deposit, { args: [amount], requestId });
  }
};
await sendDeposits();
await sendDeposits();
console.log(`  the balance is ${await ada().query(getBalance)}`);

console.log('A withdrawal: the bank pays, and the runtime ends before the bank can say so');
const sendWithdrawal = () => ada().executeUpdate(withdraw, { args: [25], updateId: 'order-1' });
bank.answers = false;
void once(bank, 'paid').then(() => runtime.shutdown());
const left = await insist(sendWithdrawal, async (error) => {
  console.log(`  ${error.name}: nobody knows what came of it, so it is sent again to the next runtime`);
  await runtime.shutdown();
  bank.answers = true;
  runtime = await openRuntime();
});
console.log(`  withdrawn; ${left} are left`);
console.log(`  the bank was called ${bank.calls} times, and has made ${bank.payments.size} payment`);

console.log('The account has continued as new, and everything is sent once more');
await sendDeposits();
console.log(`  withdrawn; ${await sendWithdrawal()} are left`);
console.log(`  the balance is ${await ada().query(getBalance)}, with ${bank.payments.size} payment made`);
console.log(`  in another run than at first: ${(await ada().describe()).runId !== firstRun}`);

await runtime.shutdown();
await rm(store, { recursive: true });
