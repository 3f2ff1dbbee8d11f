/**
 * What a list or a count is asked for with.
 * Thread: any client thread. In → out: options → checked query and size of a page.
 */
import { nameOfType, refuseUnknownOptions } from '../../mailbox/checks.js';
import { InvalidArgumentError } from '../errors.js';
import { LIST_OPTIONS, type ListOptions } from './options.js';

/** Rows of a page: more at once would make others wait. */
const LARGEST_PAGE = 10_000;

/** @throws InvalidArgumentError, InvalidOptionError */
export function listRequest(options: ListOptions): { readonly query: string; readonly pageSize: number } {
  refuseUnknownOptions(options, LIST_OPTIONS);
  const { pageSize = 100 } = options;
  const query = queryOf(options.query);
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > LARGEST_PAGE) {
    const reason = `it must be a whole number from 1 to ${LARGEST_PAGE}`;
    throw new InvalidArgumentError({ argument: 'pageSize', reason });
  }
  return { query, pageSize };
}

/** @throws InvalidArgumentError */
export function queryOf(query: unknown = ''): string {
  if (typeof query === 'string') return query;
  throw new InvalidArgumentError({ argument: 'query', reason: `it must be a string, not ${nameOfType(query)}` });
}
