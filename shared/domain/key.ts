import type { Labels } from '../contract/primitives.ts';
import type { LeaseEndReason } from './errors.ts';

export type { Labels };

/** The live or lapsed lease that stands on a key. Times are milliseconds since the epoch. */
export interface KeyLease {
  /** Proves the holder: the tail of the public lease id (see `lease-id.ts`). */
  readonly id: string;
  readonly clientId: string;
  readonly holder?: string | undefined;
  readonly acquiredAt: number;
  readonly expiresAt: number;
  /** No keep-alive moves the end further than this. */
  readonly maxExpiresAt?: number | undefined;
}

/** What a key remembers of the lease before. */
export interface LastLease {
  readonly id: string;
  readonly clientId: string;
  readonly reason: Exclude<LeaseEndReason, 'unknown'>;
}

/** Out of service: by whom, since when (milliseconds since the epoch), and why. */
export interface Pause {
  readonly at: number;
  readonly by: string;
  readonly reason?: string | undefined;
}

/** State as stored. Whether a key is free, leased, cooling or paused depends on more: see {@link keyStateAt}. */
export type StoredState = 'free' | 'leased' | 'deleted';

/** One unit of a pool, as both stores keep it. Times are milliseconds since the epoch. */
export interface Key {
  readonly keyId: string;
  /** The pool's reference (name and generation), see `pool.ts`. */
  readonly pool: string;
  readonly state: StoredState;
  /** Random, set at creation: acquirers go by it, see `PoolDirectory.claimRange`, and lists are in its order. */
  readonly slot: number;
  /**
   * Grows with every acquire, and so names one lease of this key. Starts at the creation time, so that it also grows
   * for a value that is imported again.
   */
  readonly fencingToken: number;
  readonly createdAt: number;
  /** Hard expiration. Never before `freeAt`. */
  readonly expiresAt: number;
  /**
   * Claimable from here on: the lease's end plus the clock tolerance. A key that nobody waits for (new, released,
   * freed by force) has a time that lies a clock tolerance back, so that every host takes it for free at once.
   */
  readonly freeAt: number;
  readonly lease?: KeyLease | undefined;
  readonly lastLease?: LastLease | undefined;
  /** Hash of the client and the idempotency key of the latest acquire that carried one. */
  readonly requestHash?: string | undefined;
  /** Hash of what that acquire asked for. */
  readonly requestBody?: string | undefined;
  /** Its number in a pool that holds a `targetSize`; unique in the pool, former generations included. */
  readonly seat?: number | undefined;
  /** Which of its leases in this pool the client uses this key for, where their number is limited; unique. */
  readonly clientSeat?: string | undefined;
  /** It is handed to nobody, and does not expire: an operator took it out of service. */
  readonly paused?: Pause | undefined;
  /** What operators noted on it. */
  readonly labels?: Labels | undefined;
  /** An imported secret, sealed by the vault; a key without one is its own value. */
  readonly value?: string | undefined;
  /** Keyed hash of pool and value; unique. */
  readonly valueHash?: string | undefined;
}

/** What a caller sees of a key's state. */
export type KeyState = 'free' | 'leased' | 'cooling' | 'paused';

/** The hard expiration of keys that never expire: far enough for every index, near enough for every date type. */
export const NEVER_EXPIRES = Date.UTC(9999, 0, 1);

/** The state at `now`. Time rules hold when they are read, whether or not a sweep has run. */
export function keyStateAt(key: Key, now: number): KeyState {
  if (liveLeaseAt(key, now) !== undefined) return 'leased';
  if (key.paused !== undefined) return 'paused';
  return key.freeAt > now ? 'cooling' : 'free';
}

/** The lease that is live at `now`, if any. */
export function liveLeaseAt(key: Key, now: number): KeyLease | undefined {
  return key.lease !== undefined && key.lease.expiresAt > now ? key.lease : undefined;
}
