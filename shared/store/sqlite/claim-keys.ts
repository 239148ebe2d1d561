import type { Claim, ClaimResult, KeyStore } from '../../domain/store.ts';
import type { Parameters, SqliteConnection } from './connection.ts';
import { refusedColumn } from './errors.ts';
import {
  ADD_NOTE,
  asFound,
  type KeyRow,
  rememberLease,
  STANDS_AS_FOUND,
  toKey,
  toKeyOrNull,
  toNote,
} from './key-row.ts';

/**
 * The key does not carry the claim's own request hash: a repeat of that request must find it, not lease it again.
 * Asked this way round, the rows of other keys need not be read for it.
 */
const IS_OTHER_REQUEST = `
  key_id IS NOT (SELECT key_id FROM keys INDEXED BY keys_by_request WHERE request_hash = :requestHash)`;

const LEASE_KEY = `
  state = 'leased', free_at = :freeAt, expires_at = max(expires_at, :keyExpiresAt),
  fencing_token = fencing_token + 1, request_hash = :requestHash, request_body = :requestBody,
  lease_id = :leaseId, lease_client = :leaseClient, lease_holder = :leaseHolder,
  lease_acquired_at = :leaseAcquiredAt, lease_expires_at = :leaseExpiresAt,
  lease_max_expires_at = :leaseMaxExpiresAt, client_seat = :clientSeat`;

/** In a pool that holds a number of keys: those beyond it are handed to nobody. */
const HAS_SEAT = '(:seatsBelow IS NULL OR seat < :seatsBelow)';

/**
 * Race closed: two acquirers pick the same key. Pick and write are one statement, which holds the write lock.
 * The inner LIMIT bounds the walk: where cooling or expired keys fill a pool of a million, to pass them all would
 * block the process for a second, and acquire's second step finds what this one leaves.
 */
const CLAIM = `
  UPDATE keys SET ${LEASE_KEY}
  WHERE rowid = (
    SELECT rowid FROM (
      SELECT rowid, key_id, free_at, expires_at, paused, iif(:seatsBelow IS NULL, NULL, seat) AS seat
      FROM keys INDEXED BY keys_by_slot
      WHERE pool = :pool AND state = 'free' AND slot >= :from AND slot < :to
      ORDER BY slot LIMIT 100
    )
    WHERE free_at <= :now AND expires_at > :now AND paused IS NULL AND ${IS_OTHER_REQUEST} AND ${HAS_SEAT}
    LIMIT 1
  )
  RETURNING *`;

/** Race closed: the key was acquired, extended or ended since it was found. By primary key. */
const RECLAIM = `
  UPDATE keys SET ${rememberLease('lapsed')}, ${ADD_NOTE}, ${LEASE_KEY}
  WHERE ${STANDS_AS_FOUND} AND pool = :pool AND free_at <= :now AND expires_at > :now AND paused IS NULL
    AND ${IS_OTHER_REQUEST} AND ${HAS_SEAT}
  RETURNING *`;

/** One end of a stored state's range in the index, which is sorted by `free_at`. */
function keysOf(state: 'free' | 'leased', condition: string): string {
  return `
  SELECT * FROM (
    SELECT * FROM keys INDEXED BY keys_by_free_at
    WHERE pool = :pool AND state = '${state}' AND ${condition}
  )`;
}

const IS_CLAIMABLE = `
  free_at <= :now AND expires_at > :now AND paused IS NULL AND ${IS_OTHER_REQUEST} AND ${HAS_SEAT}
  ORDER BY free_at DESC LIMIT :limit`;
const IS_NEXT = `free_at > :now AND paused IS NULL AND ${HAS_SEAT} ORDER BY free_at LIMIT 1`;

/**
 * The claimable keys of both stored states, and the next ones to be free. One statement sees one state of the database:
 * between two looks, a lapse that is recorded would move a key from one to the other, unseen by both. The keys that were
 * used last come first: where keys expire, those have expired last.
 */
const LIST_CLAIMABLE = [
  keysOf('free', IS_CLAIMABLE),
  keysOf('leased', IS_CLAIMABLE),
  keysOf('free', IS_NEXT),
  keysOf('leased', IS_NEXT),
].join(' UNION ALL ');

/** A plain read: whatever SQLite reads is committed. By the unique index. */
const CONFIRM_REQUEST = 'SELECT * FROM keys INDEXED BY keys_by_request WHERE request_hash = :requestHash';

const MEASURE_SLOTS = `
  SELECT slot FROM keys INDEXED BY keys_by_slot
  WHERE pool = :pool AND state = 'free'
  ORDER BY slot LIMIT 1 OFFSET :keys - 1`;

export function claimKeys(
  connection: SqliteConnection,
): Pick<KeyStore, 'claim' | 'listClaimable' | 'reclaim' | 'confirmRequest' | 'measureSlots'> {
  /**
   * Races closed: the same request, sent twice, gets two keys; two leases of a client stand on the same of its numbers.
   * The unique indexes refuse the second.
   */
  function claimWith(sql: string, claim: Claim, parameters: Parameters): ClaimResult {
    try {
      return toKeyOrNull(connection.row<KeyRow>(sql, { ...toParameters(claim), ...parameters }));
    } catch (error) {
      const column = refusedColumn(error);
      if (column === 'request_hash') return 'repeated';
      if (column === 'client_seat') return 'client_seat_taken';
      throw error;
    }
  }

  return {
    async claim(claim, { from, to }) {
      return claimWith(CLAIM, claim, { from, to });
    },
    async listClaimable({ pool, now, requestHash = null, seatsBelow = null, limit }) {
      const query = { pool, now, requestHash, seatsBelow, limit };
      const found = connection.all<KeyRow>(LIST_CLAIMABLE, query).map(toKey);
      const sorted = found.toSorted((one, other) => other.freeAt - one.freeAt);
      const keys = sorted.filter((key) => key.freeAt <= now).slice(0, limit);
      return { keys, nextFreeAt: keys.length === 0 ? sorted.at(-1)?.freeAt : undefined };
    },
    async reclaim(found, claim, note) {
      return claimWith(RECLAIM, claim, { ...asFound(found), note: toNote(note) });
    },
    async confirmRequest(requestHash) {
      return toKeyOrNull(connection.row<KeyRow>(CONFIRM_REQUEST, { requestHash }));
    },
    async measureSlots(query) {
      return connection.row<{ slot: number }>(MEASURE_SLOTS, query)?.slot ?? 1;
    },
  };
}

function toParameters({
  pool,
  now,
  lease,
  freeAt,
  keyExpiresAt,
  requestHash,
  requestBody,
  seatsBelow,
  clientSeat,
}: Claim): Parameters {
  return {
    pool,
    now,
    freeAt,
    keyExpiresAt,
    requestHash: requestHash ?? null,
    requestBody: requestBody ?? null,
    leaseId: lease.id,
    leaseClient: lease.clientId,
    leaseHolder: lease.holder ?? null,
    leaseAcquiredAt: lease.acquiredAt,
    leaseExpiresAt: lease.expiresAt,
    leaseMaxExpiresAt: lease.maxExpiresAt ?? null,
    seatsBelow: seatsBelow ?? null,
    clientSeat: clientSeat ?? null,
  };
}
