import type { ClearedPool, Pool } from '../../../domain/pool.ts';
import type { PoolCollection } from '../collections.ts';

/**
 * Race: two deletions, or one and a revival; the generation tells the pool that was found from any later one.
 * Index: the primary key.
 */
export async function clearPool(
  pools: PoolCollection,
  found: Pool,
  options: { generation: number; now: number; deleted: boolean },
): Promise<boolean> {
  const { generation, deleted } = options;
  const at = new Date(options.now);
  const { matchedCount } = await pools.updateOne(
    { _id: found.name, generation: found.generation, deletedAt: { $exists: false } },
    { $set: { generation, clearedAt: at, ...(deleted && { deletedAt: at }) } },
  );
  return matchedCount === 1;
}

/** Index: sparse `clearedAt`. */
export async function listClearedPools(pools: PoolCollection): Promise<ClearedPool[]> {
  const found = await pools.find({ clearedAt: { $exists: true } }).toArray();
  return found.flatMap(({ _id, generation, clearedAt, deletedAt }) =>
    clearedAt === undefined
      ? []
      : [{ name: _id, generation, clearedAt: clearedAt.getTime(), deleted: deletedAt !== undefined }],
  );
}

/**
 * Race: the pool may have been cleared again since it was listed, which gave it another generation, or revived: then
 * it stays.
 * Index: the primary key.
 */
export async function forgetClearedPool(pools: PoolCollection, cleared: ClearedPool): Promise<void> {
  const asListed = { _id: cleared.name, generation: cleared.generation };
  const { deletedCount } = await pools.deleteOne({ ...asListed, deletedAt: { $exists: true } });
  if (deletedCount === 0) await pools.updateOne(asListed, { $unset: { clearedAt: '' } });
}
