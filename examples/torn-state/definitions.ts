/**
 * What can be asked of a tracker, be it broken or fixed.
 * Thread: worker, and where clients are. In → out: definitions and types only.
 */
import { defineQuery, defineSignal } from 'holdfast/workflow';

export interface Position {
  x: number;
  y: number;
}

/** Measure the position anew. */
export const locate = defineSignal('locate');
export const stop = defineSignal('stop');
export const position = defineQuery<Position>('position');
