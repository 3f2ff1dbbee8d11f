#!/usr/bin/env node
/**
 * The command line: `holdfast verify`, `repair`, `list`, `history` and `replay`.
 * Thread: main. In → out: arguments in; answers on standard output, errors on standard error, and the exit code (0 whole or fitting, 1 not, 2 could not tell).
 */
import { nodeDisk } from '../store/log/disk.js';
import { systemProcesses } from '../store/log/owner.js';
import { runCommand } from './commands.js';

const { lines, errors = [], exitCode } = await runCommand(process.argv.slice(2), nodeDisk, systemProcesses, Date.now());
for (const line of lines) console.log(line);
for (const error of errors) console.error(error);
process.exitCode = exitCode;
