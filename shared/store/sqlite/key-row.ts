import type { Key, LastLease, StoredState } from '../../domain/key.ts';
import type { Parameters } from './sqlite-connection.ts';

/** A row of `keys`. */
export interface KeyRow {
  readonly key_id: string;
  readonly pool: string;
  readonly state: StoredState;
  readonly slot: number;
  readonly fencing_token: number;
  readonly created_at: number;
  readonly expires_at: number;
  readonly free_at: number;
  readonly lease_id: string | null;
  readonly lease_client: string;
  readonly lease_holder: string | null;
  readonly lease_acquired_at: number;
  readonly lease_expires_at: number;
  readonly last_lease_id: string | null;
  readonly last_lease_client: string;
  readonly last_lease_reason: LastLease['reason'];
  readonly request_hash: string | null;
  readonly value: string | null;
}

/** The parameters of {@link INSERT_KEY}. */
export function toParameters(key: Key): Parameters {
  return {
    keyId: key.keyId,
    pool: key.pool,
    state: key.state,
    slot: key.slot,
    fencingToken: key.fencingToken,
    createdAt: key.createdAt,
    expiresAt: key.expiresAt,
    freeAt: key.freeAt,
    leaseId: key.lease?.id ?? null,
    leaseClient: key.lease?.clientId ?? null,
    leaseHolder: key.lease?.holder ?? null,
    leaseAcquiredAt: key.lease?.acquiredAt ?? null,
    leaseExpiresAt: key.lease?.expiresAt ?? null,
    lastLeaseId: key.lastLease?.id ?? null,
    lastLeaseClient: key.lastLease?.clientId ?? null,
    lastLeaseReason: key.lastLease?.reason ?? null,
    requestHash: key.requestHash ?? null,
    value: key.value ?? null,
  };
}

export const INSERT_KEY = `
  INSERT INTO keys (
    key_id, pool, state, slot, fencing_token, created_at, expires_at, free_at,
    lease_id, lease_client, lease_holder, lease_acquired_at, lease_expires_at,
    last_lease_id, last_lease_client, last_lease_reason, request_hash, value
  ) VALUES (
    :keyId, :pool, :state, :slot, :fencingToken, :createdAt, :expiresAt, :freeAt,
    :leaseId, :leaseClient, :leaseHolder, :leaseAcquiredAt, :leaseExpiresAt,
    :lastLeaseId, :lastLeaseClient, :lastLeaseReason, :requestHash, :value
  )`;

export function toKey(row: KeyRow): Key {
  return {
    keyId: row.key_id,
    pool: row.pool,
    state: row.state,
    slot: row.slot,
    fencingToken: row.fencing_token,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    freeAt: row.free_at,
    ...(row.lease_id !== null && {
      lease: {
        id: row.lease_id,
        clientId: row.lease_client,
        ...(row.lease_holder !== null && { holder: row.lease_holder }),
        acquiredAt: row.lease_acquired_at,
        expiresAt: row.lease_expires_at,
      },
    }),
    ...(row.last_lease_id !== null && {
      lastLease: {
        id: row.last_lease_id,
        clientId: row.last_lease_client,
        reason: row.last_lease_reason,
      },
    }),
    ...(row.request_hash !== null && { requestHash: row.request_hash }),
    ...(row.value !== null && { value: row.value }),
  };
}

/** The key of a statement that answers one row or none. */
export function toKeyOrNull(rows: readonly KeyRow[]): Key | null {
  const [row] = rows;
  return row === undefined ? null : toKey(row);
}
