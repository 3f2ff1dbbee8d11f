/**
 * The semantics' coverage: which test holds which row of docs/semantics.md, collected from a whole run of runtime/semantics/.
 * Thread: vitest's own. In → out: rows and tests that passed → docs/semantics-coverage.md, written (`-u`) or compared.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Reporter, TestModule, Vitest } from 'vitest/node';
import { SEPARATOR } from './row.test-kit.js';

export interface Row {
  readonly id: string;
  readonly section: string;
}

export interface RowTest {
  /** Name of the test file, without extension. */
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
}

const RENEW = 'npm run coverage:semantics';

/** The rows of the page, in its order. */
export function readRows(page: string): Row[] {
  const rows: Row[] = [];
  let section = '';
  for (const line of page.split('\n')) {
    const heading = /^## (.+)$/.exec(line);
    if (heading !== null) section = heading[1]!;
    const id = /^\| `([a-z0-9-]+\/[a-z0-9-]+)` \| \S/.exec(line);
    if (id !== null) rows.push({ id: id[1]!, section });
  }
  return rows;
}

/** What keeps rows and tests from being a map of each other; empty if nothing does. */
export function problems(rows: readonly Row[], tests: readonly RowTest[]): string[] {
  const found: string[] = [];
  const ids = new Set<string>();
  for (const { id } of rows) {
    if (ids.has(id)) found.push(`docs/semantics.md has two rows ${id}`);
    ids.add(id);
  }
  const held = new Set<string>();
  for (const { file, name, passed } of tests) {
    const id = rowOf(name);
    if (id === undefined || !ids.has(id)) found.push(`${file}: '${name}' names no row of docs/semantics.md`);
    else if (!passed) found.push(`${file}: '${name}' did not pass`);
    else held.add(id);
  }
  for (const id of ids)
    if (!held.has(id)) found.push(`row ${id} of docs/semantics.md has no test in runtime/semantics/`);
  return found;
}

/** The page docs/semantics-coverage.md. */
export function coveragePage(rows: readonly Row[], tests: readonly RowTest[]): string {
  const lines = [
    '# Which test holds which row',
    '',
    `Made by \`${RENEW}\` from [semantics.md](semantics.md) and a run of \`runtime/semantics/\`. Every test run compares it.`,
  ];
  let section = '';
  for (const { id, section: of } of rows) {
    if (of !== section) {
      section = of;
      lines.push('', `## ${section}`, '', '| row | tests |', '| --- | --- |');
    }
    const own = tests.filter(({ name }) => rowOf(name) === id);
    const cells = own.map(({ file, name }) => `\`${file}\`: ${name.slice(id.length + SEPARATOR.length)}`);
    lines.push(`| \`${id}\` | ${cells.join('<br>').replaceAll('|', '\\|')} |`);
  }
  return `${lines.join('\n')}\n`;
}

function rowOf(name: string): string | undefined {
  const end = name.indexOf(SEPARATOR);
  return end < 0 ? undefined : name.slice(0, end);
}

/** In vitest.config.ts. Says nothing of a run that left out a part of runtime/semantics/. */
export class SemanticsCoverage implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const { config } = this.#vitest!;
    if (config.testNamePattern !== undefined) return;
    const folder = join(config.root, 'dist/runtime/semantics');
    const own = modules
      .filter(({ moduleId }) => moduleId.startsWith(folder))
      .sort((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
    if (own.length < readdirSync(folder).filter((name) => name.endsWith('.test.js')).length) return;
    const tests = own.flatMap((module) =>
      [...module.children.allTests()].map((test) => ({
        file: basename(module.moduleId, '.test.js'),
        name: test.name,
        passed: test.result().state === 'passed',
      })),
    );
    const rows = readRows(readFileSync(join(config.root, 'docs/semantics.md'), 'utf8'));
    const found = problems(rows, tests);
    const path = join(config.root, 'docs/semantics-coverage.md');
    const page = coveragePage(rows, tests);
    if (found.length === 0 && read(path) !== page) {
      if (config.snapshotOptions.updateSnapshot === 'all') writeFileSync(path, page);
      else found.push(`docs/semantics-coverage.md is out of date: renew it with \`${RENEW}\``);
    }
    if (found.length === 0) return;
    process.exitCode = 1;
    for (const problem of found) this.#vitest!.logger.error(`Semantics coverage: ${problem}`);
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
