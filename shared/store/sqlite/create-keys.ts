import type { Key } from '../../domain/key.ts';
import { poolName, poolReference } from '../../domain/pool.ts';
import type { Creation, KeyStore, Seats } from '../../domain/store.ts';
import type { Parameters, SqliteConnection } from './connection.ts';
import { refusedColumn } from './errors.ts';
import { LIST_BY_VALUE } from './read-keys.ts';

/** The references in a range that have keys; each takes one step in the index. */
export const GENERATIONS = `
  WITH RECURSIVE generations (pool) AS (
    SELECT min(pool) FROM keys INDEXED BY keys_by_free_at WHERE pool >= :first AND pool < :end
    UNION ALL
    SELECT (SELECT min(pool) FROM keys INDEXED BY keys_by_free_at WHERE pool > generations.pool AND pool < :end)
    FROM generations WHERE pool IS NOT NULL
  )`;

/** The references of all generations of a pool: ":" comes after every digit. */
export function everyGeneration(name: string): { first: string; end: string } {
  return { first: `${name}/`, end: `${name}/:` };
}

/**
 * Counts no further than `maxKeys`, and reads little else, however many keys of former generations are left: those of
 * each are a range of the index, which tells all that is asked. Of this one the keys that have expired, and wait for the
 * sweep, are passed. A later generation counts like this one: the pool was cleared since the creation read it.
 */
const COUNT_SEATS = `${GENERATIONS}
  SELECT count(*) AS seats FROM (
    SELECT 1 FROM generations CROSS JOIN keys INDEXED BY keys_by_free_at USING (pool)
    WHERE (:countFormerFree OR pool >= :pool)
      AND expires_at >= :expiredBefore AND (state <> 'deleted' OR free_at > :now)
    UNION ALL
    SELECT 1 FROM generations CROSS JOIN keys INDEXED BY keys_by_free_at USING (pool)
    WHERE NOT :countFormerFree AND pool < :pool
      AND state IN ('free', 'leased', 'deleted') AND free_at > :now
    LIMIT :maxKeys
  )`;

export const INSERT = `
  INSERT INTO keys (
    key_id, pool, state, slot, fencing_token, created_at, expires_at, free_at,
    lease_id, lease_client, lease_holder, lease_acquired_at, lease_expires_at,
    last_lease_id, last_lease_client, last_lease_reason, request_hash, request_body,
    lease_max_expires_at, seat, seat_pool, client_seat, labels, value, value_hash
  ) VALUES (
    :keyId, :pool, :state, :slot, :fencingToken, :createdAt, :expiresAt, :freeAt,
    :leaseId, :leaseClient, :leaseHolder, :leaseAcquiredAt, :leaseExpiresAt,
    :lastLeaseId, :lastLeaseClient, :lastLeaseReason, :requestHash, :requestBody,
    :leaseMaxExpiresAt, :seat, :seatPool, :clientSeat, :labels, :value, :valueHash
  )`;

/** Race closed: the same creation, sent twice. */
const BEGIN_CREATION = `
  INSERT INTO creations (request_hash, request_body, key_ids, expires_at, done)
  VALUES (:requestHash, :requestBody, :keyIds, :expiresAt, 0)
  ON CONFLICT (request_hash) DO NOTHING`;
const FORGET_CREATIONS = 'DELETE FROM creations WHERE expires_at <= :now';
const GET_CREATION = 'SELECT * FROM creations WHERE request_hash = :requestHash';
const FINISH_CREATION = 'UPDATE creations SET done = 1 WHERE request_hash = :requestHash';

interface CreationRow {
  readonly request_hash: string;
  readonly request_body: string;
  /** JSON. */
  readonly key_ids: string;
  readonly expires_at: number;
  readonly done: number;
}

const NEXT_TOKEN = `
  SELECT max(next_token) AS next FROM value_tokens WHERE value_hash IN (SELECT value FROM json_each(:hashes))`;
const PUT_NEXT_TOKEN = 'INSERT OR REPLACE INTO value_tokens (value_hash, next_token) VALUES (:hash, :next)';

/** How many tokens an import reserves: more than one key can ever use up. */
const RESERVED_TOKENS = 2 ** 32;

export function createKeys(
  connection: SqliteConnection,
): Pick<KeyStore, 'create' | 'beginCreation' | 'finishCreation' | 'reserveTokens'> {
  function countSeats({ name, generation, countFormerFree, ...seats }: Seats): number {
    const row = connection.row<{ seats: number }>(COUNT_SEATS, {
      ...seats,
      ...everyGeneration(name),
      pool: poolReference({ name, generation }),
      countFormerFree: Number(countFormerFree),
    });
    return row?.seats ?? 0;
  }

  return {
    // Race closed: two creates count, or look for a value, at once and both add. The write lock is held from before.
    async create(keys, seats, otherHashes = []) {
      try {
        return connection.immediately(() => {
          const valueHashes = JSON.stringify(otherHashes);
          if (otherHashes.length > 0 && connection.row(LIST_BY_VALUE, { valueHashes })) return 'exists';
          if (seats !== null && countSeats(seats) + keys.length > seats.maxKeys) return 'full';
          // Claims go by the slot: what they change together then lies on the same pages.
          const inOrder = keys.toSorted((one, other) => one.slot - other.slot);
          for (const key of inOrder) connection.run(INSERT, toParameters(key));
          return 'created';
        });
      } catch (error) {
        if (refusedColumn(error) === undefined) throw error;
        return 'exists';
      }
    },
    async beginCreation({ requestHash, requestBody, keyIds, expiresAt }, now) {
      return connection.immediately(() => {
        connection.run(FORGET_CREATIONS, { now });
        const creation = { requestHash, requestBody, keyIds: JSON.stringify(keyIds), expiresAt };
        connection.run(BEGIN_CREATION, creation);
        return toCreation(connection.row<CreationRow>(GET_CREATION, { requestHash }) as CreationRow);
      });
    },
    async finishCreation(requestHash) {
      connection.run(FINISH_CREATION, { requestHash });
    },
    // Race closed: the same value is imported twice at once. The write lock is held from before the look.
    async reserveTokens(values, now) {
      return connection.immediately(() =>
        values.map(({ hashes }) => {
          const row = connection.row<{ next: number | null }>(NEXT_TOKEN, { hashes: JSON.stringify(hashes) });
          const first = Math.max(now, row?.next ?? 0);
          // Under each hash: while the vault's keys are rotated, another host may know but one of them.
          for (const hash of hashes) connection.run(PUT_NEXT_TOKEN, { hash, next: first + RESERVED_TOKENS });
          return first;
        }),
      );
    },
  };
}

function toCreation(row: CreationRow): Creation {
  return {
    requestHash: row.request_hash,
    requestBody: row.request_body,
    keyIds: JSON.parse(row.key_ids) as string[],
    expiresAt: row.expires_at,
    done: row.done === 1,
  };
}

/** Of a new key, which is never paused. */
export function toParameters({ lease, lastLease, paused: _none, ...key }: Key): Parameters {
  return {
    ...key,
    leaseId: lease?.id ?? null,
    leaseClient: lease?.clientId ?? null,
    leaseHolder: lease?.holder ?? null,
    leaseAcquiredAt: lease?.acquiredAt ?? null,
    leaseExpiresAt: lease?.expiresAt ?? null,
    lastLeaseId: lastLease?.id ?? null,
    lastLeaseClient: lastLease?.clientId ?? null,
    lastLeaseReason: lastLease?.reason ?? null,
    requestHash: key.requestHash ?? null,
    requestBody: key.requestBody ?? null,
    leaseMaxExpiresAt: lease?.maxExpiresAt ?? null,
    seat: key.seat ?? null,
    // By name: a key of a former generation keeps its seat until it is removed.
    seatPool: key.seat === undefined ? null : poolName(key.pool),
    clientSeat: key.clientSeat ?? null,
    labels: key.labels === undefined ? null : JSON.stringify(key.labels),
    value: key.value ?? null,
    valueHash: key.valueHash ?? null,
  };
}
