/**
 * A store opened for a command: no runtime has it open meanwhile.
 * Thread: main. In → out: a disk, and what to read → its outcome.
 */
import type { Disk } from '../store/log/disk.js';
import { LogStore } from '../store/log/log-store.js';
import type { Processes } from '../store/log/owner.js';
import { surveyStore } from '../store/log/survey.js';
import type { Store } from '../store/store.js';
import { RunIndex } from '../supervisor/runs/run-index.js';
import { impossible, type Outcome } from './commands.js';

/** @throws StoreLockedError, StoreCorruptError, StoreFormatError, StoreUnavailableError */
export async function withStore(
  disk: Disk,
  processes: Processes,
  read: (store: Store, index: RunIndex) => Promise<Outcome>,
): Promise<Outcome> {
  // Opening it would make one.
  if ((await surveyStore(disk)) === undefined) return impossible(`${disk.folder} holds no store`);
  const store = new LogStore({ path: disk.folder, durability: 'disk', partitions: 1, disk, processes });
  const index = new RunIndex();
  const reader = index.reader();
  await store.open(reader);
  try {
    reader.loaded();
    return await read(store, index);
  } finally {
    await store.close();
  }
}
