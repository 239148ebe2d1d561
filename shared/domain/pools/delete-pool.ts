import { type Caller, requirePool } from '../client.ts';
import type { Context } from '../context.ts';
import { DEFAULT_POOL, nextGeneration } from '../pool.ts';

/**
 * Deletes a pool with its keys and leases; the default pool becomes empty instead. One write starts a new generation,
 * which every process follows within `POOL_CACHE_MS`; the sweep removes the keys of the old one.
 * @throws PoolNotFoundError, ForbiddenError
 */
export async function deletePool(context: Context, caller: Caller, name: string): Promise<void> {
  requirePool(caller, name);
  const now = context.clock();
  for (;;) {
    const pool = await context.pools.read(name, now);
    const generation = nextGeneration(pool.generation, now);
    if (await context.store.pools.clear(pool, { generation, now, deleted: name !== DEFAULT_POOL })) break;
  }
  context.pools.forget(name);
}
