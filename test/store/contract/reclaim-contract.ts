import { describe, expect, it } from 'vitest';
import { persistently } from '../../domain/support/persistently.ts';
import {
  ALL_SLOTS,
  addKey,
  addKeys,
  addLeasedKey,
  expectKey,
  FREE_AGAIN,
  KEY_LIFE_MS,
  lapsesOf,
  lastLeaseOf,
  makeClaim,
  makeExtension,
  makeKey,
  makeRelease,
  NO_LONGER,
  NOW,
  OTHER_POOL,
  POOL,
  SECOND,
  stored,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

export function describeReclaim(makeStore: MakeStore): void {
  describe('listClaimable', () => {
    const test = useStore(makeStore);
    const at = (now: number, limit = 16) => ({ pool: POOL, now, limit });
    const listAt = (now: number, limit?: number) => test.store.keys.listClaimable(at(now, limit));

    it('returns the keys that are free by now, of any stored state, the last used first', async () => {
      const late = await addKey(test.store, { freeAt: NOW });
      await addKey(test.store, { freeAt: FREE_AGAIN + 1 });
      const lapsed = await addLeasedKey(test.store);
      const early = await addKey(test.store, { freeAt: NOW - SECOND });
      const found = await listAt(FREE_AGAIN);
      expect(found.keys).toEqual([lapsed, late, early]);
      expect(found.nextFreeAt).toBeUndefined();
      expect((await listAt(FREE_AGAIN - 1)).keys).toEqual([late, early]);
    });

    it('returns no more than the limit', async () => {
      const leased = await addLeasedKey(test.store);
      await addKeys(
        test.store,
        Array.from({ length: 40 }, (_, i) => makeKey({ freeAt: NOW - i, slot: i / 40 })),
      );
      const { keys } = await listAt(FREE_AGAIN, 5);
      expect(keys.map(({ freeAt }) => NOW - freeAt)).toEqual([NOW - leased.freeAt, 0, 1, 2, 3]);
      expect((await listAt(NOW, 5)).keys.map(({ freeAt }) => NOW - freeAt)).toEqual([0, 1, 2, 3, 4]);
      expect((await listAt(NOW, 100)).keys).toHaveLength(40);
    });

    it('tells when the next key is free where none is, whether it is leased or cools', async () => {
      const leased = await addLeasedKey(test.store);
      expect(await listAt(NOW)).toEqual({ keys: [], nextFreeAt: FREE_AGAIN });
      await addKey(test.store, { freeAt: FREE_AGAIN + 1 });
      expect(await listAt(NOW)).toEqual({ keys: [], nextFreeAt: FREE_AGAIN });
      await addKey(test.store, { freeAt: NOW + 1 });
      expect(await listAt(NOW)).toEqual({ keys: [], nextFreeAt: NOW + 1 });
      await test.store.keys.release(makeRelease(leased, NOW));
      expect((await listAt(NOW)).keys.map(({ keyId }) => keyId)).toEqual([leased.keyId]);
    });

    it('leaves out expired, deleted and other pools’ keys', async () => {
      await addKey(test.store, { expiresAt: NOW });
      await addLeasedKey(test.store, { pool: OTHER_POOL });
      await addKey(test.store, { pool: OTHER_POOL });
      await test.store.keys.delete(await addKey(test.store), NOW + KEY_LIFE_MS);
      await test.store.keys.delete(await addLeasedKey(test.store), FREE_AGAIN);
      expect(await listAt(NOW)).toEqual({ keys: [] });
      const lapsed = await addLeasedKey(test.store);
      expect(await listAt(lapsed.expiresAt)).toEqual({ keys: [] });
    });

    it('finds a living key behind many dead ones', async () => {
      const dead = Array.from({ length: 400 }, () => makeKey({ expiresAt: NOW, freeAt: NOW - SECOND }));
      await addKeys(test.store, dead);
      const living = await addKey(test.store, { freeAt: NOW - 2 * SECOND });
      expect((await listAt(NOW)).keys).toEqual([living]);
    });

    it('finds a key throughout, while its lapse is recorded', async () => {
      const sweeping = await test.another();
      for (let round = 0; round < 20; round++) {
        const key = await addLeasedKey(test.store, { pool: `${POOL}-${round}` });
        const { keyId, pool } = key;
        const looks = Array.from({ length: 6 }, async (_, i) => {
          if (i === 3) await sweeping.keys.recordLapses({ lapses: lapsesOf(key), now: FREE_AGAIN });
          return persistently(() => test.store.keys.listClaimable({ ...at(FREE_AGAIN), pool }));
        });
        for (const { keys } of await Promise.all(looks))
          expect(keys.map((key) => key.keyId)).toEqual([keyId]);
      }
    });

    it('leaves out the key that carries the same request hash', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      const list = (requestHash: string) => test.store.keys.listClaimable({ ...at(FREE_AGAIN), requestHash });
      expect(await list('hash')).toEqual({ keys: [] });
      expect((await list('another hash')).keys).toEqual([key]);
      await test.store.keys.release(makeRelease(key, NOW));
      expect(await list('hash')).toEqual({ keys: [] });
      expect((await list('another hash')).keys).toEqual([await stored(test.store, key)]);
    });
  });

  describe('reclaim', () => {
    const test = useStore(makeStore);

    it('leases exactly the key that was found', async () => {
      await addKeys(test.store, [makeKey(), makeKey()]);
      const found = await addKey(test.store, { slot: 0.9 });
      const claim = makeClaim(NOW, { requestHash: 'hash', requestBody: 'body' });
      expect(await test.store.keys.reclaim(found, claim)).toEqual({
        ...found,
        state: 'leased',
        lease: claim.lease,
        freeAt: claim.freeAt,
        expiresAt: claim.keyExpiresAt,
        fencingToken: found.fencingToken + 1,
        requestHash: 'hash',
        requestBody: 'body',
      });
    });

    it('takes over from a lease that no sweep has recorded, and remembers it as lapsed', async () => {
      const found = await addLeasedKey(test.store, {}, { requestHash: 'old', requestBody: 'old' });
      const claim = makeClaim(FREE_AGAIN);
      const key = expectKey(await test.store.keys.reclaim(found, claim));
      expect(key.lease).toEqual(claim.lease);
      expect(key.lastLease).toEqual(lastLeaseOf(found, 'lapsed'));
      expect(key.fencingToken).toBe(found.fencingToken + 1);
      expect([key.requestHash, key.requestBody]).toEqual([undefined, undefined]);
    });

    it('remembers the lease before where none stands on the key', async () => {
      const first = await addLeasedKey(test.store);
      await test.store.keys.release(makeRelease(first, NOW));
      const key = expectKey(await test.store.keys.reclaim(await stored(test.store, first), makeClaim(NOW)));
      expect(key.lastLease).toEqual(lastLeaseOf(first, 'released'));
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
      expect(await stored(test.store, found)).toEqual(found);
    });

    it('refuses a key that no longer stands as found', async () => {
      const found = await addLeasedKey(test.store);
      for (const otherwise of Object.values(NO_LONGER)) {
        expect(await test.store.keys.reclaim(otherwise(found), makeClaim(FREE_AGAIN))).toBeNull();
      }
      expect(await stored(test.store, found)).toEqual(found);
    });

    it('refuses a key that was leased and released since it was found free', async () => {
      const found = await addKey(test.store);
      await test.store.keys.release(
        makeRelease(expectKey(await test.store.keys.claim(makeClaim(NOW), ALL_SLOTS)), NOW),
      );
      const now = await stored(test.store, found);
      expect(now).toMatchObject({ freeAt: found.freeAt, state: found.state });
      expect(await test.store.keys.reclaim(found, makeClaim(NOW))).toBeNull();
      expect(await stored(test.store, found)).toEqual(now);
    });

    it('refuses a key that was extended, deleted or leased since', async () => {
      const found = await addLeasedKey(test.store);
      const extended = expectKey(await test.store.keys.extend(makeExtension(found, NOW + SECOND)));
      expect(await test.store.keys.reclaim(found, makeClaim(FREE_AGAIN))).toBeNull();
      const late = FREE_AGAIN + SECOND;
      const taken = expectKey(await test.store.keys.reclaim(extended, makeClaim(late)));
      expect(await test.store.keys.reclaim(extended, makeClaim(late))).toBeNull();
      expect(await stored(test.store, found)).toEqual(taken);
      await test.store.keys.delete(taken, taken.freeAt);
      expect(await test.store.keys.reclaim(taken, makeClaim(taken.freeAt))).toBeNull();
    });

    it('refuses a key that is not free yet', async () => {
      const found = await addLeasedKey(test.store);
      expect(await test.store.keys.reclaim(found, makeClaim(FREE_AGAIN - 1))).toBeNull();
      expect(await stored(test.store, found)).toEqual(found);
      expectKey(await test.store.keys.reclaim(found, makeClaim(FREE_AGAIN)));
    });

    it('refuses a key of another pool', async () => {
      const found = await addKey(test.store, { pool: OTHER_POOL });
      expect(await test.store.keys.reclaim(found, makeClaim(NOW))).toBeNull();
      expect(await stored(test.store, found)).toEqual(found);
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
      expect(await stored(test.store, key)).toEqual(found);
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
