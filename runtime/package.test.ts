/**
 * The package as users get it: what the tarball holds, and that the README's program runs on it, from JavaScript and from TypeScript.
 * Thread: the test's. In → out: `npm pack` → `npm install` in an empty folder → programs run there.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

interface PackageJson {
  exports: Record<string, string | { types: string; default: string }>;
  bin: { holdfast: string };
  dependencies: Record<string, string>;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson;
const folder = mkdtempSync(join(tmpdir(), 'holdfast-package-'));
const installed = join(folder, 'node_modules/holdfast');
let packed: string[] = [];

const INSTALL_MS = 240_000;
beforeAll(async () => {
  // Without scripts: packing would build first, under the feet of the tests that run from what is built.
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [tarball] = JSON.parse((await npm(ROOT, ...pack)).stdout) as [{ filename: string; files: { path: string }[] }];
  packed = tarball.files.map(({ path }) => path);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  await npm(folder, 'install', `./${tarball.filename}`, '--prefer-offline', '--no-audit', '--no-fund');
}, INSTALL_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(cwd: string, program: string, args: readonly string[], shell = false): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, shell }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
    });
  });
}

/** On the Node that runs this test, whichever is first in the path. */
const node = (cwd: string, ...args: string[]) => run(cwd, process.execPath, args);

async function npm(cwd: string, ...args: string[]): Promise<Ended> {
  // On Windows npm is a script, which only a shell starts.
  const ended = await run(cwd, 'npm', args, process.platform === 'win32');
  if (ended.code !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${ended.stdout}${ended.stderr}`);
  return ended;
}

const tsc = (cwd: string) => node(cwd, join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', cwd);

describe('the tarball', () => {
  const code = () => packed.filter((path) => /\.(js|d\.ts)$/.test(path));

  test('holds compiled code and the texts for users, and nothing else', () => {
    const KNOWN = /^dist\/(mailbox|actors|runtime)\/[\w/-]+\.(js|js\.map|d\.ts)$/;
    expect(packed.filter((path) => !KNOWN.test(path)).sort()).toEqual(
      ['CHANGELOG.md', 'ERRORS.md', 'LICENSE', 'README.md', 'package.json'].sort(),
    );
    expect(packed.filter((path) => /\.test\.|test-kit|fixtures|bench|examples|contract|\bsim-/.test(path))).toEqual([]);
  });

  test('holds what package.json promises', () => {
    const entries = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : [entry.types, entry.default],
    );
    const promised = [...entries, ...Object.values(manifest.bin)].map((path) => path.replace('./', ''));
    expect(promised.filter((path) => !packed.includes(path))).toEqual([]);
  });

  test('holds everything that its files import, and imports only packages that it depends on', () => {
    const missing: string[] = [];
    const strange = new Set<string>();
    for (const path of code()) {
      const text = readFileSync(join(installed, path), 'utf8').replaceAll(/^\s*(?:\/?\*|\/\/).*$/gm, '');
      const imports = [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom '([^']+)'|\bimport\('([^']+)'\)/gm)];
      for (const [, named, dynamic] of imports) {
        const specifier = (named ?? dynamic) as string;
        if (specifier.startsWith('.')) {
          const target = posix.join(dirname(path), specifier);
          const file = path.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target;
          if (!packed.includes(file)) missing.push(`${path} → ${specifier}`);
        } else if (!specifier.startsWith('node:') && !(specifier in manifest.dependencies)) strange.add(specifier);
      }
    }
    expect({ missing, strange: [...strange] }).toEqual({ missing: [], strange: [] });
  });
});

test('every entry can be imported', async () => {
  const entries = Object.keys(manifest.exports).filter((entry) => !entry.endsWith('.json'));
  const imports = entries.map((entry) => `await import('holdfast${entry.slice(1)}');`).join('\n');
  writeFileSync(join(folder, 'entries.js'), imports);
  // `holdfast/workflow` outside of workflows is what clients do with a workflow file.
  expect(await node(folder, 'entries.js')).toEqual({ code: 0, stdout: '', stderr: '' });
});

/** The files of the README's first program, by the comment that heads each; and the lines that it says it prints. */
function readmeProgram(): { files: Map<string, string>; prints: string[] } {
  const readme = readFileSync(join(installed, 'README.md'), 'utf8');
  const program = /^```js\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? '';
  const files = new Map<string, string>();
  for (const part of program.split(/^(?=\/\/ [\w-]+\.js$)/m)) {
    files.set(/^\/\/ (\S+)\.js\n/.exec(part)?.[1] ?? '', part);
  }
  return { files, prints: [...program.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, line]) => line ?? '') };
}

describe("the README's program", () => {
  const files = new Map<string, string>();
  const prints: string[] = [];
  beforeAll(() => {
    const program = readmeProgram();
    for (const [name, text] of program.files) files.set(name, text);
    prints.push(...program.prints);
  });

  /** Twice, for a store that is there already must do as well. */
  async function runTwice(cwd: string): Promise<void> {
    for (let times = 0; times < 2; times++) {
      expect(await node(cwd, 'main.js')).toEqual({ code: 0, stdout: `${prints.join('\n')}\n`, stderr: '' });
    }
    const verify = join(installed, manifest.bin.holdfast);
    const verified = await node(cwd, verify, 'verify', './data');
    expect(verified.stdout).toContain('The store is whole.');
    expect(verified.code).toBe(0);
  }

  function write(name: string, ending: string): string {
    const cwd = join(folder, name);
    mkdirSync(cwd);
    for (const [file, text] of files) writeFileSync(join(cwd, file + ending), text);
    return cwd;
  }

  test('has two files, about 20 lines, and says what it prints', () => {
    const lines = [...files.values()].flatMap((text) => text.split('\n').filter((line) => line.trim() !== ''));
    expect([...files.keys()]).toEqual(['workflows', 'main']);
    expect(lines.length).toBeLessThanOrEqual(20);
    expect(prints).toHaveLength(2);
  });

  test('runs from JavaScript', async () => {
    await runTwice(write('javascript', '.js'));
  });

  test('compiles as strict TypeScript without skipping our types, and runs', async () => {
    const cwd = write('typescript', '.ts');
    writeTsconfig(cwd);
    expect(await tsc(cwd)).toEqual({ code: 0, stdout: '', stderr: '' });
    await runTwice(cwd);
  });
});

function writeTsconfig(cwd: string): void {
  const compilerOptions = {
    ...{ target: 'ES2022', lib: ['ES2022'], module: 'NodeNext', strict: true, skipLibCheck: false },
    ...{ types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] },
  };
  writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
}

/** Each line that is wrong says so; it is an error if the line below `@ts-expect-error` has none. */
const TYPED_WORKFLOWS = `
import { defineQuery, defineSignal, defineUpdate, proxyActivities, setHandler } from 'holdfast/workflow';
import type * as activities from './activities.js';
export const add = defineSignal<[item: string, count: number]>('add');
export const total = defineQuery<number, [currency: string]>('total');
export const rename = defineUpdate<string, [name: string]>('rename');
const { charge } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });
export async function shop(name: string): Promise<number> {
  let last = name;
  setHandler(add, (item, count) => void item.at(count));
  setHandler(rename, (next) => { const before = last; last = next; return before; }, { validator: (next) => void next.at(0) });
  // @ts-expect-error: a query answers at once
  setHandler(total, async (currency) => currency.length);
  // @ts-expect-error: the update results in a string
  setHandler(rename, (next) => next.length);
  // @ts-expect-error: the validator gets the handler's arguments
  setHandler(rename, (next) => next, { validator: (next: number) => void next });
  // @ts-expect-error: the activity takes a number
  await charge('much');
  // @ts-expect-error: and there is no such activity
  await refund(1);
  const receipt: string = await charge(1);
  return receipt.length;
}
`;
const TYPED_ACTIVITIES = `
export async function charge(amount: number): Promise<string> { return String(amount); }
`;
const TYPED_CLIENT = `
import { Runtime, WorkflowUpdateFailedError } from 'holdfast';
import { createTestRuntime } from 'holdfast/testing';
import * as activities from './activities.js';
import { add, rename, shop, total } from './workflows.js';
const runtime: Runtime = await createTestRuntime({ workflows: './workflows.js', activities });
const client = runtime.client.workflow;
const handle = await client.start(shop, { workflowId: 's', args: ['corner'] });
const result: number = await handle.result();
const sum: number = await handle.query(total, 'EUR');
const before: string = await handle.executeUpdate(rename, { args: ['x'], updateId: 'u' });
await handle.signal(add, 'apples', 3);
for (const event of (await handle.fetchHistory()).events) if (event.eventType === 'TimerFired') event.timerId.at(0);
export const code = (error: WorkflowUpdateFailedError): 'WORKFLOW_UPDATE_FAILED' => error.code;
export const all = [result, sum, before];
// @ts-expect-error: args are missing
await client.start(shop, { workflowId: 's' });
// @ts-expect-error: of the wrong type
await client.start(shop, { workflowId: 's', args: [1] });
// @ts-expect-error: the workflow id is missing
await client.start(shop, { args: ['corner'] });
// @ts-expect-error: an argument is missing
await handle.signal(add, 'apples');
// @ts-expect-error: a signal is no query
await handle.query(add, 'apples', 3);
// @ts-expect-error: of the wrong type
await handle.query(total, 1);
// @ts-expect-error: args are missing
await handle.executeUpdate(rename);
// @ts-expect-error: the result is a string
const wrong: number = await handle.executeUpdate(rename, { args: ['x'] });
// @ts-expect-error: there is no such option
await Runtime.create({ workflows: './workflows.js', store: './data', durable: true });
// @ts-expect-error: the store is missing
await Runtime.create({ workflows: './workflows.js' });
`;

test('the published types refuse what is wrong, and only that', async () => {
  const cwd = join(folder, 'types');
  mkdirSync(cwd);
  const texts = { 'workflows.ts': TYPED_WORKFLOWS, 'activities.ts': TYPED_ACTIVITIES, 'client.ts': TYPED_CLIENT };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(cwd, name), text);
  writeTsconfig(cwd);
  expect(await tsc(cwd)).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(readdirSync(cwd)).toContain('client.js');
});
