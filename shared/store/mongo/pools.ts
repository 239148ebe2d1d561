import {
  type ClearedPool,
  nextGeneration,
  type Pool,
  type PoolPolicy,
  readPolicy,
} from '../../domain/pool.ts';
import type { Commands } from './commands.ts';
import { isDuplicateKeyError } from './errors.ts';

export const pools = {
  get,
  create,
  update,
  requestRefresh,
  forgetRefresh,
  clear,
  list,
  listCleared,
  forgetCleared,
};

/**
 * A deleted pool stays, hidden, until the sweep has removed its keys. The version before kept the fields of the policy
 * in the document itself; they stay there for processes of that version, and are read where there is no `policy`.
 */
interface PoolDocument extends Partial<PoolPolicy> {
  readonly _id: string;
  readonly generation: number;
  readonly policy?: PoolPolicy;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When its latest generation began, if the sweep may still have keys of earlier ones to remove. */
  readonly clearedAt?: Date;
  readonly deletedAt?: Date | undefined;
  readonly refreshedAt?: Date | undefined;
}

export type PoolCommands = Commands<PoolDocument>;

const STANDING = { deletedAt: { $exists: false } };

function toPool(document: PoolDocument): Pool {
  const { _id, generation, createdAt, updatedAt, clearedAt, refreshedAt } = document;
  return {
    name: _id,
    generation,
    policy: readPolicy(document.policy ?? document),
    createdAt: createdAt.getTime(),
    updatedAt: updatedAt.getTime(),
    clearedAt: clearedAt?.getTime(),
    refreshedAt: refreshedAt?.getTime(),
  };
}

// Each command is on the pool's primary key, unless another index is named.

async function get(pools: PoolCommands, name: string): Promise<Pool | null> {
  const found = await pools.findOne({ _id: name, ...STANDING });
  return found && toPool(found);
}

/**
 * Race: two creations of one pool, or one and its revival. The write inserts where no pool is, brings back one that is
 * deleted, and is refused by the primary key where one stands. A deleted pool comes back with the generation that its
 * deletion began, and so without its old keys.
 */
async function create(
  pools: PoolCommands,
  name: string,
  policy: PoolPolicy,
  now: number,
): Promise<Pool | null> {
  const at = new Date(now);
  try {
    const created = await pools.findOneAndUpdate(
      { _id: name, deletedAt: { $exists: true } },
      {
        $set: { policy, createdAt: at, updatedAt: at },
        $setOnInsert: { generation: nextGeneration(0, now) },
        $unset: { deletedAt: '' },
      },
      { upsert: true },
    );
    return created && toPool(created);
  } catch (error) {
    if (isDuplicateKeyError(error)) return null;
    throw error;
  }
}

/**
 * Race: two changes that were made from the same reading would undo each other; `updatedAt` grows with each, so that
 * the second finds nothing.
 */
async function update(
  pools: PoolCommands,
  found: Pool,
  change: { policy: PoolPolicy; now: number; refreshedAt?: number | undefined },
): Promise<Pool | null> {
  const { policy, now, refreshedAt } = change;
  const updated = await pools.findOneAndUpdate(
    { _id: found.name, generation: found.generation, updatedAt: new Date(found.updatedAt), ...STANDING },
    {
      $set: {
        policy,
        updatedAt: new Date(Math.max(now, found.updatedAt + 1)),
        refreshedAt: refreshedAt === undefined ? undefined : new Date(refreshedAt),
      },
    },
  );
  return updated && toPool(updated);
}

/** Race: two refreshes; `$max` keeps the later one. The generation tells the pool that was found from any later one. */
function requestRefresh(pools: PoolCommands, found: Pool, refreshedAt: number): Promise<boolean> {
  return pools.updateOne(
    { _id: found.name, generation: found.generation, ...STANDING },
    { $max: { refreshedAt: new Date(refreshedAt) } },
  );
}

/** Race: another refresh since the pool was read, which stays noted. */
async function forgetRefresh(pools: PoolCommands, found: Pool): Promise<void> {
  const { name, generation, refreshedAt } = found;
  if (refreshedAt === undefined) return;
  await pools.updateOne(
    { _id: name, generation, refreshedAt: new Date(refreshedAt) },
    { $unset: { refreshedAt: '' } },
  );
}

/** Race: two deletions, or one and a revival; the generation tells the pool that was found from any later one. */
function clear(
  pools: PoolCommands,
  found: Pool,
  options: { generation: number; now: number; deleted: boolean },
): Promise<boolean> {
  const { generation, deleted } = options;
  const at = new Date(options.now);
  return pools.updateOne(
    { _id: found.name, generation: found.generation, ...STANDING },
    {
      $set: { generation, clearedAt: at, deletedAt: deleted ? at : undefined },
      $unset: { refreshedAt: '' },
    },
  );
}

async function list(
  pools: PoolCommands,
  page: { limit: number; after?: string | undefined },
): Promise<Pool[]> {
  const { limit, after } = page;
  const found = await pools.find(
    { ...STANDING, ...(after !== undefined && { _id: { $gt: after } }) },
    { sort: { _id: 1 }, limit },
  );
  return found.map(toPool);
}

/** Index: sparse `clearedAt`. */
async function listCleared(pools: PoolCommands): Promise<ClearedPool[]> {
  const found = await pools.find({ clearedAt: { $exists: true } });
  return found.flatMap(({ _id, generation, clearedAt, deletedAt }) =>
    clearedAt === undefined
      ? []
      : [{ name: _id, generation, clearedAt: clearedAt.getTime(), deleted: deletedAt !== undefined }],
  );
}

/**
 * Race: the pool may have been cleared again since it was listed, which gave it another generation, or revived: then
 * it stays.
 */
async function forgetCleared(pools: PoolCommands, cleared: ClearedPool): Promise<void> {
  const asListed = { _id: cleared.name, generation: cleared.generation };
  const isDeleted = await pools.deleteOne({ ...asListed, deletedAt: { $exists: true } });
  if (!isDeleted) await pools.updateOne(asListed, { $unset: { clearedAt: '' } });
}
