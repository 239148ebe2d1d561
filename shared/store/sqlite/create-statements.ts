import type { KeyStore } from '../../domain/store.ts';
import { INSERT_KEY, toParameters } from './key-row.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

/** Seats taken: deleted keys hold theirs while they cool. Costs what it counts, and no more than `maxKeys` rows. */
const COUNT_SEATS = `
  SELECT count(*) AS seats FROM (
    SELECT 1 FROM keys INDEXED BY keys_by_free_at WHERE pool = :pool AND expires_at > :now LIMIT :maxKeys
  )`;

export function createStatements(connection: SqliteConnection): Pick<KeyStore, 'create'> {
  return {
    // Race closed: two creates count at once and both add. The write lock is held from before the count.
    async create(keys, { maxKeys, now }) {
      const [first] = keys;
      if (first === undefined) return true;
      return connection.immediately(() => {
        if (maxKeys !== null) {
          const [row] = connection.all<{ seats: number }>(COUNT_SEATS, { pool: first.pool, now, maxKeys });
          if ((row?.seats ?? 0) + keys.length > maxKeys) return false;
        }
        for (const key of keys) connection.run(INSERT_KEY, toParameters(key));
        return true;
      });
    },
  };
}
