import type { Event } from '../../domain/events.ts';
import type { Key, Labels, LastLease, Pause, StoredState } from '../../domain/key.ts';
import type { Parameters } from './connection.ts';

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
  readonly lease_max_expires_at: number | null;
  readonly last_lease_id: string | null;
  readonly last_lease_client: string;
  readonly last_lease_reason: LastLease['reason'];
  readonly request_hash: string | null;
  readonly request_body: string | null;
  readonly seat: number | null;
  readonly client_seat: string | null;
  /** JSON. */
  readonly paused: string | null;
  /** JSON. */
  readonly labels: string | null;
  readonly value: string | null;
  readonly value_hash: string | null;
}

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
    lease:
      row.lease_id === null
        ? undefined
        : {
            id: row.lease_id,
            clientId: row.lease_client,
            holder: row.lease_holder ?? undefined,
            acquiredAt: row.lease_acquired_at,
            expiresAt: row.lease_expires_at,
            maxExpiresAt: row.lease_max_expires_at ?? undefined,
          },
    lastLease:
      row.last_lease_id === null
        ? undefined
        : { id: row.last_lease_id, clientId: row.last_lease_client, reason: row.last_lease_reason },
    requestHash: row.request_hash ?? undefined,
    requestBody: row.request_body ?? undefined,
    seat: row.seat ?? undefined,
    clientSeat: row.client_seat ?? undefined,
    paused: row.paused === null ? undefined : (JSON.parse(row.paused) as Pause),
    labels: row.labels === null ? undefined : (JSON.parse(row.labels) as Labels),
    value: row.value ?? undefined,
    valueHash: row.value_hash ?? undefined,
  };
}

/** The key of a statement that returns one row or none. */
export function toKeyOrNull(row: KeyRow | undefined): Key | null {
  return row === undefined ? null : toKey(row);
}

/** Neither deleted nor past its hard expiration: the only keys that anybody sees. */
export const IS_VISIBLE = `state <> 'deleted' AND expires_at > :now`;

/** The key as somebody saw it, see {@link asFound}; a deleted one never is. */
export const STANDS_AS_FOUND = `
  key_id = :keyId AND state = :foundState AND state <> 'deleted' AND fencing_token = :foundToken
    AND free_at = :foundFreeAt AND lease_id IS :foundLeaseId`;

/** The parameters of {@link STANDS_AS_FOUND}. */
export function asFound(found: Key): Parameters {
  return {
    keyId: found.keyId,
    foundState: found.state,
    foundToken: found.fencingToken,
    foundFreeAt: found.freeAt,
    foundLeaseId: found.lease?.id ?? null,
  };
}

/** Puts a note on the key, if there is one, behind the latest 99. */
export const ADD_NOTE = `
  notes = iif(:note IS NULL, notes, json_insert(
    iif(json_array_length(notes) >= 100, json_remove(notes, '$[0]'), coalesce(notes, '[]')), '$[#]', json(:note)))`;

/** The parameter of {@link ADD_NOTE}. */
export function toNote(note: Event | undefined): string | null {
  return note === undefined ? null : JSON.stringify(note);
}

/** Remembers why the lease in place, if any, is over. SQLite evaluates every right-hand side on the row as it was. */
export function rememberLease(reason: LastLease['reason']): string {
  return `
  last_lease_id = coalesce(lease_id, last_lease_id),
  last_lease_client = coalesce(lease_client, last_lease_client),
  last_lease_acquired_at = coalesce(lease_acquired_at, last_lease_acquired_at),
  last_lease_reason = iif(lease_id IS NULL, last_lease_reason, '${reason}')`;
}

/** Takes the lease in place, if any, off the key. */
export function endLease(reason: LastLease['reason']): string {
  return `${rememberLease(reason)},
  lease_id = NULL, lease_client = NULL, lease_holder = NULL, lease_acquired_at = NULL, lease_expires_at = NULL,
  lease_max_expires_at = NULL, client_seat = NULL`;
}
