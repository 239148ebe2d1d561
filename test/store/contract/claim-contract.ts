import { describe, expect, it } from 'vitest';
import {
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
      const claim = makeClaim(NOW + SECOND, { requestHash: 'hash' });
      const claimed = await test.store.keys.claim(claim, 0);
      expect(claimed).toStrictEqual({
        ...key,
        state: 'leased',
        lease: claim.lease,
        freeAt: claim.freeAt,
        expiresAt: claim.keyExpiresAt,
        fencingToken: key.fencingToken + 1,
        requestHash: 'hash',
      });
      expect(await stored(test.store, key)).toStrictEqual(claimed);
    });

    it('keeps the holder that the client gave', async () => {
      const key = await addKey(test.store);
      const { lease } = makeClaim(NOW);
      await test.store.keys.claim(makeClaim(NOW, { lease: { ...lease, holder: 'host 7' } }), 0);
      expect((await stored(test.store, key)).lease).toStrictEqual({ ...lease, holder: 'host 7' });
    });

    it('takes a key from the slot upwards only', async () => {
      await addKeys(test.store, [makeKey({ slot: 0.2 }), makeKey({ slot: 0.6 })]);
      expect(expectKey(await test.store.keys.claim(makeClaim(NOW), 0.6)).slot).toBe(0.6);
      expect(await test.store.keys.claim(makeClaim(NOW), 0.3)).toBeNull();
      expect(expectKey(await test.store.keys.claim(makeClaim(NOW), 0.1)).slot).toBe(0.2);
    });

    it('answers null in an empty pool, whatever other pools hold', async () => {
      await addKey(test.store, { pool: OTHER_POOL });
      expect(await test.store.keys.claim(makeClaim(NOW), 0)).toBeNull();
    });

    it('leaves a leased key alone', async () => {
      const key = await addLeasedKey(test.store);
      expect(await test.store.keys.claim(makeClaim(NOW), 0)).toBeNull();
      expect(await stored(test.store, key)).toStrictEqual(key);
    });

    it('leaves a key alone that is free only later', async () => {
      await addKey(test.store, { freeAt: NOW + SECOND });
      expect(await test.store.keys.claim(makeClaim(NOW + SECOND - 1), 0)).toBeNull();
      expectKey(await test.store.keys.claim(makeClaim(NOW + SECOND), 0));
    });

    it('leaves a lapsed key to reclaim, which records the lapse', async () => {
      const key = await addLeasedKey(test.store);
      expect(await test.store.keys.claim(makeClaim(FREE_AGAIN), 0)).toBeNull();
      expect(await stored(test.store, key)).toStrictEqual(key);
    });

    it('never serves an expired key, with no sweep', async () => {
      await addKey(test.store, { expiresAt: NOW + SECOND });
      expect(await test.store.keys.claim(makeClaim(NOW + SECOND), 0)).toBeNull();
      expectKey(await test.store.keys.claim(makeClaim(NOW + SECOND - 1), 0));
    });

    it('never serves a deleted key', async () => {
      const key = await addKey(test.store);
      await test.store.keys.delete(key, NOW + KEY_LIFE_MS);
      expect(await test.store.keys.claim(makeClaim(NOW), 0)).toBeNull();
    });

    it('never shortens the life of the key', async () => {
      const { expiresAt } = await addKey(test.store, { expiresAt: NOW + 2 * KEY_LIFE_MS });
      expect(expectKey(await test.store.keys.claim(makeClaim(NOW), 0)).expiresAt).toBe(expiresAt);
    });

    it('remembers how the lease before ended', async () => {
      const first = await addLeasedKey(test.store);
      await test.store.keys.release(makeRelease(first, NOW));
      const second = expectKey(await test.store.keys.claim(makeClaim(NOW), 0));
      expect(second.lastLease).toStrictEqual(lastLeaseOf(first, 'released'));
    });

    it('drops the request hash of the lease before', async () => {
      const first = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      await test.store.keys.release(makeRelease(first, NOW));
      expect(await test.store.keys.claim(makeClaim(NOW), 0)).not.toHaveProperty('requestHash');
      expect(await test.store.keys.confirmRequest('hash')).toBeNull();
    });

    it('gives every key once, to as many as ask at once', async () => {
      const keys = Array.from({ length: 20 }, (_, i) => makeKey({ slot: i / 20 }));
      await addKeys(test.store, keys);
      const stores = [test.store, await test.another()];
      const claimed = await Promise.all(
        Array.from({ length: 30 }, () => makeClaim(NOW)).map((claim, i) =>
          stores[i % 2]?.keys.claim(claim, 0),
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
      expect(await test.store.keys.claim(makeClaim(NOW, { requestHash }), 0)).toBe('repeated');
      expect(await stored(test.store, free)).toStrictEqual(free);
      expect(await test.store.keys.confirmRequest(requestHash)).toStrictEqual(key);
    });

    it('answers "repeated" across pools, too', async () => {
      await addLeasedKey(test.store, { pool: OTHER_POOL }, { requestHash });
      await addKey(test.store);
      expect(await test.store.keys.claim(makeClaim(NOW, { requestHash }), 0)).toBe('repeated');
    });

    it('never leases the key again that still carries the hash after its lease', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash });
      await test.store.keys.release(makeRelease(key, NOW));
      expect(await test.store.keys.claim(makeClaim(NOW, { requestHash }), 0)).toBeNull();
      expect(await test.store.keys.confirmRequest(requestHash)).toMatchObject({ state: 'free' });
      expectKey(await test.store.keys.claim(makeClaim(NOW, { requestHash: 'another hash' }), 0));
    });

    it('is free to use the hash again once its key was acquired by somebody else', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash });
      await test.store.keys.release(makeRelease(key, NOW));
      expectKey(await test.store.keys.claim(makeClaim(NOW), 0));
      await addKey(test.store);
      expectKey(await test.store.keys.claim(makeClaim(NOW, { requestHash }), 0));
    });

    it('gives one lease to one request that is sent many times at once', async () => {
      await addKeys(
        test.store,
        Array.from({ length: 12 }, (_, i) => makeKey({ slot: i / 12 })),
      );
      const stores = [test.store, await test.another()];
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          stores[i % 2]?.keys.claim(makeClaim(NOW, { requestHash }), ((i * 5) % 12) / 12),
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
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      expect(await test.store.keys.confirmRequest('hash')).toStrictEqual(key);
      await test.store.keys.recordLapse({ keyId: key.keyId, leaseId: key.lease?.id ?? '', now: LEASE_END });
      const lapsed = await stored(test.store, key);
      expect(await test.store.keys.confirmRequest('hash')).toStrictEqual(lapsed);
      expect(lapsed.lastLease).toStrictEqual(lastLeaseOf(key, 'lapsed'));
    });
  });
}
