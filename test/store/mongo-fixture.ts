import type { CommandStartedEvent } from 'mongodb';
import type { Context } from '../../shared/domain/context.ts';
import { DEFAULT_POOL, poolReference } from '../../shared/domain/pool.ts';
import { PoolCounts } from '../../shared/domain/pool-counts.ts';
import { PoolDirectory } from '../../shared/domain/pool-directory.ts';
import type { Store } from '../../shared/domain/store.ts';
import { createMongoStore, type MongoStoreOptions } from '../../shared/store/mongo/mongo-store.ts';
import type { MongoTestDatabase } from '../support/mongodb.ts';
import { NOW, TOLERANCE_MS } from './contract/scene.ts';
import type { MakeStore } from './store-contract.ts';

/** The database is emptied after each test; dropping it would mean to build the indexes anew each time. */
export function makeMongoStore(
  database: MongoTestDatabase,
  options: Omit<MongoStoreOptions, 'uri'> = {},
): MakeStore {
  return async () => {
    const stores: Store[] = [];
    const open = (): Store => {
      const store = createMongoStore({ uri: database.uri, ...options });
      stores.push(store);
      return store;
    };
    const store = open();
    await store.prepare(NOW);
    return {
      store,
      another: async () => open(),
      async dispose() {
        await Promise.all(stores.map((each) => each.close()));
        await emptyDatabase(database);
      },
    };
  };
}

export async function emptyDatabase({ db }: MongoTestDatabase): Promise<void> {
  const collections = await db.listCollections({}, { nameOnly: true }).toArray();
  await Promise.all(collections.map(({ name }) => db.collection(name).deleteMany({})));
}

/** A store that remembers what it sent, with operations to run on it; the default pool is known already. */
export interface WatchedStore {
  readonly store: Store;
  readonly context: Context;
  /** The reference of the default pool. */
  readonly pool: string;
  /** The commands that `work` sends. */
  commandsOf(work: () => Promise<unknown>): Promise<CommandStartedEvent[]>;
}

export async function openWatchedStore(uri: string): Promise<WatchedStore> {
  const sent: CommandStartedEvent[] = [];
  const store = createMongoStore({ uri, onCommand: (event) => sent.push(event) });
  await store.prepare(NOW);
  const pools = new PoolDirectory(store);
  const pool = poolReference(await pools.get(DEFAULT_POOL, NOW));
  const counts = new PoolCounts(store.keys);
  return {
    store,
    context: { store, pools, counts, clock: () => NOW, clockSkewToleranceMs: TOLERANCE_MS },
    pool,
    async commandsOf(work) {
      sent.length = 0;
      await work();
      return sent.filter(({ commandName }) => commandName !== 'endSessions');
    },
  };
}
