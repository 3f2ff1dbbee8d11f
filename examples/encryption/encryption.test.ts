/**
 * The encryption example: its story, and what its codecs promise.
 * Thread: the test's. In → out: payloads → encoded → the same payloads, or an error that says why not.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { tell } from '../test-kit/story.test-kit.js';
import { chained } from './codec.js';
import { compression } from './compression.js';
import { encryption } from './encryption.js';
import { addKey, KeyRing, readKeys, writeKeys } from './key-ring.js';

let keyFile: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-keys-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  keyFile = join(folder, 'keys.json');
  addKey(keyFile, 'first', []);
});

const text = new TextEncoder().encode('plain text, and more of it: '.repeat(20));

test('the same payload is encrypted differently each time, and decrypts to what it was', async () => {
  const codec = encryption(new KeyRing(keyFile));
  const [once, twice] = await codec.encode([text, text]);
  expect(Buffer.from(once!).equals(twice!)).toBe(false);
  expect(Buffer.from(once!).includes('plain')).toBe(false);
  const [decrypted] = await codec.decode([once!]);
  expect(Buffer.from(decrypted!)).toEqual(Buffer.from(text));
});

test('any changed bit is noticed', async () => {
  const codec = encryption(new KeyRing(keyFile));
  const [encrypted] = await codec.encode([new Uint8Array([1, 2, 3])]);
  for (let at = 0; at < encrypted!.byteLength * 8; at++) {
    const changed = Uint8Array.from(encrypted!);
    changed[at >> 3]! ^= 1 << (at & 7);
    await expect(codec.decode([changed])).rejects.toThrow();
  }
});

test('after a rotation the newest key writes, and all that are there read', async () => {
  const codec = encryption(new KeyRing(keyFile));
  const [before] = await codec.encode([text]);
  addKey(keyFile, 'second', readKeys(keyFile));
  const [after] = await codec.encode([text]);
  expect(Buffer.from(before!).includes('first')).toBe(true);
  expect(Buffer.from(after!).includes('second')).toBe(true);
  const decrypted = await codec.decode([before!, after!]);
  expect(decrypted.map((bytes) => Buffer.from(bytes))).toEqual([Buffer.from(text), Buffer.from(text)]);
});

test('a payload whose key is gone says which it was, and is readable once it is back', async () => {
  const codec = encryption(new KeyRing(keyFile));
  const [encrypted] = await codec.encode([text]);
  const first = readKeys(keyFile);
  writeKeys(keyFile, []);
  await expect(codec.encode([text])).rejects.toThrow('There is no key in');
  addKey(keyFile, 'second', []);
  await expect(codec.decode([encrypted!])).rejects.toThrow(
    "This was written with key 'first', which is not in the key ring (second): put it back to read it",
  );
  writeKeys(keyFile, [...first, ...readKeys(keyFile)]);
  expect(await codec.decode([encrypted!])).toHaveLength(1);
});

test('a key of a wrong length is refused', () => {
  writeKeys(keyFile, [{ id: 'short', key: randomBytes(16).toString('base64') }]);
  expect(() => new KeyRing(keyFile).newest()).toThrow("Key 'short'");
});

test.each([
  ['short', new Uint8Array([1, 2, 3]), 4],
  ['empty', new Uint8Array(), 1],
  ['random', new Uint8Array(randomBytes(1000)), 1001],
  ['repetitive', text, 40],
])('%s bytes become at most one byte longer, and are the same afterwards', async (_, bytes, longest) => {
  const [encoded] = await compression.encode([bytes]);
  expect(encoded!.byteLength).toBeLessThanOrEqual(longest);
  const [decoded] = await compression.decode([encoded!]);
  expect(Buffer.from(decoded!)).toEqual(Buffer.from(bytes));
});

test('compressed, then encrypted: smaller, and unreadable', async () => {
  const codec = chained(compression, encryption(new KeyRing(keyFile)));
  const [encoded] = await codec.encode([text]);
  expect(encoded!.byteLength).toBeLessThan(text.byteLength / 4);
  const [decoded] = await codec.decode([encoded!]);
  expect(Buffer.from(decoded!)).toEqual(Buffer.from(text));
});

test.each([
  ['encryption', () => encryption(new KeyRing(keyFile))],
  ['compression', () => compression],
])('%s refuses what another wrote', async (_, codec) => {
  await expect(codec().decode([new Uint8Array([9, 9, 9])])).rejects.toThrow('This payload was not');
});

test('its story', async () => {
  const { lines, ...ended } = await tell('encryption');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    "A file is opened, and its notes are written with the key 'spring'",
    'its notes: Patient: Ada; A cough, since Monday',
    'of them on the disk: 0 words',
    "While it is open, a new key comes: 'autumn'",
    'payloads on the disk name the keys spring and autumn',
    'The service restarts, and somebody has thrown the old key away',
    "WorkflowSuspendedError, for: The payload codec could not decode: This was written with key 'spring', which is not in the key ring (autumn): put it back to read it",
    'It is found again',
    'the whole file: Patient: Ada; A cough, since Monday; Better; Closed: cured',
    'of it on the disk: 0 words',
  ]);
});
