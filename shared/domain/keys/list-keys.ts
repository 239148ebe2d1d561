import { type Caller, requirePool } from '../client.ts';
import type { Context } from '../context.ts';
import type { KeyState } from '../key.ts';
import { poolReference } from '../pool.ts';
import { describeKey, type KeyView } from './key-view.ts';

export interface ListKeysRequest {
  readonly pool: string;
  readonly limit: number;
  readonly state?: KeyState | undefined;
  readonly search?: string | undefined;
  /** The slot after which the page starts. */
  readonly after?: number | undefined;
}

/**
 * A page of the pool's keys in a stable order; `next` is where the page after it starts.
 * @throws PoolNotFoundError, ForbiddenError
 */
export async function listKeys(
  context: Context,
  caller: Caller,
  request: ListKeysRequest,
): Promise<{ keys: KeyView[]; next?: number }> {
  requirePool(caller, request.pool);
  const now = context.clock();
  const pool = await context.pools.get(request.pool, now);
  const { state, search, after, limit } = request;
  const found = await context.store.keys.list({
    pool: poolReference(pool),
    now,
    limit: limit + 1,
    ...(state !== undefined && { state }),
    ...(search !== undefined && { search }),
    ...(after !== undefined && { after }),
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    keys: page.map((key) => describeKey(key, now)),
    ...(found.length > limit && last !== undefined && { next: last.slot }),
  };
}
