import { DEFAULT_POLICY, DEFAULT_POOL } from '../../domain/pool.ts';
import type { Store } from '../../domain/store.ts';
import { claimKeys } from './claim-keys.ts';
import { clients } from './clients.ts';
import { type ConnectionOptions, SqliteConnection } from './connection.ts';
import { countKeys } from './count-keys.ts';
import { createKeys } from './create-keys.ts';
import { events } from './events.ts';
import { pools } from './pools.ts';
import { readKeys } from './read-keys.ts';
import { MIGRATIONS, migrate, schemaVersion } from './schema.ts';
import { seatKeys } from './seat-keys.ts';
import { sweepKeys } from './sweep-keys.ts';
import { tickets } from './tickets.ts';
import { updateKeys } from './update-keys.ts';
import { usage } from './usage.ts';

/**
 * The store on one SQLite file, which several processes of one machine may share. What a verb has returned outlives
 * the process, however it ends, and a power cut.
 * @param options.path the file, made if it is missing, its folder too; or `:memory:`
 * @param options.synchronous `normal`: a power cut may take the last moments, and a single caller is answered sooner
 * @throws DatabaseFileError, DatabaseUnavailableError, or the file system's error, when the file cannot be opened
 * @example
 * const store = createSqliteStore({ path: '.data/orchestrator.db' });
 * await store.prepare(Date.now());
 */
export function createSqliteStore({ path, ...options }: { path: string } & ConnectionOptions): Store {
  return storeOn(new SqliteConnection(path, options));
}

/** Race closed: a sweep that began earlier ends later. */
const NOTE_SWEEP = `
  INSERT INTO last_sweep (only, at) VALUES (1, :at) ON CONFLICT (only) DO UPDATE SET at = max(at, excluded.at)`;

/** The store on an open connection. */
export function storeOn(connection: SqliteConnection): Store {
  const store: Store = {
    keys: inGroups(connection, {
      ...createKeys(connection),
      ...seatKeys(connection),
      ...claimKeys(connection),
      ...updateKeys(connection),
      ...readKeys(connection),
      ...countKeys(connection),
      ...sweepKeys(connection),
    }),
    pools: inGroups(connection, pools(connection)),
    clients: inGroups(connection, clients(connection)),
    tickets: inGroups(connection, tickets(connection)),
    events: inGroups(connection, events(connection)),
    usage: inGroups(connection, usage(connection)),
    claimsQueue: true,
    async prepare(now, defaultPolicy = DEFAULT_POLICY) {
      await connection.together(async () => migrate(connection));
      await store.pools.create(DEFAULT_POOL, defaultPolicy, now);
    },
    async ping() {
      // Reads the file: a statement without a table would not.
      connection.all('SELECT count(*) FROM sqlite_schema');
    },
    async noteSweep(at) {
      await connection.together(async () => connection.run(NOTE_SWEEP, { at }));
    },
    async schemaState() {
      const read = async () => schemaVersion(connection);
      const ahead = (await connection.together(read)) - MIGRATIONS.length;
      if (ahead === 0) return 'ok';
      return ahead < 0 ? 'older' : 'newer';
    },
    async oldIndexes() {
      await store.ping();
      return []; // Migrations drop them: a process of an earlier version refuses the file.
    },
    async getLastSweep() {
      const read = async () => connection.row<{ at: number }>('SELECT at FROM last_sweep');
      return (await connection.together(read))?.at;
    },
    async close() {
      connection.close();
    },
  };
  return store;
}

/** The same verbs, each carried out by {@link SqliteConnection.together}. */
function inGroups<Verbs extends object>(connection: SqliteConnection, verbs: Verbs): Verbs {
  const grouped = Object.entries(verbs).map(([name, verb]) => [
    name,
    (...parameters: unknown[]) => connection.together(() => verb(...parameters)),
  ]);
  return Object.fromEntries(grouped) as Verbs;
}

/** Whether the database in this file, once it is prepared, keeps imported values. */
export function keepsValues(path: string): boolean {
  if (path === ':memory:') return false;
  const connection = new SqliteConnection(path);
  try {
    return connection.row('SELECT 1 FROM keys WHERE value_hash IS NOT NULL LIMIT 1') !== undefined;
  } finally {
    connection.close();
  }
}
