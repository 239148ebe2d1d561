import type { Caller } from '../client.ts';
import type { Context } from '../context.ts';
import type { KeyLease } from '../key.ts';
import { hardExpiration } from '../pool.ts';
import { describeLease, type LeaseView } from './lease-view.ts';
import { findOwnLease, poolOfLease, readLeaseId } from './own-lease.ts';

/**
 * The holder's heartbeat: a full lease length from now, and a refreshed key.
 * @throws LeaseEndedError, InvalidRequestError, ForbiddenError
 */
export async function keepAliveLease(context: Context, caller: Caller, leaseId: string): Promise<LeaseView> {
  const lease = readLeaseId(caller, leaseId);
  const now = context.clock();
  const pool = await poolOfLease(context, lease, now);
  const freeAt = now + lease.leaseMs + context.clockSkewToleranceMs;
  for (;;) {
    const key = await context.store.keys.extend({
      keyId: lease.keyId,
      pool: lease.pool,
      leaseId: lease.proof,
      clientId: caller.clientId,
      now,
      leaseExpiresAt: now + lease.leaseMs,
      freeAt,
      keyExpiresAt: hardExpiration(pool, now, freeAt),
    });
    if (key !== null) return describeLease(key, key.lease as KeyLease, now);
    await findOwnLease(context, caller, lease, now); // Throws why, unless the lease was extended meanwhile.
  }
}
