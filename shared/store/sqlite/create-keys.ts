import type { Key } from '../../domain/key.ts';
import { poolReference } from '../../domain/pool.ts';
import type { KeyStore, Seats } from '../../domain/store.ts';
import type { Parameters, SqliteConnection } from './connection.ts';

/**
 * Counts no further than `maxKeys`, and reads little else, however many keys of former generations are left: those of
 * each are a range of the index, by `free_at` or by expiration. A later generation counts like this one: the pool was
 * cleared since the creation read it.
 */
const COUNT_SEATS = `
  WITH RECURSIVE generations (pool) AS (
    SELECT min(pool) FROM keys INDEXED BY keys_by_free_at WHERE pool >= :first AND pool < :end
    UNION ALL
    SELECT (SELECT min(pool) FROM keys INDEXED BY keys_by_free_at WHERE pool > generations.pool AND pool < :end)
    FROM generations WHERE pool IS NOT NULL
  )
  SELECT count(*) AS seats FROM (
    SELECT 1 FROM generations CROSS JOIN keys INDEXED BY keys_by_expiry USING (pool)
    WHERE (:countFormerFree OR pool >= :pool)
      AND expires_at >= :expiredBefore AND (state <> 'deleted' OR free_at > :now)
    UNION ALL
    SELECT 1 FROM generations CROSS JOIN keys INDEXED BY keys_by_free_at USING (pool)
    WHERE NOT :countFormerFree AND pool < :pool
      AND state IN ('free', 'leased', 'deleted') AND free_at > :now
    LIMIT :maxKeys
  )`;

const INSERT = `
  INSERT INTO keys (
    key_id, pool, state, slot, fencing_token, created_at, expires_at, free_at,
    lease_id, lease_client, lease_holder, lease_acquired_at, lease_expires_at,
    last_lease_id, last_lease_client, last_lease_reason, request_hash, request_body, value
  ) VALUES (
    :keyId, :pool, :state, :slot, :fencingToken, :createdAt, :expiresAt, :freeAt,
    :leaseId, :leaseClient, :leaseHolder, :leaseAcquiredAt, :leaseExpiresAt,
    :lastLeaseId, :lastLeaseClient, :lastLeaseReason, :requestHash, :requestBody, :value
  )`;

export function createKeys(connection: SqliteConnection): Pick<KeyStore, 'create'> {
  function countSeats({ name, generation, countFormerFree, ...seats }: Seats): number {
    const row = connection.row<{ seats: number }>(COUNT_SEATS, {
      ...seats,
      first: poolReference({ name, generation: 0 }),
      pool: poolReference({ name, generation }),
      end: `${name}/:`, // After every digit.
      countFormerFree: Number(countFormerFree),
    });
    return row?.seats ?? 0;
  }

  return {
    // Race closed: two creates count at once and both add. The write lock is held from before the count.
    async create(keys, seats) {
      return connection.immediately(() => {
        if (seats !== null && countSeats(seats) + keys.length > seats.maxKeys) return false;
        for (const key of keys) connection.run(INSERT, toParameters(key));
        return true;
      });
    },
  };
}

function toParameters({ lease, lastLease, ...key }: Key): Parameters {
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
    value: key.value ?? null,
  };
}
