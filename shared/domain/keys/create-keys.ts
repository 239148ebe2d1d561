import { randomBytes } from 'node:crypto';
import { type Caller, requirePool } from '../client.ts';
import type { Context } from '../context.ts';
import { PoolFullError } from '../errors.ts';
import type { Key } from '../key.ts';
import { hardExpiration, poolReference } from '../pool.ts';
import { describeKey, type KeyView } from './key-view.ts';

/** 128 random bits; the prefix keeps it from ever looking like a command-line option. */
function generateKeyId(): string {
  return `key_${randomBytes(16).toString('base64url')}`;
}

/**
 * Adds `count` free keys to the pool.
 * @throws PoolNotFoundError, PoolFullError, ForbiddenError
 */
export async function createKeys(
  context: Context,
  caller: Caller,
  request: { pool: string; count: number },
): Promise<KeyView[]> {
  requirePool(caller, request.pool);
  const now = context.clock();
  const pool = await context.pools.read(request.pool, now);
  const keys = Array.from(
    { length: request.count },
    (): Key => ({
      keyId: generateKeyId(),
      pool: poolReference(pool),
      state: 'free',
      slot: Math.random(),
      fencingToken: now,
      createdAt: now,
      expiresAt: hardExpiration(pool, now),
      freeAt: now,
    }),
  );
  const created = await context.store.keys.create(keys, { maxKeys: pool.maxKeys, now });
  if (!created) throw new PoolFullError(pool.name, pool.maxKeys as number);
  return keys.map((key) => describeKey(key, now));
}
