import type { Pool } from '../../../domain/pool.ts';
import type { PoolCollection } from '../collections.ts';
import { toPool } from './pool-document.ts';

/** Index: the primary key. */
export async function findPool(pools: PoolCollection, name: string): Promise<Pool | null> {
  const found = await pools.findOne({ _id: name, deletedAt: { $exists: false } });
  return found === null ? null : toPool(found);
}

/** Index: the primary key. */
export async function listPools(
  pools: PoolCollection,
  page: { limit: number; after?: string },
): Promise<Pool[]> {
  const found = await pools
    .find(
      { deletedAt: { $exists: false }, ...(page.after !== undefined && { _id: { $gt: page.after } }) },
      { sort: { _id: 1 }, limit: page.limit },
    )
    .toArray();
  return found.map(toPool);
}
