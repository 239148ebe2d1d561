import type { LeaseEndReason } from '../../../shared/domain/errors.ts';

/** What a refusal looks like, for `rejects.toMatchObject`. */
export const FORBIDDEN = { code: 'forbidden' };
export const IDEMPOTENCY_KEY_REUSED = { code: 'idempotency_key_reused' };
export const KEY_NOT_FOUND = { code: 'key_not_found' };
export const KEY_NOT_LEASED = { code: 'key_not_leased' };
export const LAST_ADMIN = { code: 'last_admin' };
export const LEASE_LIMIT_REACHED = { code: 'lease_limit_reached' };
export const LEASE_CHANGED = { code: 'lease_changed' };
export const NO_KEY_AVAILABLE = { code: 'no_key_available' };
export const OWN_CREDENTIAL = { code: 'own_credential' };
export const POOL_CHANGED = { code: 'pool_changed' };
export const POOL_FULL = { code: 'pool_full' };
export const POOL_NOT_FOUND = { code: 'pool_not_found' };
export const POOL_PAUSED = { code: 'pool_paused' };
export const TICKET_ENDED = { code: 'ticket_ended' };
export const VALUES_NOT_CONFIGURED = { code: 'values_not_configured' };

export function leaseEnded(reason: LeaseEndReason): object {
  return { code: 'lease_ended', reason };
}

/** Values at these paths are in the pool already. */
export function valueExists(...paths: string[]): object {
  return { code: 'value_exists', issues: paths.map((path) => ({ path })) };
}

/** The request is refused because of what stands at `path`. */
export function invalid(path: string): object {
  return { code: 'invalid_request', issues: [{ path }] };
}
