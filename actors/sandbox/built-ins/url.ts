/**
 * `url` for workflow code: what is computed from its arguments alone. What asks for the working directory or the platform is not there.
 * Thread: worker. In → out: strings → URLs, and parts of them.
 */
import nodeUrl from 'node:url';
import { asModule, owned } from './own.js';

const PURE = ['parse', 'format', 'resolve', 'resolveObject', 'domainToASCII', 'domainToUnicode', 'urlToHttpOptions'];

export const url = asModule({}, owned(nodeUrl, PURE), { URL, URLSearchParams });
