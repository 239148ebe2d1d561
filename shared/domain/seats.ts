import { randomBytes, randomInt } from 'node:crypto';
import { type Context, freeNow } from './context.ts';
import { recordLapse } from './events.ts';
import type { Key } from './key.ts';
import { hardExpiration, type Pool, poolReference } from './pool.ts';
import { countBeyond, isSettled } from './pool-directory.ts';
import type { Claim, SeatedKey, Seats } from './store.ts';

// How many keys a pool may have (`maxKeys`), and how a pool holds a number of keys by itself (`targetSize`).

/** Keys that are made or removed by one command. */
const BATCH = 500;

/** A new free key of the pool. */
export function newKey(context: Context, pool: Pool, now: number): Key {
  return {
    keyId: generateKeyId(),
    pool: poolReference(pool),
    state: 'free',
    slot: Math.random(),
    fencingToken: now,
    createdAt: now,
    expiresAt: hardExpiration(pool.policy, now),
    freeAt: freeNow(context, now),
  };
}

/** 128 random bits; the prefix keeps it from ever looking like a command-line option. */
export function generateKeyId(): string {
  return `key_${randomBytes(16).toString('base64url')}`;
}

/** The seats that a creation by hand has to fit in; null where the pool has no limit. */
export function seatsOf(context: Context, pool: Pool, now: number): Seats | null {
  const { name, generation, policy } = pool;
  if (policy.maxKeys === null) return null;
  return {
    name,
    generation,
    maxKeys: policy.maxKeys,
    now,
    expiredBefore: now - context.clockSkewToleranceMs,
    countFormerFree: !isCleared(context, pool, now),
  };
}

/** Nothing is done to keys of the pool's generations before this one any more, but by their holders. */
function isCleared(context: Context, { clearedAt }: Pool, now: number): boolean {
  return clearedAt === undefined || isSettled(context, clearedAt, now);
}

/**
 * The seats below `targetSize` that a new key may take, each with the dead key that has to be removed first, if any.
 * Keys that are held `beyond` the target (it was lowered, or they were made by hand before) take a seat each.
 */
async function listFreeSeats(
  context: Context,
  pool: Pool,
  { targetSize, beyond, now }: { targetSize: number; beyond: number; now: number },
): Promise<{ seat: number; dead: SeatedKey | undefined }[]> {
  const seated = await context.store.keys.listSeated({ name: pool.name, below: targetSize });
  const bySeat = new Map(seated.map((key) => [key.seat, key]));
  const free: { seat: number; dead: SeatedKey | undefined }[] = [];
  for (let seat = 0; seat < targetSize; seat++) {
    const dead = bySeat.get(seat);
    if (dead === undefined || isDead(context, pool, dead, now)) free.push({ seat, dead });
  }
  return free.slice(0, Math.max(0, free.length - beyond));
}

/**
 * How many keys are held beyond the target, where {@link listFreeSeats} would find a seat; undefined where it would not,
 * after reading all of them. A refused acquire is told so by two counts within the index, and a look at keys that are free:
 * there are few where none can be claimed.
 */
async function countBeyondUnlessFull(
  context: Context,
  pool: Pool,
  targetSize: number,
  now: number,
): Promise<number | undefined> {
  const { keys } = context.store;
  const seats = { name: pool.name, below: targetSize };
  const count = () => countBeyond(context.store, pool, { below: targetSize, now });
  const seated = await keys.countSeated(seats);
  const beyond = seated < targetSize ? await count() : undefined;
  if (beyond !== undefined && seated + beyond < targetSize) return beyond;
  const free = await keys.listSeatedFree({ ...seats, now });
  return free.some((key) => isDead(context, pool, key, now)) ? (beyond ?? count()) : undefined;
}

/** Nobody can hold the key, or come to hold it. `pool`: the pool of its name as it is now. */
export function isDead(
  context: Context,
  pool: Pool,
  key: Pick<Key, 'pool' | 'state' | 'expiresAt' | 'freeAt'>,
  now: number,
): boolean {
  if (key.freeAt > now) return false;
  if (key.state === 'deleted' || key.expiresAt <= now - context.clockSkewToleranceMs) return true;
  return key.pool !== poolReference(pool) && isCleared(context, pool, now);
}

/**
 * Removes a dead key, if it stands as found, once the events that are noted on it are recorded. A lease that lapsed on it
 * is written down first; one of an earlier generation ended with that.
 */
export async function removeDead(
  context: Context,
  pool: Pool,
  found: Pick<Key, 'keyId' | 'pool' | 'state' | 'fencingToken' | 'expiresAt' | 'freeAt'>,
  now: number,
): Promise<boolean> {
  const { keys } = context.store;
  let dead = found;
  if (dead.state === 'leased' && dead.pool === poolReference(pool)) {
    const key = await keys.getStored(dead.keyId);
    if (key === null || (await recordLapse(context, key, now)) === undefined) return false;
    dead = { ...dead, state: 'free' };
  } else if (await keys.remove(dead)) return true;
  await context.events.recordNotes(await keys.listNoted({ limit: 1, keyIds: [dead.keyId] }), now);
  return keys.remove(dead);
}

/**
 * Makes a key that the claim already holds, where the pool has fewer than its `targetSize`; null where it has them all.
 * Race: two callers take the same seat; the unique index lets one, and the other tries the next. A dead key is removed
 * on condition that it stands as found.
 */
export async function mintKey(
  context: Context,
  claim: Claim,
  pool: Pool,
): Promise<Key | null | 'repeated' | 'client_seat_taken'> {
  const { targetSize } = pool.policy;
  if (targetSize === null) return null;
  const { keys } = context.store;
  const { now, lease, freeAt, keyExpiresAt: expiresAt, requestHash, requestBody, clientSeat } = claim;
  for (;;) {
    const beyond = await countBeyondUnlessFull(context, pool, targetSize, now);
    if (beyond === undefined) return null;
    const free = await listFreeSeats(context, pool, { targetSize, beyond, now });
    const chosen = free[randomInt(Math.max(1, free.length))];
    if (chosen === undefined) return null;
    const { seat, dead } = chosen;
    if (dead !== undefined && !(await removeDead(context, pool, dead, now))) continue;
    const key: Key = { ...newKey(context, pool, now), state: 'leased', lease, freeAt, expiresAt, seat };
    const minted = await keys.mint({ ...key, requestHash, requestBody, clientSeat });
    if (minted !== 'seat_taken') return minted;
  }
}

/** Makes the next keys that a pool lacks of its `targetSize`, and removes the free ones beyond it; returns whether it is done. */
export async function fillPool(context: Context, pool: Pool, now: number): Promise<boolean> {
  const { targetSize } = pool.policy;
  if (targetSize === null) return true;
  const { keys } = context.store;
  const removed = await keys.removeBeyond({
    pool: poolReference(pool),
    below: targetSize,
    now,
    limit: BATCH,
  });
  const beyond = await countBeyond(context.store, pool, { below: targetSize, now });
  const free = (await listFreeSeats(context, pool, { targetSize, beyond, now })).slice(0, BATCH);
  const ready: Key[] = [];
  for (const { seat, dead } of free) {
    if (dead === undefined || (await removeDead(context, pool, dead, now)))
      ready.push({ ...newKey(context, pool, now), seat });
  }
  const minted = ready.length === 0 ? 0 : await keys.mintMissing(ready);
  if (removed + minted > 0) context.counts.forget(poolReference(pool));
  return removed < BATCH && free.length < BATCH;
}
