import type { HeldLease as HeldLeaseBody, Lease as LeaseBody } from '../contract/leases.ts';
import { type Caller, requirePool } from './client.ts';
import { type Context, freeNow } from './context.ts';
import { describeHeldLease, describeLease } from './describe.ts';
import {
  ForbiddenError,
  InvalidRequestError,
  LeaseEndedError,
  type LeaseEndReason,
  type OrchestratorError,
} from './errors.ts';
import { keyEvent, recordLapse } from './events.ts';
import { listHeld } from './holders.ts';
import { type Key, type KeyLease, liveLeaseAt } from './key.ts';
import { decodeLeaseId, type LeaseId } from './lease-id.ts';
import { freeAfter, hardExpiration, type Pool, poolName } from './pool.ts';
import type { HeldLease, Release } from './store.ts';

// What a holder does with its lease. Acquire stands by itself, in `acquire-lease.ts`.

/**
 * The holder's heartbeat: a full lease length from now, or what is left of the longest lease, and a refreshed key.
 * @throws LeaseEndedError, InvalidRequestError, ForbiddenError
 */
export async function keepAliveLease(context: Context, caller: Caller, leaseId: string): Promise<LeaseBody> {
  const lease = readLeaseId(caller, leaseId);
  const now = context.clock();
  const pool = await poolOfLease(context, lease, now);
  const leaseExpiresAt = Math.min(now + lease.leaseMs, lease.maxExpiresAt ?? Number.POSITIVE_INFINITY);
  const freeAt = freeAfter(context, pool.policy, leaseExpiresAt);
  const keyExpiresAt = hardExpiration(pool.policy, now, freeAt);
  for (;;) {
    const key = await context.store.keys.extend({
      ...heldLease(caller, lease, now),
      leaseExpiresAt,
      freeAt,
      keyExpiresAt,
    });
    if (key !== null) return describeLease(key, key.lease as KeyLease, now);
    await getOwnLease(context, caller, lease, now); // Throws why, unless the lease was extended meanwhile.
  }
}

/** How the holder found the key. `cooldown`: it has to rest; `discard`: it is of no use any more. */
export type Outcome = 'ok' | 'cooldown' | 'discard';

/** A lease that its holder ended: now, or `repeated`. */
export interface Released {
  readonly pool: string;
  readonly keyId: string;
  readonly repeated: boolean;
  /** From acquire to release, where this release ended it. */
  readonly heldMs?: number;
}

/**
 * The holder ends the lease; the key is free at once, rests first, or is deleted. A repeated release succeeds as long
 * as the key remembers it.
 * @param options.forget a repeat of the acquire is a new request, and not told that its lease was released
 * @throws LeaseEndedError, InvalidRequestError, ForbiddenError
 */
export async function releaseLease(
  context: Context,
  caller: Caller,
  leaseId: string,
  { outcome = 'ok', forget = false }: { outcome?: Outcome; forget?: boolean } = {},
): Promise<Released> {
  const lease = readLeaseId(caller, leaseId);
  const now = context.clock();
  const { policy } = await poolOfLease(context, lease, now);
  const restMs = outcome === 'cooldown' ? policy.cooldownSeconds * 1000 : 0;
  const release = {
    ...heldLease(caller, lease, now),
    freeAt: restMs > 0 ? now + restMs : freeNow(context, now),
    discard: outcome === 'discard',
    forget,
  };
  const about = { pool: poolName(lease.pool), keyId: lease.keyId };
  try {
    if (release.discard) {
      const { acquiredAt } = await discard(context, caller, lease, release);
      return { ...about, repeated: false, heldMs: Math.max(0, now - acquiredAt) };
    }
    for (;;) {
      const ended = await context.store.keys.release(release);
      if (ended !== null) {
        return { ...about, repeated: false, heldMs: Math.max(0, now - ended.acquiredAt) };
      }
      await getOwnLease(context, caller, lease, now);
    }
  } catch (error) {
    if (error instanceof LeaseEndedError && error.reason === 'released') return { ...about, repeated: true };
    throw error;
  }
}

/** Unlike any other release this one is an event, whose fields are read first. @throws LeaseEndedError, ForbiddenError */
async function discard(
  context: Context,
  caller: Caller,
  id: LeaseId,
  release: Release,
): Promise<Pick<KeyLease, 'acquiredAt'>> {
  const { now } = release;
  for (;;) {
    const { key, lease } = await getOwnLease(context, caller, id, now);
    const note = keyEvent('key.discarded', key, { lease, at: now, by: caller.clientId });
    const ended = await context.store.keys.release({ ...release, note });
    if (ended === null) continue;
    await context.events.recordNote(key.keyId, note, now);
    return ended;
  }
}

/** The caller's live lease. @throws LeaseEndedError, InvalidRequestError, ForbiddenError */
export async function getLease(context: Context, caller: Caller, leaseId: string): Promise<HeldLeaseBody> {
  const id = readLeaseId(caller, leaseId);
  const now = context.clock();
  await poolOfLease(context, id, now);
  const { key, lease } = await getOwnLease(context, caller, id, now);
  return describeHeldLease(context, key, lease, now);
}

/**
 * A page of the caller's live leases, oldest first; `next` is where the page after it starts. Leases in pools that were
 * deleted, or that the credential no longer covers, are left out. @throws InvalidRequestError
 */
export async function listLeases(
  context: Context,
  caller: Caller,
  request: { limit: number; after?: string | undefined },
): Promise<{ leases: LeaseBody[]; next?: string | undefined }> {
  const now = context.clock();
  const { held, next } = await listHeld(context, caller, { ...request, client: caller.clientId }, now);
  return { leases: held.map(({ key, lease }) => describeLease(key, lease, now)), next };
}

/** Reads a lease id that a caller sent. @throws InvalidRequestError, ForbiddenError */
function readLeaseId(caller: Caller, leaseId: string): LeaseId {
  const parts = decodeLeaseId(leaseId);
  if (parts === undefined) {
    throw new InvalidRequestError([{ path: 'leaseId', message: 'Not a lease id of this service' }]);
  }
  requirePool(caller, poolName(parts.pool));
  return parts;
}

/** The pool of a lease. When it was deleted or emptied, so was the lease. @throws LeaseEndedError */
async function poolOfLease(context: Context, lease: LeaseId, now: number): Promise<Pool> {
  const pool = await context.pools.getByReference(lease.pool, now);
  if (pool === undefined) throw new LeaseEndedError('deleted');
  return pool;
}

function heldLease({ clientId }: Caller, { keyId, pool, proof }: LeaseId, now: number): HeldLease {
  return { keyId, pool, leaseId: proof, clientId, now };
}

/**
 * The caller's live lease on its key. A lease whose end has passed is first written down as lapsed: once a 410 was
 * returned, not even a keep-alive that was sent before and is carried out late brings the lease back.
 * @throws LeaseEndedError, ForbiddenError
 */
async function getOwnLease(
  context: Context,
  caller: Caller,
  lease: LeaseId,
  now: number,
): Promise<{ key: Key; lease: KeyLease }> {
  for (;;) {
    const key = await context.store.keys.getStored(lease.keyId);
    const standing = key?.pool === lease.pool && key.lease?.id === lease.proof ? key.lease : undefined;
    const about = aboutKey(key);
    if (key === null || standing === undefined)
      throw new LeaseEndedError(endReason(caller, key, lease), about);
    requireHolder(caller, standing);
    if (liveLeaseAt(key, now) !== undefined) return { key, lease: standing };
    if (await recordLapse(context, key, now)) throw new LeaseEndedError('lapsed', about);
  }
}

/** What an error about this key tells of it, see `OrchestratorError.about`. */
export function aboutKey(key: Key | null): OrchestratorError['about'] | undefined {
  return key === null ? undefined : { pool: poolName(key.pool), keyId: key.keyId };
}

function endReason(caller: Caller, key: Key | null, lease: LeaseId): LeaseEndReason {
  if (key?.lastLease?.id !== lease.proof) return 'unknown';
  requireHolder(caller, key.lastLease);
  return key.lastLease.reason;
}

/** @throws ForbiddenError */
function requireHolder(caller: Caller, lease: { clientId: string }): void {
  if (lease.clientId !== caller.clientId) throw new ForbiddenError('The lease belongs to another client');
}
