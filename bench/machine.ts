/**
 * The machine: what the figures were measured on.
 * Thread: main. In → out: folder → description, with the time that this folder's disk takes to make a small write durable.
 */
import { closeSync, fdatasyncSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  readonly v8: string;
  readonly holdfast: string;
  /** Median of one 4 KiB write and fdatasync on a preallocated file, microseconds: some 10 means that the folder is not on a disk. */
  readonly syncMicros: number;
}

export function describeMachine(directory: string): Machine {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    holdfast: manifest.version,
    syncMicros: medianSync(join(directory, 'sync')),
  };
}

function medianSync(path: string): number {
  const block = Buffer.alloc(4096, 1);
  const fd = openSync(path, 'w');
  try {
    const times: number[] = [];
    for (let i = 0; i < 64; i++) writeSync(fd, block, 0, block.length, i * block.length);
    fdatasyncSync(fd);
    for (let i = 0; i < 64; i++) {
      const start = performance.now();
      writeSync(fd, block, 0, block.length, i * block.length);
      fdatasyncSync(fd);
      times.push(performance.now() - start);
    }
    return Math.round(times.sort((a, b) => a - b)[32]! * 1000);
  } finally {
    closeSync(fd);
    unlinkSync(path);
  }
}
