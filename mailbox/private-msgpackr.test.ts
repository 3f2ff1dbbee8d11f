/**
 * The copy of msgpackr: what a service registers with its own, before us or after, is nothing to payloads, and payloads are nothing to it.
 * Thread: the test's. In → out: a program in a process of its own → what it printed.
 */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const PAYLOADS = new URL('./payload.js', import.meta.url).href;
const MSGPACKR = import.meta.resolve('msgpackr');

const REGISTER = `
  class Money { constructor(cents) { this.cents = cents; } }
  for (const type of [0x41, 0x42, 0x43, 10]) {
    const Class = type === 0x41 ? Money : class {};
    service.addExtension({ Class, type, write: (money) => money.cents, read: (cents) => new Money(cents) });
  }`;
const LOAD = `const { encodePayload, decodePayload } = await import(${JSON.stringify(PAYLOADS)});`;
const value = `[new Map([['a', new Set([1n, -0])]]), new Date(5), 'text']`;

test.each([
  ['before', `${REGISTER}\n${LOAD}`],
  ['after', `${LOAD}\n${REGISTER}`],
])('a service that registers extensions %s payloads are loaded has its own, and payloads have theirs', (_, steps) => {
  const program = `
    import assert from 'node:assert';
    import * as service from ${JSON.stringify(MSGPACKR)};
    ${steps}
    assert.deepStrictEqual(decodePayload(encodePayload(${value})), ${value});
    assert.deepStrictEqual(service.unpack(service.pack(new Money(5))), new Money(5));
    console.log('both work');`;
  expect(inProcess(program)).toBe('both work');
});

test("a service's useBigIntExtension goes on working beside payloads", () => {
  const program = `
    import * as service from ${JSON.stringify(MSGPACKR)};
    ${LOAD}
    encodePayload(1n);
    const packr = new service.Packr({ useBigIntExtension: true });
    console.log(String(packr.unpack(packr.pack(2n ** 80n)) === 2n ** 80n));`;
  expect(inProcess(program)).toBe('true');
});

test('payloads are unpacked with the native accelerator exactly where the service has it', () => {
  const program = `
    import { isNativeAccelerationEnabled } from ${JSON.stringify(MSGPACKR)};
    import { createRequire } from 'node:module';
    let loaded = 0;
    const require = createRequire(${JSON.stringify(MSGPACKR)});
    try {
      const native = require('msgpackr-extract');
      const { extractStrings } = native;
      native.extractStrings = (...args) => { loaded++; return extractStrings(...args); };
    } catch {}
    ${LOAD}
    decodePayload(encodePayload(Array.from({ length: 50 }, (_, i) => 'some text of some length ' + i)));
    console.log(String(isNativeAccelerationEnabled === (loaded > 0)));`;
  expect(inProcess(program)).toBe('true');
});

function inProcess(program: string): string {
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).trim();
}
