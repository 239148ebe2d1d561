import { NEVER_EXPIRES } from '../../domain/key.ts';
import type { KeyStore } from '../../domain/store.ts';
import type { SqliteConnection } from './connection.ts';
import {
  ADD_NOTE,
  asFound,
  endLease,
  IS_VISIBLE,
  type KeyRow,
  STANDS_AS_FOUND,
  toKeyOrNull,
  toNote,
} from './key-row.ts';

// Each is one statement on the primary key, with its condition in it: whatever slipped in before, it sees.

/** The lease is live, and this client's. Its key has not expired then: the table's checks see to it. */
const HOLDS_LEASE = `
  key_id = :keyId AND pool = :pool AND lease_id = :leaseId AND lease_client = :clientId AND lease_expires_at > :now`;

/** Races closed: the lease ended, or the key went to somebody else; a later keep-alive was carried out first. */
const EXTEND = `
  UPDATE keys SET
    lease_expires_at = max(lease_expires_at, :leaseExpiresAt),
    free_at = max(free_at, :freeAt),
    expires_at = max(expires_at, :keyExpiresAt)
  WHERE ${HOLDS_LEASE}
  RETURNING *`;

/** Race closed: the lease ended, or the key went to somebody else. */
function release(alsoSet: string): string {
  return `
  UPDATE keys SET ${endLease('released')}, ${ADD_NOTE}, free_at = :freeAt, ${alsoSet}
  WHERE ${HOLDS_LEASE}
  RETURNING last_lease_acquired_at AS acquiredAt`;
}

/** By far the most. What it does not set, it writes no index for. */
const RELEASE = release("state = 'free'");
const RELEASE_OTHERWISE = release(`
    state = iif(:discard, 'deleted', 'free'),
    expires_at = iif(:discard, :freeAt, max(expires_at, :freeAt)),
    request_hash = iif(:forget OR :discard, NULL, request_hash),
    request_body = iif(:forget OR :discard, NULL, request_body)`);

/** Race closed: the lease was extended, or the key went to somebody else, since it was seen lapsed. */
export const RECORD_LAPSE = `
  UPDATE keys SET ${endLease('lapsed')}, ${ADD_NOTE}, state = 'free'
  WHERE key_id = :keyId AND lease_id = :leaseId AND lease_expires_at <= :now`;

/** Race closed: the lease was extended (so its holder goes by a later deadline), or the key went to somebody else. */
const UNBLOCK = `
  UPDATE keys SET ${endLease('unblocked')}, ${ADD_NOTE}, state = 'free', free_at = :freeAt
  WHERE ${STANDS_AS_FOUND}
  RETURNING *`;

/** Race closed: as with unblock. */
const DELETE = `
  UPDATE keys SET ${endLease('deleted')}, ${ADD_NOTE},
    state = 'deleted', free_at = :freeAt, expires_at = :freeAt, request_hash = NULL, request_body = NULL
  WHERE ${STANDS_AS_FOUND}`;

/** Races closed: another admin paused it; an acquire comes before it, or does not get the key. */
const PAUSE = `
  UPDATE keys SET paused = :paused, expires_at = :never, ${ADD_NOTE}
  WHERE key_id = :keyId AND ${IS_VISIBLE} AND paused IS NULL
  RETURNING *`;

/** Races closed: a keep-alive moved `free_at`, before which the key must not expire; a later pause stands. */
const RESUME = `
  UPDATE keys SET paused = NULL, expires_at = :keyExpiresAt, ${ADD_NOTE}
  WHERE ${STANDS_AS_FOUND} AND paused ->> 'at' = :pausedAt
  RETURNING *`;

/** Race closed: a later refresh was carried out first, or the key is gone. */
const REFRESH = `
  UPDATE keys SET expires_at = max(expires_at, :keyExpiresAt)
  WHERE key_id = :keyId AND ${IS_VISIBLE}
  RETURNING *`;

const SET_LABELS = `
  UPDATE keys SET labels = :labels WHERE key_id = :keyId AND ${IS_VISIBLE}
  RETURNING *`;

export function updateKeys(
  connection: SqliteConnection,
): Pick<
  KeyStore,
  'extend' | 'release' | 'recordLapse' | 'unblock' | 'delete' | 'pause' | 'resume' | 'refresh' | 'setLabels'
> {
  return {
    async extend(extension) {
      return toKeyOrNull(connection.row<KeyRow>(EXTEND, { ...extension }));
    },
    async release({ discard, forget, note, ...release }) {
      const query = { ...release, note: toNote(note) };
      const outcome = { discard: Number(discard), forget: Number(forget) };
      // A key that is free at once is so before its lease would have ended, and so before it expires.
      const isPlain = !discard && !forget && release.freeAt <= release.now;
      const released = isPlain
        ? connection.row<{ acquiredAt: number }>(RELEASE, query)
        : connection.row<{ acquiredAt: number }>(RELEASE_OTHERWISE, { ...query, ...outcome });
      return released ?? null;
    },
    async recordLapse({ note, ...lapse }) {
      return connection.run(RECORD_LAPSE, { ...lapse, note: toNote(note) }) > 0;
    },
    async unblock(found, freeAt, note) {
      const unblocked = { ...asFound(found), freeAt, note: toNote(note) };
      return toKeyOrNull(connection.row<KeyRow>(UNBLOCK, unblocked));
    },
    async delete(found, freeAt, note) {
      return connection.run(DELETE, { ...asFound(found), freeAt, note: toNote(note) }) > 0;
    },
    async setLabels({ labels, ...query }) {
      return toKeyOrNull(connection.row<KeyRow>(SET_LABELS, { ...query, labels: JSON.stringify(labels) }));
    },
    async pause({ paused, note, ...query }) {
      const pause = { ...query, paused: JSON.stringify(paused), never: NEVER_EXPIRES, note: toNote(note) };
      return toKeyOrNull(connection.row<KeyRow>(PAUSE, pause));
    },
    async resume(found, keyExpiresAt, note) {
      const pausedAt = found.paused?.at ?? null;
      const resumed = { ...asFound(found), pausedAt, keyExpiresAt, note: toNote(note) };
      return toKeyOrNull(connection.row<KeyRow>(RESUME, resumed));
    },
    async refresh(query) {
      return toKeyOrNull(connection.row<KeyRow>(REFRESH, query));
    },
  };
}
