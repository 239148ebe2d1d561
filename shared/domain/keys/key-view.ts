import { type Key, type KeyState, keyStateAt, liveLeaseAt, NEVER_EXPIRES } from '../key.ts';
import { poolName } from '../pool.ts';

/** A key as operators see it at one moment: never its value, never a lease id. Times in milliseconds since the epoch. */
export interface KeyView {
  readonly keyId: string;
  readonly pool: string;
  readonly state: KeyState;
  readonly fencingToken: number;
  readonly createdAt: number;
  /** `null`: never. */
  readonly expiresAt: number | null;
  readonly expiresInMs: number | null;
  /** While cooling: how long until it is free. */
  readonly freeInMs?: number;
  readonly lease?: {
    readonly clientId: string;
    readonly holder?: string;
    readonly acquiredAt: number;
    readonly expiresAt: number;
    readonly expiresInMs: number;
  };
}

export function describeKey(key: Key, now: number): KeyView {
  const state = keyStateAt(key, now);
  const lease = liveLeaseAt(key, now);
  const expires = key.expiresAt < NEVER_EXPIRES;
  return {
    keyId: key.keyId,
    pool: poolName(key.pool),
    state,
    fencingToken: key.fencingToken,
    createdAt: key.createdAt,
    expiresAt: expires ? key.expiresAt : null,
    expiresInMs: expires ? key.expiresAt - now : null,
    ...(state === 'cooling' && { freeInMs: key.freeAt - now }),
    ...(lease !== undefined && {
      lease: {
        clientId: lease.clientId,
        ...(lease.holder !== undefined && { holder: lease.holder }),
        acquiredAt: lease.acquiredAt,
        expiresAt: lease.expiresAt,
        expiresInMs: lease.expiresAt - now,
      },
    }),
  };
}
