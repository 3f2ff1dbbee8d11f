/**
 * The encryption example: nothing readable on the disk, a new key while a run is open, and what happens without the old one.
 * Thread: main. In → out: nothing → a short story on the console.
 *
 * Run it with `npm run example -- encryption`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime, WorkflowSuspendedError } from 'holdfast';
import { wordsOnDisk } from './disk.js';
import { addKey, KEY_FILE, readKeys, writeKeys } from './key-ring.js';
import { close, note, notes, patientFile } from './workflows.js';

const folder = await mkdtemp(join(tmpdir(), 'holdfast-encryption-'));
const store = join(folder, 'store');
const keyFile = join(folder, 'keys.json');
process.env[KEY_FILE] = keyFile;
addKey(keyFile, 'spring', []);

const openRuntime = () =>
  Runtime.create({
    workflows: new URL('./workflows.js', import.meta.url),
    store,
    payloadCodec: new URL('./codec.js', import.meta.url),
    logger: 'silent',
  });

let runtime = await openRuntime();
/** The file, through whichever runtime is open. */
const file = () => runtime.client.workflow.getHandle<typeof patientFile>('file-1');

console.log("A file is opened, and its notes are written with the key 'spring'");
await runtime.client.workflow.start(patientFile, { workflowId: 'file-1', args: ['Ada'] });
await file().signal(note, 'A cough, since Monday');
console.log(`  its notes: ${(await file().query(notes)).join('; ')}`);
console.log(`  of them on the disk: ${wordsOnDisk(store, ['Ada', 'cough', 'Monday']).length} words`);

console.log("While it is open, a new key comes: 'autumn'");
addKey(keyFile, 'autumn', readKeys(keyFile));
await file().signal(note, 'Better');
console.log(`  payloads on the disk name the keys ${wordsOnDisk(store, ['spring', 'autumn', 'winter']).join(' and ')}`);

console.log('The service restarts, and somebody has thrown the old key away');
await runtime.shutdown();
const both = readKeys(keyFile);
writeKeys(keyFile, both.slice(1));
runtime = await openRuntime();
try {
  await file().query(notes);
} catch (error) {
  if (!(error instanceof WorkflowSuspendedError)) throw error;
  console.log(`  ${error.name}, for: ${(error.cause as Error).message}`);
}

console.log('It is found again');
await runtime.shutdown();
writeKeys(keyFile, both);
runtime = await openRuntime();
await file().executeUpdate(close, { args: ['cured'] });
console.log(`  the whole file: ${(await file().result()).join('; ')}`);
console.log(`  of it on the disk: ${wordsOnDisk(store, ['Ada', 'cough', 'Better', 'cured']).length} words`);

await runtime.shutdown();
await rm(folder, { recursive: true });
