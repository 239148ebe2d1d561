import { describe, expect, it } from 'vitest';
import type { Key } from '../../../shared/domain/key.ts';
import {
  addKey,
  addLeasedKey,
  expectKey,
  FREE_AGAIN,
  lastLeaseOf,
  makeClaim,
  makeExtension,
  makeRelease,
  NOW,
  POOL,
  SECOND,
  stored,
  withoutLease,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

/** The key as somebody saw it before it changed. */
const NO_LONGER: Record<string, (key: Key) => Key> = {
  'with an earlier freeAt': (key) => ({ ...key, freeAt: key.freeAt - 1 }),
  'with a later freeAt': (key) => ({ ...key, freeAt: key.freeAt + 1 }),
  'with another lease': (key) => ({ ...key, lease: makeClaim(NOW).lease }),
  'without a lease': (key) => withoutLease(key),
  'under another id': (key) => ({ ...key, keyId: 'another key' }),
};

export function describeEnds(makeStore: MakeStore): void {
  describe('unblock', () => {
    const test = useStore(makeStore);

    it('ends the lease; the key cools until the old deadline has passed', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      const unblocked = await test.store.keys.unblock(key, key.freeAt);
      expect(unblocked).toStrictEqual({
        ...withoutLease(key),
        state: 'free',
        lastLease: lastLeaseOf(key, 'unblocked'),
      });
      expect(await stored(test.store, key)).toStrictEqual(unblocked);
      expect(await test.store.keys.claim(makeClaim(FREE_AGAIN - 1), 0)).toBeNull();
      expectKey(await test.store.keys.claim(makeClaim(FREE_AGAIN), 0));
    });

    it('frees the key at once when told so', async () => {
      const key = await addLeasedKey(test.store);
      expect(await test.store.keys.unblock(key, NOW + SECOND)).toMatchObject({ freeAt: NOW + SECOND });
      expectKey(await test.store.keys.claim(makeClaim(NOW + SECOND), 0));
    });

    it('frees a key that only cools, and remembers the lease before', async () => {
      const leased = await addLeasedKey(test.store);
      const cooling = expectKey(await test.store.keys.unblock(leased, leased.freeAt));
      const freed = await test.store.keys.unblock(cooling, NOW);
      expect(freed).toStrictEqual({ ...cooling, freeAt: NOW });
    });

    it('leaves a key that never had a lease without one to remember', async () => {
      const key = await addKey(test.store, { freeAt: NOW + SECOND });
      expect(await test.store.keys.unblock(key, NOW)).toStrictEqual({ ...key, freeAt: NOW });
    });

    it.each(Object.keys(NO_LONGER))('refuses a key that was found %s', async (how) => {
      const key = await addLeasedKey(test.store);
      expect(await test.store.keys.unblock(NO_LONGER[how]?.(key) as Key, NOW)).toBeNull();
      expect(await stored(test.store, key)).toStrictEqual(key);
    });

    it('refuses a key that was extended since', async () => {
      const key = await addLeasedKey(test.store);
      const extended = await test.store.keys.extend(makeExtension(key, NOW + SECOND));
      expect(await test.store.keys.unblock(key, NOW)).toBeNull();
      expect(await stored(test.store, key)).toStrictEqual(extended);
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
      const taken = expectKey(await test.store.keys.claim(makeClaim(FREE_AGAIN), 0));
      expect(await test.store.keys.unblock(cooling, NOW)).toBeNull();
      expect(await stored(test.store, leased)).toStrictEqual(taken);
    });
  });

  describe('delete', () => {
    const test = useStore(makeStore);

    it('ends the lease, hides the key and drops its request hash', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      expect(await test.store.keys.delete(key, key.freeAt)).toBe(true);
      const { requestHash: _, ...rest } = withoutLease(key);
      expect(await stored(test.store, key)).toStrictEqual({
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
      expect((await stored(test.store, key)).lastLease).toStrictEqual(lastLeaseOf(key, 'released'));
    });

    it('hides the key everywhere at once, before any sweep', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      const { keys } = test.store;
      await keys.delete(key, key.freeAt);
      const at = { pool: POOL, now: NOW, limit: 10 };
      expect(await keys.find(key.keyId, NOW)).toBeNull();
      expect(await keys.list(at)).toStrictEqual([]);
      for (const state of ['free', 'leased', 'cooling'] as const) {
        expect(await keys.list({ ...at, state })).toStrictEqual([]);
      }
      expect(await keys.list({ ...at, search: key.keyId })).toStrictEqual([]);
      expect(await keys.listLeased({ clientId: 'client', now: NOW, limit: 10 })).toStrictEqual([]);
      expect(await keys.findClaimable(at)).toStrictEqual([]);
      expect(await keys.count(at)).toStrictEqual({ free: 0, leased: 0, cooling: 0 });
      expect(await keys.confirmRequest('hash')).toBeNull();
      expect(await keys.claim(makeClaim(FREE_AGAIN), 0)).toBeNull();
      expect(await keys.findLapsed({ pools: [POOL], now: FREE_AGAIN, limit: 10 })).toStrictEqual([]);
    });

    it.each(Object.keys(NO_LONGER))('refuses a key that was found %s', async (how) => {
      const key = await addLeasedKey(test.store);
      expect(await test.store.keys.delete(NO_LONGER[how]?.(key) as Key, NOW)).toBe(false);
      expect(await stored(test.store, key)).toStrictEqual(key);
    });

    it('refuses a key that was extended since', async () => {
      const key = await addLeasedKey(test.store);
      const extended = await test.store.keys.extend(makeExtension(key, NOW + SECOND));
      expect(await test.store.keys.delete(key, key.freeAt)).toBe(false);
      expect(await stored(test.store, key)).toStrictEqual(extended);
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
      expectKey(await test.store.keys.claim(makeClaim(NOW, { requestHash: 'hash' }), 0));
    });
  });
}
