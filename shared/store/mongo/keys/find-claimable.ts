import type { Key } from '../../../domain/key.ts';
import type { KeyCollection } from '../collections.ts';
import { FREE_AT_INDEX } from '../indexes.ts';
import { VISIBLE } from './key-conditions.ts';
import { toKey } from './key-document.ts';

/**
 * A look, on the primary: the claim that follows repeats every condition.
 * Index: `FREE_AT_INDEX`, hinted; two scans (free, leased) that are sorted by `freeAt` already, merged.
 */
export async function findClaimable(
  keys: KeyCollection,
  query: { pool: string; now: number; requestHash?: string; limit: number },
): Promise<Key[]> {
  const { pool, now, requestHash, limit } = query;
  const found = await keys
    .find(
      {
        ...VISIBLE,
        pool,
        expiresAt: { $gt: new Date(now) },
        ...(requestHash !== undefined && { requestHash: { $ne: requestHash } }),
      },
      { hint: FREE_AT_INDEX, sort: { freeAt: 1 }, limit },
    )
    .toArray();
  return found.map(toKey);
}
