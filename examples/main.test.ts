/**
 * The examples as a whole: found by name, listed for newcomers, each tested.
 * Thread: the test's. In → out: `npm run example` and the folders of the examples → what it says of them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { tell } from './test-kit/story.test-kit.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const folders = readdirSync(join(ROOT, 'examples'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
const examples = folders.map(({ name }) => name).filter((name) => name !== 'test-kit');
const list = examples.sort().join(', ');

describe('npm run example', () => {
  test('without a name lists the examples', async () => {
    const { lines, errors, exitCode } = await tell();
    expect(errors).toBe(`Which example? npm run example -- NAME, where NAME is one of: ${list}\n`);
    expect({ lines, exitCode }).toEqual({ lines: [], exitCode: 1 });
  });

  test.each(['unheard-of', '../bench', 'test-kit', ''])("with the name '%s' lists the examples", async (name) => {
    const { lines, errors, exitCode } = await tell(name);
    expect(errors).toBe(`There is no example '${name}'. npm run example -- NAME, where NAME is one of: ${list}\n`);
    expect({ lines, exitCode }).toEqual({ lines: [], exitCode: 1 });
  });
});

describe.each(examples)('%s', (name) => {
  test('can be run, is tested, and stands in the README', () => {
    const files = readdirSync(join(ROOT, 'examples', name));
    expect(files).toContain('main.ts');
    expect(files.filter((file) => file.endsWith('.test.ts'))).not.toEqual([]);
    expect(readFileSync(join(ROOT, 'README.md'), 'utf8').includes(`(examples/${name})`)).toBe(true);
    expect(existsSync(join(ROOT, 'dist/examples', name, 'main.js'))).toBe(true);
  });
});
