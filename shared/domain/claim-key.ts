import { createHash, randomInt } from 'node:crypto';
import type { Context } from './context.ts';
import { LeaseLimitReachedError, NoKeyAvailableError } from './errors.ts';
import { lapseOf, recordLapse } from './events.ts';
import { placeOf } from './holders.ts';
import { type Key, liveLeaseAt } from './key.ts';
import { type Pool, poolName } from './pool.ts';
import { isSettled } from './pool-directory.ts';
import { mintKey } from './seats.ts';
import type { Claim, ClaimResult, LeasePlace } from './store.ts';

/** How many claimable keys are looked at together; callers pick one at random, so that they do not all pick the same. */
const CANDIDATES = 16;

/** How many of a client's leases are looked at together. */
const PAGE = 1000;

/** What a caller is told to wait where no key of the pool is leased or cooling, in milliseconds. */
const EMPTY_POOL_RETRY_MS = 5000;

/**
 * A key for the claim, within what the policy allows one client. The limit is exact by a unique index: each of the
 * client's leases stands on a number of its own, below the limit. The first try takes a random one. Where that is taken,
 * or leases of the client may be from before this limit, a look tells which are free.
 */
export async function claimKey(
  context: Context,
  claim: Claim,
  pool: Pool,
): Promise<Key | 'repeated' | NoKeyAvailableError | LeaseLimitReachedError> {
  const limit = pool.policy.maxLeasesPerClient;
  const { clientId } = claim.lease;
  let needsLook = mayHaveSurplus(context, pool, clientId);
  for (;;) {
    let clientSeat: string | undefined;
    if (limit !== null) {
      const number = needsLook ? await findFreeNumber(context, claim, pool, limit) : randomInt(limit);
      if (typeof number !== 'number') return number;
      clientSeat = `${clientPrefix(pool, clientId)}${number}`;
    }
    const claimed = await claimFreeKey(context, { ...claim, clientSeat }, pool);
    if (claimed !== 'client_seat_taken') return claimed;
    needsLook = true;
  }
}

/** What the numbers of a client in a pool begin with. */
function clientPrefix(pool: Pool, clientId: string): string {
  return `${createHash('sha256').update(`${pool.name}\n${clientId}`).digest('base64url')}.`;
}

/**
 * A number that none of the client's live leases stands on; leases that have lapsed are written down first. Leases from
 * before the limit, without a number below it, take one each, from the top. Whoever loses a race for a number looks again.
 */
async function findFreeNumber(
  context: Context,
  { now, lease: { clientId } }: Claim,
  pool: Pool,
  limit: number,
): Promise<number | LeaseLimitReachedError> {
  const prefix = clientPrefix(pool, clientId);
  const taken = new Map<number, number>();
  for (const key of await context.store.keys.listClientSeats(prefix)) {
    const { clientSeat, lease } = key;
    if (lease === undefined) continue;
    if (lease.expiresAt > now) taken.set(Number(clientSeat?.slice(prefix.length)), lease.expiresAt);
    else await recordLapse(context, key, now);
  }
  const surplus = mayHaveSurplus(context, pool, clientId)
    ? await listSurplus(context, pool, { clientId, now, limit })
    : [];
  const free = Array.from({ length: limit }, (_, number) => number).filter((number) => !taken.has(number));
  const choice = Math.max(0, free.length - surplus.length);
  if (choice > 0) return free[randomInt(choice)] as number;
  const nextEndAt = Math.min(...taken.values(), ...surplus);
  return new LeaseLimitReachedError(pool.name, limit, nextEndAt - now);
}

/** The client may hold leases from before the pool had this limit. */
function mayHaveSurplus({ pools }: Context, pool: Pool, clientId: string): boolean {
  return pool.updatedAt !== pool.createdAt && !pools.isWithinLimit(pool, clientId);
}

/**
 * When those of the client's leases in the pool end that stand on no number below the limit. Once there are none, and can
 * be none, it is not asked again.
 */
async function listSurplus(
  context: Context,
  pool: Pool,
  { clientId, now, limit }: { clientId: string; now: number; limit: number },
): Promise<number[]> {
  const ends: number[] = [];
  for (let after: LeasePlace | undefined; ; ) {
    const leased = await context.store.keys.listLeased({ clientId, limit: PAGE, after });
    for (const key of leased) {
      const { pool: reference, clientSeat } = key;
      const lease = liveLeaseAt(key, now);
      const number = Number(clientSeat?.split('.').at(-1) ?? limit);
      const isSurplus = poolName(reference) === pool.name && number >= limit;
      if (isSurplus && lease !== undefined) ends.push(lease.expiresAt);
    }
    if (leased.length < PAGE) break;
    after = placeOf(leased.at(-1) as Key);
  }
  const isLast = ends.length === 0 && isSettled(context, pool.updatedAt, now);
  if (isLast) context.pools.noteWithinLimit(pool, clientId);
  return ends;
}

/**
 * One command where a free key stands above a random slot; otherwise a look at the keys that are free, of any stored
 * state (lapsed leases that no sweep has recorded among them), and a claim of a random one; otherwise a new key, where
 * the pool has fewer than it is to hold. Each lost race means that somebody else got a key, so the loop ends.
 */
async function claimFreeKey(
  context: Context,
  claim: Claim,
  pool: Pool,
): Promise<Exclude<ClaimResult, null> | NoKeyAvailableError> {
  const { keys } = context.store;
  const claimed = await keys.claim(claim, context.pools.claimRange(pool.name));
  context.pools.noteClaim(pool.name, typeof claimed === 'object' ? claimed?.slot : undefined);
  if (claimed !== null) return claimed;
  for (let isFull = pool.policy.targetSize === null; ; ) {
    const found = await keys.listClaimable({ ...claim, limit: CANDIDATES });
    if (found.keys.length === 0 && !isFull) {
      const minted = await mintKey(context, claim, pool);
      if (minted !== null) return minted;
      isFull = true;
      continue; // The sweep may have made keys since the look.
    }
    if (found.keys.length === 0) {
      const seatsBelow = await context.pools.findMoreSeats(pool, claim);
      if (seatsBelow !== undefined) return claimFreeKey(context, { ...claim, seatsBelow }, pool);
      await context.events.recordExhausted(pool.name, claim.now);
      const { nextFreeAt } = found;
      const retryAfterMs = nextFreeAt === undefined ? EMPTY_POOL_RETRY_MS : nextFreeAt - claim.now;
      return new NoKeyAvailableError(pool.name, retryAfterMs);
    }
    const key = found.keys[randomInt(found.keys.length)] as Key;
    const reclaimed = await keys.reclaim(key, claim, key.lease && lapseOf(key, key.lease));
    if (reclaimed === null) continue;
    if (typeof reclaimed === 'object' && key.lease !== undefined) context.onLapse(pool.name, 1);
    return reclaimed;
  }
}
