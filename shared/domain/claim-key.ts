import { createHash, randomInt } from 'node:crypto';
import type { Context } from './context.ts';
import { LeaseLimitReachedError, NoKeyAvailableError } from './errors.ts';
import type { Key } from './key.ts';
import type { Pool } from './pool.ts';
import { mintKey } from './seats.ts';
import type { Claim, ClaimResult } from './store.ts';

/** How many claimable keys are looked at together; callers pick one at random, so that they do not all pick the same. */
const CANDIDATES = 16;

/** What a caller is told to wait where no key of the pool is leased or cooling, in milliseconds. */
const EMPTY_POOL_RETRY_MS = 5000;

/**
 * A key for the claim, within what the policy allows one client. The limit is exact by a unique index: each of the
 * client's leases stands on a number of its own, below the limit. The first try takes a random one; where that is
 * taken, a look tells which are free, once the leases that have lapsed are written down.
 */
export async function claimKey(
  context: Context,
  claim: Claim,
  pool: Pool,
): Promise<Key | 'repeated' | NoKeyAvailableError | LeaseLimitReachedError> {
  const limit = pool.policy.maxLeasesPerClient;
  const client = createHash('sha256').update(`${pool.name}\n${claim.lease.clientId}`).digest('base64url');
  let number = limit === null ? undefined : randomInt(limit);
  for (;;) {
    const clientSeat = number === undefined ? undefined : `${client}.${number}`;
    const claimed = await claimFreeKey(context, { ...claim, clientSeat }, pool);
    if (claimed !== 'client_seat_taken') return claimed;
    const { requestHash, now } = claim;
    if (requestHash !== undefined && (await context.store.keys.confirmRequest(requestHash)) !== null) {
      return 'repeated';
    }
    const free = await listFreeNumbers(context, `${client}.`, limit ?? 0, now);
    if ('nextEndAt' in free) return new LeaseLimitReachedError(pool.name, limit ?? 0, free.nextEndAt - now);
    number = free.numbers[randomInt(free.numbers.length)];
  }
}

/** The numbers that none of the client's live leases stands on; where there are none, when the first lease ends. */
async function listFreeNumbers(
  context: Context,
  prefix: string,
  limit: number,
  now: number,
): Promise<{ numbers: number[] } | { nextEndAt: number }> {
  const taken = new Set<number>();
  let nextEndAt = Number.POSITIVE_INFINITY;
  for (const { keyId, clientSeat, lease } of await context.store.keys.listClientSeats(prefix)) {
    if (lease === undefined) continue;
    const isOver =
      lease.expiresAt <= now && (await context.store.keys.recordLapse({ keyId, leaseId: lease.id, now }));
    if (isOver) continue;
    taken.add(Number(clientSeat?.slice(prefix.length)));
    nextEndAt = Math.min(nextEndAt, lease.expiresAt);
  }
  const numbers = Array.from({ length: limit }, (_, number) => number).filter((number) => !taken.has(number));
  return numbers.length > 0 ? { numbers } : { nextEndAt: Math.max(nextEndAt, now + 1) };
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
  if (claimed !== null) return claimed;
  for (;;) {
    const found = await keys.listClaimable({ ...claim, limit: CANDIDATES });
    if (found.keys.length === 0) {
      const minted = await mintKey(context, claim, pool);
      if (minted !== null) return minted;
      const { nextFreeAt } = found;
      const retryAfterMs = nextFreeAt === undefined ? EMPTY_POOL_RETRY_MS : nextFreeAt - claim.now;
      return new NoKeyAvailableError(pool.name, retryAfterMs);
    }
    const reclaimed = await keys.reclaim(found.keys[randomInt(found.keys.length)] as Key, claim);
    if (reclaimed !== null) return reclaimed;
  }
}
