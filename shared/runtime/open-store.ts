import { DatabaseUnavailableError } from '../domain/errors.ts';
import type { Store } from '../domain/store.ts';
import type { VaultKeys } from '../domain/value-vault.ts';
import { type RuntimeConfig, readSecretUri, readVaultSecret } from './config.ts';
import { logger } from './logger.ts';
import { loadTracing } from './tracing.ts';

/**
 * The store that the configuration names: MongoDB where `MONGODB_URI` or `MONGODB_SECRET_ARN` is set, SQLite otherwise.
 * Imported on demand, so that a process loads one driver only.
 * @throws ConfigError when the secret holds no connection string, DatabaseUnavailableError when it cannot be read
 */
export async function openStore(config: RuntimeConfig): Promise<Store> {
  const uri = await findMongoUri(config);
  if (uri === undefined) {
    const { createSqliteStore } = await import('../store/sqlite/sqlite-store.ts');
    return createSqliteStore({ path: config.SQLITE_PATH, synchronous: config.SQLITE_SYNCHRONOUS });
  }
  const { createMongoStore } = await import('../store/mongo/mongo-store.ts');
  return createMongoStore({
    uri,
    watch: (await loadTracing())?.watch,
    maxPoolSize: config.MONGODB_MAX_POOL_SIZE,
    onMissingIndex: (index) => logger.warn('missing index', { index, remedy: 'npm run setup-database' }),
  });
}

async function findMongoUri(config: RuntimeConfig): Promise<string | undefined> {
  const { MONGODB_URI, MONGODB_SECRET_ARN } = config;
  if (MONGODB_URI !== undefined || MONGODB_SECRET_ARN === undefined) return MONGODB_URI;
  return readSecretUri(await readSecret(MONGODB_SECRET_ARN));
}

/**
 * The keys that values are sealed with, from a secret.
 * @throws ConfigError when it holds none, DatabaseUnavailableError when it cannot be read
 */
export async function readVaultKeys(arn: string): Promise<VaultKeys> {
  return readVaultSecret(await readSecret(arn));
}

/**
 * The text of a secret in AWS Secrets Manager. The SDK is the Lambda runtime's own and is loaded only here, so that a
 * function without a secret carries and loads nothing of it.
 * @throws DatabaseUnavailableError when the secret cannot be read: the next invocation tries again
 */
async function readSecret(arn: string): Promise<string> {
  const { SecretsManagerClient, GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient({
    region: arn.split(':')[3] as string, // The secret's, wherever this host is.
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true },
  });
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
    return SecretString ?? '';
  } catch (error) {
    throw new DatabaseUnavailableError({ cause: error });
  } finally {
    client.destroy();
  }
}
