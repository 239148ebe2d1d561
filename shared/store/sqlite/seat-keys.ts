import type { Key } from '../../domain/key.ts';
import { poolName } from '../../domain/pool.ts';
import type { KeyStore, SeatedKey } from '../../domain/store.ts';
import type { SqliteConnection } from './connection.ts';
import { everyGeneration, GENERATIONS, INSERT, toParameters } from './create-keys.ts';
import { refusedColumn } from './errors.ts';

// How a pool holds its target size.

const SEATED =
  'key_id AS keyId, pool, state, fencing_token AS fencingToken, expires_at AS expiresAt, free_at AS freeAt, seat';

/** The seats of a pool, by the unique index. */
const WITHIN = 'FROM keys INDEXED BY keys_by_seat WHERE seat_pool = :name AND seat >= 0 AND seat < :below';
const LIST_SEATED = `SELECT ${SEATED} ${WITHIN}`;
/** Decided within the index. */
const COUNT_SEATED = `SELECT count(*) AS count ${WITHIN}`;

/** Every stored state of each generation is a range of the index. */
const LIST_SEATED_FREE = `
  ${GENERATIONS}
  SELECT ${SEATED} FROM generations CROSS JOIN keys INDEXED BY keys_by_free_at USING (pool)
  WHERE state IN ('free', 'leased', 'deleted') AND free_at <= :now AND seat < :below`;

/** Every stored state of each generation is a range of the index; of the free ones only those that cool are in it. */
const COUNT_BEYOND = `
  ${GENERATIONS}
  SELECT count(*) AS count FROM (
    SELECT 1 FROM generations CROSS JOIN keys INDEXED BY keys_by_free_at USING (pool)
    WHERE state IN ('free', 'leased', 'deleted') AND free_at > :now AND (seat IS NULL OR seat >= :below)
    LIMIT :limit
  )`;

/** Race closed: the key was claimed since the look. Look and removal are one statement. */
const REMOVE_BEYOND = `
  DELETE FROM keys WHERE rowid IN (
    SELECT rowid FROM keys INDEXED BY keys_by_free_at
    WHERE pool = :pool AND state = 'free' AND free_at <= :now AND (seat IS NULL OR seat >= :below)
      AND paused IS NULL AND notes IS NULL
    LIMIT :limit
  )`;

/** Race closed: the key was used, or refreshed, since it was found dead. */
const REMOVE = `
  DELETE FROM keys
  WHERE key_id = :keyId AND state = :state AND fencing_token = :fencingToken
    AND expires_at = :expiresAt AND free_at = :freeAt AND notes IS NULL`;

export function seatKeys(
  connection: SqliteConnection,
): Pick<
  KeyStore,
  | 'mint'
  | 'mintMissing'
  | 'listSeated'
  | 'countSeated'
  | 'listSeatedFree'
  | 'countBeyond'
  | 'removeBeyond'
  | 'remove'
> {
  /** Returns the column whose unique index refused it, if one did. */
  function insert(key: Key): string | undefined {
    try {
      connection.run(INSERT, toParameters(key));
      return undefined;
    } catch (error) {
      const column = refusedColumn(error);
      if (column === undefined) throw error;
      return column;
    }
  }

  return {
    async mint(key) {
      switch (insert(key)) {
        case undefined:
          return key;
        case 'request_hash':
          return 'repeated';
        case 'client_seat':
          return 'client_seat_taken';
        default:
          return 'seat_taken';
      }
    },
    async mintMissing(keys) {
      return connection.immediately(() => keys.filter((key) => insert(key) === undefined).length);
    },
    async listSeated(query) {
      return connection.all<SeatedKey>(LIST_SEATED, query);
    },
    async countSeated(query) {
      return connection.row<{ count: number }>(COUNT_SEATED, query)?.count ?? 0;
    },
    async listSeatedFree({ name, ...query }) {
      return connection.all<SeatedKey>(LIST_SEATED_FREE, { ...query, ...everyGeneration(name) });
    },
    async countBeyond({ pool, countFormer, ...query }) {
      const range = countFormer ? everyGeneration(poolName(pool)) : { first: pool, end: `${pool} ` };
      return connection.row<{ count: number }>(COUNT_BEYOND, { ...query, ...range })?.count ?? 0;
    },
    async removeBeyond(query) {
      return connection.run(REMOVE_BEYOND, query);
    },
    async remove({ keyId, state, fencingToken, expiresAt, freeAt }) {
      return connection.run(REMOVE, { keyId, state, fencingToken, expiresAt, freeAt }) > 0;
    },
  };
}
