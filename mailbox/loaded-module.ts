/**
 * Modules named by an option, such as the payload converter's and the payload codec's.
 * Thread: every one that needs what they export. In → out: file URL → the export.
 */
import { InvalidOptionError } from '../runtime/errors.js';
import { legible, reasonOf } from './legible.js';

/** The export named as the option, else the default one. @throws InvalidOptionError if the module does not load */
export async function loadExport(option: string, url: string): Promise<unknown> {
  return exportNamed(option, await loadModule(option, url));
}

/** All its exports. @throws InvalidOptionError if the module does not load */
export async function loadModule(option: string, url: string): Promise<object> {
  try {
    return await import(url);
  } catch (error) {
    const reason = `${url}: it does not load (${reasonOf(error)})`;
    throw new InvalidOptionError({ option, reason }, { cause: legible(error) });
  }
}

export function exportNamed(option: string, exports: unknown): unknown {
  const found = exports as Record<string, unknown>;
  return found[option] ?? found['default'];
}
