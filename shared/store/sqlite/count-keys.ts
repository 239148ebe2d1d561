import type { KeyStore } from '../../domain/store.ts';
import type { SqliteConnection } from './connection.ts';

/** Everything is decided within the indexes, without a look at the rows: few keys are paused, and their row ids are read once. */
const IN_SERVICE = `
      rowid NOT IN (SELECT rowid FROM keys INDEXED BY keys_by_pause WHERE pool = :pool AND paused IS NOT NULL)`;

function keysOf(state: 'free' | 'leased', condition: string): string {
  return `SELECT free_at, lease_expires_at FROM keys INDEXED BY keys_by_free_at
      WHERE pool = :pool AND state = '${state}' AND ${condition}`;
}

/**
 * Reads about `limit` entries per state, however many keys there are:
 * - free: everything up to now that has not expired, whatever the stored state, since a live lease ends before `free_at`.
 * - leased: from the latest `free_at` down, since the keys whose lease is over have the earliest.
 * - cooling: stored as free, or else among the `limit` leased keys with the earliest `free_at`, for the same reason.
 */
const COUNT = `
  SELECT
    (SELECT count(*) FROM (
      ${keysOf('free', `free_at <= :now AND expires_at > :now AND ${IN_SERVICE}`)}
      UNION ALL
      ${keysOf('leased', `free_at <= :now AND expires_at > :now AND ${IN_SERVICE}`)}
      LIMIT :limit
    )) AS free,
    (SELECT count(*) FROM (
      ${keysOf('leased', 'free_at > :now AND lease_expires_at > :now')}
      ORDER BY free_at DESC LIMIT :limit
    )) AS leased,
    (SELECT count(*) FROM (
      ${keysOf('free', `free_at > :now AND ${IN_SERVICE}`)}
      UNION ALL
      SELECT * FROM (${keysOf('leased', `free_at > :now AND ${IN_SERVICE}`)} ORDER BY free_at LIMIT :limit)
      WHERE lease_expires_at <= :now
      LIMIT :limit
    )) AS cooling,
    (SELECT count(*) FROM (
      SELECT 1 FROM keys INDEXED BY keys_by_pause
      WHERE pool = :pool AND paused IS NOT NULL AND state <> 'deleted'
        AND (lease_expires_at IS NULL OR lease_expires_at <= :now)
      LIMIT :limit
    )) AS paused,
    (SELECT min(free_at) FROM (
      SELECT * FROM (${keysOf('free', `free_at > :now AND ${IN_SERVICE}`)} ORDER BY free_at LIMIT 1)
      UNION ALL
      SELECT * FROM (${keysOf('leased', `free_at > :now AND ${IN_SERVICE}`)} ORDER BY free_at LIMIT 1)
    )) AS nextFreeAt`;

interface CountRow {
  readonly free: number;
  readonly leased: number;
  readonly cooling: number;
  readonly paused: number;
  readonly nextFreeAt: number | null;
}

export function countKeys(connection: SqliteConnection): Pick<KeyStore, 'count'> {
  return {
    async count(query) {
      const { nextFreeAt, ...counts } = connection.row<CountRow>(COUNT, query) as CountRow;
      return { ...counts, nextFreeAt: nextFreeAt ?? undefined };
    },
  };
}
