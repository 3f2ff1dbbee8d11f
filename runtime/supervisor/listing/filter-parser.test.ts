/**
 * The parser of list filters is made from its grammar, and this makes it: `npm run generate`.
 * Thread: the test's.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import peggy from 'peggy';
import { expect, test } from 'vitest';

const source = (name: string): string =>
  fileURLToPath(new URL(`../../../../runtime/supervisor/listing/${name}`, import.meta.url));

const HEAD = `/**
 * The parser of list filters, made from list-filter.peggy by \`npm run generate\`: not to be edited.
 * Thread: supervisor. In → out: text → query, or a syntax error.
 */
// @ts-nocheck
`;

test('the parser is the one that the grammar makes: if not, npm run generate', async () => {
  const grammar = readFileSync(source('list-filter.peggy'), 'utf8');
  const parser = peggy.generate(grammar, { output: 'source', format: 'es', allowedStartRules: ['Query'] });
  await expect(HEAD + parser).toMatchFileSnapshot(source('generated-filter-parser.ts'));
});
