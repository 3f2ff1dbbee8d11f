/**
 * Makes the final code of one of the user's own modules: CommonJS, requiring module ids.
 * Thread: embedding. In → out: OwnModule → BundleModule, or the problems that keep it from compiling.
 */
import { basename, extname } from 'node:path';
import esbuild, { type Message } from 'esbuild';
import type { BundleModule } from '../../actors/sandbox/bundle.js';
import { isImmutable } from '../../actors/sandbox/externals.js';
import type { Edit } from './ambient-use.js';
import { UNMARKS } from './global-marks.js';
import { withOrigins } from './maps.js';
import type { OwnModule } from './module-walk.js';
import type { Problem } from './problems.js';
import { problemOf, TARGET } from './source-module.js';
import type { Proof } from './state-proof.js';

/** `proof`: given if the module is shareable; names what to freeze. `edits`: of its code, made first. `appended`: to it. */
export async function emitModule(
  module: OwnModule,
  proof: Proof | undefined,
  edits: readonly Edit[],
  appended: string,
): Promise<BundleModule | Problem[]> {
  const { id, source } = module;
  const { filename } = source;
  const shareable = proof !== undefined;
  if (source.program === undefined) return { id, filename, code: source.code, map: '', shareable };
  const names = proof?.freeze.filter((name) => name !== 'default') ?? [];
  const mapped = edited(module, edits) + appended;
  const input = names.length === 0 ? mapped : `${mapped}__holdfast_freeze(${names.join(', ')});\n`;
  try {
    const { code, map } = await esbuild.transform(input, {
      ...{ loader: 'js', format: 'cjs', target: TARGET, supported: { 'dynamic-import': false } },
      // Named after the file only: the name goes into that of a default export, and so into the build.
      sourcefile: `${basename(filename, extname(filename))}.js`,
      ...{ define: { ...UNMARKS }, banner: source.isESM ? '"use strict";' : '' },
      ...{ sourcemap: 'external', sourcesContent: false, logLevel: 'silent', legalComments: 'none' },
    });
    const freezeDefault = proof?.freeze.includes('default') ? '__holdfast_freeze(module.exports.default);\n' : '';
    return {
      id,
      filename,
      code: withoutCopies(code) + freezeDefault,
      map: withOrigins(map, source.origins),
      shareable,
    };
  } catch (error) {
    const messages = (error as { errors?: Message[] }).errors;
    if (messages === undefined) throw error;
    return messages.map((message) => ({ ...problemOf(message, filename), ...positionOf(message, module) }));
  }
}

/** A namespace is a copy of all exports, made by each execution, unless nobody can change the original. Places stay as the map has them. */
function withoutCopies(code: string): string {
  return code.replaceAll(/^(var \w+ = )__toESM\((require\("([^"]+)"\))\);$/gm, (all, before, require, specifier) =>
    isImmutable(specifier)
      ? `${before}        ${require};`
      : specifier.endsWith('.json')
        ? `${before}__toESM(${require}, 1);` // The default export is the whole value, whatever its keys.
        : all,
  );
}

/** Code with its map, with the edits made and in which each import names the id of the module that it resolved to. */
function edited({ source, ids }: OwnModule, edits: readonly Edit[]): string {
  const renames = source.requests.flatMap(({ specifier, start, end }): Edit[] => {
    const id = ids.get(specifier);
    return id === undefined ? [] : [{ start, end, text: JSON.stringify(id) }];
  });
  let code = source.mappedCode;
  for (const { start, end, text } of [...renames, ...edits].sort((a, b) => b.start - a.start)) {
    code = code.slice(0, start) + text + code.slice(end);
  }
  return code;
}

/** The message is about the stripped code: tells the user's own place. */
function positionOf({ location }: Message, { source }: OwnModule): Partial<Problem> {
  if (location === null) return {};
  const before = source.code.split('\n').slice(0, location.line - 1);
  return source.position({ start: before.join('\n').length + (before.length > 0 ? 1 : 0) + location.column });
}
