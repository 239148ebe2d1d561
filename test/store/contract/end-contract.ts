import { describe, expect, it } from 'vitest';
import type { Key } from '../../../shared/domain/key.ts';
import {
  ALL_SLOTS,
  addKey,
  addLeasedKey,
  expectKey,
  FREE_AGAIN,
  lastLeaseOf,
  makeClaim,
  makeExtension,
  makeRelease,
  NO_LONGER,
  NOW,
  POOL,
  SECOND,
  stored,
  withoutLease,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

export function describeEnds(makeStore: MakeStore): void {
  describe('unblock', () => {
    const test = useStore(makeStore);

    it('ends the lease; the key cools until the old deadline has passed', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      const unblocked = await test.store.keys.unblock(key, key.freeAt);
      expect(unblocked).toEqual({
        ...withoutLease(key),
        state: 'free',
        lastLease: lastLeaseOf(key, 'unblocked'),
      });
      expect(await stored(test.store, key)).toEqual(unblocked);
      expect(await test.store.keys.claim(makeClaim(FREE_AGAIN - 1), ALL_SLOTS)).toBeNull();
      expectKey(await test.store.keys.claim(makeClaim(FREE_AGAIN), ALL_SLOTS));
    });

    it('frees the key at once when told so', async () => {
      const key = await addLeasedKey(test.store);
      expect(await test.store.keys.unblock(key, NOW + SECOND)).toMatchObject({ freeAt: NOW + SECOND });
      expectKey(await test.store.keys.claim(makeClaim(NOW + SECOND), ALL_SLOTS));
    });

    it('frees a key that only cools, and remembers the lease before', async () => {
      const leased = await addLeasedKey(test.store);
      const cooling = expectKey(await test.store.keys.unblock(leased, leased.freeAt));
      const freed = await test.store.keys.unblock(cooling, NOW);
      expect(freed).toEqual({ ...cooling, freeAt: NOW });
    });

    it('leaves a key that never had a lease without one to remember', async () => {
      const key = await addKey(test.store, { freeAt: NOW + SECOND });
      expect(await test.store.keys.unblock(key, NOW)).toEqual({ ...key, freeAt: NOW });
    });

    it.each(Object.keys(NO_LONGER))('refuses a key that was found %s', async (how) => {
      const key = await addLeasedKey(test.store);
      expect(await test.store.keys.unblock(NO_LONGER[how]?.(key) as Key, NOW)).toBeNull();
      expect(await stored(test.store, key)).toEqual(key);
    });

    it('refuses a key that was extended since', async () => {
      const key = await addLeasedKey(test.store);
      const extended = await test.store.keys.extend(makeExtension(key, NOW + SECOND));
      expect(await test.store.keys.unblock(key, NOW)).toBeNull();
      expect(await stored(test.store, key)).toEqual(extended);
    });

    it('leaves the next lease alone, though it looks like the one before but for its token', async () => {
      const key = await addKey(test.store);
      const first = expectKey(await test.store.keys.claim(makeClaim(NOW), ALL_SLOTS));
      await test.store.keys.release(makeRelease(first, NOW));
      const released = await stored(test.store, key);
      const second = expectKey(await test.store.keys.reclaim(released, makeClaim(NOW)));
      await test.store.keys.release(makeRelease(second, NOW));
      // Free, with the same freeAt, as it was before the second lease.
      expect(await test.store.keys.unblock(released, NOW + SECOND)).toBeNull();
      expect(await test.store.keys.delete(released, NOW + SECOND)).toBe(false);
      expect(await test.store.keys.get(key.keyId, NOW)).toMatchObject({ freeAt: released.freeAt });
    });

    it('refuses a deleted key, even one that stands as found', async () => {
      const key = await addKey(test.store);
      await test.store.keys.delete(key, key.freeAt);
      expect(await test.store.keys.unblock(key, key.freeAt)).toBeNull();
      expect(await stored(test.store, key)).toMatchObject({ state: 'deleted' });
    });

    it('refuses a key that was leased since it was found cooling', async () => {
      const leased = await addLeasedKey(test.store);
      const cooling = expectKey(await test.store.keys.unblock(leased, leased.freeAt));
      const taken = expectKey(await test.store.keys.claim(makeClaim(FREE_AGAIN), ALL_SLOTS));
      expect(await test.store.keys.unblock(cooling, NOW)).toBeNull();
      expect(await stored(test.store, leased)).toEqual(taken);
    });
  });

  describe('delete', () => {
    const test = useStore(makeStore);

    it('ends the lease, hides the key and drops its request hash', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash', requestBody: 'body' });
      expect(await test.store.keys.delete(key, key.freeAt)).toBe(true);
      const { requestHash: _, requestBody: __, ...rest } = withoutLease(key);
      expect(await stored(test.store, key)).toEqual({
        ...rest,
        state: 'deleted',
        expiresAt: key.freeAt,
        lastLease: lastLeaseOf(key, 'deleted'),
      });
    });

    it('remembers the lease before where none stands on the key', async () => {
      const key = await addLeasedKey(test.store);
      await test.store.keys.release(makeRelease(key, NOW));
      expect(await test.store.keys.delete(await stored(test.store, key), NOW)).toBe(true);
      expect((await stored(test.store, key)).lastLease).toEqual(lastLeaseOf(key, 'released'));
    });

    it('hides the key everywhere at once, before any sweep', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      const { keys } = test.store;
      await keys.delete(key, key.freeAt);
      const at = { pool: POOL, now: NOW, limit: 10 };
      expect(await keys.get(key.keyId, NOW)).toBeNull();
      for (const state of [undefined, 'free', 'leased', 'cooling'] as const) {
        expect(await keys.list({ ...at, state })).toEqual({ keys: [] });
      }
      expect(await keys.list({ ...at, search: key.keyId })).toEqual({ keys: [] });
      expect(await keys.listLeased({ clientId: 'client', limit: 10 })).toEqual([]);
      expect(await keys.listLeasingClients({ after: '', limit: 10 })).toEqual([]);
      expect(await keys.listClaimable({ ...at, now: FREE_AGAIN })).toEqual({ keys: [] });
      expect(await keys.count(at)).toEqual({ free: 0, leased: 0, cooling: 0, paused: 0 });
      expect(await keys.confirmRequest('hash')).toBeNull();
      expect(await keys.claim(makeClaim(FREE_AGAIN), ALL_SLOTS)).toBeNull();
      expect(await keys.listLapsed({ pools: [POOL], now: FREE_AGAIN, limit: 10 })).toEqual([]);
    });

    it.each(Object.keys(NO_LONGER))('refuses a key that was found %s', async (how) => {
      const key = await addLeasedKey(test.store);
      expect(await test.store.keys.delete(NO_LONGER[how]?.(key) as Key, NOW)).toBe(false);
      expect(await stored(test.store, key)).toEqual(key);
    });

    it('refuses a key that was extended since', async () => {
      const key = await addLeasedKey(test.store);
      const extended = await test.store.keys.extend(makeExtension(key, NOW + SECOND));
      expect(await test.store.keys.delete(key, key.freeAt)).toBe(false);
      expect(await stored(test.store, key)).toEqual(extended);
    });

    it('is done once', async () => {
      const key = await addKey(test.store);
      expect(await test.store.keys.delete(key, key.freeAt)).toBe(true);
      expect(await test.store.keys.delete(key, key.freeAt)).toBe(false);
      expect(await test.store.keys.delete(await stored(test.store, key), NOW + SECOND)).toBe(false);
    });

    it('lets the request be used again', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      await test.store.keys.delete(key, key.freeAt);
      await addKey(test.store);
      expectKey(await test.store.keys.claim(makeClaim(NOW, { requestHash: 'hash' }), ALL_SLOTS));
    });
  });
}
