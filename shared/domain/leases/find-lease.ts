import type { Caller } from '../client.ts';
import type { Context } from '../context.ts';
import { describeLease, type LeaseView } from './lease-view.ts';
import { findOwnLease, poolOfLease, readLeaseId } from './own-lease.ts';

/** The caller's live lease. @throws LeaseEndedError, InvalidRequestError, ForbiddenError */
export async function findLease(context: Context, caller: Caller, leaseId: string): Promise<LeaseView> {
  const id = readLeaseId(caller, leaseId);
  const now = context.clock();
  await poolOfLease(context, id, now);
  const { key, lease } = await findOwnLease(context, caller, id, now);
  return describeLease(key, lease, now);
}
