import { type Caller, requirePool } from '../client.ts';
import type { Context } from '../context.ts';
import { InvalidRequestError } from '../errors.ts';
import type { PoolPolicy } from '../pool.ts';
import { describePool, type PoolView } from './pool-view.ts';

/**
 * Creates a pool or replaces its policy; other processes follow within `POOL_CACHE_MS`.
 * @throws InvalidRequestError, ForbiddenError
 */
export async function putPool(
  context: Context,
  caller: Caller,
  name: string,
  policy: PoolPolicy,
): Promise<{ pool: PoolView; created: boolean }> {
  requirePool(caller, name);
  requireConsistent(policy, context.clockSkewToleranceMs);
  const now = context.clock();
  const { pool, created } = await context.store.pools.put(name, policy, now);
  context.pools.remember(pool, now);
  return { pool: await describePool(context, pool, now), created };
}

/** A key's life must exceed a lease and the clock tolerance after it, or a key would expire under a live lease. */
function requireConsistent(policy: PoolPolicy, clockSkewToleranceMs: number): void {
  const { leaseSeconds, keyTtlSeconds } = policy;
  if (keyTtlSeconds !== null && keyTtlSeconds * 1000 <= leaseSeconds * 1000 + clockSkewToleranceMs) {
    const message = `Must exceed leaseSeconds (${leaseSeconds}) by more than ${clockSkewToleranceMs} ms, or be null`;
    throw new InvalidRequestError([{ path: 'keyTtlSeconds', message }]);
  }
}
