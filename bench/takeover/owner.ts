/**
 * One owner of the store: a child process in a PID namespace of its own, or one that says that it is.
 * Thread: parent process. In → out: script, plan, a place for its lines → a process to stop, wake, end and kill, and what it wrote.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CLOSED, END, type Line, type Plan, READY } from '../soak/protocol.js';

const CHILD = fileURLToPath(new URL('../soak/child.js', import.meta.url));
/** Makes a process believe that it is in the namespace that the environment names. */
const PRETENCE = new URL('./pretended-namespace.js', import.meta.url).href;
const UNSHARE = ['--pid', '--fork', '--kill-child', '--mount-proc'];

/** 'unshare': the kernel's own. 'injected': all in one, and only the names differ. */
export type Namespaces = 'unshare' | 'injected';

/** What this machine lets one do. */
export function namespacesHere(): Namespaces {
  const { status, stdout } = spawnSync('unshare', [...UNSHARE, 'sh', '-c', 'echo $$'], { encoding: 'utf8' });
  return status === 0 && stdout.trim() === '1' ? 'unshare' : 'injected';
}

let owners = 0;

export class Owner {
  /** Milliseconds by `performance.now()`, once its store was open; undefined if it ended before. */
  readonly ready: Promise<number | undefined>;
  /** Likewise, once it had shut down. */
  readonly closed: Promise<number | undefined>;
  readonly exited: Promise<void>;
  readonly #wrapper: ChildProcess;
  readonly #namespaces: Namespaces;
  readonly #lines: string;
  #taken = 0;

  constructor(folder: string, plan: Plan, namespaces: Namespaces) {
    const number = ++owners;
    this.#lines = `${folder}/lines-${number}.jsonl`;
    this.#namespaces = namespaces;
    const planned = `${folder}/plan-${number}.json`;
    writeFileSync(planned, JSON.stringify(plan));
    const own = namespaces === 'unshare';
    const args = own ? [...UNSHARE, process.execPath, CHILD, planned] : ['--import', PRETENCE, CHILD, planned];
    this.#wrapper = spawn(own ? 'unshare' : process.execPath, args, {
      // What it says of its end besides, `unshare` above all, is kept beside its lines.
      stdio: ['ignore', openSync(this.#lines, 'w'), openSync(`${this.#lines}.errors`, 'w'), 'ipc'],
      env: { ...process.env, HOLDFAST_PRETENDED_NAMESPACE: String(number) },
    });
    this.exited = once(this.#wrapper, 'exit').then(() => undefined);
    this.ready = this.#said(READY);
    this.closed = this.#said(CLOSED);
  }

  #said(word: string): Promise<number | undefined> {
    return new Promise((resolve) => {
      this.#wrapper.on('message', (message) => {
        if (message === word) resolve(performance.now());
      });
      this.#wrapper.once('exit', () => resolve(undefined));
    });
  }

  /** Of the process that has the store open, as this process sees it. Undefined: it is not there yet, or no more. */
  get #pid(): number | undefined {
    const { pid, exitCode, signalCode } = this.#wrapper;
    if (pid === undefined || exitCode !== null || signalCode !== null) return undefined;
    if (this.#namespaces === 'injected') return pid;
    try {
      const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ');
      // A signal to process 0 would go to all of one's own group.
      return child === undefined || child === '' ? undefined : Number(child);
    } catch {
      return undefined;
    }
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#pid;
    if (pid !== undefined) process.kill(pid, signal);
  }

  /** Resolves once none of its threads runs any more. */
  async stop(): Promise<void> {
    const pid = this.#pid;
    if (pid === undefined) throw new Error('An owner that is not running cannot be stopped');
    process.kill(pid, 'SIGSTOP');
    const state = () => readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /, '')[0];
    while (state() !== 'T') await new Promise((resolve) => setTimeout(resolve, 1));
  }

  wake(): void {
    this.#signal('SIGCONT');
  }

  async kill(): Promise<void> {
    // Of the wrapper it is the end too: `--kill-child`.
    if (this.#pid === undefined) this.#wrapper.kill('SIGKILL');
    else this.#signal('SIGKILL');
    await this.exited;
  }

  end(): void {
    this.#wrapper.send(END);
  }

  /** What it has written since this was last asked, without what is cut short. */
  lines(): Line[] {
    const written = readFileSync(this.#lines, 'utf8').split('\n').slice(0, -1);
    const fresh = written.slice(this.#taken);
    this.#taken = written.length;
    return fresh.map((text) => JSON.parse(text) as Line);
  }
}
