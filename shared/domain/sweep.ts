import type { Context } from './context.ts';
import { type ClearedPool, poolReference } from './pool.ts';

/** Rows per write. */
const BATCH = 500;
/** Pools per look. */
const POOLS = 200;
/** How long a cleared pool is remembered: far longer than any process may go by an old policy or carry out a late write. */
const CLEARED_MEMORY_MS = 3_600_000;

export interface SweepReport {
  /** Keys on which a lapsed lease stood. */
  readonly lapsed: number;
  /** Lapsed leases per pool name. */
  readonly lapsedByPool: Readonly<Record<string, number>>;
  /** Keys past their hard expiration. */
  readonly expired: number;
  /** Keys of pools that were deleted or emptied. */
  readonly purged: number;
  /** False when the time budget ran out first; the next sweep goes on. */
  readonly complete: boolean;
}

/**
 * Frees lapsed keys and removes what is over. Nothing depends on when or whether it runs: time rules hold when they
 * are read. Every write carries its condition, so it is repeatable, and safe beside itself and beside acquires.
 * @param hasTime is asked before each batch.
 */
export async function sweep(context: Context, hasTime: () => boolean): Promise<SweepReport> {
  const now = context.clock();
  const lapsedByPool = new Map<string, number>();
  let expired = 0;
  let purged = 0;

  const finish = (complete: boolean): SweepReport => ({
    lapsed: [...lapsedByPool.values()].reduce((sum, count) => sum + count, 0),
    lapsedByPool: Object.fromEntries(lapsedByPool),
    expired,
    purged,
    complete,
  });

  for await (const pools of pagesOfPools(context)) {
    const references = new Map(pools.map((pool) => [poolReference(pool), pool.name]));
    for (let found = BATCH; found === BATCH; ) {
      if (!hasTime()) return finish(false);
      const keys = await context.store.keys.findLapsed({ pools: [...references.keys()], now, limit: BATCH });
      found = keys.length;
      for (const [pool, lapsed] of Map.groupBy(keys, (key) => key.pool)) {
        const keyIds = lapsed.map((key) => key.keyId);
        const count = await context.store.keys.recordLapses({ keyIds, now });
        const name = references.get(pool) as string;
        if (count > 0) lapsedByPool.set(name, (lapsedByPool.get(name) ?? 0) + count);
      }
    }
  }

  for (let removed = BATCH; removed === BATCH; expired += removed) {
    if (!hasTime()) return finish(false);
    removed = await context.store.keys.removeExpired({ now, limit: BATCH });
  }

  for (const cleared of await context.store.pools.listCleared()) {
    for (let removed = BATCH; removed === BATCH; purged += removed) {
      if (!hasTime()) return finish(false);
      removed = await context.store.keys.removeGenerations({
        name: cleared.name,
        before: cleared.generation,
        limit: BATCH,
      });
    }
    if (isLongAgo(cleared, now)) await context.store.pools.forgetCleared(cleared);
  }
  return finish(true);
}

async function* pagesOfPools(context: Context): AsyncGenerator<{ name: string; generation: number }[]> {
  for (let after: string | undefined; ; ) {
    const pools = await context.store.pools.list({ limit: POOLS, ...(after !== undefined && { after }) });
    if (pools.length > 0) yield pools;
    if (pools.length < POOLS) return;
    after = pools.at(-1)?.name;
  }
}

function isLongAgo(cleared: ClearedPool, now: number): boolean {
  return now - cleared.clearedAt > CLEARED_MEMORY_MS;
}
