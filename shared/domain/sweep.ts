import type { Context } from './context.ts';
import { lapseOf } from './events.ts';
import { NEVER_EXPIRES } from './key.ts';
import { type ClearedPool, type Pool, poolReference } from './pool.ts';
import { isSettled } from './pool-directory.ts';
import { fillPool } from './seats.ts';

/** Rows per write. */
const BATCH = 500;
/** Pools per look. */
const POOLS = 200;
/** Batches that a change of a policy, or the refresh of a pool, takes care of itself; the next sweep does the rest. */
const BATCHES_AT_ONCE = 20;
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
  /** For how long the oldest of those lapses had been waiting for a sweep, in milliseconds; 0: there was none. */
  readonly backlogMs: number;
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
  let backlogMs = 0;

  const finish = async (complete: boolean): Promise<SweepReport> => {
    await context.store.noteSweep(now);
    return {
      lapsed: [...lapsedByPool.values()].reduce((sum, count) => sum + count, 0),
      lapsedByPool: Object.fromEntries(lapsedByPool),
      expired,
      purged,
      backlogMs,
      complete,
    };
  };

  const recordNotes = async (): Promise<number> => {
    const noted = await context.store.keys.listNoted({ limit: BATCH });
    await context.events.recordNotes(noted, now);
    return noted.length;
  };

  for await (const pools of pagesOfPools(context)) {
    const names = new Map(pools.map((pool) => [poolReference(pool), pool.name]));
    for (let found = BATCH; found === BATCH; ) {
      if (!hasTime()) return finish(false);
      const keys = await context.store.keys.listLapsed({ pools: [...names.keys()], now, limit: BATCH });
      found = keys.length;
      for (const { freeAt } of keys) backlogMs = Math.max(backlogMs, now - freeAt);
      for (const [pool, lapsed] of Map.groupBy(keys, (key) => key.pool)) {
        const lapses = lapsed.map((key) => {
          return { keyId: key.keyId, leaseId: key.lease.id, note: lapseOf(key, key.lease) };
        });
        const count = await context.store.keys.recordLapses({ lapses, now });
        const name = names.get(pool) as string;
        if (count === 0) continue;
        lapsedByPool.set(name, (lapsedByPool.get(name) ?? 0) + count);
        context.onLapse(name, count);
      }
      // Where more lapses follow, they may take all the time, and MongoDB itself removes a key with its notes.
      if (found === BATCH) await recordNotes();
    }
    // Before anything is removed: a key that carries a note stays.
    for (let found = BATCH; found === BATCH; ) {
      if (!hasTime()) return finish(false);
      found = await recordNotes();
    }
    for (const { name, refreshedAt, policy } of pools) {
      for (let isDone = refreshedAt === undefined && policy.targetSize === null; !isDone; ) {
        if (!hasTime()) return finish(false);
        // As it is now: by a shorter life of before, keys that were just given a longer one would expire at once.
        const pool = await context.store.pools.get(name);
        if (pool === null) break;
        const isFilled = await fillPool(context, pool, now);
        const state = await applyLifetime(context, pool, now);
        if (state === 'done' && pool.refreshedAt !== undefined) await context.store.pools.forgetRefresh(pool);
        isDone = isFilled && state !== 'more';
      }
    }
  }

  for (let removed = BATCH; removed === BATCH; expired += removed) {
    if (!hasTime()) return finish(false);
    removed = await context.store.keys.removeExpired({ now, limit: BATCH });
  }

  for (let removed = BATCH; removed === BATCH; ) {
    if (!hasTime()) return finish(false);
    removed = await context.store.tickets.removeLapsed({ now, limit: BATCH });
  }

  for (let removed = BATCH; removed === BATCH; ) {
    if (!hasTime()) return finish(false);
    removed = await context.store.events.removeExpired({ now, limit: BATCH });
  }

  for (const cleared of await context.store.pools.listCleared()) {
    const { name, generation: before } = cleared;
    let complete = false;
    for (let removed = BATCH; removed === BATCH; purged += removed) {
      if (!hasTime()) return finish(false);
      ({ removed, complete } = await context.store.keys.removeGenerations({
        name,
        before,
        now,
        limit: BATCH,
      }));
    }
    if (complete && isLongAgo(cleared, now)) await context.store.pools.forgetCleared(cleared);
  }
  return finish(true);
}

/** `more`: call again at once; `later`: some keys have to wait, or a process may still go by the policy of before. */
type LifetimeState = 'more' | 'later' | 'done';

/**
 * Gives the next keys of a pool the lifetime that its policy has, counted from when all of them were refreshed. A key
 * that was used since has a later expiration already. One that a longer lease of an earlier policy holds waits.
 */
async function applyLifetime(context: Context, pool: Pool, now: number): Promise<LifetimeState> {
  const { refreshedAt, policy } = pool;
  if (refreshedAt === undefined) return 'done';
  const tolerance = context.clockSkewToleranceMs;
  const lifeMs = policy.keyTtlSeconds === null ? undefined : policy.keyTtlSeconds * 1000;
  const { moved, complete } = await context.store.keys.applyLifetime({
    pool: poolReference(pool),
    now,
    expiresAt: lifeMs === undefined ? NEVER_EXPIRES : Math.max(refreshedAt + lifeMs, now),
    latest: lifeMs === undefined ? NEVER_EXPIRES : now + lifeMs + tolerance,
    limit: BATCH,
  });
  if (moved === BATCH) return 'more';
  return complete && isSettled(context, refreshedAt, now) ? 'done' : 'later';
}

/** The first keys at once: the next sweep may be a minute away, and keys may expire until then. */
export async function applyLifetimeNow(context: Context, pool: Pool, now: number): Promise<void> {
  for (let batch = 0; batch < BATCHES_AT_ONCE; batch += 1) {
    if ((await applyLifetime(context, pool, now)) !== 'more') return;
  }
}

async function* pagesOfPools(context: Context): AsyncGenerator<Pool[]> {
  for (let after: string | undefined; ; ) {
    const pools = await context.store.pools.list({ limit: POOLS, after });
    if (pools.length > 0) yield pools;
    if (pools.length < POOLS) return;
    after = pools.at(-1)?.name;
  }
}

function isLongAgo(cleared: ClearedPool, now: number): boolean {
  return now - cleared.clearedAt > CLEARED_MEMORY_MS;
}
