import type { Client as ClientBody } from '../contract/clients.ts';
import type { Event as EventBody } from '../contract/events.ts';
import type { Key as KeyBody } from '../contract/keys.ts';
import type {
  HeldLease as HeldLeaseBody,
  Holder as HolderBody,
  Lease as LeaseBody,
} from '../contract/leases.ts';
import type { Pool as PoolBody } from '../contract/pools.ts';
import type { QueueEntry } from '../contract/tickets.ts';
import type { Client } from './client.ts';
import type { Context } from './context.ts';
import { type Key, type KeyLease, keyStateAt, liveLeaseAt, NEVER_EXPIRES } from './key.ts';
import { encodeLeaseId, leaseMsOfProof } from './lease-id.ts';
import { type Pool, poolName } from './pool.ts';
import { COUNT_LIMIT, type PoolFigures } from './pool-counts.ts';
import type { PlacedEvent, Ticket } from './store.ts';

// How things look to callers at one moment, as the contract has it. Inside, times are milliseconds since the epoch.

/** A key as operators see it: never its value, never a lease id. */
export function describeKey(key: Key, now: number): KeyBody {
  const state = keyStateAt(key, now);
  const lease = liveLeaseAt(key, now);
  const expires = key.expiresAt < NEVER_EXPIRES;
  return {
    keyId: key.keyId,
    pool: poolName(key.pool),
    state,
    fencingToken: key.fencingToken,
    labels: key.labels,
    createdAt: toTime(key.createdAt),
    expiresAt: expires ? toTime(key.expiresAt) : null,
    expiresInMs: expires ? key.expiresAt - now : null,
    freeInMs: state === 'cooling' ? key.freeAt - now : undefined,
    paused: key.paused && { ...key.paused, at: toTime(key.paused.at) },
    lease: lease && {
      clientId: lease.clientId,
      holder: lease.holder,
      acquiredAt: toTime(lease.acquiredAt),
      expiresAt: toTime(lease.expiresAt),
      expiresInMs: lease.expiresAt - now,
      maxExpiresAt: lease.maxExpiresAt === undefined ? undefined : toTime(lease.maxExpiresAt),
    },
  };
}

/** A lease as its holder sees it. */
export function describeLease(key: Key, lease: KeyLease, now: number): LeaseBody {
  return {
    leaseId: encodeLeaseId({ keyId: key.keyId, pool: key.pool, proof: lease.id }),
    keyId: key.keyId,
    pool: poolName(key.pool),
    fencingToken: key.fencingToken,
    clientId: lease.clientId,
    holder: lease.holder,
    acquiredAt: toTime(lease.acquiredAt),
    expiresAt: toTime(lease.expiresAt),
    expiresInMs: lease.expiresAt - now,
    maxExpiresAt: lease.maxExpiresAt === undefined ? undefined : toTime(lease.maxExpiresAt),
    // A third of the lease: two keep-alives may get lost.
    keepAliveEveryMs: Math.floor(leaseMsOfProof(lease.id) / 3),
  };
}

/** A lease as operators see it. Its id stays with its holder. */
export function describeHolder(key: Key, lease: KeyLease, now: number): HolderBody {
  const { leaseId: _hidden, keepAliveEveryMs: _none, ...told } = describeLease(key, lease, now);
  return { ...told, heldMs: Math.max(0, now - lease.acquiredAt) };
}

/**
 * A lease with what it gives its holder, for the holder alone.
 * @throws Error when the key's value is sealed with a key that is not configured
 */
export async function describeHeldLease(
  { vault }: Pick<Context, 'vault'>,
  key: Key,
  lease: KeyLease,
  now: number,
): Promise<HeldLeaseBody> {
  const { keyId, value: sealed, labels } = key;
  let value = keyId;
  if (sealed !== undefined) {
    const opener = await vault();
    if (opener === undefined) throw new Error('A key has a value, but no VALUE_ENCRYPTION_KEY is configured');
    value = opener.open(sealed, { pool: poolName(key.pool), keyId });
  }
  return { ...describeLease(key, lease, now), value, labels };
}

/** A place in the queue, for operators: without the ticket itself. */
export function describeTicket(ticket: Ticket, position: number, now: number): QueueEntry {
  const { clientId, holder, priority, count, createdAt } = ticket;
  const waitingMs = Math.max(0, now - createdAt);
  return { position, clientId, holder, priority, count, waitingSince: toTime(createdAt), waitingMs };
}

/** A pool with its keys counted. */
export function describePool(pool: Pool, counts: PoolFigures, now: number): PoolBody {
  return {
    pool: pool.name,
    ...pool.policy,
    counts: {
      free: describeCounted(counts.free),
      leased: describeCounted(counts.leased),
      cooling: describeCounted(counts.cooling),
      paused: describeCounted(counts.paused),
    },
    waiting: describeCounted(counts.waiting),
    nextFreeInMs: counts.nextFreeAt === undefined ? null : Math.max(0, counts.nextFreeAt - now),
    createdAt: toTime(pool.createdAt),
    updatedAt: toTime(pool.updatedAt),
  };
}

function describeCounted(counted: number): PoolBody['waiting'] {
  return describeCount(Math.min(counted, COUNT_LIMIT), counted > COUNT_LIMIT);
}

/** A count, which may be more. */
export function describeCount(count: number, atLeast: boolean): PoolBody['waiting'] {
  return { count, relation: atLeast ? 'atLeast' : 'exact' };
}

/** A client, never with the hash of a secret. */
export function describeClient(client: Client, now: number): ClientBody {
  const { clientId, role, pools, description, oldSecret } = client;
  const time = (ms: number | undefined) => (ms === undefined ? undefined : toTime(ms));
  return {
    clientId,
    role,
    pools: pools && [...pools],
    description,
    createdAt: toTime(client.createdAt),
    rotatedAt: time(client.rotatedAt),
    expiresAt: time(client.expiresAt),
    oldSecretExpiresAt: oldSecret && now < oldSecret.expiresAt ? toTime(oldSecret.expiresAt) : undefined,
    lastUsedAt: time(client.lastUsedAt),
  };
}

/** Milliseconds since the epoch to ISO 8601. */
export function toTime(ms: number): string {
  return new Date(ms).toISOString();
}

export function describeEvent({ position: _none, at, ...event }: PlacedEvent): EventBody {
  return { ...event, at: toTime(at) };
}
