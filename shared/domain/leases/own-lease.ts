import { type Caller, requirePool } from '../client.ts';
import type { Context } from '../context.ts';
import { ForbiddenError, InvalidRequestError, LeaseEndedError, type LeaseEndReason } from '../errors.ts';
import { type Key, type KeyLease, liveLeaseAt } from '../key.ts';
import { decodeLeaseId, type LeaseId } from '../lease-id.ts';
import { type Pool, poolName } from '../pool.ts';

/** Reads a lease id that a caller sent. @throws InvalidRequestError, ForbiddenError */
export function readLeaseId(caller: Caller, leaseId: string): LeaseId {
  const parts = decodeLeaseId(leaseId);
  if (parts === undefined) {
    throw new InvalidRequestError([{ path: 'leaseId', message: 'Not a lease id of this service' }]);
  }
  requirePool(caller, poolName(parts.pool));
  return parts;
}

/** The pool of a lease. When it was deleted or emptied, so was the lease. @throws LeaseEndedError */
export async function poolOfLease(context: Context, lease: LeaseId, now: number): Promise<Pool> {
  const pool = await context.pools.getGeneration(lease.pool, now);
  if (pool === undefined) throw new LeaseEndedError('deleted');
  return pool;
}

/**
 * The caller's live lease on its key. A lease whose end has passed is first written down as lapsed: once a 410 was
 * answered, not even a keep-alive that was sent before and is carried out late brings the lease back.
 * @throws LeaseEndedError, ForbiddenError
 */
export async function findOwnLease(
  context: Context,
  caller: Caller,
  lease: LeaseId,
  now: number,
): Promise<{ key: Key; lease: KeyLease }> {
  for (;;) {
    const key = await context.store.keys.recall(lease.keyId);
    const standing = key?.pool === lease.pool && key.lease?.id === lease.proof ? key.lease : undefined;
    if (key === null || standing === undefined) throw new LeaseEndedError(endReason(caller, key, lease));
    if (standing.clientId !== caller.clientId)
      throw new ForbiddenError('The lease belongs to another client');
    if (liveLeaseAt(key, now) !== undefined) return { key, lease: standing };
    if (await context.store.keys.recordLapse({ keyId: key.keyId, leaseId: standing.id, now })) {
      throw new LeaseEndedError('lapsed');
    }
  }
}

function endReason(caller: Caller, key: Key | null, lease: LeaseId): LeaseEndReason {
  if (key?.lastLease?.id !== lease.proof) return 'unknown';
  if (key.lastLease.clientId !== caller.clientId)
    throw new ForbiddenError('The lease belongs to another client');
  return key.lastLease.reason;
}
