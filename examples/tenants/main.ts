/**
 * The tenants example: whom a request is for goes with it through workflow, activities, child and log, and no function passes it on.
 * Thread: main. In → out: nothing → a short story on the console.
 *
 * Run it with `npm run example -- tenants`.
 */
import { ledgers } from './activities.js';
import { currentTenant } from './client-interceptors.js';
import { counts, openService, type StructuredLogger } from './service.js';
import { order } from './workflows.js';

const say = (fields: object, message: string) => {
  const { tenant, sdkComponent, item, items } = fields as Record<string, unknown>;
  console.log(`  ${sdkComponent} for ${tenant}: ${message} ${item ?? items}`);
};
const logger: StructuredLogger = { trace: say, debug: say, info: say, warn: say, error: say };
const runtime = await openService(logger);

/** What a web framework's middleware and handler would do. */
async function serve(tenant: string, items: string[]): Promise<void> {
  await currentTenant.run(tenant, async () => {
    console.log(`A request of ${tenant}`);
    const result = await runtime.client.workflow.execute(order, { workflowId: `order-of-${tenant}`, args: [items] });
    console.log(`  answer: ${result}`);
  });
}

await serve('acme', ['anvils', 'rockets']);
await serve('globex', ['globes']);
for (const [tenant, ledger] of ledgers) console.log(`The ledger of ${tenant}: ${ledger.join(', ')}`);
await runtime.shutdown();
for (const [name, count] of counts) console.log(`Counted: ${name} ${count}`);
