/**
 * The command line of the abandoned waits: `npm run bench:abandoned -- --waits 100000`.
 * Thread: main. In → out: arguments → figures; exit code 1 if anything is left of them.
 */
import { parseArgs } from 'node:util';
import { abandon } from './measure.js';

const { values } = parseArgs({ options: { waits: { type: 'string', default: '100000' } } });
const waits = Number(values.waits);
if (!Number.isInteger(waits) || waits < 1) {
  process.stderr.write('Usage: npm run bench:abandoned -- [--waits 100000]\n');
  process.exit(2);
}
const { waited, givenUp, left, bytesPerWait, cpuMicrosPerWait } = await abandon({ waits, workers: 1 });
const remains = Object.entries(left).filter(([, count]) => count !== 0);
process.stdout.write(`${waited} callers waited at once, ${givenUp} have given up\n`);
process.stdout.write(
  `left of them        ${Object.entries(left)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ')}\n`,
);
process.stdout.write(`heap of all threads grew by ${bytesPerWait.toFixed(1)} bytes a wait\n`);
process.stdout.write(`CPU, all threads    ${cpuMicrosPerWait.toFixed(1)} µs a wait\n`);
process.exitCode = remains.length === 0 && waited === waits && givenUp === waits ? 0 : 1;
