import type { Caller } from '../client.ts';
import type { Context } from '../context.ts';
import type { Pool } from '../pool.ts';
import { describePool, type PoolView } from './pool-view.ts';

interface Page {
  readonly limit: number;
  readonly after?: string | undefined;
}

/** A page of the pools that the caller may see, by name; `next` is where the page after it starts. */
export async function listPools(
  context: Context,
  caller: Caller,
  request: Page,
): Promise<{ pools: PoolView[]; next?: string }> {
  const now = context.clock();
  const { limit, after } = request;
  const page = { limit: limit + 1, ...(after !== undefined && { after }) };
  const found =
    caller.pools === undefined
      ? await context.store.pools.list(page)
      : await findThese(context, caller.pools, page);
  const pools = found.slice(0, limit);
  const last = pools.at(-1);
  return {
    pools: await Promise.all(pools.map((pool) => describePool(context, pool, now))),
    ...(found.length > limit && last !== undefined && { next: last.name }),
  };
}

/** A limited credential names a few pools; the pages of all the others would be empty, and tell their names. */
async function findThese(context: Context, names: readonly string[], page: Page): Promise<Pool[]> {
  const wanted = names.filter((name) => page.after === undefined || name > page.after).sort();
  const found = await Promise.all([...new Set(wanted)].map((name) => context.store.pools.find(name)));
  return found.filter((pool) => pool !== null).slice(0, page.limit);
}
