/**
 * Which modules all executions of a thread may share: those without state, importing only such.
 * Thread: embedding. In → out: proofs and imports of all modules → the ids of the shareable ones.
 */
import type { Proof } from './state-proof.js';

/** `imports`: the user's own modules that a module imports, by specifier. Greatest fixpoint: cycles share if nothing in them has state. */
export function shareableModules(
  proofs: ReadonlyMap<string, Proof>,
  imports: ReadonlyMap<string, ReadonlyMap<string, string>>,
): Set<string> {
  const importsOf = (id: string): string[] => [...(imports.get(id)?.values() ?? [])];
  const shareable = new Set([...proofs].filter(([, { stateless }]) => stateless).map(([id]) => id));
  const taint = (id: string, tainted: Set<string>): void => {
    if (tainted.has(id)) return;
    tainted.add(id);
    shareable.delete(id);
    // What is changed may have come from further away.
    for (const next of importsOf(id)) taint(next, tainted);
  };
  const tainted = new Set<string>();
  for (const [id, { changes }] of proofs) {
    for (const { specifier } of changes) {
      const changed = imports.get(id)?.get(specifier);
      if (changed !== undefined) taint(changed, tainted);
    }
  }
  for (let shrunk = true; shrunk; ) {
    shrunk = false;
    for (const id of shareable) {
      if (importsOf(id).every((imported) => shareable.has(imported))) continue;
      shareable.delete(id);
      shrunk = true;
    }
  }
  return shareable;
}
