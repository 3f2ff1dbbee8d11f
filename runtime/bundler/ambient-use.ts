/**
 * Finds what workflow code must not use: ambient I/O, sources of non-determinism, and changes to globals that all executions share.
 * Thread: embedding. In → out: SourceModule → problems and warnings, each with the place and what to use instead.
 */
import type { AnyNode, Identifier, MemberExpression } from 'acorn';
import type { BundleWarning } from '../../actors/sandbox/bundle.js';
import { DENIED_OBJECT } from '../../actors/sandbox/denied.js';
import {
  deniedGlobals,
  insteadOf,
  isAllowed,
  isGlobalObjectName,
  WARNED_GLOBALS,
} from '../../actors/sandbox/global-names.js';
import { globalOf, isGlobal } from './global-marks.js';
import type { Problem } from './problems.js';
import type { SourceModule } from './source-module.js';
import { changedByCall, isReference, memberName, mutationsOf, rootsOf, walk } from './syntax.js';

const DENIED = new Set(deniedGlobals());
const markedName = (name: string): string | undefined => globalOf({ type: 'Identifier', name, start: 0, end: 0 });

/** A place in a module's code to be replaced before it is compiled. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface AmbientUse {
  /** What nothing would stop when it runs: the file is refused. */
  readonly problems: readonly Problem[];
  /** What throws when it runs, and may never. */
  readonly warnings: readonly BundleWarning[];
  /** That make it throw. */
  readonly edits: readonly Edit[];
}

export function findAmbientUse(module: SourceModule): AmbientUse {
  const problems: Problem[] = [];
  const warnings: BundleWarning[] = [];
  const edits: Edit[] = [];
  const report = (node: AnyNode, text: string, onlyWarned = false): void => {
    (onlyWarned ? warnings : problems).push({ ...module.position(node), text });
  };
  const written = new Set<AnyNode>();
  const visit = (node: AnyNode, around: readonly AnyNode[]): void => {
    const targets = mutationsOf(node);
    for (const target of targets) written.add(target);
    const denied = written.has(node) ? undefined : deniedPath(node, around, module);
    if (denied !== undefined && !isGuarded(denied, node, around)) {
      const isWarned = WARNED_GLOBALS.has(denied);
      report(node, `${denied} is not available in workflow code: ${insteadOf(denied)}`, isWarned);
      if (isWarned && node.type === 'Identifier') edits.push(throwing(node, around.at(-1)));
    } else if (denied !== undefined && node.type === 'MemberExpression' && isAsked(around)) {
      // Absent, as `typeof` of the bare name has it: reading it from the global object is an error.
      edits.push({ start: node.start, end: node.end, text: denied });
    }
    if (node.type === 'ImportExpression' && node.source.type !== 'Literal') {
      report(node, 'import() of a computed name cannot be bundled: name the module literally');
    }
    if (takesCode(node)) report(node, `code in a string is not available in workflow code: ${insteadOf('eval')}`, true);
    const changed = changedByCall(node, isGlobal);
    for (const target of [...targets, ...(changed === undefined ? [] : [changed])]) {
      const shared = rootsOf(target)
        .map(markedName)
        .find((name) => name !== undefined);
      if (shared === undefined) continue;
      const isName = target.type === 'Identifier' && target !== changed;
      const isOfGlobalObject = isName || isGlobalObject(target === changed ? target : ownerOf(target));
      const text = `this changes ${shared}, which all executions share: keep state in variables of the workflow file`;
      report(node, text, isOfGlobalObject);
      if (isName) edits.push(throwing(target, undefined));
    }
  };
  if (module.program !== undefined) walk(module.program, visit);
  return { problems, warnings, edits };
}

/** Where the global stood stands a member of an object whose members all throw; as long as its mark, so that what follows stays in its column. */
function throwing(node: Identifier, parent: AnyNode | undefined): Edit {
  const { start, end, name } = node;
  const member = `${DENIED_OBJECT}.${markedName(name) ?? name}`;
  return { start, end, text: parent?.type === 'Property' && parent.shorthand ? `${name}: ${member}` : member };
}

/** `crypto.subtle`; `fetch` of `globalThis.fetch`. */
function pathOf(node: MemberExpression): string | undefined {
  const [object, member] = [globalOf(node.object), memberName(node)];
  if (object === undefined || member === undefined) return undefined;
  return isGlobalObjectName(object) ? member : `${object}.${member}`;
}

/** `Function('…')`, `new Function('…')`. */
function takesCode(node: AnyNode): boolean {
  if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return false;
  const { callee } = node;
  const path = callee.type === 'MemberExpression' ? pathOf(callee) : globalOf(callee);
  return path === 'Function';
}

const ownerOf = (target: AnyNode): AnyNode => (target.type === 'MemberExpression' ? target.object : target);

/**
 * True for what can only be the global object, whose changes are refused as they are made, or a member of it that no global has, and so
 * is undefined.
 */
function isGlobalObject(node: AnyNode): boolean {
  switch (node.type) {
    case 'Identifier':
      return isGlobalObjectName(globalOf(node) ?? '');
    case 'ConditionalExpression':
      return isGlobalObject(node.consequent) && isGlobalObject(node.alternate);
    case 'LogicalExpression':
      return isGlobalObject(node.left) && isGlobalObject(node.right);
    case 'MemberExpression': {
      const name = memberName(node);
      const leadsNowhere = name !== undefined && (isGlobalObjectName(name) || !isAllowed(name));
      return leadsNowhere && isGlobalObject(node.object);
    }
    default:
      return false;
  }
}

/** The denied name, or path such as 'crypto.subtle', that a node uses. */
function deniedPath(node: AnyNode, around: readonly AnyNode[], module: SourceModule): string | undefined {
  const parent = around.at(-1);
  if (node.type === 'MemberExpression') {
    const path = pathOf(node);
    if (path === undefined || isAllowed(path)) return undefined;
    // A member of what is denied is told for that; one of the global object's that nobody knows is undefined.
    const [first = '', ...rest] = path.split('.');
    return (rest.length === 0 ? DENIED.has(first) : isAllowed(first)) ? path : undefined;
  }
  if (node.type !== 'Identifier') return undefined;
  const name = globalOf(node);
  if (name !== undefined) return isAllowed(name) ? undefined : name;
  if (!isReference(node, parent)) return undefined;
  if (node.name === 'eval') return 'eval';
  return node.name === 'require' && !isLiteralRequire(node, parent, module) ? 'require' : undefined;
}

function isLiteralRequire(node: AnyNode, parent: AnyNode | undefined, module: SourceModule): boolean {
  if (parent?.type !== 'CallExpression' || parent.callee !== node) return false;
  const [name] = parent.arguments;
  return module.requests.some(({ kind, start }) => kind === 'require-call' && start === name?.start);
}

/** `typeof x`, and whatever is done only if a `typeof x` says so: in the sandbox it says 'undefined'. */
function isGuarded(path: string, node: AnyNode, around: readonly AnyNode[]): boolean {
  if (isAsked(around)) return true;
  return around.some((outer) => {
    if (outer.type === 'IfStatement' || outer.type === 'ConditionalExpression') return hasGuard(outer.test, path, node);
    return outer.type === 'LogicalExpression' && hasGuard(outer.left, path, node);
  });
}

/** `typeof x`. */
function isAsked(around: readonly AnyNode[]): boolean {
  const parent = around.at(-1);
  return parent?.type === 'UnaryExpression' && parent.operator === 'typeof';
}

function hasGuard(test: AnyNode, path: string, used: AnyNode): boolean {
  let found = false;
  walk(test, (node) => {
    if (node.type !== 'UnaryExpression' || node.operator !== 'typeof' || node.argument === used) return;
    const { argument } = node;
    const name = argument.type === 'Identifier' && argument.name === path ? path : globalOf(argument);
    if ((argument.type === 'MemberExpression' ? pathOf(argument) : name) === path) found = true;
  });
  return found;
}
