import assert from 'node:assert/strict';
import type { Key, KeyLease } from '../../../shared/domain/key.ts';
import { DEFAULT_POLICY, type PoolPolicy, poolReference } from '../../../shared/domain/pool.ts';
import type {
  Claim,
  ClaimResult,
  Extension,
  HeldLease,
  KeyPage,
  Lapse,
  Release,
  Seats,
  Store,
} from '../../../shared/domain/store.ts';

/** The moment at which most tests begin: in the future, where no database removes expired keys by its own clock. */
export const NOW = Date.UTC(2100, 0, 1);
export const SECOND = 1000;
export const LEASE_MS = 60 * SECOND;
export const TOLERANCE_MS = 1000;
export const KEY_LIFE_MS = 300 * SECOND;

/** When a lease taken at NOW ends, and when its key is free again. */
export const LEASE_END = NOW + LEASE_MS;
export const FREE_AGAIN = LEASE_END + TOLERANCE_MS;

export const NAME = 'default';
export const GENERATION = 7;
export const POOL = poolReference({ name: NAME, generation: GENERATION });
export const OTHER_POOL = poolReference({ name: 'other', generation: GENERATION });
export const POLICY: PoolPolicy = { ...DEFAULT_POLICY, leaseSeconds: 10, keyTtlSeconds: null };

export const ALL_SLOTS = { from: 0, to: 1 };

let made = 0;

/** A free key as it is created at NOW. */
export function makeKey(differing: Partial<Key> = {}): Key {
  made += 1;
  return {
    keyId: `key_${made}`,
    pool: POOL,
    state: 'free',
    slot: 0.5,
    fencingToken: NOW,
    createdAt: NOW,
    expiresAt: NOW + KEY_LIFE_MS,
    freeAt: NOW - TOLERANCE_MS,
    ...differing,
  };
}

/** What an acquire at `now` writes, as the domain makes it; every lease has an id of its own. */
export function makeClaim(now: number, differing: Partial<Claim> & { clientId?: string } = {}): Claim {
  made += 1;
  const { clientId = 'client', ...claim } = differing;
  const expiresAt = now + LEASE_MS;
  return {
    pool: POOL,
    now,
    lease: { id: `lease_${made}`, clientId, acquiredAt: now, expiresAt },
    freeAt: expiresAt + TOLERANCE_MS,
    keyExpiresAt: now + KEY_LIFE_MS,
    ...claim,
  };
}

/** A keep-alive, sent at `now` by the holder of the lease that stands on the key. */
export function makeExtension(key: Key, now: number, differing: Partial<Extension> = {}): Extension {
  return {
    ...holding(key, now),
    leaseExpiresAt: now + LEASE_MS,
    freeAt: now + LEASE_MS + TOLERANCE_MS,
    keyExpiresAt: now + KEY_LIFE_MS,
    ...differing,
  };
}

/** A release, sent at `now` by the holder of the lease that stands on the key. */
export function makeRelease(key: Key, now: number, differing: Partial<Release> = {}): Release {
  const freeAt = now - TOLERANCE_MS;
  return { ...holding(key, now), freeAt, discard: false, forget: false, ...differing };
}

function holding(key: Key, now: number): HeldLease {
  const { id: leaseId, clientId } = leaseOf(key);
  return { keyId: key.keyId, pool: key.pool, leaseId, clientId, now };
}

/** The lapses of the leases that stand on these keys, as a sweep lists them. */
export function lapsesOf(...keys: Key[]): Lapse[] {
  return keys.map(({ keyId, lease }) => ({ keyId, leaseId: lease?.id ?? 'none' }));
}

/** The seats of POOL, as a creation at `now` counts them. */
export function makeSeats(maxKeys: number, now = NOW, differing: Partial<Seats> = {}): Seats {
  return {
    name: NAME,
    generation: GENERATION,
    maxKeys,
    now,
    expiredBefore: now - TOLERANCE_MS,
    countFormerFree: false,
    ...differing,
  };
}

/** What the key remembers when its lease has ended. */
export function lastLeaseOf(key: Key, reason: 'released' | 'lapsed' | 'unblocked' | 'deleted') {
  const { id, clientId } = leaseOf(key);
  return { id, clientId, reason };
}

/** The key as it is once its lease is over. */
export function withoutLease({ lease: _, ...key }: Key): Key {
  return key;
}

export function leaseOf(key: Key): KeyLease {
  if (key.lease === undefined) throw new Error(`No lease stands on ${key.keyId}`);
  return key.lease;
}

/** A leased key as somebody saw it before it changed. */
export const NO_LONGER: Record<string, (key: Key) => Key> = {
  'with an earlier freeAt': (key) => ({ ...key, freeAt: key.freeAt - 1 }),
  'with a later freeAt': (key) => ({ ...key, freeAt: key.freeAt + 1 }),
  'with a smaller fencing token': (key) => ({ ...key, fencingToken: key.fencingToken - 1 }),
  'with a greater fencing token': (key) => ({ ...key, fencingToken: key.fencingToken + 1 }),
  'with another lease': (key) => ({ ...key, lease: makeClaim(NOW).lease }),
  'without a lease': (key) => withoutLease(key),
  'in another state': (key) => ({ ...key, state: 'free' }),
  'under another id': (key) => ({ ...key, keyId: 'another key' }),
};

/** Creates the keys, without a limit. */
export async function addKeys(store: Store, keys: readonly Key[]): Promise<void> {
  assert.equal(await store.keys.create(keys, null), 'created');
}

/** Creates one key. */
export async function addKey(store: Store, differing: Partial<Key> = {}): Promise<Key> {
  const key = makeKey(differing);
  await addKeys(store, [key]);
  return key;
}

/** Creates one key, and leases it at NOW. */
export async function addLeasedKey(
  store: Store,
  differing: Partial<Key> = {},
  claim: Partial<Claim> & { clientId?: string } = {},
): Promise<Key> {
  const key = await addKey(store, differing);
  return expectKey(await store.keys.reclaim(key, makeClaim(NOW, { pool: key.pool, ...claim })));
}

/** The key that a verb returned. */
export function expectKey(result: ClaimResult | 'seat_taken'): Key {
  if (result === null || typeof result === 'string') throw new Error(`Expected a key, not ${result}`);
  return result;
}

/** The key as it is stored. */
export async function stored(store: Store, key: { keyId: string }): Promise<Key> {
  return expectKey(await store.keys.getStored(key.keyId));
}

/** The keys of all pages, which must lead through the pool in the order of slots, without a repeat. */
export async function listAll(
  store: Store,
  page: Omit<KeyPage, 'limit'> & { limit?: number },
): Promise<Key[]> {
  const all: Key[] = [];
  for (let after = page.after; ; ) {
    const { limit = 1000 } = page;
    const { keys, next } = await store.keys.list({ ...page, limit, after });
    assert(keys.length <= limit);
    all.push(...keys);
    if (next === undefined) break;
    assert(next > (after ?? -1));
    after = next;
  }
  return all;
}
