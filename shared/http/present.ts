import type { Client as ClientBody } from '../contract/clients.ts';
import type { Key } from '../contract/keys.ts';
import type { Lease } from '../contract/leases.ts';
import type { Pool } from '../contract/pools.ts';
import type { Client } from '../domain/client.ts';
import type { KeyView } from '../domain/keys/key-view.ts';
import type { LeaseView } from '../domain/leases/lease-view.ts';
import type { PoolView } from '../domain/pools/pool-view.ts';

/** Milliseconds since the epoch to ISO 8601. */
function toTime(ms: number): string {
  return new Date(ms).toISOString();
}

export function presentKey(key: KeyView): Key {
  const { lease, ...rest } = key;
  return {
    ...rest,
    createdAt: toTime(key.createdAt),
    expiresAt: key.expiresAt === null ? null : toTime(key.expiresAt),
    ...(lease !== undefined && {
      lease: { ...lease, acquiredAt: toTime(lease.acquiredAt), expiresAt: toTime(lease.expiresAt) },
    }),
  };
}

export function presentLease(lease: LeaseView): Lease {
  return { ...lease, acquiredAt: toTime(lease.acquiredAt), expiresAt: toTime(lease.expiresAt) };
}

export function presentPool(pool: PoolView): Pool {
  return { ...pool, createdAt: toTime(pool.createdAt), updatedAt: toTime(pool.updatedAt) };
}

/** Never the hash of the secret. */
export function presentClient(client: Client): ClientBody {
  const { clientId, role, pools, description, createdAt } = client;
  return {
    clientId,
    role,
    ...(pools !== undefined && { pools: [...pools] }),
    ...(description !== undefined && { description }),
    createdAt: toTime(createdAt),
  };
}
