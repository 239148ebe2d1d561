import type { Event } from '../../domain/events.ts';
import { poolReference } from '../../domain/pool.ts';
import type { KeyStore, LapsedKey } from '../../domain/store.ts';
import type { SqliteConnection } from './connection.ts';
import { type KeyRow, toKey, toNote } from './key-row.ts';
import { RECORD_LAPSE } from './update-keys.ts';

/** The range of leased keys of each pool, by `free_at`; a lease ends before that. */
const LIST_LAPSED = `
  SELECT * FROM keys INDEXED BY keys_by_free_at
  WHERE pool IN (SELECT value FROM json_each(:pools)) AND state = 'leased' AND free_at <= :now
  LIMIT :limit`;

const LIST_NOTED = `
  SELECT key_id, notes FROM keys INDEXED BY keys_by_notes WHERE notes IS NOT NULL LIMIT :limit`;

/** By primary key. */
const LIST_NOTED_OF = `
  SELECT key_id, notes FROM keys
  WHERE key_id IN (SELECT value FROM json_each(:keyIds)) AND notes IS NOT NULL LIMIT :limit`;

/** Race closed: another note was put on the key, or all of them taken off, since they were read. By primary key. */
const CLEAR_NOTES = `
  UPDATE keys SET notes = NULL
  WHERE key_id = :keyId AND json_array_length(notes) = :count AND notes ->> '$[0].eventId' = :firstId`;

/** Race closed: a key was used, or leased for longer, since it was found. Look and write are one statement. */
const APPLY_LIFETIME = `
  UPDATE keys SET expires_at = :expiresAt
  WHERE rowid IN (
    SELECT rowid FROM keys INDEXED BY keys_by_expiry
    WHERE pool = :pool AND expires_at > :now AND expires_at < :expiresAt AND state <> 'deleted' AND value IS NULL
    UNION ALL
    SELECT rowid FROM keys INDEXED BY keys_by_expiry
    WHERE pool = :pool AND expires_at > :latest AND state <> 'deleted' AND value IS NULL
      AND paused IS NULL AND free_at <= :expiresAt
    LIMIT :limit
  )`;

const HAS_LATER = `
  SELECT 1 FROM keys INDEXED BY keys_by_expiry
  WHERE pool = :pool AND expires_at > :latest AND state <> 'deleted' AND value IS NULL AND paused IS NULL
  LIMIT 1`;

/**
 * Race closed: a key was refreshed since it was found expired. Look and removal are one statement. Each pool's expired
 * keys are a range of the index; the pools are found by one step in the index each.
 */
const REMOVE_EXPIRED = `
  WITH RECURSIVE every (pool) AS (
    SELECT min(pool) FROM keys INDEXED BY keys_by_expiry
    UNION ALL
    SELECT (SELECT min(pool) FROM keys INDEXED BY keys_by_expiry WHERE pool > every.pool)
    FROM every WHERE pool IS NOT NULL
  )
  DELETE FROM keys WHERE rowid IN (
    SELECT keys.rowid FROM every CROSS JOIN keys INDEXED BY keys_by_expiry USING (pool)
    WHERE expires_at <= :now AND notes IS NULL LIMIT :limit
  )`;

/** References sort by generation, so that older generations are a range. */
const REMOVE_GENERATIONS = `
  DELETE FROM keys WHERE rowid IN (
    SELECT rowid FROM keys INDEXED BY keys_by_free_at
    WHERE pool >= :first AND pool < :before AND free_at <= :now AND notes IS NULL LIMIT :limit
  )`;

const HAS_GENERATIONS = `
  SELECT 1 FROM keys INDEXED BY keys_by_free_at WHERE pool >= :first AND pool < :before LIMIT 1`;

interface NotedRow {
  readonly key_id: string;
  /** JSON. */
  readonly notes: string;
}

export function sweepKeys(
  connection: SqliteConnection,
): Pick<
  KeyStore,
  | 'listLapsed'
  | 'recordLapses'
  | 'listNoted'
  | 'clearNotes'
  | 'applyLifetime'
  | 'removeExpired'
  | 'removeGenerations'
> {
  return {
    async listLapsed({ pools, now, limit }) {
      const query = { pools: JSON.stringify(pools), now, limit };
      return connection.all<KeyRow>(LIST_LAPSED, query).map(toKey) as LapsedKey[];
    },
    async recordLapses({ lapses, now }) {
      return connection.immediately(() =>
        lapses
          .map(({ note, ...lapse }) => connection.run(RECORD_LAPSE, { ...lapse, now, note: toNote(note) }))
          .reduce((sum, count) => sum + count, 0),
      );
    },
    async listNoted({ limit, keyIds }) {
      const rows =
        keyIds === undefined
          ? connection.all<NotedRow>(LIST_NOTED, { limit })
          : connection.all<NotedRow>(LIST_NOTED_OF, { limit, keyIds: JSON.stringify(keyIds) });
      return rows.map((row) => ({ keyId: row.key_id, notes: JSON.parse(row.notes) as Event[] }));
    },
    async clearNotes(noted) {
      connection.immediately(() => {
        for (const { keyId, notes } of noted) {
          connection.run(CLEAR_NOTES, { keyId, count: notes.length, firstId: notes[0]?.eventId ?? null });
        }
      });
    },
    async applyLifetime({ pool, now, expiresAt, latest, limit }) {
      const moved = connection.run(APPLY_LIFETIME, { pool, now, expiresAt, latest, limit });
      return { moved, complete: connection.row(HAS_LATER, { pool, latest }) === undefined };
    },
    async removeExpired(query) {
      return connection.run(REMOVE_EXPIRED, query);
    },
    async removeGenerations({ name, before: generation, now, limit }) {
      const range = {
        first: poolReference({ name, generation: 0 }),
        before: poolReference({ name, generation }),
      };
      const removed = connection.run(REMOVE_GENERATIONS, { ...range, now, limit });
      return { removed, complete: connection.row(HAS_GENERATIONS, range) === undefined };
    },
  };
}
