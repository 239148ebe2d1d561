import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, DEFAULT_POOL, type Pool, type PoolPolicy } from '../../../shared/domain/pool.ts';
import type { Store } from '../../../shared/domain/store.ts';
import { NOW, SECOND } from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

const POLICY: PoolPolicy = { leaseSeconds: 10, keyTtlSeconds: null, maxKeys: 5, paused: true };
const OTHER_POLICY: PoolPolicy = { leaseSeconds: 20, keyTtlSeconds: 100, maxKeys: null, paused: false };

async function addPool(store: Store, name: string, now = NOW): Promise<Pool> {
  return (await store.pools.put(name, POLICY, now)).pool;
}

export function describePools(makeStore: MakeStore): void {
  describe('prepare', () => {
    const test = useStore(makeStore);

    it('makes the default pool, and can be repeated', async () => {
      const pool = await test.store.pools.find(DEFAULT_POOL);
      expect(pool).toMatchObject({ name: DEFAULT_POOL, ...DEFAULT_POLICY });
      await test.store.prepare(NOW);
      await (await test.another()).prepare(NOW);
      expect(await test.store.pools.find(DEFAULT_POOL)).toStrictEqual(pool);
    });
  });

  describe('a pool', () => {
    const test = useStore(makeStore);

    it('is found as it was put', async () => {
      const { pool, created } = await test.store.pools.put('build', POLICY, NOW);
      expect(created).toBe(true);
      expect(pool).toMatchObject({ name: 'build', ...POLICY, createdAt: NOW, updatedAt: NOW });
      expect(await test.store.pools.find('build')).toStrictEqual(pool);
      expect(await test.store.pools.find('unknown')).toBeNull();
    });

    it('keeps its generation and its creation when its policy is replaced', async () => {
      const pool = await addPool(test.store, 'build');
      const put = await test.store.pools.put('build', OTHER_POLICY, NOW + SECOND);
      expect(put).toStrictEqual({
        pool: { ...pool, ...OTHER_POLICY, updatedAt: NOW + SECOND },
        created: false,
      });
      expect(await test.store.pools.find('build')).toStrictEqual(put.pool);
    });

    it('is created once, however many put it at once', async () => {
      const stores = [test.store, await test.another()];
      const puts = await Promise.all(
        Array.from({ length: 10 }, (_, i) => stores[i % 2]?.pools.put('build', POLICY, NOW + i)),
      );
      expect(puts.filter((put) => put?.created)).toHaveLength(1);
      expect(new Set(puts.map((put) => put?.pool.generation)).size).toBe(1);
    });

    it('is left alone by createIfMissing', async () => {
      const pool = await addPool(test.store, 'build');
      await test.store.pools.createIfMissing('build', OTHER_POLICY, NOW + SECOND);
      expect(await test.store.pools.find('build')).toStrictEqual(pool);
    });

    it('is made by createIfMissing where it is missing', async () => {
      await test.store.pools.createIfMissing('build', POLICY, NOW);
      const found = await test.store.pools.find('build');
      expect(found).toMatchObject({ name: 'build', ...POLICY, createdAt: NOW, updatedAt: NOW });
    });
  });

  describe('a page of pools', () => {
    const test = useStore(makeStore);

    it('goes by ascending name, without deleted ones', async () => {
      for (const name of ['b', 'a.b', 'a', 'a-b', 'gone']) await addPool(test.store, name);
      const gone = (await test.store.pools.find('gone')) as Pool;
      await test.store.pools.clear(gone, { generation: gone.generation + 1, now: NOW, deleted: true });
      const namesOf = (pools: readonly Pool[]) => pools.map((pool) => pool.name);
      const expected = ['a', 'a-b', 'a.b', 'b', DEFAULT_POOL];
      expect(namesOf(await test.store.pools.list({ limit: 10 }))).toStrictEqual(expected);
      expect(namesOf(await test.store.pools.list({ limit: 2 }))).toStrictEqual(expected.slice(0, 2));
      expect(namesOf(await test.store.pools.list({ limit: 2, after: 'a-b' }))).toStrictEqual(
        expected.slice(2, 4),
      );
      expect(namesOf(await test.store.pools.list({ limit: 10, after: 'c' }))).toStrictEqual([DEFAULT_POOL]);
    });
  });

  describe('clear', () => {
    const test = useStore(makeStore);
    const emptied = (pool: Pool) => ({ generation: pool.generation + 1, now: NOW + SECOND, deleted: false });
    const deleted = (pool: Pool) => ({ ...emptied(pool), deleted: true });

    it('starts a new generation of a pool that goes on', async () => {
      const pool = await addPool(test.store, 'build');
      expect(await test.store.pools.clear(pool, emptied(pool))).toBe(true);
      expect(await test.store.pools.find('build')).toStrictEqual({
        ...pool,
        generation: pool.generation + 1,
      });
      const cleared = {
        name: 'build',
        generation: pool.generation + 1,
        clearedAt: NOW + SECOND,
        deleted: false,
      };
      expect(await test.store.pools.listCleared()).toStrictEqual([cleared]);
    });

    it('hides a deleted pool at once', async () => {
      const pool = await addPool(test.store, 'build');
      expect(await test.store.pools.clear(pool, deleted(pool))).toBe(true);
      expect(await test.store.pools.find('build')).toBeNull();
      expect((await test.store.pools.list({ limit: 10 })).map(({ name }) => name)).toStrictEqual([
        DEFAULT_POOL,
      ]);
      expect(await test.store.pools.listCleared()).toMatchObject([{ name: 'build', deleted: true }]);
    });

    it('refuses a pool that no longer stands as found', async () => {
      const pool = await addPool(test.store, 'build');
      await test.store.pools.clear(pool, emptied(pool));
      expect(await test.store.pools.clear(pool, deleted(pool))).toBe(false);
      expect(await test.store.pools.find('build')).not.toBeNull();
      expect(await test.store.pools.clear({ ...pool, name: 'unknown' }, emptied(pool))).toBe(false);
    });

    it('is done once, however many clear at once', async () => {
      const pool = await addPool(test.store, 'build');
      const stores = [test.store, await test.another()];
      const done = await Promise.all(
        Array.from({ length: 8 }, (_, i) => stores[i % 2]?.pools.clear(pool, deleted(pool))),
      );
      expect(done.filter(Boolean)).toHaveLength(1);
    });

    it('keeps a deleted pool from coming back by createIfMissing', async () => {
      const pool = await addPool(test.store, 'build');
      await test.store.pools.clear(pool, deleted(pool));
      await test.store.pools.createIfMissing('build', POLICY, NOW + 2 * SECOND);
      expect(await test.store.pools.find('build')).toBeNull();
    });

    it('lets a deleted pool be created again, in the generation that the deletion began', async () => {
      const pool = await addPool(test.store, 'build');
      await test.store.pools.clear(pool, deleted(pool));
      const put = await test.store.pools.put('build', OTHER_POLICY, NOW + 2 * SECOND);
      expect(put).toStrictEqual({
        pool: {
          name: 'build',
          ...OTHER_POLICY,
          generation: pool.generation + 1,
          createdAt: NOW + 2 * SECOND,
          updatedAt: NOW + 2 * SECOND,
        },
        created: true,
      });
      expect(await test.store.pools.find('build')).toStrictEqual(put.pool);
      // Its old keys are still to be removed.
      const [cleared] = await test.store.pools.listCleared();
      expect(cleared).toMatchObject({ name: 'build', generation: pool.generation + 1, deleted: false });
    });
  });

  describe('forgetCleared', () => {
    const test = useStore(makeStore);

    /** The one pool that was cleared. */
    async function clear(name: string, isDeleted: boolean) {
      const pool = (await test.store.pools.find(name)) ?? (await addPool(test.store, name));
      const options = { generation: pool.generation + 1, now: NOW, deleted: isDeleted };
      expect(await test.store.pools.clear(pool, options)).toBe(true);
      const cleared = (await test.store.pools.listCleared()).find((found) => found.name === name);
      if (cleared === undefined) throw new Error(`${name} is not listed as cleared`);
      return cleared;
    }

    it('forgets that a pool was emptied, and keeps the pool', async () => {
      const cleared = await clear('build', false);
      const pool = await test.store.pools.find('build');
      await test.store.pools.forgetCleared(cleared);
      expect(await test.store.pools.listCleared()).toStrictEqual([]);
      expect(await test.store.pools.find('build')).toStrictEqual(pool);
    });

    it('forgets a deleted pool for good', async () => {
      const cleared = await clear('build', true);
      await test.store.pools.forgetCleared(cleared);
      expect(await test.store.pools.listCleared()).toStrictEqual([]);
      expect(await test.store.pools.find('build')).toBeNull();
      const { pool, created } = await test.store.pools.put('build', POLICY, NOW + SECOND);
      expect(created).toBe(true);
      expect(pool.createdAt).toBe(NOW + SECOND);
    });

    it('keeps a deleted pool that was created again meanwhile', async () => {
      const cleared = await clear('build', true);
      const pool = await addPool(test.store, 'build', NOW + SECOND);
      await test.store.pools.forgetCleared(cleared);
      expect(await test.store.pools.listCleared()).toStrictEqual([]);
      expect(await test.store.pools.find('build')).toStrictEqual(pool);
    });

    it('does not forget a pool that was cleared again meanwhile', async () => {
      for (const isDeleted of [false, true]) {
        const first = await clear('build', false);
        const second = await clear('build', isDeleted);
        await test.store.pools.forgetCleared(first);
        expect(await test.store.pools.listCleared()).toStrictEqual([second]);
      }
    });
  });
}
