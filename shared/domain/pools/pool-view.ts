import type { Context } from '../context.ts';
import { type Pool, type PoolPolicy, poolReference } from '../pool.ts';

/** Keys are counted up to here; beyond it a count is only a lower bound, so that it never costs O(keys). */
const COUNT_LIMIT = 10_000;

/** `atLeast`: there are more than were counted. */
export interface Count {
  readonly count: number;
  readonly relation: 'exact' | 'atLeast';
}

/** A pool with its keys counted at one moment. Times in milliseconds since the epoch. */
export interface PoolView extends PoolPolicy {
  readonly pool: string;
  readonly counts: { readonly free: Count; readonly leased: Count; readonly cooling: Count };
  /** Until the next leased or cooling key is free if nobody keeps it alive; null when none is leased or cooling. */
  readonly nextFreeInMs: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export async function describePool(context: Context, pool: Pool, now: number): Promise<PoolView> {
  const counts = await context.store.keys.count({ pool: poolReference(pool), now, limit: COUNT_LIMIT + 1 });
  return {
    pool: pool.name,
    leaseSeconds: pool.leaseSeconds,
    keyTtlSeconds: pool.keyTtlSeconds,
    maxKeys: pool.maxKeys,
    paused: pool.paused,
    counts: { free: bounded(counts.free), leased: bounded(counts.leased), cooling: bounded(counts.cooling) },
    nextFreeInMs: counts.nextFreeAt === undefined ? null : counts.nextFreeAt - now,
    createdAt: pool.createdAt,
    updatedAt: pool.updatedAt,
  };
}

function bounded(counted: number): Count {
  return counted > COUNT_LIMIT
    ? { count: COUNT_LIMIT, relation: 'atLeast' }
    : { count: counted, relation: 'exact' };
}
