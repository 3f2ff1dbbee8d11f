/**
 * The greeting example: one process talks to two workflows and kills itself; another goes on with them from the disk.
 * Thread: main. In → out: nothing → the conversation, on the console.
 *
 * Run it with `npm start`. What is said stands in before-the-kill.ts and after-the-kill.ts, the workflows in workflows.ts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const store = './data/greeting';
rmSync(store, { recursive: true, force: true });

/** Resolves with how the process ended: its exit code, or the signal that killed it. */
async function run(script: string): Promise<number | NodeJS.Signals> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [file, store], { stdio: 'inherit' });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal ?? code ?? 1;
}

const first = await run('./before-the-kill.js');
console.log(`\nThe first process ended: ${typeof first === 'number' ? `exit code ${first}` : first}`);
if (first !== 'SIGKILL') process.exit(1);

const second = await run('./after-the-kill.js');
console.log(`\nThe second process ended: ${typeof second === 'number' ? `exit code ${second}` : second}`);
process.exitCode = second === 0 ? 0 : 1;
