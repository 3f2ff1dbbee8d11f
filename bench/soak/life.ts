/**
 * One life of a child: from its start until it is killed or ends by itself.
 * Thread: parent process. In → out: script, plan, and when to kill → the lines that the child wrote.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Both answer in how many milliseconds to kill the child, instead of whatever was said before; undefined changes nothing. */
export interface Killer {
  started(): number;
  told(message: unknown): number | undefined;
}

export interface Life<L> {
  /** What it wrote, without what the kill cut short. */
  readonly lines: L[];
  readonly killed: boolean;
  /** How it ended by itself; undefined if it was killed. */
  readonly own: string | undefined;
}

/** Where the children of one campaign live. */
export interface Home {
  readonly directory: string;
  readonly store: string;
  readonly plan: string;
  readonly lines: string;
}

export async function makeHome(): Promise<Home> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-soak-'));
  const at = (name: string) => join(directory, name);
  return { directory, store: at('store'), plan: at('plan.json'), lines: at('lines.jsonl') };
}

/** The child's standard output is a file, so that its lines outlive it. */
export async function live<L>(script: URL, home: Home, plan: object, killer: Killer): Promise<Life<L>> {
  await writeFile(home.plan, JSON.stringify(plan));
  const lines = await open(home.lines, 'w');
  const stdio = ['ignore', lines.fd, 'inherit', 'ipc'] as const;
  const child = spawn(process.execPath, [fileURLToPath(script), home.plan], { stdio: [...stdio] });
  let killed = false;
  let timer: NodeJS.Timeout | undefined;
  const killAfter = (ms: number | undefined) => {
    if (ms === undefined) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      killed = child.kill('SIGKILL');
    }, ms);
  };
  killAfter(killer.started());
  child.on('message', (message) => killAfter(killer.told(message)));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  await lines.close();
  const written = (await readFile(home.lines, 'utf8')).split('\n').slice(0, -1);
  const own = killed && signal === 'SIGKILL' ? undefined : signal === null ? `code ${code}` : signal;
  return { lines: written.map((text) => JSON.parse(text) as L), killed, own };
}
