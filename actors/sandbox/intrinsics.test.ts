/**
 * What is locked is as fast as before.
 * Thread: test and a process of its own, for what is locked stays so.
 */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const LOCKED = new URL('./intrinsics.js', import.meta.url);

/** Names those of the objects that V8 reads by looking up a table. */
const SCRIPT = `
  const { lockIntrinsics } = await import(${JSON.stringify(LOCKED)});
  lockIntrinsics([]);
  const isFast = new Function('owner', 'return %HasFastProperties(owner)');
  const names = ['Object', 'Function', 'Array', 'String', 'Number', 'Promise', 'Map', 'Set', 'Error', 'Uint8Array', 'URL'];
  const slow = names.filter((name) => !isFast(globalThis[name].prototype));
  process.stdout.write(JSON.stringify(slow));`;

test('no locked prototype is left in a form that V8 cannot inline', () => {
  const out = execFileSync(process.execPath, ['--allow-natives-syntax', '--input-type=module', '-e', SCRIPT], {
    encoding: 'utf8',
  });
  expect(JSON.parse(out)).toEqual([]);
});
