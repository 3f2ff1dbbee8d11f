/**
 * Small checksummed files, replaced whole: the store's identity, its clean end, its unclean stops, notes.
 * Thread: supervisor. In → out: plain data in, `<crc> <json>` on disk, data or the damage out.
 */
import { crc32 } from 'node:zlib';
import type { Durability, NoteName } from '../store.js';
import { codeOf, type Disk, withFile } from './disk.js';
import { FORMAT } from './format.js';

export const META = 'META';
export const CLEAN_END = 'clean-end';
export const UNCLEAN_STOPS = 'unclean-stops';
export const TEMPORARY = '.tmp';

/** Written once, when the store is created. Whatever may change in later formats, its envelope and `format` stay. */
export interface Meta {
  readonly format: number;
  readonly store: string;
  readonly partitions: number;
}

/** Where the log ends after a clean shutdown, and the CRC of its last batch. */
export interface CleanEnd {
  readonly store: string;
  readonly end: number;
  readonly crc: number;
}

/** Epoch milliseconds, newest last. */
export type UncleanStops = readonly number[];

export type SmallFile<T> =
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'intact'; readonly value: T };

const crcOf = (json: string) => crc32(Buffer.from(json)).toString(16).padStart(8, '0');

/** Durable once it resolves; a crash before leaves the old content. */
export async function writeSmallFile(disk: Disk, name: string, value: Meta | CleanEnd | UncleanStops): Promise<void> {
  await replaceFile(disk, name, value, 'disk');
}

/** Likewise. With durability 'process' a power loss may leave the old note, a damaged one, or none. */
export async function writeNote(disk: Disk, name: NoteName, value: unknown, durability: Durability): Promise<void> {
  await replaceFile(disk, name, value, durability);
}

/** In a string, where alone JSON has such a character. */
const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

async function replaceFile(disk: Disk, name: string, value: unknown, durability: Durability): Promise<void> {
  const json = JSON.stringify(value).replace(/[^ -~]/g, escaped);
  await withFile(disk, name + TEMPORARY, 'create', async (file) => {
    await file.write(Buffer.from(`${crcOf(json)} ${json}\n`), 0);
    if (durability === 'disk') await file.datasync();
  });
  await disk.rename(name + TEMPORARY, name);
  if (durability === 'disk') await disk.syncFolder();
}

async function readSmallFile<T>(disk: Disk, name: string, decode: (json: unknown) => T | undefined) {
  let text: string;
  try {
    text = await withFile(disk, name, 'read', async (file) => {
      const bytes = Buffer.alloc(await file.size());
      await file.read(bytes, 0);
      return bytes.toString('latin1');
    });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { kind: 'absent' } as const;
    throw error;
  }
  const json = text.slice(9, -1);
  if (text !== `${crcOf(json)} ${json}\n`) return { kind: 'damaged' } as const;
  const value = decode(JSON.parse(json));
  return value === undefined ? ({ kind: 'damaged' } as const) : ({ kind: 'intact', value } as const);
}

type Fields = Record<string, unknown>;
const isFields = (json: unknown): json is Fields => typeof json === 'object' && json !== null;

export const readMeta = (disk: Disk): Promise<SmallFile<Meta>> =>
  readSmallFile(disk, META, (json) => {
    if (!isFields(json)) return undefined;
    const { format, store, partitions } = json;
    if (typeof format !== 'number') return undefined;
    // A newer format may name its fields otherwise; only its number counts.
    if (format > FORMAT) return { format, store: '', partitions: 0 };
    if (typeof store !== 'string' || typeof partitions !== 'number') return undefined;
    return { format, store, partitions };
  });

export const readCleanEnd = (disk: Disk): Promise<SmallFile<CleanEnd>> =>
  readSmallFile(disk, CLEAN_END, (json) => {
    if (!isFields(json)) return undefined;
    const { store, end, crc } = json;
    if (typeof store !== 'string' || typeof end !== 'number' || typeof crc !== 'number') return undefined;
    return { store, end, crc };
  });

export const readUncleanStops = (disk: Disk): Promise<SmallFile<UncleanStops>> =>
  readSmallFile(disk, UNCLEAN_STOPS, (json) =>
    Array.isArray(json) ? json.filter((time): time is number => typeof time === 'number') : undefined,
  );

const NOTES: readonly NoteName[] = ['steps-under-way', 'suspects'];

/** Notes are plain data of their writer's: only their checksum is looked at here. */
export async function readNotes(disk: Disk): Promise<{ notes: Map<NoteName, unknown>; damaged: readonly NoteName[] }> {
  const notes = new Map<NoteName, unknown>();
  const damaged: NoteName[] = [];
  for (const name of NOTES) {
    const found = await readSmallFile<unknown>(disk, name, (json) => json);
    if (found.kind === 'intact') notes.set(name, found.value);
    else if (found.kind === 'damaged') damaged.push(name);
  }
  return { notes, damaged };
}
