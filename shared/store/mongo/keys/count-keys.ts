import type { Filter } from 'mongodb';
import type { KeyCounts } from '../../../domain/store.ts';
import type { KeyCollection } from '../collections.ts';
import { FREE_AT_INDEX } from '../indexes.ts';
import { VISIBLE } from './key-conditions.ts';
import type { KeyDocument } from './key-document.ts';

/**
 * Figures for people; nothing is decided by them, so that several commands side by side may see several moments.
 *
 * Index: `FREE_AT_INDEX`, hinted. It answers them alone, and each command reads about `limit` of its entries, however
 * many keys there are. For that the conditions are those of `keyStateAt` with a range of `freeAt` added: a live lease
 * ends before `freeAt`, and of the leased keys those whose lease is over have the earliest `freeAt`.
 */
export async function countKeys(
  keys: KeyCollection,
  query: { pool: string; now: number; limit: number },
): Promise<KeyCounts> {
  const { pool, limit } = query;
  const now = new Date(query.now);
  const unexpired = { pool, expiresAt: { $gt: now } };
  const count = (condition: Filter<KeyDocument>): Promise<number> =>
    keys.countDocuments({ ...unexpired, ...condition }, { hint: FREE_AT_INDEX, limit });

  const [free, leased, coolingFree, coolingLeased, next] = await Promise.all([
    count({ ...VISIBLE, freeAt: { $lte: now } }),
    count({ state: 'leased', freeAt: { $gt: now }, 'lease.expiresAt': { $gt: now } }),
    count({ state: 'free', freeAt: { $gt: now } }),
    countLapsed(keys, { ...unexpired, state: 'leased', freeAt: { $gt: now } }, now, limit),
    keys.findOne(
      { ...unexpired, ...VISIBLE, freeAt: { $gt: now } },
      { hint: FREE_AT_INDEX, sort: { freeAt: 1 }, projection: { _id: 0, freeAt: 1 } },
    ),
  ]);
  const cooling = Math.min(coolingFree + coolingLeased, limit);
  return { free, leased, cooling, ...(next !== null && { nextFreeAt: next.freeAt.getTime() }) };
}

/** How many of the first `limit` keys that meet the condition, by `freeAt`, carry a lease that is over. */
async function countLapsed(
  keys: KeyCollection,
  condition: Filter<KeyDocument>,
  now: Date,
  limit: number,
): Promise<number> {
  const [result] = await keys
    .aggregate<{ count: number }>(
      [
        { $match: condition },
        { $sort: { freeAt: 1 } },
        { $limit: limit },
        { $match: { 'lease.expiresAt': { $lte: now } } },
        { $count: 'count' },
      ],
      { hint: FREE_AT_INDEX },
    )
    .toArray();
  return result?.count ?? 0;
}
