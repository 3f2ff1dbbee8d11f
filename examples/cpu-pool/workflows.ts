/**
 * Documents that are sealed by computing, and a search that may be called off.
 * Thread: worker. In → out: documents → digests; a prefix → a number.
 */
import { defineQuery, proxyActivities, proxyLocalActivities, setHandler } from 'holdfast/workflow';
import type * as hashing from './hashing.js';
import type { activitiesOf, Kind } from './rates.js';

const { chain } = proxyActivities<typeof hashing>({ startToCloseTimeout: '1 hour', heartbeatTimeout: '1 second' });
const { search } = proxyActivities<typeof hashing>({ startToCloseTimeout: '1 hour' });

/** A look at a table: short, and nothing is lost if it is looked at twice. */
const { roundsFor } = proxyLocalActivities<ReturnType<typeof activitiesOf>>({ startToCloseTimeout: '1 second' });

export interface Document {
  text: string;
  kind: Kind;
}

export const getProgress = defineQuery<{ sealed: number; of: number }>('getProgress');

/** All at once; as many are computed at a time as the pool has threads. */
export async function seal(documents: Document[]): Promise<hashing.Sealed[]> {
  let sealed = 0;
  setHandler(getProgress, () => ({ sealed, of: documents.length }));
  return Promise.all(
    documents.map(async ({ text, kind }) => {
      const result = await chain(text, await roundsFor(kind));
      sealed++;
      return result;
    }),
  );
}

/** A number whose digest begins so, if there is one. */
export async function find(prefix: string): Promise<number> {
  return search(prefix);
}
