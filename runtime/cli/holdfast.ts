#!/usr/bin/env node
/**
 * The command line: `holdfast verify`, `repair`, `list`, `history` and `replay`.
 * Thread: main. In → out: arguments in; text and the exit code out (0 whole or fitting, 1 not, 2 could not tell).
 */
import { nodeDisk } from '../store/log/disk.js';
import { systemProcesses } from '../store/log/lock.js';
import { runCommand } from './commands.js';

const { lines, exitCode } = await runCommand(process.argv.slice(2), nodeDisk, systemProcesses, Date.now());
for (const line of lines) console.log(line);
process.exitCode = exitCode;
