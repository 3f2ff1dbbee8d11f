/**
 * What is wrong with workflow code: gathered, so that one error tells all of it.
 * Thread: embedding. In → out: problems at places → one WorkflowBundleError.
 */
import { WorkflowBundleError } from '../errors.js';

export interface Problem {
  readonly filename: string;
  /** From 1; none if the problem is of the file as a whole. */
  readonly line?: number;
  readonly column?: number;
  readonly text: string;
}

const MAX_SHOWN = 20;

function show({ filename, line, column, text }: Problem): string {
  return `${[filename, line, column].filter((part) => part !== undefined).join(':')}: ${text}`;
}

/** Throws if there are any. */
export function refuse(file: string, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const shown = problems.slice(0, MAX_SHOWN).map(show);
  if (problems.length > MAX_SHOWN) shown.push(`and ${problems.length - MAX_SHOWN} more`);
  const reason = shown.length === 1 ? shown.join('') : `\n${shown.map((line) => `  ${line}`).join('\n')}`;
  throw new WorkflowBundleError({ file, reason });
}
