import type { Store } from '../domain/store.ts';
import { type RuntimeConfig, readSecretUri } from './config.ts';
import { readSecret } from './read-secret.ts';

/**
 * The store that the configuration names: MongoDB where `MONGODB_URI` or `MONGODB_SECRET_ARN` is set, SQLite otherwise.
 * Imported on demand, so that a process loads one driver only.
 * @throws ConfigError when the secret holds no connection string, DatabaseUnavailableError when it cannot be read
 */
export async function openStore(config: RuntimeConfig): Promise<Store> {
  const uri = await findMongoUri(config);
  if (uri === undefined) {
    const { createSqliteStore } = await import('../store/sqlite/sqlite-store.ts');
    return createSqliteStore({ path: config.SQLITE_PATH });
  }
  const { createMongoStore } = await import('../store/mongo/mongo-store.ts');
  return createMongoStore({ uri, maxPoolSize: config.MONGODB_MAX_POOL_SIZE });
}

async function findMongoUri(config: RuntimeConfig): Promise<string | undefined> {
  const { MONGODB_URI, MONGODB_SECRET_ARN } = config;
  if (MONGODB_URI !== undefined || MONGODB_SECRET_ARN === undefined) return MONGODB_URI;
  return readSecretUri(await readSecret(MONGODB_SECRET_ARN));
}
