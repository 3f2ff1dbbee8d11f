/**
 * The examples by name: `npm run example -- NAME` runs one, and without a name, or with an unknown one, says which there are.
 * Thread: main. In → out: a folder's name → what its main.js prints.
 */
import { readdirSync } from 'node:fs';

const here = new URL('./', import.meta.url);
const folders = readdirSync(here, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const names = folders.map(({ name }) => name).filter((name) => readdirSync(new URL(name, here)).includes('main.js'));

const [, , name] = process.argv;
if (name !== undefined && names.includes(name)) {
  await import(new URL(`${name}/main.js`, here).href);
} else {
  const complaint = name === undefined ? 'Which example?' : `There is no example '${name}'.`;
  console.error(`${complaint} npm run example -- NAME, where NAME is one of: ${names.sort().join(', ')}`);
  process.exitCode = 1;
}
