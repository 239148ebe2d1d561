import { randomUUID } from 'node:crypto';
import type { CommandStartedEvent } from 'mongodb';
import type { Context } from '../../shared/domain/context.ts';
import type { Key } from '../../shared/domain/key.ts';
import { DEFAULT_POOL, poolReference } from '../../shared/domain/pool.ts';
import { PoolDirectory } from '../../shared/domain/pools/pool-directory.ts';
import type { Store } from '../../shared/domain/store.ts';
import { createMongoStore } from '../../shared/store/mongo/mongo-store.ts';
import type { MongoTestDatabase } from '../support/mongodb.ts';
import type { MakeStore } from './store-contract.ts';

/** Near the real time: MongoDB removes by its own clock what is long past its expiration. */
export const NOW = Date.now();

/** The database is emptied after each test; dropping it would mean to build the indexes anew each time. */
export function makeMongoStore(database: MongoTestDatabase): MakeStore {
  return async () => {
    const stores: Store[] = [];
    const open = (): Store => {
      const store = createMongoStore({ uri: database.uri });
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
  await Promise.all(['keys', 'pools', 'clients'].map((name) => db.collection(name).deleteMany({})));
}

/** A store that remembers what it sent, with operations to run on it; the default pool is known already. */
export async function openWatchedStore(uri: string): Promise<{
  store: Store;
  context: Context;
  /** The reference of the default pool. */
  pool: string;
  /** The commands that `work` sends. */
  commandsOf(work: () => Promise<unknown>): Promise<CommandStartedEvent[]>;
}> {
  const sent: CommandStartedEvent[] = [];
  const store = createMongoStore({ uri, onCommand: (event) => sent.push(event) });
  await store.prepare(NOW);
  const pools = new PoolDirectory(store.pools);
  const pool = poolReference(await pools.get(DEFAULT_POOL, NOW));
  return {
    store,
    context: { store, pools, clock: () => NOW, clockSkewToleranceMs: 1000 },
    pool,
    async commandsOf(work) {
      sent.length = 0;
      await work();
      return [...sent];
    },
  };
}

export function makeKey(pool: string, fields: Partial<Key> = {}): Key {
  return {
    keyId: `key_${randomUUID()}`,
    pool,
    state: 'free',
    slot: 0.5,
    fencingToken: NOW,
    createdAt: NOW,
    expiresAt: NOW + 300_000,
    freeAt: NOW,
    ...fields,
  };
}
