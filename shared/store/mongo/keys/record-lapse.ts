import type { Filter } from 'mongodb';
import type { Key } from '../../../domain/key.ts';
import type { KeyCollection } from '../collections.ts';
import { FREE_AT_INDEX, ID_INDEX } from '../indexes.ts';
import type { KeyDocument } from './key-document.ts';

/** A lease stands on the key, and its end has passed. */
function lapsedAt(now: number): Filter<KeyDocument> {
  return { state: 'leased', 'lease.expiresAt': { $lte: new Date(now) } };
}

/** `freeAt` stays: the key goes on cooling. */
const RECORD_LAPSE = {
  $rename: { lease: 'lastLease' },
  $set: { state: 'free', endReason: 'lapsed' },
} as const;

/**
 * Race: a keep-alive that was sent in time may be carried out after the caller was told that the lease is over; once
 * the lapse is written down, its proof matches nothing.
 * Index: `ID_INDEX`, hinted.
 */
export async function recordLapse(
  keys: KeyCollection,
  query: { keyId: string; leaseId: string; now: number },
): Promise<boolean> {
  const { keyId, leaseId, now } = query;
  const { matchedCount } = await keys.updateOne(
    { ...lapsedAt(now), _id: keyId, 'lease.id': leaseId },
    RECORD_LAPSE,
    { hint: ID_INDEX },
  );
  return matchedCount === 1;
}

/** A look: `recordLapses` repeats the condition. Index: `FREE_AT_INDEX`, hinted. */
export async function findLapsed(
  keys: KeyCollection,
  query: { pools: readonly string[]; now: number; limit: number },
): Promise<Pick<Key, 'keyId' | 'pool'>[]> {
  const { pools, now, limit } = query;
  const found = await keys
    .find(
      { ...lapsedAt(now), pool: { $in: [...pools] }, freeAt: { $lte: new Date(now) } },
      { hint: FREE_AT_INDEX, limit, batchSize: limit, projection: { pool: 1 } },
    )
    .toArray();
  return found.map(({ _id, pool }) => ({ keyId: _id, pool }));
}

/**
 * Race: since the look, a key may have been acquired anew; its lease has not lapsed then, so it is left alone.
 * Index: `ID_INDEX`, hinted.
 */
export async function recordLapses(
  keys: KeyCollection,
  query: { keyIds: readonly string[]; now: number },
): Promise<number> {
  const { modifiedCount } = await keys.updateMany(
    { ...lapsedAt(query.now), _id: { $in: [...query.keyIds] } },
    RECORD_LAPSE,
    { hint: ID_INDEX },
  );
  return modifiedCount;
}
