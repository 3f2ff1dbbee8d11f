/**
 * The workflow file: both trackers.
 * Thread: worker. In → out: exports only.
 */
export { brokenTracker } from './broken.js';
export { fixedTracker } from './fixed.js';
