/**
 * The types of handlers: a definition decides what its handler and validator get and return. Each line that must not compile says so.
 * Thread: none; only compiled.
 */
import { expect, test } from 'vitest';
import { defineQuery, defineSignal, defineUpdate, setHandler } from './index.js';

const page = defineQuery<number, [page?: number]>('page');
const turn = defineSignal<[page?: number]>('turn');
const note = defineUpdate<number, [text: string, page?: number]>('note');

/** Compiled, never called. */
function compiled(call: () => void): void {
  expect(call).toBeTypeOf('function');
}

test('parameters are typed by the definition, optional ones too', () => {
  compiled(() => setHandler(page, (at) => at ?? 0));
  compiled(() => setHandler(page, (at?: number) => at ?? 0));
  compiled(() => setHandler(page, () => 0));
  compiled(() => setHandler(turn, (at) => void at?.toFixed()));
  compiled(() => setHandler(turn, async (at) => void at));
  compiled(() => setHandler(note, (text, at) => text.length + (at ?? 0)));
  compiled(() => setHandler(note, async (text) => text.length));
  compiled(() => setHandler(note, (text) => text.length, { validator: (text, at) => void (text.length + (at ?? 0)) }));
  compiled(() => setHandler(note, undefined));
});

test('parameters and results that are not those of the definition are refused', () => {
  // @ts-expect-error the result is a number
  compiled(() => setHandler(page, (at) => String(at)));
  // @ts-expect-error a query answers at once
  compiled(() => setHandler(page, async (at) => at ?? 0));
  // @ts-expect-error the result is a number
  compiled(() => setHandler(note, (text) => text));
  // @ts-expect-error the first argument is a text
  compiled(() => setHandler(note, (text: number) => text));
  // @ts-expect-error the argument is a number
  compiled(() => setHandler(turn, (at: string) => void at));
  // @ts-expect-error the validator gets what the handler gets
  compiled(() => setHandler(note, (text) => text.length, { validator: (text: number) => void text }));
});
