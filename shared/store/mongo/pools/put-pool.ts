import { nextGeneration, type Pool, type PoolPolicy } from '../../../domain/pool.ts';
import type { PoolCollection } from '../collections.ts';
import { isDuplicateKeyError } from '../driver-errors.ts';
import { toPolicyFields, toPool } from './pool-document.ts';

/**
 * Race: the pool may be created, deleted or revived by others meanwhile. Each of the two writes has its condition; the
 * second one inserts where no pool is, and is refused where one has come up since: then look again.
 * Index: the primary key.
 */
export async function putPool(
  pools: PoolCollection,
  name: string,
  policy: PoolPolicy,
  now: number,
): Promise<{ pool: Pool; created: boolean }> {
  const fields = toPolicyFields(policy);
  const at = new Date(now);
  for (;;) {
    const replaced = await pools.findOneAndUpdate(
      { _id: name, deletedAt: { $exists: false } },
      { $set: { ...fields, updatedAt: at } },
      { returnDocument: 'after' },
    );
    if (replaced !== null) return { pool: toPool(replaced), created: false };
    try {
      // A deleted pool comes back with the generation that its deletion began, and so without its old keys.
      const created = await pools.findOneAndUpdate(
        { _id: name, deletedAt: { $exists: true } },
        {
          $set: { ...fields, createdAt: at, updatedAt: at },
          $setOnInsert: { generation: nextGeneration(0, now) },
          $unset: { deletedAt: '' },
        },
        { upsert: true, returnDocument: 'after' },
      );
      if (created !== null) return { pool: toPool(created), created: true };
    } catch (error) {
      if (!isDuplicateKeyError(error)) throw error;
    }
  }
}

/**
 * Race: two processes at their first start; the primary key lets one insert. A deleted pool is there and stays deleted.
 * Index: the primary key.
 */
export async function createPoolIfMissing(
  pools: PoolCollection,
  name: string,
  policy: PoolPolicy,
  now: number,
): Promise<void> {
  const at = new Date(now);
  const pool = {
    ...toPolicyFields(policy),
    generation: nextGeneration(0, now),
    createdAt: at,
    updatedAt: at,
  };
  try {
    await pools.updateOne({ _id: name }, { $setOnInsert: pool }, { upsert: true });
  } catch (error) {
    if (!isDuplicateKeyError(error)) throw error;
  }
}
