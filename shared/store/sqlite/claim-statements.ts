import type { Claim, ClaimResult, KeyStore } from '../../domain/store.ts';
import { rememberLease, STANDS_AS_FOUND, standing } from './key-conditions.ts';
import { type KeyRow, toKey, toKeyOrNull } from './key-row.ts';
import type { Parameters, SqliteConnection } from './sqlite-connection.ts';
import { isRepeatedRequest } from './sqlite-errors.ts';

/** The key does not carry the claim's own request hash: a repeat of that request must find it, not lease it again. */
const IS_OTHER_REQUEST = '(:requestHash IS NULL OR request_hash IS NOT :requestHash)';

const LEASE_KEY = `
  state = 'leased', free_at = :freeAt, expires_at = max(expires_at, :keyExpiresAt),
  fencing_token = fencing_token + 1, request_hash = :requestHash,
  lease_id = :leaseId, lease_client = :leaseClient, lease_holder = :leaseHolder,
  lease_acquired_at = :leaseAcquiredAt, lease_expires_at = :leaseExpiresAt`;

/**
 * Race closed: two acquirers pick the same key. Pick and write are one statement, which holds the write lock.
 * It looks at 100 keys: where cooling or expired ones fill a pool of a million, to walk past them all would block the
 * process for seconds, and acquire's second step finds what this one leaves.
 */
const CLAIM = `
  UPDATE keys SET ${LEASE_KEY}
  WHERE key_id = (
    SELECT key_id FROM (
      SELECT * FROM keys INDEXED BY keys_by_slot
      WHERE pool = :pool AND state = 'free' AND slot >= :slot
      ORDER BY slot LIMIT 100
    )
    WHERE free_at <= :now AND expires_at > :now AND ${IS_OTHER_REQUEST}
    LIMIT 1
  )
  RETURNING *`;

/** Race closed: the key was acquired, extended or ended since it was found. By primary key. */
const RECLAIM = `
  UPDATE keys SET ${rememberLease('lapsed')}, ${LEASE_KEY}
  WHERE ${STANDS_AS_FOUND} AND pool = :pool AND state = :foundState
    AND free_at <= :now AND expires_at > :now AND ${IS_OTHER_REQUEST}
  RETURNING *`;

/** Each stored state is a range of the index that is sorted by `free_at` already; at most `limit` rows of each are read. */
function soonest(state: 'free' | 'leased'): string {
  return `
  SELECT * FROM (
    SELECT * FROM keys INDEXED BY keys_by_free_at
    WHERE pool = :pool AND state = '${state}' AND expires_at > :now AND ${IS_OTHER_REQUEST}
    ORDER BY free_at LIMIT :limit
  )`;
}

const FIND_CLAIMABLE = `${soonest('free')} UNION ALL ${soonest('leased')} ORDER BY free_at LIMIT :limit`;

/** A plain read: whatever SQLite reads is committed. By the unique index. */
const CONFIRM_REQUEST = 'SELECT * FROM keys INDEXED BY keys_by_request WHERE request_hash = :requestHash';

export function claimStatements(
  connection: SqliteConnection,
): Pick<KeyStore, 'claim' | 'findClaimable' | 'reclaim' | 'confirmRequest'> {
  /** Race closed: the same request, sent twice, gets two keys. The unique index refuses the second. */
  function claimWith(sql: string, claim: Claim, parameters: Parameters): ClaimResult {
    try {
      return toKeyOrNull(connection.all<KeyRow>(sql, { ...toParameters(claim), ...parameters }));
    } catch (error) {
      if (isRepeatedRequest(error)) return 'repeated';
      throw error;
    }
  }

  return {
    async claim(claim, slot) {
      return claimWith(CLAIM, claim, { slot });
    },
    async findClaimable({ pool, now, requestHash, limit }) {
      const parameters = { pool, now, requestHash: requestHash ?? null, limit };
      return connection.all<KeyRow>(FIND_CLAIMABLE, parameters).map(toKey);
    },
    async reclaim(found, claim) {
      return claimWith(RECLAIM, claim, { ...standing(found), foundState: found.state });
    },
    async confirmRequest(requestHash) {
      return toKeyOrNull(connection.all<KeyRow>(CONFIRM_REQUEST, { requestHash }));
    },
  };
}

function toParameters({ pool, now, lease, freeAt, keyExpiresAt, requestHash }: Claim): Parameters {
  return {
    pool,
    now,
    freeAt,
    keyExpiresAt,
    requestHash: requestHash ?? null,
    leaseId: lease.id,
    leaseClient: lease.clientId,
    leaseHolder: lease.holder ?? null,
    leaseAcquiredAt: lease.acquiredAt,
    leaseExpiresAt: lease.expiresAt,
  };
}
