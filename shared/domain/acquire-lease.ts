import { createHash } from 'node:crypto';
import type { HeldLease } from '../contract/leases.ts';
import type { Waiting } from '../contract/tickets.ts';
import { claimKey } from './claim-key.ts';
import { type Caller, requirePool } from './client.ts';
import type { Context } from './context.ts';
import { describeHeldLease, describeLease } from './describe.ts';
import {
  IdempotencyKeyReusedError,
  InvalidRequestError,
  LeaseEndedError,
  LeaseLimitReachedError,
  NoKeyAvailableError,
  OrchestratorError,
  PoolPausedError,
} from './errors.ts';
import { recordLapse } from './events.ts';
import { type Key, type KeyLease, liveLeaseAt } from './key.ts';
import { generateLeaseProof } from './lease-id.ts';
import { aboutKey, releaseLease } from './leases.ts';
import { freeAfter, hardExpiration, type Pool, poolName, poolReference } from './pool.ts';
import { claimInTurn, type QueueRequest } from './queue.ts';
import type { Claim } from './store.ts';

export interface AcquireRequest extends QueueRequest {
  readonly pool: string;
  /** At most the pool's; the pool's when absent. */
  readonly leaseSeconds?: number | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** Which one it is of those that are asked for together; their turn in the queue has come. */
interface Several {
  readonly number: number;
}

/** What an acquire gives: a lease, new or `repeated`, or in a fair pool a place in the queue. */
export type Acquired =
  | {
      readonly lease: HeldLease;
      readonly repeated: boolean;
      /** In a fair pool: from ticket to lease. */
      readonly waitedMs?: number | undefined;
    }
  | { readonly waiting: Waiting };

/**
 * Leases a free key of the pool to the caller, in one atomic step. With an idempotency key a repeat gives the same
 * lease while it lives. In a fair pool a caller that asks to `wait` gets a ticket where it is not its turn.
 * @throws PoolNotFoundError, PoolPausedError, NoKeyAvailableError, LeaseLimitReachedError, LeaseEndedError,
 * TicketEndedError, IdempotencyKeyReusedError, InvalidRequestError, ForbiddenError
 */
export async function acquireLease(
  context: Context,
  caller: Caller,
  request: AcquireRequest,
  several?: Several,
): Promise<Acquired> {
  requirePool(caller, request.pool);
  const now = context.clock();
  const pool = await context.pools.get(request.pool, now);
  const claim = makeClaim(context, caller, pool, request, now, several);
  const take = () => claimKey(context, claim, pool);

  // A policy that changed since the first request refuses a new lease, but not the repeat of one that lives.
  const refusal = refusalOf(pool, request.leaseSeconds);

  for (;;) {
    const claimed =
      refusal ??
      (pool.policy.fair && several === undefined
        ? await claimInTurn(context, caller, pool, claim, request, take)
        : await take());
    if (claimed !== 'repeated' && !(claimed instanceof Error)) {
      if ('ticket' in claimed) return { waiting: claimed };
      const { taken, waitedMs } = 'taken' in claimed ? claimed : { taken: claimed };
      return { lease: await describeNew(context, caller, taken, now), repeated: false, waitedMs };
    }
    const lease = await getRepeated(context, claim);
    if (lease !== undefined) return { lease, repeated: true };
    if (claimed !== 'repeated') throw request.wait === true ? whileWaiting(claimed) : claimed;
    // Otherwise the key that carried the hash was acquired or deleted meanwhile: start again.
  }
}

export interface AcquiredLeases {
  readonly leases: HeldLease[];
  readonly repeated: boolean;
  /** In a fair pool: from ticket to leases. */
  readonly waitedMs?: number | undefined;
}

/**
 * Several leases at once, all or none. In a fair pool a caller that asks to `wait` gets one ticket for all of them. A
 * repeat with the idempotency key, or the ticket, gives the same ones.
 * @throws as {@link acquireLease}
 */
export async function acquireLeases(
  context: Context,
  caller: Caller,
  request: AcquireRequest & { count: number },
): Promise<AcquiredLeases | { readonly waiting: Waiting }> {
  requirePool(caller, request.pool);
  const now = context.clock();
  const pool = await context.pools.get(request.pool, now);
  const take = () => takeLeases(context, caller, request);
  if (!pool.policy.fair || refusalOf(pool, request.leaseSeconds) !== undefined) return take();
  const claim = makeClaim(context, caller, pool, request, now);
  const taken = await claimInTurn(context, caller, pool, claim, request, () =>
    take().catch((error: unknown) => {
      if (error instanceof NoKeyAvailableError || error instanceof LeaseLimitReachedError) return error;
      throw error;
    }),
  );
  if (taken instanceof Error && (await getRepeated(context, claim)) === undefined) throw taken;
  if (taken === 'repeated' || taken instanceof Error) return take();
  return 'ticket' in taken ? { waiting: taken } : { ...taken.taken, waitedMs: taken.waitedMs };
}

/**
 * Past the queue, one after the other. What was got before one is missing is given back at once, so that two callers who
 * both want most of a pool never block each other for good.
 */
async function takeLeases(
  context: Context,
  caller: Caller,
  request: AcquireRequest & { count: number },
): Promise<AcquiredLeases> {
  const leases: HeldLease[] = [];
  const own: HeldLease[] = [];
  try {
    for (let number = 1; number <= request.count; number += 1) {
      const acquired = await acquireLease(context, caller, request, { number });
      if ('waiting' in acquired) break; // Never: it is past the queue.
      leases.push(acquired.lease);
      if (!acquired.repeated) own.push(acquired.lease);
    }
  } catch (error) {
    // What an earlier call got may be in use: its response may have come. What can't be given back lapses.
    await Promise.allSettled(
      own.map(({ leaseId }) => releaseLease(context, caller, leaseId, { forget: true })),
    );
    throw error;
  }
  return { leases, repeated: own.length === 0 };
}

/**
 * A lease that nobody was told of yet. Where its value is sealed with a key that this host lacks it is given back: it
 * would take the pool's keys away from hosts that can tell them. What may pass is left to the repeat.
 */
async function describeNew(context: Context, caller: Caller, key: Key, now: number): Promise<HeldLease> {
  const lease = key.lease as KeyLease;
  try {
    return await describeHeldLease(context, key, lease, now);
  } catch (error) {
    if (!(error instanceof OrchestratorError)) {
      const { leaseId } = describeLease(key, lease, now);
      await releaseLease(context, caller, leaseId, { forget: true });
    }
    throw error;
  }
}

/** Of what may pass: the caller asks again, as it said, and its last request will not say so. */
function whileWaiting(refusal: OrchestratorError): OrchestratorError {
  const mayPass =
    refusal instanceof NoKeyAvailableError ||
    refusal instanceof LeaseLimitReachedError ||
    refusal instanceof PoolPausedError;
  if (mayPass) refusal.about = { ...refusal.about, outcome: 'waiting' };
  return refusal;
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
  { number }: Several = { number: 1 },
): Claim {
  const { leaseSeconds, holder, idempotencyKey, count } = request;
  const { policy } = pool;
  const leaseMs = (leaseSeconds ?? policy.leaseSeconds) * 1000;
  const maxExpiresAt = policy.maxLeaseSeconds === null ? undefined : now + policy.maxLeaseSeconds * 1000;
  const expiresAt = Math.min(now + leaseMs, maxExpiresAt ?? Number.POSITIVE_INFINITY);
  const freeAt = freeAfter(context, policy, expiresAt);
  // One field for client and key: the separator can stand in neither, so no two pairs give the same text.
  const first =
    request.ticket ??
    (idempotencyKey === undefined ? undefined : hash(`${caller.clientId}\n${idempotencyKey}`));
  // The first one goes by the key itself, so that a request for another count, or for one lease, meets it.
  const requestHash = first === undefined || number === 1 ? first : hash(`${first} ${number}`);
  return {
    pool: poolReference(pool),
    now,
    lease: {
      id: generateLeaseProof(leaseMs, maxExpiresAt),
      clientId: caller.clientId,
      holder,
      acquiredAt: now,
      expiresAt,
      maxExpiresAt,
    },
    freeAt,
    keyExpiresAt: hardExpiration(policy, now, freeAt),
    requestHash,
    requestBody:
      requestHash && hash(JSON.stringify([request.pool, leaseSeconds, holder].concat(count ?? []))),
    seatsBelow: context.pools.seatsBelow(pool.name),
  };
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/**
 * The lease that an earlier request with the same hash got; undefined when no key carries the hash any more.
 * @throws LeaseEndedError, IdempotencyKeyReusedError
 */
async function getRepeated(context: Context, claim: Claim): Promise<HeldLease | undefined> {
  const { pool, now, requestHash, requestBody } = claim;
  if (requestHash === undefined) return undefined;
  for (;;) {
    const key = await context.store.keys.confirmRequest(requestHash);
    if (key === null) return undefined;
    const isSame = poolName(key.pool) === poolName(pool) && (key.requestBody ?? requestBody) === requestBody;
    // A ticket is no secret of its client's: another one that names it gets nothing by it.
    const isOwn = (key.lease ?? key.lastLease)?.clientId === claim.lease.clientId;
    if (!isSame || !isOwn) throw new IdempotencyKeyReusedError();
    // A later generation than this process knows of is no deleted one: the pool was emptied elsewhere.
    if (key.pool < pool) throw new LeaseEndedError('deleted');
    const lease = liveLeaseAt(key, now);
    if (lease !== undefined) return describeHeldLease(context, key, lease, now);
    const about = aboutKey(key);
    if (key.lease === undefined) throw new LeaseEndedError(key.lastLease?.reason ?? 'unknown', about);
    if (await recordLapse(context, key, now)) throw new LeaseEndedError('lapsed', about);
  }
}
