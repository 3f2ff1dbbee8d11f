/**
 * Own text is equal text.
 */
import { assert, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { ownText } from './own-text.js';

test('whatever its characters and its length, the copy is equal', () => {
  assert(property(string({ unit: 'grapheme', maxLength: 300 }), (text) => ownText(text) === text));
  for (const length of [0, 12, 13, 1024, 1025, 5000]) {
    for (const character of ['a', 'é', '€']) expect(ownText(character.repeat(length))).toBe(character.repeat(length));
  }
  expect(ownText('😀'.repeat(512))).toBe('😀'.repeat(512));
});
