/**
 * The command line as a shell sees it: what goes to which stream, and how it ends.
 * Thread: test. In → out: arguments → streams and exit code of a process.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Runtime } from '../index.js';

const script = fileURLToPath(new URL('./holdfast.js', import.meta.url));

function shell(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test.each([['--help'], ['-h'], ['help'], ['verify', '--help']])(
  '%s %s tells how it is used, and ends well',
  (...args) => {
    const { status, stdout, stderr } = shell(...args.filter(Boolean));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('holdfast verify <store>');
  },
);

test('--version is that of the package', () => {
  const { status, stdout } = shell('--version');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+/);
});

test.each([[[]], [['nonsense']], [['verify']], [['verify', '/nowhere/at/all']], [['history', '/nowhere', 'w']]])(
  'what %j cannot do is an error on the stream for errors',
  (args) => {
    const { status, stdout, stderr } = shell(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).not.toBe('');
  },
);

test('a runtime that is made by new says how it is made', () => {
  const Made = Runtime as unknown as new () => unknown;
  expect(() => new Made()).toThrow(/await Runtime\.create/);
});
