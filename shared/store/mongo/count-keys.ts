import type { Filter } from 'mongodb';
import type { KeyCounts } from '../../domain/store.ts';
import {
  earliest,
  IN_SERVICE,
  inState,
  type KeyCommands,
  type KeyDocument,
  VISIBLE,
} from './key-document.ts';
import { FREE_AT_INDEX, PAUSED_INDEX } from './schema.ts';

export const countKeys = { count };

/**
 * Figures for people; nothing is decided by them, so that several commands side by side may see several moments.
 *
 * Index: `FREE_AT_INDEX`, hinted. It has all that is asked for, and each command reads about `limit` of its entries,
 * however many keys there are. For that the conditions are those of `keyStateAt` with a range of `freeAt` added: a live
 * lease ends before `freeAt`, and of the leased keys those whose lease is over have the earliest `freeAt`. Paused keys
 * are read by `PAUSED_INDEX`, hinted.
 */
async function count(
  keys: KeyCommands,
  query: { pool: string; now: number; limit: number },
): Promise<KeyCounts> {
  const { pool, limit } = query;
  const now = new Date(query.now);
  const hint = FREE_AT_INDEX;
  const paused = await keys.count({ ...inState('paused', query.now), pool }, { hint: PAUSED_INDEX, limit });
  // Where some are paused, each key has to be read for it.
  const inService = paused > 0 ? IN_SERVICE : {};
  const unexpired = { pool, expiresAt: { $gt: now } };
  const coolingFree = { ...unexpired, ...inService, state: 'free', freeAt: { $gt: now } } as const;
  const held = { ...unexpired, state: 'leased', freeAt: { $gt: now } } as const;

  const countUp = (condition: Filter<KeyDocument>) => keys.count(condition, { hint, limit });
  // The next of each stored state by itself: see `listClaimable`.
  const next = (condition: Filter<KeyDocument>) =>
    keys.findOne(
      { ...condition, ...IN_SERVICE },
      { hint, sort: { freeAt: 1 }, projection: { _id: 0, freeAt: 1 } },
    );

  const [free, leased, cooledFree, cooledLeased, nextFree, nextLeased] = await Promise.all([
    countUp({ ...unexpired, ...inService, ...VISIBLE, freeAt: { $lte: now } }),
    countUp({ ...held, 'lease.expiresAt': { $gt: now } }),
    countUp(coolingFree),
    countLapsed(keys, { ...held, ...inService }, now, limit),
    next(coolingFree),
    next(held),
  ]);
  const cooling = Math.min(cooledFree + cooledLeased, limit);
  return { free, leased, cooling, paused, nextFreeAt: earliest(nextFree, nextLeased) };
}

/** How many of the first `limit` keys that meet the condition, by `freeAt`, carry a lease that is over. */
async function countLapsed(
  keys: KeyCommands,
  condition: Filter<KeyDocument>,
  now: Date,
  limit: number,
): Promise<number> {
  const stages = [
    { $sort: { freeAt: 1 } },
    { $limit: limit },
    { $match: { 'lease.expiresAt': { $lte: now } } },
    { $count: 'count' },
  ];
  const [result] = await keys.aggregate<{ count: number }>(condition, stages, { hint: FREE_AT_INDEX });
  return result?.count ?? 0;
}
