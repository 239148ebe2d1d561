import type { Filter } from 'mongodb';
import type { Key, KeyState } from '../../../domain/key.ts';
import type { KeyDocument } from './key-document.ts';

/** Keys that are there for callers: neither deleted nor still being created. */
export const VISIBLE: Filter<KeyDocument> = { state: { $in: ['free', 'leased'] } };

/** The holder's own lease, live at `now`, on a key that has not expired. The proof is checked by equality, in the write. */
export function heldLease(lease: {
  keyId: string;
  pool: string;
  leaseId: string;
  clientId: string;
  now: number;
}): Filter<KeyDocument> {
  const now = new Date(lease.now);
  return {
    _id: lease.keyId,
    pool: lease.pool,
    state: 'leased',
    'lease.id': lease.leaseId,
    'lease.clientId': lease.clientId,
    'lease.expiresAt': { $gt: now },
    expiresAt: { $gt: now },
  };
}

/** The key as it was read: an acquire or the end of a lease changes the proof or the state, a keep-alive `freeAt`. */
export function asFound(found: Key): Filter<KeyDocument> {
  return {
    _id: found.keyId,
    state: found.state,
    freeAt: new Date(found.freeAt),
    'lease.id': found.lease === undefined ? { $exists: false } : found.lease.id,
  };
}

/** What `keyStateAt` says of a key, as a condition; without a state, every key that callers may see. */
export function inState(state: KeyState | undefined, now: number): Filter<KeyDocument> {
  const at = new Date(now);
  const noLiveLease = { 'lease.expiresAt': { $not: { $gt: at } } };
  switch (state) {
    case 'leased':
      return { state: 'leased', 'lease.expiresAt': { $gt: at }, expiresAt: { $gt: at } };
    case 'cooling':
      return { ...VISIBLE, ...noLiveLease, freeAt: { $gt: at }, expiresAt: { $gt: at } };
    case 'free':
      return { ...VISIBLE, ...noLiveLease, freeAt: { $lte: at }, expiresAt: { $gt: at } };
    case undefined:
      return { ...VISIBLE, expiresAt: { $gt: at } };
  }
}
