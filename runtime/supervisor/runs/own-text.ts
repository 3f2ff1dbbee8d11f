/**
 * Own text: a copy that keeps nothing else alive. A text read out of a larger one (msgpackr reads a kilobyte of them at once) is a view of
 * it in V8, from 13 characters on, and would keep the whole for as long as it lives.
 * Thread: supervisor. In → out: text → equal text.
 */
const SHORTEST_VIEW = 13;
/** Three bytes a character at most. */
const LONGEST = 1024;
const scratch = Buffer.alloc(LONGEST * 3);

/** Only for texts without lone surrogates, which nothing that has been bytes can have. Long ones are returned as they are. */
export function ownText(text: string): string {
  if (text.length < SHORTEST_VIEW || text.length > LONGEST) return text;
  return scratch.toString('utf8', 0, scratch.write(text, 'utf8'));
}
