import type { Key, KeyLease } from '../key.ts';
import { encodeLeaseId, leaseMsOfProof } from '../lease-id.ts';
import { poolName } from '../pool.ts';

/** A lease as its holder sees it at one moment. Times in milliseconds since the epoch. */
export interface LeaseView {
  readonly leaseId: string;
  readonly keyId: string;
  readonly pool: string;
  /** The imported secret, or the key id where none was. */
  readonly value: string;
  readonly fencingToken: number;
  readonly clientId: string;
  readonly holder?: string;
  readonly acquiredAt: number;
  readonly expiresAt: number;
  /** To be counted from before the request was sent. */
  readonly expiresInMs: number;
  /** A third of the lease: two keep-alives may get lost. */
  readonly keepAliveEveryMs: number;
}

export function describeLease(key: Key, lease: KeyLease, now: number): LeaseView {
  return {
    leaseId: encodeLeaseId({ keyId: key.keyId, pool: key.pool, proof: lease.id }),
    keyId: key.keyId,
    pool: poolName(key.pool),
    value: key.value ?? key.keyId,
    fencingToken: key.fencingToken,
    clientId: lease.clientId,
    ...(lease.holder !== undefined && { holder: lease.holder }),
    acquiredAt: lease.acquiredAt,
    expiresAt: lease.expiresAt,
    expiresInMs: lease.expiresAt - now,
    keepAliveEveryMs: Math.floor(leaseMsOfProof(lease.id) / 3),
  };
}
