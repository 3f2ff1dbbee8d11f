/**
 * What search attributes cost at the start, what lists over many closed runs take, and what they make others wait.
 * Thread: main. In → out: settings → lines of figures.
 */
import { join } from 'node:path';
import { type Client, defineSearchAttributeKey, Runtime } from '../../runtime/index.js';
import { drive, type Figures, figures, type Sample } from '../drive.js';
import { counter, quick, total } from '../workflows.js';
import { startMany, WORKFLOWS } from '../workloads.js';

export interface FindingSettings {
  readonly runs: number;
  readonly seconds: number;
  readonly directory: string;
}

const CUSTOMERS = 50_000;
const CALLERS = 256;
/** Both sides are measured in this many pieces, alternately, so that a busy moment of the machine meets both. */
const ROUNDS = 8;
const REPEATS = 7;

const customer = defineSearchAttributeKey('Customer', 'KEYWORD');
const amount = defineSearchAttributeKey('Amount', 'INT');
const due = defineSearchAttributeKey('Due', 'DATETIME');

const attributesOf = (n: number) => [
  { key: customer, value: `customer-${n % CUSTOMERS}` },
  { key: amount, value: n % 997 },
  { key: due, value: new Date(Date.UTC(2026, 0, 1) + n * 1000) },
];

export async function measureFinding({ runs, seconds, directory }: FindingSettings, print: (line: string) => void) {
  const store = join(directory, 'finding');
  let runtime = await Runtime.create({ workflows: WORKFLOWS, store, logger: 'warn' });
  try {
    const started = await measureStarts(runtime.client, seconds * 1000, print);
    let next = started;
    await startMany(
      (n) => {
        const typedSearchAttributes = attributesOf(n);
        return runtime.client.workflow.execute(quick, { workflowId: `run-${n}`, args: [1], typedSearchAttributes });
      },
      Math.max(0, runs - next),
    );
    next = Math.max(runs, next);
    await runtime.client.workflow.start(counter, { workflowId: 'asked' });
    print(`${next} closed runs with 3 attributes each; first page of 100, fastest of ${REPEATS} and slowest, in ms:`);
    await measureQueries(runtime.client, print);
    await runtime.shutdown();
    const began = performance.now();
    runtime = await Runtime.create({ workflows: WORKFLOWS, store, logger: 'warn' });
    print(`reopened in ${((performance.now() - began) / 1000).toFixed(2)} s`);
  } finally {
    await runtime.shutdown();
  }
}

/** Executes the same workflow with and without attributes; the number of runs that were closed. */
async function measureStarts(client: Client, ms: number, print: (line: string) => void): Promise<number> {
  let n = 0;
  const sides = [
    () => client.workflow.execute(quick, { workflowId: `start-${n++}`, args: [1] }),
    () => {
      const typedSearchAttributes = attributesOf(n);
      return client.workflow.execute(quick, { workflowId: `start-${n++}`, args: [1], typedSearchAttributes });
    },
  ].map((operation) => ({ operation, samples: [] as Sample[] }));
  for (const { operation } of sides) await drive(operation, CALLERS, ms / 4);
  for (let round = 0; round < ROUNDS; round++) {
    for (const { operation, samples } of sides) samples.push(await drive(operation, CALLERS, ms / 2 / ROUNDS));
  }
  const [plain, withAttributes] = sides.map(({ samples }) => figures(samples)) as [Figures, Figures];
  const perSecond = ({ opsPerSecond, cpuMicrosPerOp }: Figures) =>
    `${Math.round(opsPerSecond)}/s (${cpuMicrosPerOp.toFixed(1)} µs of CPU)`;
  const ratio = withAttributes.opsPerSecond / plain.opsPerSecond;
  print(
    `execute, ${CALLERS} callers: ${perSecond(plain)} plain, ${perSecond(withAttributes)} with 3 attributes: ${ratio.toFixed(2)}`,
  );
  return n;
}

const QUERIES = [
  '',
  `WorkflowType = 'quick'`,
  `WorkflowType = 'counter'`,
  `ExecutionStatus = 'Running'`,
  `ExecutionStatus = 'Failed'`,
  `StartTime < '2000-01-01T00:00:00Z'`,
  `CloseTime > '2100-01-01T00:00:00Z'`,
  `Customer = 'customer-7'`,
  `Customer STARTS_WITH 'customer-4999'`,
  `Amount = 5 AND Customer = 'customer-2'`,
  `Amount > 1000 OR Due < '2026-01-01T00:00:09Z'`,
  `WorkflowId = 'run-77'`,
  `WorkflowId STARTS_WITH 'nobody'`,
  `ORDER BY Amount DESC`,
];

/** How long each takes, and how long queries to a running workflow take meanwhile. */
async function measureQueries(client: Client, print: (line: string) => void): Promise<void> {
  const asked = client.workflow.getHandle('asked');
  for (const query of QUERIES) {
    const times: number[] = [];
    let listing = true;
    const waits: number[] = [];
    const asking = (async () => {
      while (listing) {
        const began = performance.now();
        await asked.query(total);
        waits.push(performance.now() - began);
      }
    })();
    let rows = 0;
    for (let n = 0; n < REPEATS; n++) {
      const began = performance.now();
      rows = await firstPage(client, query);
      times.push(performance.now() - began);
    }
    listing = false;
    await asking;
    const [fastest, slowest, waited] = [Math.min(...times), Math.max(...times), Math.max(...waits)];
    const told = [fastest, slowest].map((ms) => ms.toFixed(1).padStart(7)).join('');
    print(`${told}  ${String(rows).padStart(3)} rows, a query to a workflow waited ${waited.toFixed(1)}: ${query}`);
  }
  const began = performance.now();
  const { count } = await client.workflow.count('GROUP BY ExecutionStatus');
  print(`count by status of ${count}: ${(performance.now() - began).toFixed(1)} ms`);
}

async function firstPage(client: Client, query: string): Promise<number> {
  let rows = 0;
  for await (const _ of client.workflow.list({ query, pageSize: 100 })) if (++rows === 100) break;
  return rows;
}
