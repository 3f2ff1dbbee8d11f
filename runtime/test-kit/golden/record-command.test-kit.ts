/**
 * `npm run golden -- NAME`: keeps the histories of a scenario, beside those that are kept already; these it never replaces.
 * Thread: the command's. In → out: names of scenarios → files in runtime/test-kit/golden/histories.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '../../index.js';
import { played, SCENARIOS } from './scenarios.test-kit.js';

const folder = new URL('../../../../runtime/test-kit/golden/histories/', import.meta.url);
const names = process.argv.slice(2);
const unknown = names.filter((name) => SCENARIOS[name] === undefined);
if (names.length === 0 || unknown.length > 0) {
  console.error(`npm run golden -- NAME …, where each is one of: ${Object.keys(SCENARIOS).sort().join(', ')}`);
  process.exitCode = 1;
} else {
  for (const name of names) {
    for (const [kept, history] of Object.entries(await played(SCENARIOS[name]!))) {
      const file = fileURLToPath(new URL(`${kept}.json`, folder));
      if (existsSync(file)) {
        console.error(`${file} is kept for ever. For a new history, add a scenario under a new name`);
        process.exitCode = 1;
      } else {
        writeFileSync(file, historyToJSON(history));
        console.log(`${file}: ${history.events.length} events`);
      }
    }
  }
}
