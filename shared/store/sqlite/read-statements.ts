import type { KeyState } from '../../domain/key.ts';
import type { KeyStore } from '../../domain/store.ts';
import { IS_VISIBLE } from './key-conditions.ts';
import { type KeyRow, toKey, toKeyOrNull } from './key-row.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

const FIND = `SELECT * FROM keys WHERE key_id = :keyId AND ${IS_VISIBLE}`;

const RECALL = 'SELECT * FROM keys WHERE key_id = :keyId';

type StoredRange = 'free' | 'leased';

interface RangeOfState {
  readonly index: 'keys_by_slot' | 'keys_by_free_at';
  readonly condition?: string;
}

const ALL: RangeOfState = { index: 'keys_by_slot' };

/**
 * Where the keys of each state are, as `keyStateAt` of the domain has it, among those stored as free and those stored
 * as leased. Few keys at a time are cooling, or stored as leased without being so: they are looked up by `free_at` and
 * sorted, since a walk through a million others by slot would block the process for seconds.
 */
const RANGES: Record<KeyState | 'any', Partial<Record<StoredRange, RangeOfState>>> = {
  any: { free: ALL, leased: ALL },
  free: {
    free: { index: 'keys_by_slot', condition: 'free_at <= :now' },
    leased: { index: 'keys_by_free_at', condition: 'free_at <= :now' },
  },
  leased: {
    leased: { index: 'keys_by_slot', condition: 'lease_expires_at > :now' },
  },
  cooling: {
    free: { index: 'keys_by_free_at', condition: 'free_at > :now' },
    leased: { index: 'keys_by_free_at', condition: 'free_at > :now AND lease_expires_at <= :now' },
  },
};

/** Compares text, so that `%` and `_` mean themselves, and upper case differs from lower. */
const startsWithSearch = (column: string) => `substr(${column}, 1, length(:search)) = :search`;

/** A key that is stored as free has no holder, so that its search is decided within the index `keys_by_slot`. */
const MATCHES_SEARCH: Record<StoredRange, string> = {
  free: startsWithSearch('key_id'),
  leased: `(${startsWithSearch('key_id')} OR ${startsWithSearch('lease_holder')})`,
};

/** A page by slot, merged from the ranges of the two visible stored states. */
function listSql(state: KeyState | 'any', isSearch: boolean): string {
  const pages = Object.entries(RANGES[state]).map(
    ([stored, { index, condition = 'TRUE' }]) => `
    SELECT * FROM (
      SELECT * FROM keys INDEXED BY ${index}
      WHERE pool = :pool AND state = '${stored}' AND slot > :after AND expires_at > :now AND ${condition}
        AND ${isSearch ? MATCHES_SEARCH[stored as StoredRange] : 'TRUE'}
      ORDER BY slot LIMIT :limit
    )`,
  );
  return `${pages.join(' UNION ALL ')} ORDER BY slot LIMIT :limit`;
}

const LIST_LEASED = `
  SELECT * FROM keys INDEXED BY keys_by_client
  WHERE lease_client = :clientId AND key_id > :after AND lease_expires_at > :now AND expires_at > :now
  ORDER BY key_id LIMIT :limit`;

export function readStatements(
  connection: SqliteConnection,
): Pick<KeyStore, 'find' | 'recall' | 'list' | 'listLeased'> {
  return {
    async find(keyId, now) {
      return toKeyOrNull(connection.all<KeyRow>(FIND, { keyId, now }));
    },
    async recall(keyId) {
      return toKeyOrNull(connection.all<KeyRow>(RECALL, { keyId }));
    },
    async list({ pool, now, limit, after = -1, state, search }) {
      const sql = listSql(state ?? 'any', search !== undefined);
      const parameters = { pool, now, limit, after, ...(search !== undefined && { search }) };
      return connection.all<KeyRow>(sql, parameters).map(toKey);
    },
    async listLeased({ clientId, now, limit, after = '' }) {
      return connection.all<KeyRow>(LIST_LEASED, { clientId, now, limit, after }).map(toKey);
    },
  };
}
