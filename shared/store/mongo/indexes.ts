import type { IndexDescription } from 'mongodb';
import type { Collections } from './collections.ts';

/**
 * Free keys by slot, for the claim. Hinted: left alone, the planner may pick an index that gives every caller the
 * same first key, and they would all collide on it.
 */
export const SLOT_INDEX = { pool: 1, state: 1, slot: 1 } as const;

/**
 * Keys by the time they are free, with everything that tells a key's state: the sweep, the counts and the look at
 * claimable keys are decided within the index. One per stored state, so that a claimable key is found among free and
 * leased ones by merging two scans that are sorted already.
 */
export const FREE_AT_INDEX = { pool: 1, state: 1, freeAt: 1, 'lease.expiresAt': 1, expiresAt: 1 } as const;

/**
 * The primary key. Hinted where a condition names other fields too: the planner would try out every index that has
 * one of them.
 */
export const ID_INDEX = { _id: 1 } as const;

/** The leases of a client. */
export const CLIENT_INDEX = { 'lease.clientId': 1, _id: 1 } as const;

const KEY_INDEXES: IndexDescription[] = [
  // MongoDB's own removal, a backstop: two minutes late, so that a sweep can record a lapse first.
  { key: { expiresAt: 1 }, expireAfterSeconds: 120 },
  { key: SLOT_INDEX },
  { key: FREE_AT_INDEX },
  // What makes an acquire repeatable: no two keys carry the same request.
  { key: { requestHash: 1 }, unique: true, sparse: true },
  // Partial, not sparse: a sparse index with `_id` in it would hold every key.
  { key: CLIENT_INDEX, partialFilterExpression: { 'lease.clientId': { $exists: true } } },
];

const POOL_INDEXES: IndexDescription[] = [{ key: { clearedAt: 1 }, sparse: true }];

/** Makes the indexes that are missing. Safe to repeat, and to run from several processes at once. */
export async function createIndexes({ keys, pools }: Collections): Promise<void> {
  await keys.createIndexes(KEY_INDEXES);
  await pools.createIndexes(POOL_INDEXES);
}
