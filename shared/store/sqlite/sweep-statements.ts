import type { Key } from '../../domain/key.ts';
import { poolReference } from '../../domain/pool.ts';
import type { KeyStore } from '../../domain/store.ts';
import { endLease } from './key-conditions.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

/** The range of leased keys of each pool, by `free_at`. */
const FIND_LAPSED = `
  SELECT key_id AS keyId, pool FROM keys INDEXED BY keys_by_free_at
  WHERE pool IN (SELECT value FROM json_each(:pools)) AND state = 'leased'
    AND free_at <= :now AND lease_expires_at <= :now
  LIMIT :limit`;

/** Race closed: a lease was extended, or the key went to somebody else, since it was found lapsed. By primary key. */
const RECORD_LAPSES = `
  UPDATE keys SET ${endLease('lapsed')}, state = 'free'
  WHERE key_id IN (SELECT value FROM json_each(:keyIds)) AND lease_expires_at <= :now`;

/** Race closed: a key was refreshed since it was found expired. Look and removal are one statement. */
const REMOVE_EXPIRED = `
  DELETE FROM keys WHERE key_id IN (
    SELECT key_id FROM keys INDEXED BY keys_by_expiry WHERE expires_at <= :now LIMIT :limit
  )`;

/** References sort by generation, so older generations are a range. */
const REMOVE_GENERATIONS = `
  DELETE FROM keys WHERE key_id IN (
    SELECT key_id FROM keys INDEXED BY keys_by_free_at WHERE pool >= :first AND pool < :before LIMIT :limit
  )`;

export function sweepStatements(
  connection: SqliteConnection,
): Pick<KeyStore, 'findLapsed' | 'recordLapses' | 'removeExpired' | 'removeGenerations'> {
  return {
    async findLapsed({ pools, now, limit }) {
      return connection
        .all<Pick<Key, 'keyId' | 'pool'>>(FIND_LAPSED, { pools: JSON.stringify(pools), now, limit })
        .map(({ keyId, pool }) => ({ keyId, pool }));
    },
    async recordLapses({ keyIds, now }) {
      return connection.run(RECORD_LAPSES, { keyIds: JSON.stringify(keyIds), now });
    },
    async removeExpired(query) {
      return connection.run(REMOVE_EXPIRED, query);
    },
    async removeGenerations({ name, before, limit }) {
      return connection.run(REMOVE_GENERATIONS, {
        first: poolReference({ name, generation: 0 }),
        before: poolReference({ name, generation: before }),
        limit,
      });
    },
  };
}
