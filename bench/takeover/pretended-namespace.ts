/**
 * Preloaded where a process cannot have a PID namespace of its own: what tells it in which one it is says what the environment says.
 * Thread: every thread of a child process. In → out: an environment variable → the target of one link.
 */
import fs from 'node:fs';

const { readlinkSync } = fs;
const pretended = `pid:[${process.env['HOLDFAST_PRETENDED_NAMESPACE']}]`;
fs.readlinkSync = ((...args: Parameters<typeof readlinkSync>) =>
  args[0] === '/proc/self/ns/pid' ? pretended : readlinkSync(...args)) as typeof readlinkSync;
