import { describe, expect, it } from 'vitest';
import { type Key, NEVER_EXPIRES } from '../../../shared/domain/key.ts';
import { poolReference } from '../../../shared/domain/pool.ts';
import type { Lapse, Lifetime } from '../../../shared/domain/store.ts';
import {
  addKey,
  addKeys,
  addLeasedKey,
  FREE_AGAIN,
  KEY_LIFE_MS,
  LEASE_END,
  lapsesOf,
  lastLeaseOf,
  listAll,
  makeExtension,
  makeKey,
  makeRelease,
  NOW,
  OTHER_POOL,
  POOL,
  SECOND,
  stored,
  TOLERANCE_MS,
  withoutLease,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

export function describeSweeps(makeStore: MakeStore): void {
  describe('listLapsed', () => {
    const test = useStore(makeStore);

    it('returns the keys of the pools on which a lapsed lease stands, once they are free', async () => {
      const here = await addLeasedKey(test.store);
      const there = await addLeasedKey(test.store, { pool: OTHER_POOL });
      await addLeasedKey(test.store, { pool: poolReference({ name: 'third', generation: 1 }) });
      await addKey(test.store);
      const findAt = async (now: number) =>
        (await test.store.keys.listLapsed({ pools: [POOL, OTHER_POOL], now, limit: 10 })).toSorted((a, b) =>
          a.keyId < b.keyId ? -1 : 1,
        );
      expect(await findAt(FREE_AGAIN - 1)).toEqual([]);
      const expected = [here, there];
      expect(await findAt(FREE_AGAIN)).toEqual(expected.toSorted((a, b) => (a.keyId < b.keyId ? -1 : 1)));
    });

    it('leaves out leases that ended otherwise or were extended', async () => {
      const released = await addLeasedKey(test.store);
      await test.store.keys.release(makeRelease(released, NOW));
      const unblocked = await addLeasedKey(test.store);
      await test.store.keys.unblock(unblocked, unblocked.freeAt);
      const extended = await addLeasedKey(test.store);
      await test.store.keys.extend(makeExtension(extended, LEASE_END - 1));
      expect(await test.store.keys.listLapsed({ pools: [POOL], now: FREE_AGAIN, limit: 10 })).toEqual([]);
    });

    it('finds those that have hard-expired, too, so that their lapse is recorded first', async () => {
      const key = await addLeasedKey(test.store);
      const query = { pools: [POOL], now: key.expiresAt + SECOND, limit: 10 };
      expect(await test.store.keys.listLapsed(query)).toHaveLength(1);
    });

    it('returns no more than the limit, and nothing for no pools', async () => {
      for (let i = 0; i < 4; i++) await addLeasedKey(test.store);
      const query = { pools: [POOL], now: FREE_AGAIN, limit: 3 };
      expect(await test.store.keys.listLapsed(query)).toHaveLength(3);
      expect(await test.store.keys.listLapsed({ ...query, pools: [] })).toEqual([]);
    });
  });

  describe('noteSweep', () => {
    const test = useStore(makeStore);

    it('tells every store when the last sweep began, and lets a late note of an earlier one move nothing', async () => {
      const other = await test.another();
      expect(await other.getLastSweep()).toBeUndefined();
      await test.store.noteSweep(NOW + SECOND);
      expect(await other.getLastSweep()).toBe(NOW + SECOND);
      await other.noteSweep(NOW);
      expect(await test.store.getLastSweep()).toBe(NOW + SECOND);
    });

    it('can be called by many at once on a new database', async () => {
      const stores = [test.store, await test.another()];
      await Promise.all(Array.from({ length: 8 }, (_, i) => stores[i % 2]?.noteSweep(NOW + i)));
      expect(await test.store.getLastSweep()).toBe(NOW + 7);
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
      const lapses = [...lapsesOf(lapsed, live, free), { keyId: 'unknown', leaseId: 'unknown' }];
      expect(await test.store.keys.recordLapses({ lapses, now: LEASE_END - 1 })).toBe(0);
      expect(await test.store.keys.recordLapses({ lapses, now: LEASE_END })).toBe(1);
      expect(await stored(test.store, lapsed)).toEqual({
        ...withoutLease(lapsed),
        state: 'free',
        lastLease: lastLeaseOf(lapsed, 'lapsed'),
      });
      expect(await stored(test.store, live)).toEqual(extended);
      expect(await stored(test.store, free)).toEqual(free);
      expect(await stored(test.store, notAsked)).toEqual(notAsked);
      expect(await test.store.keys.recordLapses({ lapses, now: LEASE_END })).toBe(0);
    });

    it('accepts no keys at all', async () => {
      expect(await test.store.keys.recordLapses({ lapses: [], now: NOW })).toBe(0);
    });

    it('counts each lapse once, however many sweep at once', async () => {
      const lapses: Lapse[] = [];
      for (let i = 0; i < 20; i++) lapses.push(...lapsesOf(await addLeasedKey(test.store)));
      const stores = [test.store, await test.another()];
      const counts = await Promise.all(
        stores.map((store) => store.keys.recordLapses({ lapses, now: FREE_AGAIN })),
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
      expect(await test.store.keys.getStored(expired.keyId)).toBeNull();
      expect(await test.store.keys.getStored(deleted.keyId)).toBeNull();
      expect(await stored(test.store, living)).toEqual(living);
    });

    it('removes those of every pool', async () => {
      for (const generation of [1, 2]) {
        for (const name of ['default', 'other']) {
          await addKey(test.store, { pool: poolReference({ name, generation }), expiresAt: NOW });
        }
      }
      expect(await test.store.keys.removeExpired({ now: NOW, limit: 10 })).toBe(4);
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

  describe('applyLifetime', () => {
    const test = useStore(makeStore);
    const lifetime = (expiresAt: number, differing: Partial<Lifetime> = {}): Lifetime => ({
      pool: POOL,
      now: NOW,
      expiresAt,
      latest: expiresAt + TOLERANCE_MS,
      limit: 10,
      ...differing,
    });
    const apply = (...parameters: Parameters<typeof lifetime>) =>
      test.store.keys.applyLifetime(lifetime(...parameters));
    const expiryOf = async (key: Key) => (await stored(test.store, key)).expiresAt;

    it('lengthens the lives of all keys, leased ones too', async () => {
      const free = await addKey(test.store);
      const leased = await addLeasedKey(test.store);
      const never = { latest: NEVER_EXPIRES };
      expect(await apply(NEVER_EXPIRES, never)).toEqual({ moved: 2, complete: true });
      expect(await stored(test.store, free)).toEqual({ ...free, expiresAt: NEVER_EXPIRES });
      expect(await stored(test.store, leased)).toEqual({ ...leased, expiresAt: NEVER_EXPIRES });
      expect(await apply(NEVER_EXPIRES, never)).toEqual({ moved: 0, complete: true });
    });

    it('shortens the lives of all keys that nobody uses', async () => {
      const free = await addKey(test.store, { expiresAt: NEVER_EXPIRES });
      const leased = await addLeasedKey(test.store, { expiresAt: NEVER_EXPIRES });
      const expiresAt = NOW + 2 * KEY_LIFE_MS;
      expect(await apply(expiresAt)).toEqual({ moved: 2, complete: true });
      expect(await stored(test.store, free)).toEqual({ ...free, expiresAt });
      expect(await stored(test.store, leased)).toEqual({ ...leased, expiresAt });
    });

    it('leaves the lives of keys with a value alone, and is complete without them', async () => {
      const value = 'sealed';
      const kept = [
        await addKey(test.store, { value }),
        await addKey(test.store, { value, expiresAt: NEVER_EXPIRES }),
        await addLeasedKey(test.store, { value, expiresAt: NEVER_EXPIRES }),
      ];
      const plain = await addKey(test.store);
      expect(await apply(NOW + 2 * KEY_LIFE_MS)).toEqual({ moved: 1, complete: true });
      expect(await apply(NOW + KEY_LIFE_MS / 2)).toEqual({ moved: 1, complete: true });
      for (const key of kept) expect(await stored(test.store, key)).toEqual(key);
      expect(await expiryOf(plain)).toBe(NOW + KEY_LIFE_MS / 2);
    });

    it('never ends a life under a live lease, nor while the key cools', async () => {
      const leased = await addLeasedKey(test.store, { expiresAt: NEVER_EXPIRES });
      const cooling = await addKey(test.store, { freeAt: FREE_AGAIN, expiresAt: NEVER_EXPIRES });
      expect(await apply(FREE_AGAIN - 1)).toEqual({ moved: 0, complete: false });
      expect(await stored(test.store, leased)).toEqual(leased);
      expect(await stored(test.store, cooling)).toEqual(cooling);
      expect(await apply(FREE_AGAIN)).toEqual({ moved: 2, complete: true });
      expect([await expiryOf(leased), await expiryOf(cooling)]).toEqual([FREE_AGAIN, FREE_AGAIN]);
    });

    it('leaves a life alone that ends between the two moments', async () => {
      const expiresAt = NOW + KEY_LIFE_MS;
      const lives = [
        expiresAt - 1,
        expiresAt,
        expiresAt + 1,
        expiresAt + TOLERANCE_MS,
        expiresAt + TOLERANCE_MS + 1,
      ];
      const keys: Key[] = [];
      for (const life of lives) keys.push(await addKey(test.store, { expiresAt: life }));
      expect(await apply(expiresAt)).toEqual({ moved: 2, complete: true });
      const moved = [expiresAt, ...lives.slice(1, 4), expiresAt];
      expect(await Promise.all(keys.map(expiryOf))).toEqual(moved);
    });

    it('brings no expired and no deleted key back, and leaves other pools alone', async () => {
      const expired = await addKey(test.store, { expiresAt: NOW });
      const deleted = await addLeasedKey(test.store);
      await test.store.keys.delete(deleted, FREE_AGAIN);
      const lasting = await addLeasedKey(test.store, { expiresAt: NEVER_EXPIRES });
      await test.store.keys.delete(lasting, FREE_AGAIN);
      const other = await addKey(test.store, { pool: OTHER_POOL });
      expect(await apply(NOW + 2 * KEY_LIFE_MS)).toEqual({ moved: 0, complete: true });
      expect(await apply(NOW, { latest: NOW })).toEqual({ moved: 0, complete: true });
      expect(await expiryOf(expired)).toBe(NOW);
      expect([await expiryOf(deleted), await expiryOf(lasting)]).toEqual([FREE_AGAIN, FREE_AGAIN]);
      expect(await expiryOf(other)).toBe(other.expiresAt);
    });

    it('moves no more than the limit at a time, and tells when no key expires too late', async () => {
      const lives = [...Array(3).fill(NOW + SECOND), ...Array(4).fill(NEVER_EXPIRES)];
      await addKeys(
        test.store,
        lives.map((expiresAt) => makeKey({ expiresAt })),
      );
      const results: { moved: number; complete: boolean }[] = [];
      for (let i = 0; i < 4; i++) results.push(await apply(NOW + KEY_LIFE_MS, { limit: 3 }));
      expect(results.map(({ moved }) => moved)).toEqual([3, 3, 1, 0]);
      expect(results[0]?.complete).toBe(false);
      expect(results[3]?.complete).toBe(true);
      expect(await listAll(test.store, { pool: POOL, now: NOW + KEY_LIFE_MS })).toEqual([]);
    });

    it('never undoes what an acquire or a keep-alive wrote meanwhile', async () => {
      const key = await addLeasedKey(test.store, { expiresAt: NEVER_EXPIRES });
      const extension = makeExtension(key, LEASE_END - 1);
      const other = await test.another();
      await Promise.all([apply(FREE_AGAIN), other.keys.extend(extension)]);
      const { freeAt, expiresAt } = await stored(test.store, key);
      expect(freeAt).toBe(extension.freeAt);
      expect(expiresAt).toBeGreaterThanOrEqual(extension.freeAt);
    });
  });

  describe('removeGenerations', () => {
    const test = useStore(makeStore);
    const reference = (name: string, generation: number) => poolReference({ name, generation });
    const remove = (now: number, limit = 10) =>
      test.store.keys.removeGenerations({ name: 'build', before: 11, now, limit });

    it('removes the keys of earlier generations of this pool, in whatever state', async () => {
      const old = await addKey(test.store, { pool: reference('build', 9) });
      const oldLeased = await addLeasedKey(test.store, { pool: reference('build', 10) });
      const oldDeleted = await addKey(test.store, { pool: reference('build', 10) });
      await test.store.keys.delete(oldDeleted, NOW + SECOND);
      const kept = [
        await addKey(test.store, { pool: reference('build', 11) }),
        await addKey(test.store, { pool: reference('build', 100) }),
        // Names that sort beside it.
        await addKey(test.store, { pool: reference('build-2', 9) }),
        await addKey(test.store, { pool: reference('build.2', 9) }),
        await addKey(test.store, { pool: reference('build0', 9) }),
        await addKey(test.store, { pool: reference('buil', 9) }),
      ];
      expect(await remove(FREE_AGAIN)).toEqual({ removed: 3, complete: true });
      for (const key of [old, oldLeased, oldDeleted]) {
        expect(await test.store.keys.getStored(key.keyId)).toBeNull();
      }
      for (const key of kept) expect(await stored(test.store, key)).toEqual(key);
    });

    it('leaves each key where it is until its holder’s deadline has passed', async () => {
      const pool = reference('build', 10);
      const leased = await addLeasedKey(test.store, { pool });
      await addKey(test.store, { pool });
      const cooling = await addKey(test.store, { pool, freeAt: NOW + SECOND });
      const deleted = await addLeasedKey(test.store, { pool });
      await test.store.keys.delete(deleted, FREE_AGAIN);
      expect(await remove(NOW)).toEqual({ removed: 1, complete: false });
      expect(await stored(test.store, cooling)).toEqual(cooling);
      expect(await remove(FREE_AGAIN - 1)).toEqual({ removed: 1, complete: false });
      expect(await stored(test.store, leased)).toEqual(leased);
      expect(await remove(FREE_AGAIN)).toEqual({ removed: 2, complete: true });
    });

    it('removes no more than the limit at a time', async () => {
      await addKeys(
        test.store,
        Array.from({ length: 5 }, (_, i) => makeKey({ pool: reference('build', i) })),
      );
      expect(await remove(NOW, 3)).toEqual({ removed: 3, complete: false });
      expect(await remove(NOW, 3)).toEqual({ removed: 2, complete: true });
      expect(await remove(NOW, 3)).toEqual({ removed: 0, complete: true });
    });
  });
}
