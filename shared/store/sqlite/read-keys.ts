import type { KeyStore } from '../../domain/store.ts';
import type { SqliteConnection } from './connection.ts';
import { IS_VISIBLE, type KeyRow, toKey, toKeyOrNull } from './key-row.ts';

const GET = `SELECT * FROM keys WHERE key_id = :keyId AND ${IS_VISIBLE}`;

const LIST_STORED = 'SELECT * FROM keys WHERE key_id IN (SELECT value FROM json_each(:keyIds))';

export const LIST_BY_VALUE = `
  SELECT * FROM keys INDEXED BY keys_by_value
  WHERE value_hash IN (SELECT value FROM json_each(:valueHashes))`;

const LIST_CLIENT_SEATS = `
  SELECT * FROM keys INDEXED BY keys_by_client_seat WHERE client_seat >= :prefix AND client_seat < :end`;

const GET_STORED = 'SELECT * FROM keys WHERE key_id = :keyId';

/**
 * How many keys of each stored state one page walks past at the most: in a pool of a million, a walk to its end would
 * block the process, and all leases with it, for a second.
 */
const WALK = 2000;

/** Part of the walk through the pool. No key that is stored as free is leased, so a list of leased keys skips those. */
function walk(stored: 'free' | 'leased'): string {
  const isWanted = stored === 'free' ? "AND :state IS NOT 'leased'" : '';
  return `FROM keys INDEXED BY keys_by_slot
    WHERE pool = :pool AND state = '${stored}' ${isWanted} AND slot > :after`;
}

/** The first of the slots up to which WALK keys of one stored state lie; null: the walk gets to the pool's end. */
const END_OF_WALK = `
  SELECT min(slot) AS slot FROM (
    SELECT * FROM (SELECT slot ${walk('free')} ORDER BY slot LIMIT 1 OFFSET ${WALK - 1})
    UNION ALL
    SELECT * FROM (SELECT slot ${walk('leased')} ORDER BY slot LIMIT 1 OFFSET ${WALK - 1})
  )`;

/** Plain text: `%` and `_` mean themselves. Upper and lower case of ASCII letters are the same. */
const contains = (text: string) => `instr(lower(${text}), lower(:search)) > 0`;

const LABELS_MATCH = `EXISTS (
      SELECT 1 FROM json_each(labels) AS label WHERE ${contains("label.key || '=' || label.value")}
    )`;

function matches(stored: 'free' | 'leased', state: string, search: string): string {
  return `
  SELECT * FROM (
    SELECT * ${walk(stored)} AND slot <= :end AND expires_at > :now
      AND (:state IS NULL OR ${state} = :state) AND (:search IS NULL OR ${search})
    ORDER BY slot LIMIT :limit
  )`;
}

/**
 * A page by slot, merged from the two visible stored states. The states are those of `keyStateAt` in the domain; a key
 * that is stored as free has neither a lease nor a holder.
 */
const LIST = `
  ${matches('free', "CASE WHEN paused IS NOT NULL THEN 'paused' WHEN free_at > :now THEN 'cooling' ELSE 'free' END", `(${contains('key_id')} OR ${LABELS_MATCH})`)}
  UNION ALL
  ${matches(
    'leased',
    `CASE WHEN lease_expires_at > :now THEN 'leased' WHEN paused IS NOT NULL THEN 'paused'
      WHEN free_at > :now THEN 'cooling' ELSE 'free' END`,
    `(${contains('key_id')} OR ${contains('lease_holder')} OR ${LABELS_MATCH})`,
  )}
  ORDER BY slot LIMIT :limit`;

const LIST_LEASED = `
  SELECT * FROM keys INDEXED BY keys_by_client
  WHERE lease_client = :clientId AND (lease_acquired_at, key_id) > (:acquiredAt, :keyId)
  ORDER BY lease_acquired_at, key_id LIMIT :limit`;

/** The client after this one of whom a lease stands on some key. Null: there is none. */
const nextClient = (after: string) => `(
    SELECT lease_client FROM keys INDEXED BY keys_by_client
    WHERE lease_client > ${after} ORDER BY lease_client LIMIT 1
  )`;

/** From client to client, past their leases. */
const LIST_LEASING_CLIENTS = `
  WITH RECURSIVE leasing (client) AS (
    SELECT ${nextClient(':after')}
    UNION ALL
    SELECT ${nextClient('client')} FROM leasing WHERE client IS NOT NULL
  )
  SELECT client FROM leasing WHERE client IS NOT NULL LIMIT :limit`;

export function readKeys(
  connection: SqliteConnection,
): Pick<
  KeyStore,
  | 'get'
  | 'getStored'
  | 'list'
  | 'listLeased'
  | 'listLeasingClients'
  | 'listStored'
  | 'listByValue'
  | 'listClientSeats'
> {
  return {
    async get(keyId, now) {
      return toKeyOrNull(connection.row<KeyRow>(GET, { keyId, now }));
    },
    async getStored(keyId) {
      return toKeyOrNull(connection.row<KeyRow>(GET_STORED, { keyId }));
    },
    async listStored(keyIds) {
      return connection.all<KeyRow>(LIST_STORED, { keyIds: JSON.stringify(keyIds) }).map(toKey);
    },
    async listByValue(valueHashes) {
      return connection.all<KeyRow>(LIST_BY_VALUE, { valueHashes: JSON.stringify(valueHashes) }).map(toKey);
    },
    async listClientSeats(prefix) {
      // ':' follows the digits.
      return connection.all<KeyRow>(LIST_CLIENT_SEATS, { prefix, end: `${prefix}:` }).map(toKey);
    },
    async list({ pool, now, limit, after = -1, state = null, search = null }) {
      // What moves between the two statements stays within its slot: the walk to this end is complete.
      const range = { pool, state, after };
      const end = connection.row<{ slot: number | null }>(END_OF_WALK, range)?.slot ?? undefined;
      const query = { ...range, now, end: end ?? 1, search, limit: limit + 1 };
      const found = connection.all<KeyRow>(LIST, query).map(toKey);
      const keys = found.slice(0, limit);
      return { keys, next: found.length > limit ? keys.at(-1)?.slot : end };
    },
    async listLeased({ clientId, limit, after }) {
      const { acquiredAt = -1, keyId = '' } = after ?? {};
      return connection.all<KeyRow>(LIST_LEASED, { clientId, limit, acquiredAt, keyId }).map(toKey);
    },
    async listLeasingClients(query) {
      return connection.all<{ client: string }>(LIST_LEASING_CLIENTS, query).map(({ client }) => client);
    },
  };
}
