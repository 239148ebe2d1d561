import { describe, expect, it } from 'vitest';
import {
  addKey,
  addKeys,
  addLeasedKey,
  expectKey,
  FREE_AGAIN,
  KEY_LIFE_MS,
  lastLeaseOf,
  makeClaim,
  makeExtension,
  makeKey,
  makeRelease,
  NOW,
  OTHER_POOL,
  POOL,
  SECOND,
  stored,
  withoutLease,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

export function describeReclaim(makeStore: MakeStore): void {
  describe('findClaimable', () => {
    const test = useStore(makeStore);
    const idsOf = (keys: readonly { keyId: string }[]) => keys.map((key) => key.keyId);

    it('answers keys of any stored state, the soonest free first', async () => {
      const late = await addKey(test.store, { freeAt: NOW + 9 * SECOND });
      const leased = await addLeasedKey(test.store);
      const soon = await addKey(test.store, { freeAt: NOW - SECOND });
      const found = await test.store.keys.findClaimable({ pool: POOL, now: NOW, limit: 16 });
      expect(idsOf(found)).toStrictEqual([soon.keyId, late.keyId, leased.keyId]);
      expect(found[2]).toStrictEqual(leased);
    });

    it('answers no more than the limit, and the soonest of all', async () => {
      await addKeys(
        test.store,
        Array.from({ length: 40 }, (_, i) => makeKey({ freeAt: NOW + 40 - i, slot: i / 40 })),
      );
      const leased = await addLeasedKey(test.store);
      const found = await test.store.keys.findClaimable({ pool: POOL, now: NOW, limit: 5 });
      expect(found.map((key) => key.freeAt - NOW)).toStrictEqual([1, 2, 3, 4, 5]);
      const later = await test.store.keys.findClaimable({ pool: POOL, now: NOW, limit: 41 });
      expect(later.at(-1)?.keyId).toBe(leased.keyId);
    });

    it('leaves out expired, deleted and other pools’ keys', async () => {
      await addKey(test.store, { expiresAt: NOW });
      await addKey(test.store, { pool: OTHER_POOL });
      await test.store.keys.delete(await addKey(test.store), NOW + KEY_LIFE_MS);
      expect(await test.store.keys.findClaimable({ pool: POOL, now: NOW, limit: 16 })).toStrictEqual([]);
    });

    it('leaves out the key that carries the same request hash', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      const query = { pool: POOL, now: FREE_AGAIN, limit: 16 };
      expect(await test.store.keys.findClaimable({ ...query, requestHash: 'hash' })).toStrictEqual([]);
      expect(idsOf(await test.store.keys.findClaimable(query))).toStrictEqual([key.keyId]);
      const other = await test.store.keys.findClaimable({ ...query, requestHash: 'another hash' });
      expect(idsOf(other)).toStrictEqual([key.keyId]);
    });
  });

  describe('reclaim', () => {
    const test = useStore(makeStore);

    it('leases exactly the key that was found', async () => {
      await addKeys(test.store, [makeKey(), makeKey()]);
      const found = await addKey(test.store, { slot: 0.9 });
      const claim = makeClaim(NOW, { requestHash: 'hash' });
      expect(await test.store.keys.reclaim(found, claim)).toStrictEqual({
        ...found,
        state: 'leased',
        lease: claim.lease,
        freeAt: claim.freeAt,
        expiresAt: claim.keyExpiresAt,
        fencingToken: found.fencingToken + 1,
        requestHash: 'hash',
      });
    });

    it('takes over from a lease that no sweep has recorded, and remembers it as lapsed', async () => {
      const found = await addLeasedKey(test.store, {}, { requestHash: 'old' });
      const claim = makeClaim(FREE_AGAIN);
      const key = expectKey(await test.store.keys.reclaim(found, claim));
      expect(key.lease).toStrictEqual(claim.lease);
      expect(key.lastLease).toStrictEqual(lastLeaseOf(found, 'lapsed'));
      expect(key.fencingToken).toBe(found.fencingToken + 1);
      expect(key).not.toHaveProperty('requestHash');
    });

    it('remembers the lease before where none stands on the key', async () => {
      const first = await addLeasedKey(test.store);
      await test.store.keys.release(makeRelease(first, NOW));
      const key = expectKey(await test.store.keys.reclaim(await stored(test.store, first), makeClaim(NOW)));
      expect(key.lastLease).toStrictEqual(lastLeaseOf(first, 'released'));
    });

    it('never shortens the life of the key', async () => {
      const found = await addKey(test.store, { expiresAt: NOW + 2 * KEY_LIFE_MS });
      const key = expectKey(await test.store.keys.reclaim(found, makeClaim(NOW)));
      expect(key.expiresAt).toBe(found.expiresAt);
    });

    it('answers "repeated" and writes nothing when another key carries the request hash', async () => {
      await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      const found = await addKey(test.store);
      expect(await test.store.keys.reclaim(found, makeClaim(NOW, { requestHash: 'hash' }))).toBe('repeated');
      expect(await stored(test.store, found)).toStrictEqual(found);
    });

    it('refuses a key that no longer stands as found', async () => {
      const found = await addLeasedKey(test.store);
      const stale = [
        { ...found, state: 'free' as const },
        { ...found, freeAt: found.freeAt - 1 },
        { ...found, freeAt: found.freeAt + 1 },
        { ...found, lease: { ...makeClaim(NOW).lease } },
        withoutLease(found),
      ];
      for (const seen of stale) {
        expect(await test.store.keys.reclaim(seen, makeClaim(FREE_AGAIN))).toBeNull();
      }
      expect(await stored(test.store, found)).toStrictEqual(found);
    });

    it('refuses a key that was extended, deleted or leased since', async () => {
      const found = await addLeasedKey(test.store);
      const extended = expectKey(await test.store.keys.extend(makeExtension(found, NOW + SECOND)));
      expect(await test.store.keys.reclaim(found, makeClaim(FREE_AGAIN))).toBeNull();
      const late = FREE_AGAIN + SECOND;
      const taken = expectKey(await test.store.keys.reclaim(extended, makeClaim(late)));
      expect(await test.store.keys.reclaim(extended, makeClaim(late))).toBeNull();
      expect(await stored(test.store, found)).toStrictEqual(taken);
      await test.store.keys.delete(taken, taken.freeAt);
      expect(await test.store.keys.reclaim(taken, makeClaim(taken.freeAt))).toBeNull();
    });

    it('refuses a key that is not free yet', async () => {
      const found = await addLeasedKey(test.store);
      expect(await test.store.keys.reclaim(found, makeClaim(FREE_AGAIN - 1))).toBeNull();
      expect(await stored(test.store, found)).toStrictEqual(found);
      expectKey(await test.store.keys.reclaim(found, makeClaim(FREE_AGAIN)));
    });

    it('refuses a key of another pool', async () => {
      const found = await addKey(test.store, { pool: OTHER_POOL });
      expect(await test.store.keys.reclaim(found, makeClaim(NOW))).toBeNull();
      expect(await stored(test.store, found)).toStrictEqual(found);
    });

    it('refuses an expired key, with no sweep', async () => {
      const found = await addKey(test.store, { expiresAt: NOW + SECOND });
      expect(await test.store.keys.reclaim(found, makeClaim(NOW + SECOND))).toBeNull();
      expectKey(await test.store.keys.reclaim(found, makeClaim(NOW + SECOND - 1)));
    });

    it('refuses the key that carries the same request hash', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      await test.store.keys.release(makeRelease(key, NOW));
      const found = await stored(test.store, key);
      expect(await test.store.keys.reclaim(found, makeClaim(NOW, { requestHash: 'hash' }))).toBeNull();
      expect(await stored(test.store, key)).toStrictEqual(found);
    });

    it('gives a lapsed key to one of those who found it', async () => {
      const found = await addLeasedKey(test.store);
      const stores = [test.store, await test.another()];
      const results = await Promise.all(
        Array.from({ length: 16 }, (_, i) => stores[i % 2]?.keys.reclaim(found, makeClaim(FREE_AGAIN))),
      );
      expect(results.filter((key) => key !== null)).toHaveLength(1);
    });
  });
}
