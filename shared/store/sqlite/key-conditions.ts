import type { LastLease } from '../../domain/key.ts';

/** Neither deleted nor past its hard expiration: the only keys that anybody sees. */
export const IS_VISIBLE = `state <> 'deleted' AND expires_at > :now`;

/** The key still has the lease (or none) and the `freeAt` that somebody saw on it; see {@link standing}. */
export const STANDS_AS_FOUND = `
  key_id = :keyId AND state <> 'deleted' AND free_at = :foundFreeAt AND lease_id IS :foundLeaseId`;

/** The parameters of {@link STANDS_AS_FOUND}. */
export function standing(found: { keyId: string; freeAt: number; lease?: { id: string } }) {
  return { keyId: found.keyId, foundFreeAt: found.freeAt, foundLeaseId: found.lease?.id ?? null };
}

/** Remembers why the lease in place, if any, is over. SQLite evaluates every right-hand side on the row as it was. */
export function rememberLease(reason: LastLease['reason']): string {
  return `
  last_lease_id = coalesce(lease_id, last_lease_id),
  last_lease_client = coalesce(lease_client, last_lease_client),
  last_lease_reason = iif(lease_id IS NULL, last_lease_reason, '${reason}')`;
}

/** Takes the lease in place, if any, off the key. */
export function endLease(reason: LastLease['reason']): string {
  return `${rememberLease(reason)},
  lease_id = NULL, lease_client = NULL, lease_holder = NULL, lease_acquired_at = NULL, lease_expires_at = NULL`;
}
