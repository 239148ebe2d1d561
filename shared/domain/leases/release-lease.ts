import type { Caller } from '../client.ts';
import type { Context } from '../context.ts';
import { LeaseEndedError } from '../errors.ts';
import { findOwnLease, poolOfLease, readLeaseId } from './own-lease.ts';

/**
 * The holder ends the lease; the key is free at once. A repeated release succeeds as long as the key remembers it.
 * @throws LeaseEndedError, InvalidRequestError, ForbiddenError
 */
export async function releaseLease(context: Context, caller: Caller, leaseId: string): Promise<void> {
  const lease = readLeaseId(caller, leaseId);
  const now = context.clock();
  await poolOfLease(context, lease, now);
  const release = {
    keyId: lease.keyId,
    pool: lease.pool,
    leaseId: lease.proof,
    clientId: caller.clientId,
    now,
  };
  try {
    while (!(await context.store.keys.release(release))) await findOwnLease(context, caller, lease, now);
  } catch (error) {
    if (error instanceof LeaseEndedError && error.reason === 'released') return;
    throw error;
  }
}
