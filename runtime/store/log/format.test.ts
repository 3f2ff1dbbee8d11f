/**
 * The bytes of batches: what goes in comes out, and nothing else passes.
 * Thread: tests. In → out: nothing.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameOf, plain } from '../contract.js';
import type { Frame } from '../store.js';
import { BatchEncoder, batchLength, eachFrame, parseBatch, viewOf } from './format.js';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const position = fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
const frame: fc.Arbitrary<Frame> = fc.record({
  partition: u32,
  epoch: u32,
  runId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  firstEventId: u32,
  eventCount: u32,
  previous: position,
  events: fc.uint8Array({ maxLength: 300 }),
});

test('a batch of any frames comes back as it was, at any position', () => {
  const encoder = new BatchEncoder();
  fc.assert(
    fc.property(
      fc.array(frame, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 0, max: 2 ** 50 }),
      u32,
      (frames, at, crc) => {
        const length = batchLength(frames);
        const encoded = encoder.encode(frames, length, at, Math.floor(at / 2), crc);
        const batch = parseBatch(encoded.bytes, viewOf(encoded.bytes), 0, at);
        expect(batch).toMatchObject({ length, position: at, previousCrc: crc, crc: encoded.crc, end: at + length });
        expect(batch?.syncedThrough).toBe(Math.floor(at / 2));
        const found: [ReturnType<typeof plain>, number][] = [];
        if (batch !== undefined) eachFrame(batch, (each, where) => found.push([plain(each), where]));
        expect(found).toEqual(frames.map((each, index) => [plain(each), encoded.positions[index]]));
      },
    ),
    { numRuns: 200 },
  );
});

test('a batch is refused at another position, cut short, or with any single bit changed', () => {
  const frames = [frameOf(1, 1, -1), frameOf(2, 1, -1)];
  const { bytes } = new BatchEncoder().encode(frames, batchLength(frames), 4096, 4096, 7);
  const read = (from: Uint8Array, at: number) => parseBatch(from, viewOf(from), 0, at);
  expect(read(bytes, 4096)).toBeDefined();
  expect(read(bytes, 4104)).toBeUndefined();
  for (let length = 0; length < bytes.length; length++) expect(read(bytes.subarray(0, length), 4096)).toBeUndefined();
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Uint8Array.from(bytes);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(read(flipped, 4096)).toBeUndefined();
  }
});
