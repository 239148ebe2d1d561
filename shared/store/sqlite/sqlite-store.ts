import { DEFAULT_POLICY, DEFAULT_POOL } from '../../domain/pool.ts';
import type { Store } from '../../domain/store.ts';
import { claimStatements } from './claim-statements.ts';
import { clientStatements } from './client-statements.ts';
import { countStatements } from './count-statements.ts';
import { createStatements } from './create-statements.ts';
import { holdStatements } from './hold-statements.ts';
import { poolStatements } from './pool-statements.ts';
import { readStatements } from './read-statements.ts';
import { migrate } from './schema.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { sweepStatements } from './sweep-statements.ts';

/**
 * The store on one SQLite file, which several processes of one machine may share. What a verb has answered outlives
 * the process, however it ends.
 * @param options.path the file, made if it is missing, its folder too; or `:memory:`
 * @throws DatabaseFileError, DatabaseUnavailableError, or the file system's error, when the file cannot be opened
 * @example
 * const store = createSqliteStore({ path: '.data/orchestrator.db' });
 * await store.prepare(Date.now());
 */
export function createSqliteStore(options: { path: string }): Store {
  return storeOn(new SqliteConnection(options.path));
}

/** The store on an open connection. */
export function storeOn(connection: SqliteConnection): Store {
  const pools = poolStatements(connection);
  return {
    keys: {
      ...createStatements(connection),
      ...claimStatements(connection),
      ...holdStatements(connection),
      ...readStatements(connection),
      ...countStatements(connection),
      ...sweepStatements(connection),
    },
    pools,
    clients: clientStatements(connection),
    async prepare(now) {
      migrate(connection);
      await pools.createIfMissing(DEFAULT_POOL, DEFAULT_POLICY, now);
    },
    async ping() {
      // Reads the file: a statement without a table would not.
      connection.all('SELECT count(*) FROM sqlite_schema');
    },
    async close() {
      connection.close();
    },
  };
}
