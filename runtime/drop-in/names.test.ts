/**
 * Every name of Temporal's packages for workflows, activities, clients and tests is one of ours, or stands in docs/temporal.md with the reason why
 * not. A new version of theirs with a new name fails here until somebody decides.
 * Thread: the test's. In → out: declarations of both, docs/temporal.md → names that nobody decided on.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { declarationsOf, exportedNames } from './fixtures/exported-names.js';
import { MISSING_MEMBERS } from './fixtures/missing-members.js';
import { tableAfter } from './fixtures/missing-tables.js';

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const WORKFLOW = pathOf('../../actors/workflow/index.d.ts');
const ACTIVITY = pathOf('../activity/index.d.ts');
const CLIENT = pathOf('../index.d.ts');
const TESTING = pathOf('../testing/index.d.ts');
const missing = tableAfter('## What is missing');
const require = createRequire(import.meta.url);

const PACKAGES = ['workflow', 'common', 'activity', 'client', 'testing'] as const;
type Package = (typeof PACKAGES)[number];
/** A client's names of definitions and options are those of `common`, and stand where those do. */
const OURS = {
  workflow: [WORKFLOW],
  common: [WORKFLOW],
  activity: [ACTIVITY],
  client: [CLIENT, WORKFLOW],
  testing: [TESTING],
};
/** Where the types of Temporal's that are here are compared, member by member. */
const COMPARED = ['types', 'client-types', 'schedule-types'];

const specifierOf = (name: Package): string => `@temporalio/${name}`;
const valuesOf = (name: Package): string[] => Object.keys(require(specifierOf(name)) as object);
const declaredBy = (name: Package): Set<string> =>
  exportedNames(declarationsOf(specifierOf(name), fileURLToPath(import.meta.url)));
const theirs = (name: Package): string[] => [...new Set([...declaredBy(name), ...valuesOf(name)])];
const ours = (name: Package): Set<string> => new Set(OURS[name].flatMap((path) => [...exportedNames(path)]));

/** `listed` may end in `*`, for all that begin so. */
const isMeant = (listed: string, name: string): boolean =>
  listed.endsWith('*') ? name.startsWith(listed.slice(0, -1)) : listed === name;

describe.each(PACKAGES)('@temporalio/%s', (name) => {
  test('has no name that is neither here nor in the table of what is missing', () => {
    const listed = missing.filter(({ of }) => of.includes(name)).flatMap(({ names }) => names);
    const here = ours(name);
    const undecided = theirs(name).filter((each) => !here.has(each) && !listed.some((item) => isMeant(item, each)));
    expect(undecided).toEqual([]);
  });

  test('declares what it exports: so that what it exports of types is known as well', () => {
    const declared = declaredBy(name);
    // Two constants in one declaration are found as one; the second is always the way back.
    expect(valuesOf(name).filter((each) => !declared.has(each) && !each.startsWith('decode'))).toEqual([]);
  });

  test('has no type that is here and is not compared', () => {
    const compared = COMPARED.map((file) => readFileSync(pathOf(`../../../runtime/drop-in/${file}.test.ts`), 'utf8'));
    const [here, values] = [ours(name), valuesOf(name)];
    const types = theirs(name).filter((each) => here.has(each) && !values.includes(each));
    const isCompared = (type: string) =>
      compared.some((text) => new RegExp(`^ {2}${type}: |\\btheirs\\.${type}\\b`, 'm').test(text));
    expect(types.filter((each) => !isCompared(each))).toEqual([]);
  });
});

test('what the table says is missing is in a package that the row names, and not here', () => {
  for (const { of, names, why } of missing) {
    const packages = PACKAGES.filter((name) => of.includes(name));
    expect(packages).toHaveLength(of.length);
    const idle = packages.filter((name) => !theirs(name).some((each) => names.some((item) => isMeant(item, each))));
    expect([names[0], ...idle]).toEqual([names[0]]);
    const known = packages.flatMap(theirs);
    expect(names.filter((item) => !known.some((each) => isMeant(item, each)))).toEqual([]);
    expect(names.filter((item) => packages.some((name) => ours(name).has(item)))).toEqual([]);
    expect(why).not.toBe('');
  }
  const all = missing.flatMap(({ names }) => names);
  expect(all.filter((name, index) => all.indexOf(name) !== index)).toEqual([]);
});

test('members that are missing stand in a table of their own', () => {
  const rows = tableAfter('## Options and members that are missing');
  const told = Object.fromEntries(rows.map(({ of, names }) => [of.join(), [...names].sort()]));
  const known = Object.fromEntries(Object.entries(MISSING_MEMBERS).map(([of, names]) => [of, [...names].sort()]));
  expect(told).toEqual(known);
  expect(rows.filter(({ why }) => why === '')).toEqual([]);
});
