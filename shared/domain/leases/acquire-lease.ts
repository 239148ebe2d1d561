import { createHash, randomInt } from 'node:crypto';
import { type Caller, requirePool } from '../client.ts';
import type { Context } from '../context.ts';
import { InvalidRequestError, LeaseEndedError, NoKeyAvailableError, PoolPausedError } from '../errors.ts';
import { type Key, type KeyLease, liveLeaseAt } from '../key.ts';
import { generateLeaseProof } from '../lease-id.ts';
import { hardExpiration, type Pool, poolName, poolReference } from '../pool.ts';
import type { Claim, ClaimResult } from '../store.ts';
import { describeLease, type LeaseView } from './lease-view.ts';

/** How many claimable keys are looked at together; callers pick one at random, so that they do not all pick the same. */
const CANDIDATES = 16;

/** What a caller is told to wait where no key of the pool is leased or cooling, in milliseconds. */
const EMPTY_POOL_RETRY_MS = 5000;

export interface AcquireRequest {
  readonly pool: string;
  /** At most the pool's; the pool's when absent. */
  readonly leaseSeconds?: number | undefined;
  readonly holder?: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

/**
 * Leases a free key of the pool to the caller, in one atomic step. With an idempotency key a repeat gives the same
 * lease while it lives (`repeated`).
 * @throws PoolNotFoundError, PoolPausedError, NoKeyAvailableError, LeaseEndedError, InvalidRequestError, ForbiddenError
 */
export async function acquireLease(
  context: Context,
  caller: Caller,
  request: AcquireRequest,
): Promise<{ lease: LeaseView; repeated: boolean }> {
  requirePool(caller, request.pool);
  const now = context.clock();
  const pool = await context.pools.get(request.pool, now);
  const leaseMs = (request.leaseSeconds ?? pool.leaseSeconds) * 1000;
  const requestHash =
    request.idempotencyKey === undefined ? undefined : hashRequest(caller.clientId, request.idempotencyKey);
  const claim = makeClaim(context, caller, pool, { leaseMs, holder: request.holder, requestHash, now });

  // A policy that changed since the first request refuses a new lease, but not the repeat of one that lives.
  const refusal = refusalOf(pool, request.leaseSeconds);

  for (;;) {
    const claimed = refusal ?? (await claimKey(context, claim, pool));
    if (claimed !== 'repeated' && !(claimed instanceof Error)) {
      return { lease: describeLease(claimed, claimed.lease as KeyLease, now), repeated: false };
    }
    if (requestHash !== undefined) {
      const lease = await findRepeat(context, requestHash, pool, now);
      if (lease !== undefined) return { lease, repeated: true };
    }
    if (claimed !== 'repeated') throw claimed;
    // Otherwise the key that carried the hash was acquired or deleted meanwhile: start again.
  }
}

/** Why the policy gives no new lease, if so. */
function refusalOf(
  pool: Pool,
  leaseSeconds: number | undefined,
): InvalidRequestError | PoolPausedError | undefined {
  if (leaseSeconds !== undefined && leaseSeconds > pool.leaseSeconds) {
    return new InvalidRequestError([
      { path: 'leaseSeconds', message: `At most ${pool.leaseSeconds}, the lease of pool "${pool.name}"` },
    ]);
  }
  return pool.paused ? new PoolPausedError(pool.name) : undefined;
}

/** One field for client and key: the separator can stand in neither, so no two pairs give the same text. */
function hashRequest(clientId: string, idempotencyKey: string): string {
  return createHash('sha256').update(`${clientId}\n${idempotencyKey}`).digest('base64url');
}

function makeClaim(
  context: Context,
  caller: Caller,
  pool: Pool,
  wanted: { leaseMs: number; holder: string | undefined; requestHash: string | undefined; now: number },
): Claim {
  const { leaseMs, holder, requestHash, now } = wanted;
  const freeAt = now + leaseMs + context.clockSkewToleranceMs;
  return {
    pool: poolReference(pool),
    now,
    lease: {
      id: generateLeaseProof(leaseMs),
      clientId: caller.clientId,
      ...(holder !== undefined && { holder }),
      acquiredAt: now,
      expiresAt: now + leaseMs,
    },
    freeAt,
    keyExpiresAt: hardExpiration(pool, now, freeAt),
    ...(requestHash !== undefined && { requestHash }),
  };
}

/**
 * One command where a free key stands above a random slot; otherwise a look at the keys that are free soonest, of any
 * stored state (lapsed leases that no sweep has recorded among them), and a claim of a random claimable one. Each lost
 * race means that somebody else got a key, so the loop ends.
 */
async function claimKey(
  context: Context,
  claim: Claim,
  pool: Pool,
): Promise<Exclude<ClaimResult, null> | NoKeyAvailableError> {
  const { keys } = context.store;
  const claimed = await keys.claim(claim, Math.random());
  if (claimed !== null) return claimed;
  for (;;) {
    const found = await keys.findClaimable({ ...claim, limit: CANDIDATES });
    const claimable = found.filter((key) => key.freeAt <= claim.now);
    if (claimable.length === 0) {
      const next = found[0];
      return new NoKeyAvailableError(
        pool.name,
        next === undefined ? EMPTY_POOL_RETRY_MS : next.freeAt - claim.now,
      );
    }
    const reclaimed = await keys.reclaim(claimable[randomInt(claimable.length)] as Key, claim);
    if (reclaimed !== null) return reclaimed;
  }
}

/**
 * The lease that an earlier request with the same hash got; undefined when no key carries the hash any more.
 * @throws LeaseEndedError, InvalidRequestError
 */
async function findRepeat(
  context: Context,
  requestHash: string,
  pool: Pool,
  now: number,
): Promise<LeaseView | undefined> {
  for (;;) {
    const key = await context.store.keys.confirmRequest(requestHash);
    if (key === null) return undefined;
    if (poolName(key.pool) !== pool.name) {
      throw new InvalidRequestError([
        { path: 'idempotency-key', message: `Already used for pool "${poolName(key.pool)}"` },
      ]);
    }
    // A later generation than this process knows of is no deleted one: the pool was emptied elsewhere.
    if (key.pool < poolReference(pool)) throw new LeaseEndedError('deleted');
    const lease = liveLeaseAt(key, now);
    if (lease !== undefined) return describeLease(key, lease, now);
    if (key.lease === undefined) throw new LeaseEndedError(key.lastLease?.reason ?? 'unknown');
    if (await context.store.keys.recordLapse({ keyId: key.keyId, leaseId: key.lease.id, now })) {
      throw new LeaseEndedError('lapsed');
    }
  }
}
