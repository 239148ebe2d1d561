import type { LeaseEndReason } from '../../../shared/domain/errors.ts';

/** What a refusal looks like, for `rejects.toMatchObject`. */
export const FORBIDDEN = { code: 'forbidden' };
export const KEY_NOT_FOUND = { code: 'key_not_found' };
export const KEY_NOT_LEASED = { code: 'key_not_leased' };
export const NO_KEY_AVAILABLE = { code: 'no_key_available' };
export const POOL_FULL = { code: 'pool_full' };
export const POOL_NOT_FOUND = { code: 'pool_not_found' };
export const POOL_PAUSED = { code: 'pool_paused' };

export function leaseEnded(reason: LeaseEndReason): object {
  return { code: 'lease_ended', reason };
}

/** The request is refused because of what stands at `path`. */
export function invalid(path: string): object {
  return { code: 'invalid_request', issues: [{ path }] };
}
