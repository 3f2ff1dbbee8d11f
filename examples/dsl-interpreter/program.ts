/**
 * The little language: programs as data, and what is wrong with one.
 * Thread: worker, and wherever programs are written. In → out: JSON → a program, or where it is not one.
 */
import { type Duration, msToNumber } from 'holdfast/workflow';

/** A value is written as it is; `{ "$": "name" }` stands for the variable of that name. */
export type Expression = string | number | boolean | null | { $: string };

export type Statement =
  /** Calls the activity of that name; `into` names the variable that gets what it returns. */
  | { call: string; with?: Expression[]; into?: string }
  | { sequence: Statement[] }
  /** All at once; done once all are. */
  | { parallel: Statement[] }
  /** For each element of a variable that holds a list, with it in the variable `as`. `atOnce`: how many are under way; default 1. */
  | { forEach: string; as: string; do: Statement; atOnce?: number }
  /** By the truth of a variable. */
  | { when: string; do: Statement; otherwise?: Statement }
  /** Waits that long, such as '3 days': across restarts. */
  | { wait: string }
  /** Waits until somebody says `continue` with that name. */
  | { waitFor: string };

export interface Program {
  variables?: Record<string, unknown>;
  body: Statement;
  /** Variable whose value is the result. */
  result?: string;
}

const KINDS = ['call', 'sequence', 'parallel', 'forEach', 'when', 'wait', 'waitFor'] as const;

/** Every problem with its place, such as `body.sequence[2].call`. Empty: it is a program. */
export function problemsOf(program: Program): string[] {
  const problems: string[] = [];
  const visit = (statement: Statement | undefined, at: string): void => {
    const kinds = KINDS.filter((kind) => kind in ((statement ?? {}) as object));
    if (statement === undefined || kinds.length !== 1) {
      problems.push(`${at}: must have one of ${KINDS.join(', ')}`);
      return;
    }
    if ('sequence' in statement || 'parallel' in statement) {
      const name = 'sequence' in statement ? 'sequence' : 'parallel';
      const parts = 'sequence' in statement ? statement.sequence : statement.parallel;
      if (!Array.isArray(parts)) problems.push(`${at}.${name}: must be a list`);
      else for (const [index, part] of parts.entries()) visit(part, `${at}.${name}[${index}]`);
    } else if ('forEach' in statement) {
      const { atOnce = 1 } = statement;
      if (!Number.isInteger(atOnce) || atOnce < 1) problems.push(`${at}.atOnce: must be a whole number from 1`);
      if (typeof statement.as !== 'string') problems.push(`${at}.as: must name a variable`);
      visit(statement.do, `${at}.do`);
    } else if ('when' in statement) {
      visit(statement.do, `${at}.do`);
      if (statement.otherwise !== undefined) visit(statement.otherwise, `${at}.otherwise`);
    } else {
      const name = kinds[0]!; // One of the last three, of which each is a text.
      const text = (statement as Record<string, unknown>)[name];
      if (typeof text !== 'string' || text === '') problems.push(`${at}.${name}: must be a text`);
      else if (name === 'wait' && !isDuration(text)) problems.push(`${at}.wait: must be a duration, such as '3 days'`);
    }
  };
  visit(program.body, 'body');
  return problems;
}

function isDuration(text: string): boolean {
  try {
    msToNumber(text as Duration);
    return true;
  } catch {
    return false;
  }
}
