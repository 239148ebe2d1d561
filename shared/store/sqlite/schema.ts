import type { SqliteConnection } from './connection.ts';
import { DatabaseFileError } from './errors.ts';

/**
 * Each entry leads from one version of the schema to the next; `PRAGMA user_version` says how many were carried out.
 * Entries are only ever added.
 *
 * The checks are the domain's invariants. The statements rely on them: a key that is past its `free_at` has no live
 * lease, and one that is not past it has not hard-expired.
 *
 * The indexes (every statement names its own, so that no statistics change the plan):
 * keys_by_slot       acquire's first step and the list: a walk through one stored state
 * keys_by_free_at    acquire's second step, counts, seats, lapsed leases and former generations, decided within the index
 * keys_by_expiry     removal of expired keys, and changes of their life
 * keys_by_client     a client's leases, oldest first, and which clients have any
 * keys_by_request    no two keys carry the same request
 * keys_by_seat       no two keys of a pool have the same seat, and what a pool lacks of its target size
 * keys_by_client_seat  no two leases of a client stand on the same of its numbers
 * keys_by_value      no value stands in a pool twice
 * keys_by_notes      keys that carry notes
 * keys_by_pause      keys that are out of service
 * tickets_by_place   the queue of a pool in its order
 * events_by_*        the events of one pool, type, key, client or holder; within each the row id has them in their order
 * usage_by_expiry    removal of usage that is over
 */
export const MIGRATIONS = [
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
  `
  ALTER TABLE keys ADD COLUMN request_body TEXT;

  DROP INDEX keys_by_slot;
  CREATE INDEX keys_by_slot ON keys (pool, state, slot, key_id, free_at, expires_at);
  DROP INDEX keys_by_expiry;
  CREATE INDEX keys_by_expiry ON keys (pool, expires_at, state, free_at);

  ALTER TABLE pools ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';
  UPDATE pools SET policy = json_object(
    'leaseSeconds', lease_seconds, 'keyTtlSeconds', key_ttl_seconds, 'maxKeys', max_keys,
    'paused', json(iif(paused, 'true', 'false'))
  );
  ALTER TABLE pools DROP COLUMN lease_seconds;
  ALTER TABLE pools DROP COLUMN key_ttl_seconds;
  ALTER TABLE pools DROP COLUMN max_keys;
  ALTER TABLE pools DROP COLUMN paused;
  ALTER TABLE pools ADD COLUMN refreshed_at INTEGER;

  CREATE INDEX unlimited_admins ON clients (client_id) WHERE role = 'admin' AND pools IS NULL;
  `,
  `
  ALTER TABLE keys ADD COLUMN lease_max_expires_at INTEGER;
  ALTER TABLE keys ADD COLUMN seat INTEGER;
  ALTER TABLE keys ADD COLUMN seat_pool TEXT;
  ALTER TABLE keys ADD COLUMN client_seat TEXT;
  ALTER TABLE keys ADD COLUMN labels TEXT;
  ALTER TABLE keys ADD COLUMN value_hash TEXT;

  CREATE UNIQUE INDEX keys_by_seat ON keys (seat_pool, seat) WHERE seat IS NOT NULL;
  CREATE UNIQUE INDEX keys_by_client_seat ON keys (client_seat) WHERE client_seat IS NOT NULL;
  CREATE UNIQUE INDEX keys_by_value ON keys (value_hash) WHERE value_hash IS NOT NULL;

  CREATE TABLE value_tokens (
    value_hash TEXT PRIMARY KEY NOT NULL,
    next_token INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE creations (
    request_hash TEXT PRIMARY KEY NOT NULL,
    request_body TEXT NOT NULL,
    key_ids      TEXT NOT NULL,
    expires_at   INTEGER NOT NULL,
    done         INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX creations_by_expiry ON creations (expires_at);

  CREATE TABLE tickets (
    ticket_id  TEXT PRIMARY KEY NOT NULL,
    pool       TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    holder     TEXT,
    priority   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    place      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tickets_by_place ON tickets (pool, place, number, expires_at);
  CREATE INDEX tickets_by_expiry ON tickets (expires_at);

  CREATE TABLE queues (
    pool       TEXT PRIMARY KEY NOT NULL,
    number     INTEGER NOT NULL,
    latest_at  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE clients ADD COLUMN expires_at INTEGER;
  ALTER TABLE clients ADD COLUMN old_secret_hash TEXT;
  ALTER TABLE clients ADD COLUMN old_secret_expires_at INTEGER;
  ALTER TABLE clients ADD COLUMN rotated_at INTEGER;
  ALTER TABLE clients ADD COLUMN last_used_at INTEGER;

  DROP INDEX unlimited_admins;
  CREATE INDEX lasting_admins ON clients (client_id)
    WHERE role = 'admin' AND pools IS NULL AND expires_at IS NULL;
  `,
  `
  ALTER TABLE tickets ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
  DROP INDEX tickets_by_place;
  CREATE INDEX tickets_by_place ON tickets (pool, place, number, expires_at, count);
  `,
  `
  ALTER TABLE keys ADD COLUMN notes TEXT;
  CREATE INDEX keys_by_notes ON keys (key_id) WHERE notes IS NOT NULL;

  CREATE TABLE events (
    position   INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id   TEXT NOT NULL UNIQUE,
    type       TEXT NOT NULL,
    pool       TEXT,
    key_id     TEXT,
    client_id  TEXT,
    event      TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX events_by_type ON events (type);
  CREATE INDEX events_by_pool ON events (pool) WHERE pool IS NOT NULL;
  CREATE INDEX events_by_key ON events (key_id) WHERE key_id IS NOT NULL;
  CREATE INDEX events_by_client ON events (client_id) WHERE client_id IS NOT NULL;
  CREATE INDEX events_by_expiry ON events (expires_at);

  CREATE TABLE deliveries (
    receiver TEXT PRIMARY KEY NOT NULL,
    owner    TEXT NOT NULL,
    until    INTEGER NOT NULL,
    sent_to  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE keys ADD COLUMN last_lease_acquired_at INTEGER;

  CREATE TABLE last_sweep (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    at   INTEGER NOT NULL
  ) STRICT;
  `,
  // An index is written by each operation that sets one of its columns: a keep-alive sets no slot or state, a release
  // sets no hard expiration.
  `
  DROP INDEX keys_by_slot;
  CREATE INDEX keys_by_slot ON keys (pool, state, slot);
  DROP INDEX keys_by_expiry;
  CREATE INDEX keys_by_expiry ON keys (pool, expires_at);
  `,
  `
  CREATE TABLE usage (
    pool         TEXT NOT NULL,
    unit         TEXT NOT NULL,
    at           INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    sampled_low  INTEGER NOT NULL,
    sampled_high INTEGER NOT NULL,
    refused_low  INTEGER NOT NULL,
    refused_high INTEGER NOT NULL,
    leased       INTEGER,
    least_leased INTEGER,
    free         INTEGER,
    cooling      INTEGER,
    waiting      INTEGER,
    taken        INTEGER,
    keys         INTEGER,
    at_least     INTEGER NOT NULL,
    PRIMARY KEY (pool, unit, at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX usage_by_expiry ON usage (expires_at);
  `,
  `
  ALTER TABLE keys ADD COLUMN paused TEXT;
  CREATE INDEX keys_by_pause ON keys (pool) WHERE paused IS NOT NULL;
  `,
  `
  DROP INDEX keys_by_client;
  CREATE INDEX keys_by_client ON keys (lease_client, lease_acquired_at, key_id) WHERE lease_client IS NOT NULL;
  `,
  // Of what is in the event: the events that are kept are found by it as well.
  `
  CREATE INDEX events_by_holder ON events (event ->> 'holder') WHERE event ->> 'holder' IS NOT NULL;
  `,
  // In the order of the rows, so that a sweep's batch changes few of its pages.
  `
  DROP INDEX keys_by_notes;
  CREATE INDEX keys_by_notes ON keys (pool) WHERE notes IS NOT NULL;
  `,
];

/** How many migrations the file has seen: more than this program's where a newer one opened it meanwhile. */
export function schemaVersion(connection: SqliteConnection): number {
  return connection.row<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
}

/**
 * Brings the schema up to date; safe to repeat, and to run from several processes at once.
 * @throws DatabaseFileError when a newer version of this program made the database
 */
export function migrate(connection: SqliteConnection): void {
  connection.immediately(() => {
    const version = schemaVersion(connection);
    if (version > MIGRATIONS.length) {
      throw new DatabaseFileError(connection.path, 'a newer version of this program made it');
    }
    for (const migration of MIGRATIONS.slice(version)) connection.execute(migration);
    connection.execute(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}
