import type { Filter } from 'mongodb';
import { poolReference } from '../../../domain/pool.ts';
import type { KeyCollection } from '../collections.ts';
import { ID_INDEX } from '../indexes.ts';
import type { KeyDocument } from './key-document.ts';

/**
 * Race: a refresh between the look and the removal; the removal repeats the condition.
 * Index: `expiresAt` (the TTL index), then `ID_INDEX`.
 */
export async function removeExpired(
  keys: KeyCollection,
  query: { now: number; limit: number },
): Promise<number> {
  return removeSome(keys, { expiresAt: { $lte: new Date(query.now) } }, query.limit);
}

/**
 * No race: a key never changes its generation, and an old one never returns.
 * Index: `SLOT_INDEX` or `FREE_AT_INDEX`, both start with the pool; then `ID_INDEX`.
 */
export async function removeGenerations(
  keys: KeyCollection,
  query: { name: string; before: number; limit: number },
): Promise<number> {
  const { name, before, limit } = query;
  const older = { $gt: `${name}/`, $lt: poolReference({ name, generation: before }) };
  return removeSome(keys, { pool: older }, limit);
}

/** A deletion of many has no limit of its own. */
async function removeSome(
  keys: KeyCollection,
  condition: Filter<KeyDocument>,
  limit: number,
): Promise<number> {
  const found = await keys.find(condition, { limit, batchSize: limit, projection: { _id: 1 } }).toArray();
  if (found.length === 0) return 0;
  const ids = found.map(({ _id }) => _id);
  const { deletedCount } = await keys.deleteMany({ ...condition, _id: { $in: ids } }, { hint: ID_INDEX });
  return deletedCount;
}
