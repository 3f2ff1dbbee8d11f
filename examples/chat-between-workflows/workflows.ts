/**
 * The workflow file: rooms and persons.
 * Thread: worker. In → out: exports only.
 */
export { person } from './person.js';
export { room } from './room.js';
