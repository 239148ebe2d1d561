import { type Caller, requirePool } from '../client.ts';
import type { Context } from '../context.ts';
import { KeyNotFoundError, PoolNotFoundError } from '../errors.ts';
import type { Key } from '../key.ts';
import { type Pool, poolName, poolReference } from '../pool.ts';
import { describeKey, type KeyView } from './key-view.ts';

/**
 * The key and its pool, for an operation at `now`; a key of a pool that was deleted or emptied is not found.
 * @throws KeyNotFoundError, ForbiddenError
 */
export async function locateKey(
  context: Context,
  caller: Caller,
  keyId: string,
  now: number,
): Promise<{ key: Key; pool: Pool }> {
  const key = await context.store.keys.find(keyId, now);
  if (key === null) throw new KeyNotFoundError();
  requirePool(caller, poolName(key.pool));
  return { key, pool: await poolOf(context, key.pool, now) };
}

/** The pool of this reference, if that generation is still the current one. @throws KeyNotFoundError */
async function poolOf(context: Context, reference: string, now: number): Promise<Pool> {
  try {
    const pool = await context.pools.get(poolName(reference), now);
    if (poolReference(pool) === reference) return pool;
  } catch (error) {
    if (!(error instanceof PoolNotFoundError)) throw error;
  }
  throw new KeyNotFoundError();
}

/** @throws KeyNotFoundError, ForbiddenError */
export async function findKey(context: Context, caller: Caller, keyId: string): Promise<KeyView> {
  const now = context.clock();
  const { key } = await locateKey(context, caller, keyId, now);
  return describeKey(key, now);
}
