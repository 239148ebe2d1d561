import { DatabaseFileError } from './database-file.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

/**
 * Each entry leads from one version of the schema to the next; `PRAGMA user_version` says how many were carried out.
 * Entries are only ever added.
 *
 * The checks are the domain's invariants. The statements rely on them: a key that is past its `free_at` has no live
 * lease, and one that is not past it has not hard-expired.
 *
 * The indexes (every statement names its own, so that no statistics change the plan):
 * keys_by_slot       acquire's first step, the list, and the search by key id: a range of one stored state
 * keys_by_free_at    acquire's second step, counts and lapsed leases, decided within the index
 * keys_by_client     a client's leases
 * keys_by_expiry     removal of expired keys
 * keys_by_request    no two keys carry the same request
 */
const MIGRATIONS = [
  `
  CREATE TABLE keys (
    key_id            TEXT PRIMARY KEY NOT NULL,
    pool              TEXT NOT NULL,
    state             TEXT NOT NULL,
    slot              REAL NOT NULL,
    fencing_token     INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL,
    free_at           INTEGER NOT NULL,
    lease_id          TEXT,
    lease_client      TEXT,
    lease_holder      TEXT,
    lease_acquired_at INTEGER,
    lease_expires_at  INTEGER,
    last_lease_id     TEXT,
    last_lease_client TEXT,
    last_lease_reason TEXT,
    request_hash      TEXT,
    value             TEXT,
    CHECK (state IN ('free', 'leased', 'deleted')),
    CHECK ((state = 'leased') = (lease_id IS NOT NULL)),
    CHECK (lease_expires_at IS NULL OR lease_expires_at <= free_at),
    CHECK (free_at <= expires_at)
  ) STRICT;

  CREATE INDEX keys_by_slot ON keys (pool, state, slot, key_id);
  CREATE INDEX keys_by_free_at ON keys (pool, state, free_at, expires_at, lease_expires_at);
  CREATE INDEX keys_by_client ON keys (lease_client, key_id) WHERE lease_client IS NOT NULL;
  CREATE INDEX keys_by_expiry ON keys (expires_at);
  CREATE UNIQUE INDEX keys_by_request ON keys (request_hash) WHERE request_hash IS NOT NULL;

  CREATE TABLE pools (
    name            TEXT PRIMARY KEY NOT NULL,
    generation      INTEGER NOT NULL,
    lease_seconds   INTEGER NOT NULL,
    key_ttl_seconds INTEGER,
    max_keys        INTEGER,
    paused          INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    deleted         INTEGER NOT NULL DEFAULT 0,
    cleared_at      INTEGER
  ) STRICT;

  CREATE INDEX pools_cleared ON pools (cleared_at) WHERE cleared_at IS NOT NULL;

  CREATE TABLE clients (
    client_id   TEXT PRIMARY KEY NOT NULL,
    role        TEXT NOT NULL,
    pools       TEXT,
    description TEXT,
    secret_hash TEXT NOT NULL,
    created_at  INTEGER NOT NULL
  ) STRICT;
  `,
];

/**
 * Brings the schema up to date; safe to repeat, and to run from several processes at once.
 * @throws DatabaseFileError when a newer version of this program made the database
 */
export function migrate(connection: SqliteConnection): void {
  connection.immediately(() => {
    const [row] = connection.all<{ user_version: number }>('PRAGMA user_version');
    const version = row?.user_version ?? 0;
    if (version > MIGRATIONS.length) {
      throw new DatabaseFileError(connection.path, 'a newer version of this program made it');
    }
    for (const migration of MIGRATIONS.slice(version)) connection.execute(migration);
    connection.execute(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}
