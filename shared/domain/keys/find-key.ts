import { type Caller, requirePool } from '../client.ts';
import type { Context } from '../context.ts';
import { KeyNotFoundError } from '../errors.ts';
import type { Key } from '../key.ts';
import { type Pool, poolName } from '../pool.ts';
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
  const pool = await context.pools.getGeneration(key.pool, now);
  if (pool === undefined) throw new KeyNotFoundError();
  return { key, pool };
}

/** @throws KeyNotFoundError, ForbiddenError */
export async function findKey(context: Context, caller: Caller, keyId: string): Promise<KeyView> {
  const now = context.clock();
  const { key } = await locateKey(context, caller, keyId, now);
  return describeKey(key, now);
}
