import type { Store } from '../domain/store.ts';
import type { RuntimeConfig } from './config.ts';

/**
 * The store that the configuration names: MongoDB where `MONGODB_URI` is set, SQLite otherwise. Imported on demand, so
 * that a process loads one driver only.
 */
export async function openStore(config: RuntimeConfig): Promise<Store> {
  if (config.MONGODB_URI === undefined) {
    const { createSqliteStore } = await import('../store/sqlite/sqlite-store.ts');
    return createSqliteStore({ path: config.SQLITE_PATH });
  }
  const { createMongoStore } = await import('../store/mongo/mongo-store.ts');
  return createMongoStore({ uri: config.MONGODB_URI, maxPoolSize: config.MONGODB_MAX_POOL_SIZE });
}
