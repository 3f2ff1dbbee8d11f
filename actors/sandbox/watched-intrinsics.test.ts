/**
 * What cannot be locked is put back, whatever was done to it.
 * Thread: test; its own intrinsics are changed and put back.
 */
import { expect, test } from 'vitest';
import { WatchedIntrinsics } from './watched-intrinsics.js';

test('what code changes is seen after its step, named and put back', () => {
  const watched = new WatchedIntrinsics();
  const { exec } = RegExp.prototype;
  RegExp.prototype.exec = () => null;
  expect(watched.check()).toBe('RegExp.prototype.exec');
  expect(RegExp.prototype.exec).toBe(exec);
  Object.assign(RegExp.prototype, { added: 1 });
  expect(watched.check()).toBe('RegExp.prototype.added');
  expect('added' in /x/).toBe(false);
  expect(watched.check()).toBe(undefined);
});

test('what no look at values finds is put back after the turn', () => {
  const watched = new WatchedIntrinsics();
  const flags = Object.getOwnPropertyDescriptor(RegExp.prototype, 'flags');
  Object.defineProperty(RegExp.prototype, 'flags', { get: () => 'x' });
  Object.defineProperty(RegExp.prototype, 'hidden', { value: 1, configurable: true });
  expect(watched.check()).toBe(undefined);
  expect(watched.restore()).toMatch(/^RegExp\.prototype\.(flags|hidden)$/);
  expect(Object.getOwnPropertyDescriptor(RegExp.prototype, 'flags')).toEqual(flags);
  expect('hidden' in /x/).toBe(false);
  expect(watched.restore()).toBe(undefined);
});

test('how stacks are made may be set within a step, without a word', () => {
  const watched = new WatchedIntrinsics();
  const { stackTraceLimit } = Error;
  const { prepareStackTrace } = Error;
  Error.stackTraceLimit = 1;
  Error.prepareStackTrace = () => 'own';
  expect(watched.check()).toBe(undefined);
  expect([Error.stackTraceLimit, Error.prepareStackTrace]).toEqual([stackTraceLimit, prepareStackTrace]);
});
