import type { Caller } from '../client.ts';
import type { Context } from '../context.ts';
import { KeyNotFoundError } from '../errors.ts';
import { hardExpiration } from '../pool.ts';
import { locateKey } from './find-key.ts';
import { describeKey, type KeyView } from './key-view.ts';

/**
 * Restarts the key's hard-expiration clock.
 * @throws KeyNotFoundError, ForbiddenError
 */
export async function refreshKey(context: Context, caller: Caller, keyId: string): Promise<KeyView> {
  const now = context.clock();
  const { pool } = await locateKey(context, caller, keyId, now);
  const key = await context.store.keys.refresh({ keyId, now, keyExpiresAt: hardExpiration(pool, now) });
  if (key === null) throw new KeyNotFoundError();
  return describeKey(key, now);
}
