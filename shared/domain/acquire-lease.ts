import { createHash, randomInt } from 'node:crypto';
import type { Lease as LeaseBody } from '../contract/leases.ts';
import { type Caller, requirePool } from './client.ts';
import type { Context } from './context.ts';
import { describeLease } from './describe.ts';
import {
  IdempotencyKeyReusedError,
  InvalidRequestError,
  LeaseEndedError,
  NoKeyAvailableError,
  PoolPausedError,
} from './errors.ts';
import { type Key, type KeyLease, liveLeaseAt } from './key.ts';
import { generateLeaseProof } from './lease-id.ts';
import { hardExpiration, type Pool, poolName, poolReference } from './pool.ts';
import type { Claim, ClaimResult } from './store.ts';

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
 * @throws PoolNotFoundError, PoolPausedError, NoKeyAvailableError, LeaseEndedError, IdempotencyKeyReusedError,
 * InvalidRequestError, ForbiddenError
 */
export async function acquireLease(
  context: Context,
  caller: Caller,
  request: AcquireRequest,
): Promise<{ lease: LeaseBody; repeated: boolean }> {
  requirePool(caller, request.pool);
  const now = context.clock();
  const pool = await context.pools.get(request.pool, now);
  const claim = makeClaim(context, caller, pool, request, now);

  // A policy that changed since the first request refuses a new lease, but not the repeat of one that lives.
  const refusal = refusalOf(pool, request.leaseSeconds);

  for (;;) {
    const claimed = refusal ?? (await claimKey(context, claim, pool));
    if (claimed !== 'repeated' && !(claimed instanceof Error)) {
      return { lease: describeLease(claimed, claimed.lease as KeyLease, now), repeated: false };
    }
    const lease = await getRepeated(context, claim);
    if (lease !== undefined) return { lease, repeated: true };
    if (claimed !== 'repeated') throw claimed;
    // Otherwise the key that carried the hash was acquired or deleted meanwhile: start again.
  }
}

/** Why the policy gives no new lease, if so. */
function refusalOf(
  { name, policy }: Pool,
  leaseSeconds: number | undefined,
): InvalidRequestError | PoolPausedError | undefined {
  if (leaseSeconds !== undefined && leaseSeconds > policy.leaseSeconds) {
    return new InvalidRequestError([
      {
        path: 'leaseSeconds',
        message: `Must be at most ${policy.leaseSeconds}, the lease of pool "${name}"`,
      },
    ]);
  }
  return policy.paused ? new PoolPausedError(name) : undefined;
}

function makeClaim(
  context: Context,
  caller: Caller,
  pool: Pool,
  request: AcquireRequest,
  now: number,
): Claim {
  const { leaseSeconds, holder, idempotencyKey } = request;
  const leaseMs = (leaseSeconds ?? pool.policy.leaseSeconds) * 1000;
  const expiresAt = now + leaseMs;
  const freeAt = expiresAt + context.clockSkewToleranceMs;
  return {
    pool: poolReference(pool),
    now,
    lease: { id: generateLeaseProof(leaseMs), clientId: caller.clientId, holder, acquiredAt: now, expiresAt },
    freeAt,
    keyExpiresAt: hardExpiration(pool.policy, now, freeAt),
    ...(idempotencyKey !== undefined && {
      // One field for client and key: the separator can stand in neither, so no two pairs give the same text.
      requestHash: hash(`${caller.clientId}\n${idempotencyKey}`),
      requestBody: hash(JSON.stringify([request.pool, leaseSeconds, holder])),
    }),
  };
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/**
 * One command where a free key stands above a random slot; otherwise a look at the keys that are free, of any stored
 * state (lapsed leases that no sweep has recorded among them), and a claim of a random one. Each lost race means that
 * somebody else got a key, so the loop ends.
 */
async function claimKey(
  context: Context,
  claim: Claim,
  pool: Pool,
): Promise<Exclude<ClaimResult, null> | NoKeyAvailableError> {
  const { keys } = context.store;
  const claimed = await keys.claim(claim, context.pools.claimRange(pool.name));
  if (claimed !== null) return claimed;
  for (;;) {
    const found = await keys.listClaimable({ ...claim, limit: CANDIDATES });
    if (found.keys.length === 0) {
      const { nextFreeAt } = found;
      return new NoKeyAvailableError(
        pool.name,
        nextFreeAt === undefined ? EMPTY_POOL_RETRY_MS : nextFreeAt - claim.now,
      );
    }
    const reclaimed = await keys.reclaim(found.keys[randomInt(found.keys.length)] as Key, claim);
    if (reclaimed !== null) return reclaimed;
  }
}

/**
 * The lease that an earlier request with the same hash got; undefined when no key carries the hash any more.
 * @throws LeaseEndedError, IdempotencyKeyReusedError
 */
async function getRepeated(context: Context, claim: Claim): Promise<LeaseBody | undefined> {
  const { pool, now, requestHash, requestBody } = claim;
  if (requestHash === undefined) return undefined;
  for (;;) {
    const key = await context.store.keys.confirmRequest(requestHash);
    if (key === null) return undefined;
    const isSame = poolName(key.pool) === poolName(pool) && (key.requestBody ?? requestBody) === requestBody;
    if (!isSame) throw new IdempotencyKeyReusedError();
    // A later generation than this process knows of is no deleted one: the pool was emptied elsewhere.
    if (key.pool < pool) throw new LeaseEndedError('deleted');
    const lease = liveLeaseAt(key, now);
    if (lease !== undefined) return describeLease(key, lease, now);
    if (key.lease === undefined) throw new LeaseEndedError(key.lastLease?.reason ?? 'unknown');
    if (await context.store.keys.recordLapse({ keyId: key.keyId, leaseId: key.lease.id, now })) {
      throw new LeaseEndedError('lapsed');
    }
  }
}
