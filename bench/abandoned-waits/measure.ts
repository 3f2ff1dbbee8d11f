/**
 * Abandoned waits: what is left of callers that have given up, in a process of its own.
 * Thread: main. In → out: settings → what is left.
 */
import { inChild } from '../memory/in-child.js';
import type { AbandonedResult, AbandonedSettings } from './protocol.js';

export function abandon(settings: AbandonedSettings): Promise<AbandonedResult> {
  return inChild(new URL('./child.js', import.meta.url), JSON.stringify(settings));
}
