/**
 * What a campaign found, as text.
 * Thread: the command's. In → out: tally → lines.
 */
import type { AlteredHistories } from './alterations.test-kit.js';
import type { Finding, Tally } from './campaign.test-kit.js';

/** Of kinds of alteration, so many must have been met. */
const LEAST_KINDS = 20;

export function reportOf(
  { cases, accepted, excluded, findings }: Tally,
  altered: AlteredHistories,
): { lines: string[]; good: boolean } {
  const left = [...excluded.values()].reduce((sum, count) => sum + count, 0);
  const refused = [...findings.values()].reduce((sum, finding) => sum + finding.cases, 0);
  const lines = [`${cases} cases: ${accepted} histories accepted, ${refused} cases refused`];
  lines.push(`${left} cases (${((left / cases) * 100).toFixed(1)} %) have a history without a counterpart:`);
  for (const [kind, count] of sorted(excluded, (each) => each)) lines.push(`  ${count} ${kind}`);
  for (const [kind, finding] of sorted(findings, (each) => each.cases)) lines.push('', ...toldOf(kind, finding));
  const met = [...altered.refused].filter(([, count]) => count > 0);
  lines.push('', `${met.length} kinds of alteration met and refused:`);
  for (const [kind, count] of altered.refused) lines.push(`  ${count === 0 ? 'not met' : count} ${kind}`);
  for (const [kind, { events }] of altered.accepted) {
    lines.push(`accepted though altered: ${kind}`, `  ${events.map(({ eventType }) => eventType).join(', ')}`);
  }
  const noticed = altered.accepted.size === 0 && met.length >= LEAST_KINDS;
  return { lines, good: refused === 0 && left < cases / 10 && noticed };
}

function toldOf(kind: string, { cases, program, refusal }: Finding): string[] {
  const { script, actions, beginning, version, retry } = program;
  const used = Object.entries({ ...script.signals, ...script.updates }).filter(([, body]) => !isEmpty(body));
  return [
    `refused (${cases}): ${kind}`,
    `  ${refusal.message}`,
    `  main: ${JSON.stringify(script.main)}`,
    ...used.map(([name, body]) => `  ${name}: ${JSON.stringify(body)}`),
    `  begins with ${JSON.stringify(beginning)}, version ${version}, retry ${JSON.stringify(retry)}`,
    `  actions: ${JSON.stringify(actions)}`,
    `  here: ${refusal.events.map(eventOf).join(', ')}`,
    `  there: ${refusal.activations.join(' | ')}`,
  ];
}

function isEmpty(body: object): boolean {
  return Array.isArray(body) ? body.length === 0 : 'body' in body && (body.body as unknown[]).length === 0;
}

function eventOf({ eventType, seq, cause, ran, ...rest }: Finding['refusal']['events'][number]): string {
  const { timerId, activityId, childId, externalId, signalName, updateId } = rest as Record<string, unknown>;
  const id = timerId ?? activityId ?? childId ?? externalId ?? signalName ?? updateId;
  const at = [seq === undefined ? '' : `#${seq}`, cause === undefined ? '' : `by ${cause}`];
  return [eventType, id, ...at, ran === undefined ? '' : `ran ${JSON.stringify(ran)}`].filter(Boolean).join(' ');
}

function sorted<T>(map: ReadonlyMap<string, T>, count: (item: T) => number): [string, T][] {
  return [...map].sort(([, a], [, b]) => count(b) - count(a));
}
