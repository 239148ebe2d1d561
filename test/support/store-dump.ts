import { poolReference } from '../../shared/domain/pool.ts';
import type { Store } from '../../shared/domain/store.ts';

const ALL = 100_000;

/** Everything that a store holds and can be reached at `now`: two equal dumps mean that nothing was written between. */
export async function dumpStore(store: Store, now: number): Promise<string> {
  const pools = await store.pools.list({ limit: ALL });
  const keys = await Promise.all(
    pools.map((pool) => store.keys.list({ pool: poolReference(pool), now, limit: ALL })),
  );
  const clients = await store.clients.list({ limit: ALL });
  return JSON.stringify({ pools, cleared: await store.pools.listCleared(), keys, clients }, null, 1);
}
