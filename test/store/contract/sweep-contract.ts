import { describe, expect, it } from 'vitest';
import { poolReference } from '../../../shared/domain/pool.ts';
import {
  addKey,
  addKeys,
  addLeasedKey,
  FREE_AGAIN,
  KEY_LIFE_MS,
  LEASE_END,
  lastLeaseOf,
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

export function describeSweeps(makeStore: MakeStore): void {
  describe('findLapsed', () => {
    const test = useStore(makeStore);

    it('answers the keys of the pools on which a lapsed lease stands, once they are free', async () => {
      const here = await addLeasedKey(test.store);
      const there = await addLeasedKey(test.store, { pool: OTHER_POOL });
      await addLeasedKey(test.store, { pool: poolReference({ name: 'third', generation: 1 }) });
      await addKey(test.store);
      const findAt = async (now: number) =>
        (await test.store.keys.findLapsed({ pools: [POOL, OTHER_POOL], now, limit: 10 })).toSorted((a, b) =>
          a.keyId < b.keyId ? -1 : 1,
        );
      expect(await findAt(FREE_AGAIN - 1)).toStrictEqual([]);
      const expected = [here, there].map(({ keyId, pool }) => ({ keyId, pool }));
      expect(await findAt(FREE_AGAIN)).toStrictEqual(
        expected.toSorted((a, b) => (a.keyId < b.keyId ? -1 : 1)),
      );
    });

    it('leaves out leases that ended otherwise or were extended', async () => {
      const released = await addLeasedKey(test.store);
      await test.store.keys.release(makeRelease(released, NOW));
      const unblocked = await addLeasedKey(test.store);
      await test.store.keys.unblock(unblocked, unblocked.freeAt);
      const extended = await addLeasedKey(test.store);
      await test.store.keys.extend(makeExtension(extended, LEASE_END - 1));
      expect(await test.store.keys.findLapsed({ pools: [POOL], now: FREE_AGAIN, limit: 10 })).toStrictEqual(
        [],
      );
    });

    it('finds those that have hard-expired, too, so that their lapse is recorded first', async () => {
      const key = await addLeasedKey(test.store);
      const query = { pools: [POOL], now: key.expiresAt + SECOND, limit: 10 };
      expect(await test.store.keys.findLapsed(query)).toHaveLength(1);
    });

    it('answers no more than the limit, and nothing for no pools', async () => {
      for (let i = 0; i < 4; i++) await addLeasedKey(test.store);
      const query = { pools: [POOL], now: FREE_AGAIN, limit: 3 };
      expect(await test.store.keys.findLapsed(query)).toHaveLength(3);
      expect(await test.store.keys.findLapsed({ ...query, pools: [] })).toStrictEqual([]);
    });
  });

  describe('recordLapses', () => {
    const test = useStore(makeStore);

    it('frees the keys whose lease has lapsed, and leaves the others alone', async () => {
      const lapsed = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      const live = await addLeasedKey(test.store);
      const extended = await test.store.keys.extend(makeExtension(live, LEASE_END - 1));
      const free = await addKey(test.store);
      const notAsked = await addLeasedKey(test.store);
      const keyIds = [lapsed.keyId, live.keyId, free.keyId, 'unknown'];
      expect(await test.store.keys.recordLapses({ keyIds, now: LEASE_END - 1 })).toBe(0);
      expect(await test.store.keys.recordLapses({ keyIds, now: LEASE_END })).toBe(1);
      expect(await stored(test.store, lapsed)).toStrictEqual({
        ...withoutLease(lapsed),
        state: 'free',
        lastLease: lastLeaseOf(lapsed, 'lapsed'),
      });
      expect(await stored(test.store, live)).toStrictEqual(extended);
      expect(await stored(test.store, free)).toStrictEqual(free);
      expect(await stored(test.store, notAsked)).toStrictEqual(notAsked);
      expect(await test.store.keys.recordLapses({ keyIds, now: LEASE_END })).toBe(0);
    });

    it('accepts no keys at all', async () => {
      expect(await test.store.keys.recordLapses({ keyIds: [], now: NOW })).toBe(0);
    });

    it('counts each lapse once, however many sweep at once', async () => {
      const keyIds: string[] = [];
      for (let i = 0; i < 20; i++) keyIds.push((await addLeasedKey(test.store)).keyId);
      const stores = [test.store, await test.another()];
      const counts = await Promise.all(
        stores.map((store) => store.keys.recordLapses({ keyIds, now: FREE_AGAIN })),
      );
      expect(counts.reduce((sum, count) => sum + count)).toBe(20);
    });
  });

  describe('removeExpired', () => {
    const test = useStore(makeStore);

    it('removes keys from their hard expiration on, deleted ones from their freeAt on', async () => {
      const expired = await addKey(test.store, { expiresAt: NOW + SECOND });
      const deleted = await addLeasedKey(test.store);
      await test.store.keys.delete(deleted, NOW + SECOND);
      const living = await addKey(test.store, { expiresAt: NOW + SECOND + 1 });
      expect(await test.store.keys.removeExpired({ now: NOW + SECOND - 1, limit: 10 })).toBe(0);
      expect(await test.store.keys.removeExpired({ now: NOW + SECOND, limit: 10 })).toBe(2);
      expect(await test.store.keys.recall(expired.keyId)).toBeNull();
      expect(await test.store.keys.recall(deleted.keyId)).toBeNull();
      expect(await stored(test.store, living)).toStrictEqual(living);
    });

    it('removes no more than the limit at a time', async () => {
      await addKeys(
        test.store,
        Array.from({ length: 5 }, () => makeKey()),
      );
      const query = { now: NOW + KEY_LIFE_MS, limit: 3 };
      expect(await test.store.keys.removeExpired(query)).toBe(3);
      expect(await test.store.keys.removeExpired(query)).toBe(2);
      expect(await test.store.keys.removeExpired(query)).toBe(0);
    });
  });

  describe('removeGenerations', () => {
    const test = useStore(makeStore);

    it('removes the keys of earlier generations of this pool, in whatever state', async () => {
      const reference = (name: string, generation: number) => poolReference({ name, generation });
      const old = await addKey(test.store, { pool: reference('build', 9) });
      const oldLeased = await addLeasedKey(test.store, { pool: reference('build', 10) });
      const oldDeleted = await addKey(test.store, { pool: reference('build', 10) });
      await test.store.keys.delete(oldDeleted, NOW + KEY_LIFE_MS);
      const kept = [
        await addKey(test.store, { pool: reference('build', 11) }),
        await addKey(test.store, { pool: reference('build', 100) }),
        // Names that sort beside it.
        await addKey(test.store, { pool: reference('build-2', 9) }),
        await addKey(test.store, { pool: reference('build.2', 9) }),
        await addKey(test.store, { pool: reference('build0', 9) }),
        await addKey(test.store, { pool: reference('buil', 9) }),
      ];
      const query = { name: 'build', before: 11, limit: 10 };
      expect(await test.store.keys.removeGenerations(query)).toBe(3);
      for (const key of [old, oldLeased, oldDeleted]) {
        expect(await test.store.keys.recall(key.keyId)).toBeNull();
      }
      for (const key of kept) expect(await stored(test.store, key)).toStrictEqual(key);
    });

    it('removes no more than the limit at a time', async () => {
      await addKeys(
        test.store,
        Array.from({ length: 5 }, () => makeKey({ pool: OTHER_POOL })),
      );
      const query = { name: 'other', before: 8, limit: 3 };
      expect(await test.store.keys.removeGenerations(query)).toBe(3);
      expect(await test.store.keys.removeGenerations(query)).toBe(2);
      expect(await test.store.keys.removeGenerations(query)).toBe(0);
    });
  });
}
