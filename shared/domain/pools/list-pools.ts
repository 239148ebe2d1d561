import type { Caller } from '../client.ts';
import type { Context } from '../context.ts';
import { describePool, type PoolView } from './pool-view.ts';

/** A page of the pools that the caller may see, by name; `next` is where the page after it starts. */
export async function listPools(
  context: Context,
  caller: Caller,
  request: { limit: number; after?: string | undefined },
): Promise<{ pools: PoolView[]; next?: string }> {
  const now = context.clock();
  const { limit, after } = request;
  const found = await context.store.pools.list({ limit: limit + 1, ...(after !== undefined && { after }) });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const visible = page.filter((pool) => caller.pools === undefined || caller.pools.includes(pool.name));
  return {
    pools: await Promise.all(visible.map((pool) => describePool(context, pool, now))),
    ...(found.length > limit && last !== undefined && { next: last.name }),
  };
}
