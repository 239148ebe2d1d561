import { describe, expect, it } from 'vitest';
import {
  ALL_SLOTS,
  addKey,
  addKeys,
  addLeasedKey,
  expectKey,
  FREE_AGAIN,
  KEY_LIFE_MS,
  LEASE_END,
  lastLeaseOf,
  makeClaim,
  makeKey,
  makeRelease,
  NOW,
  OTHER_POOL,
  POOL,
  SECOND,
  stored,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

export function describeClaim(makeStore: MakeStore): void {
  describe('claim', () => {
    const test = useStore(makeStore);

    it('leases a free key, refreshes it and raises its fencing token', async () => {
      const key = await addKey(test.store, { value: 'secret' });
      const claim = makeClaim(NOW + SECOND, { requestHash: 'hash', requestBody: 'body' });
      const claimed = await test.store.keys.claim(claim, ALL_SLOTS);
      expect(claimed).toEqual({
        ...key,
        state: 'leased',
        lease: claim.lease,
        freeAt: claim.freeAt,
        expiresAt: claim.keyExpiresAt,
        fencingToken: key.fencingToken + 1,
        requestHash: 'hash',
        requestBody: 'body',
      });
      expect(await stored(test.store, key)).toEqual(claimed);
    });

    it('keeps the holder that the client gave', async () => {
      const key = await addKey(test.store);
      const { lease } = makeClaim(NOW);
      await test.store.keys.claim(makeClaim(NOW, { lease: { ...lease, holder: 'host 7' } }), ALL_SLOTS);
      expect((await stored(test.store, key)).lease).toEqual({ ...lease, holder: 'host 7' });
    });

    it('takes a key of its range of slots only, from the first up to the last, which is left out', async () => {
      await addKeys(test.store, [makeKey({ slot: 0.2 }), makeKey({ slot: 0.6 })]);
      const claim = (from: number, to: number) => test.store.keys.claim(makeClaim(NOW), { from, to });
      expect(await claim(0.3, 0.6)).toBeNull();
      expect(expectKey(await claim(0.6, 1.6)).slot).toBe(0.6);
      expect(await claim(0.3, 1.3)).toBeNull();
      expect(await claim(0, 0.2)).toBeNull();
      expect(expectKey(await claim(0.1, 0.3)).slot).toBe(0.2);
    });

    it('answers null in an empty pool, whatever other pools hold', async () => {
      await addKey(test.store, { pool: OTHER_POOL });
      expect(await test.store.keys.claim(makeClaim(NOW), ALL_SLOTS)).toBeNull();
    });

    it('leaves a leased key alone', async () => {
      const key = await addLeasedKey(test.store);
      expect(await test.store.keys.claim(makeClaim(NOW), ALL_SLOTS)).toBeNull();
      expect(await stored(test.store, key)).toEqual(key);
    });

    it('leaves a key alone that is free only later', async () => {
      await addKey(test.store, { freeAt: NOW + SECOND });
      expect(await test.store.keys.claim(makeClaim(NOW + SECOND - 1), ALL_SLOTS)).toBeNull();
      expectKey(await test.store.keys.claim(makeClaim(NOW + SECOND), ALL_SLOTS));
    });

    it('leaves a lapsed key to reclaim, which records the lapse', async () => {
      const key = await addLeasedKey(test.store);
      expect(await test.store.keys.claim(makeClaim(FREE_AGAIN), ALL_SLOTS)).toBeNull();
      expect(await stored(test.store, key)).toEqual(key);
    });

    it('never serves an expired key, with no sweep', async () => {
      await addKey(test.store, { expiresAt: NOW + SECOND });
      expect(await test.store.keys.claim(makeClaim(NOW + SECOND), ALL_SLOTS)).toBeNull();
      expectKey(await test.store.keys.claim(makeClaim(NOW + SECOND - 1), ALL_SLOTS));
    });

    it('never serves a deleted key', async () => {
      const key = await addKey(test.store);
      await test.store.keys.delete(key, NOW + KEY_LIFE_MS);
      expect(await test.store.keys.claim(makeClaim(NOW), ALL_SLOTS)).toBeNull();
    });

    it('never shortens the life of the key', async () => {
      const { expiresAt } = await addKey(test.store, { expiresAt: NOW + 2 * KEY_LIFE_MS });
      expect(expectKey(await test.store.keys.claim(makeClaim(NOW), ALL_SLOTS)).expiresAt).toBe(expiresAt);
    });

    it('remembers how the lease before ended', async () => {
      const first = await addLeasedKey(test.store);
      await test.store.keys.release(makeRelease(first, NOW));
      const second = expectKey(await test.store.keys.claim(makeClaim(NOW), ALL_SLOTS));
      expect(second.lastLease).toEqual(lastLeaseOf(first, 'released'));
    });

    it('drops the request hash of the lease before', async () => {
      const first = await addLeasedKey(test.store, {}, { requestHash: 'hash', requestBody: 'body' });
      await test.store.keys.release(makeRelease(first, NOW));
      const second = expectKey(await test.store.keys.claim(makeClaim(NOW), ALL_SLOTS));
      expect([second.requestHash, second.requestBody]).toEqual([undefined, undefined]);
      expect(await test.store.keys.confirmRequest('hash')).toBeNull();
    });

    it('gives every key once, to as many as ask at once', async () => {
      const keys = Array.from({ length: 20 }, (_, i) => makeKey({ slot: i / 20 }));
      await addKeys(test.store, keys);
      const stores = [test.store, await test.another()];
      const claimed = await Promise.all(
        Array.from({ length: 30 }, () => makeClaim(NOW)).map((claim, i) =>
          stores[i % 2]?.keys.claim(claim, ALL_SLOTS),
        ),
      );
      const got = claimed.filter((key) => key != null).map((key) => expectKey(key).keyId);
      expect(new Set(got).size).toBe(got.length);
      expect(got).toHaveLength(20);
    });
  });

  describe('claim with a request hash', () => {
    const test = useStore(makeStore);
    const requestHash = 'hash of client and idempotency key';

    it('answers "repeated" and writes nothing when another key carries the hash', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash });
      const free = await addKey(test.store);
      expect(await test.store.keys.claim(makeClaim(NOW, { requestHash }), ALL_SLOTS)).toBe('repeated');
      expect(await stored(test.store, free)).toEqual(free);
      expect(await test.store.keys.confirmRequest(requestHash)).toEqual(key);
    });

    it('answers "repeated" across pools, too', async () => {
      await addLeasedKey(test.store, { pool: OTHER_POOL }, { requestHash });
      await addKey(test.store);
      expect(await test.store.keys.claim(makeClaim(NOW, { requestHash }), ALL_SLOTS)).toBe('repeated');
    });

    it('never leases the key again that still carries the hash after its lease', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash });
      await test.store.keys.release(makeRelease(key, NOW));
      expect(await test.store.keys.claim(makeClaim(NOW, { requestHash }), ALL_SLOTS)).toBeNull();
      expect(await test.store.keys.confirmRequest(requestHash)).toMatchObject({ state: 'free' });
      expectKey(await test.store.keys.claim(makeClaim(NOW, { requestHash: 'another hash' }), ALL_SLOTS));
    });

    it('is free to use the hash again once its key was acquired by somebody else', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash });
      await test.store.keys.release(makeRelease(key, NOW));
      expectKey(await test.store.keys.claim(makeClaim(NOW), ALL_SLOTS));
      await addKey(test.store);
      expectKey(await test.store.keys.claim(makeClaim(NOW, { requestHash }), ALL_SLOTS));
    });

    it('gives one lease to one request that is sent many times at once', async () => {
      await addKeys(
        test.store,
        Array.from({ length: 12 }, (_, i) => makeKey({ slot: i / 12 })),
      );
      const stores = [test.store, await test.another()];
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          stores[i % 2]?.keys.claim(makeClaim(NOW, { requestHash }), { from: ((i * 5) % 12) / 12, to: 1 }),
        ),
      );
      // The others met it on another key, or found nothing but the key that carries it.
      expect(results.filter((result) => result !== 'repeated' && result !== null)).toHaveLength(1);
      expect(await test.store.keys.count({ pool: POOL, now: NOW, limit: 100 })).toMatchObject({
        leased: 1,
        free: 11,
      });
    });
  });

  describe('confirmRequest', () => {
    const test = useStore(makeStore);

    it('answers null for a hash that no key carries', async () => {
      await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      expect(await test.store.keys.confirmRequest('another hash')).toBeNull();
    });

    it('changes nothing, and still finds the key of a lease that has lapsed', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash', requestBody: 'body' });
      expect(await test.store.keys.confirmRequest('hash')).toEqual(key);
      await test.store.keys.recordLapse({ keyId: key.keyId, leaseId: key.lease?.id ?? '', now: LEASE_END });
      const lapsed = await stored(test.store, key);
      expect(await test.store.keys.confirmRequest('hash')).toEqual(lapsed);
      expect(lapsed.lastLease).toEqual(lastLeaseOf(key, 'lapsed'));
    });
  });
  describe('measureSlots', () => {
    const test = useStore(makeStore);
    const measure = (keys: number) => test.store.keys.measureSlots({ pool: POOL, keys });

    it('tells up to which slot so many keys lie that are stored as free, dead ones among them', async () => {
      await addKeys(test.store, [
        makeKey({ slot: 0.1 }),
        makeKey({ slot: 0.3, expiresAt: NOW }),
        makeKey({ slot: 0.2, freeAt: NOW + SECOND }),
        makeKey({ slot: 0.05, pool: OTHER_POOL }),
      ]);
      await addLeasedKey(test.store, { slot: 0.15 });
      await test.store.keys.delete(await addKey(test.store, { slot: 0.16 }), NOW + SECOND);
      expect(await Promise.all([1, 2, 3].map(measure))).toEqual([0.1, 0.2, 0.3]);
    });

    it('tells that they lie anywhere where there are fewer', async () => {
      await addKey(test.store, { slot: 0.1 });
      expect(await measure(2)).toBe(1);
      await addLeasedKey(test.store, { slot: 0.2 });
      expect(await measure(2)).toBe(1);
    });
  });
}
