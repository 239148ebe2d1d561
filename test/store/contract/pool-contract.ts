import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, DEFAULT_POOL, type Pool, type PoolPolicy } from '../../../shared/domain/pool.ts';
import type { Store } from '../../../shared/domain/store.ts';
import { persistently } from '../../domain/support/persistently.ts';
import { NOW, POLICY as OTHER_POLICY, SECOND } from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

/** No field has its default. */
const POLICY: PoolPolicy = {
  leaseSeconds: 20,
  keyTtlSeconds: null,
  maxKeys: 5,
  targetSize: 3,
  maxLeaseSeconds: 900,
  cooldownSeconds: 5,
  maxLeasesPerClient: 2,
  fair: true,
  agingSeconds: 30,
  paused: true,
};

async function addPool(store: Store, name: string, now = NOW): Promise<Pool> {
  return expectPool(await store.pools.create(name, POLICY, now));
}

function expectPool(pool: Pool | null): Pool {
  if (pool === null) throw new Error('Expected a pool');
  return pool;
}

export function describePools(makeStore: MakeStore): void {
  describe('prepare', () => {
    const test = useStore(makeStore);

    it('makes the default pool, and can be repeated', async () => {
      const pool = await test.store.pools.get(DEFAULT_POOL);
      expect(pool).toMatchObject({ name: DEFAULT_POOL, policy: DEFAULT_POLICY });
      await test.store.prepare(NOW + SECOND);
      await (await test.another()).prepare(NOW + SECOND);
      expect(await test.store.pools.get(DEFAULT_POOL)).toEqual(pool);
    });

    it('makes the default pool with the policy that it is given', async () => {
      const { generation, ...pool } = expectPool(await test.store.pools.get(DEFAULT_POOL));
      const deletion = { generation: generation + 1, now: NOW, deleted: true };
      await test.store.pools.clear({ generation, ...pool }, deletion);
      await test.store.prepare(NOW + SECOND, POLICY);
      expect(await test.store.pools.get(DEFAULT_POOL)).toMatchObject({ policy: POLICY });
    });

    it('leaves a default pool alone that was changed or emptied', async () => {
      const pool = expectPool(await test.store.pools.get(DEFAULT_POOL));
      await test.store.pools.update(pool, { policy: POLICY, now: NOW + SECOND });
      await test.store.pools.clear(pool, {
        generation: pool.generation + 1,
        now: NOW + SECOND,
        deleted: false,
      });
      const changed = await test.store.pools.get(DEFAULT_POOL);
      expect(changed).toMatchObject({ policy: POLICY, generation: pool.generation + 1 });
      await test.store.prepare(NOW + 2 * SECOND);
      expect(await test.store.pools.get(DEFAULT_POOL)).toEqual(changed);
    });
  });

  describe('a pool', () => {
    const test = useStore(makeStore);

    it('is found as it was created', async () => {
      const pool = expectPool(await test.store.pools.create('build', POLICY, NOW));
      expect(pool).toEqual({
        name: 'build',
        generation: pool.generation,
        policy: POLICY,
        createdAt: NOW,
        updatedAt: NOW,
      });
      expect(await test.store.pools.get('build')).toEqual(pool);
      expect(await test.store.pools.get('unknown')).toBeNull();
    });

    it('is created once, however many create it at once', async () => {
      const stores = [test.store, await test.another()];
      const created = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          persistently(async () => stores[i % 2]?.pools.create('build', POLICY, NOW + i)),
        ),
      );
      const [pool, ...others] = created.filter((each) => each !== null);
      expect(others).toEqual([]);
      expect(await test.store.pools.get('build')).toEqual(pool);
    });

    it('that exists is left alone by another creation', async () => {
      const pool = await addPool(test.store, 'build');
      expect(await test.store.pools.create('build', OTHER_POLICY, NOW + SECOND)).toBeNull();
      expect(await test.store.pools.get('build')).toEqual(pool);
    });

    it('keeps every field of its policy', async () => {
      const policies = [
        POLICY,
        OTHER_POLICY,
        DEFAULT_POLICY,
        { ...DEFAULT_POLICY, paused: true, maxKeys: 0 },
      ];
      for (const [i, policy] of policies.entries()) {
        expect(await test.store.pools.create(`pool-${i}`, policy, NOW)).toMatchObject({ policy });
        expect(await test.store.pools.get(`pool-${i}`)).toMatchObject({ policy });
      }
    });

    it('has the default of a field that an older version did not store, and drops one it does not know', async () => {
      const { maxKeys: _, ...older } = POLICY;
      const stored = { ...older, fromTheFuture: 1 } as unknown as PoolPolicy;
      await test.store.pools.create('build', stored, NOW);
      const { policy } = expectPool(await test.store.pools.get('build'));
      expect(policy).toStrictEqual({ ...older, maxKeys: DEFAULT_POLICY.maxKeys });
      expect((await test.store.pools.list({ limit: 1 }))[0]?.policy).toStrictEqual(policy);
    });
  });

  describe('update', () => {
    const test = useStore(makeStore);

    it('replaces the policy, and nothing else', async () => {
      const pool = await addPool(test.store, 'build');
      const updated = await test.store.pools.update(pool, { policy: OTHER_POLICY, now: NOW + SECOND });
      expect(updated).toEqual({ ...pool, policy: OTHER_POLICY, updatedAt: NOW + SECOND });
      expect(await test.store.pools.get('build')).toEqual(updated);
    });

    it.each([0, -SECOND])('makes updatedAt grow, also when the clock moved by %d ms', async (ms) => {
      let pool = await addPool(test.store, 'build');
      for (let i = 1; i <= 3; i++) {
        pool = expectPool(await test.store.pools.update(pool, { policy: POLICY, now: NOW + ms }));
        expect(pool.updatedAt).toBe(NOW + i);
      }
    });

    it('takes note of a refresh where told so, and keeps one that was noted otherwise', async () => {
      const pool = await addPool(test.store, 'build');
      const refreshedAt = NOW + SECOND;
      const first = expectPool(
        await test.store.pools.update(pool, { policy: POLICY, now: refreshedAt, refreshedAt }),
      );
      expect(first.refreshedAt).toBe(refreshedAt);
      const second = expectPool(
        await test.store.pools.update(first, { policy: OTHER_POLICY, now: NOW + 9 * SECOND }),
      );
      expect(second).toMatchObject({ policy: OTHER_POLICY, refreshedAt });
      expect(await test.store.pools.get('build')).toEqual(second);
    });

    it('refuses a pool that was changed, emptied or deleted since it was found', async () => {
      const change = { policy: OTHER_POLICY, now: NOW + 2 * SECOND };
      const pool = await addPool(test.store, 'build');
      const updated = expectPool(await test.store.pools.update(pool, { policy: POLICY, now: NOW + SECOND }));
      expect(await test.store.pools.update(pool, change)).toBeNull();
      const generation = pool.generation + 1;
      await test.store.pools.clear(updated, { generation, now: NOW + SECOND, deleted: false });
      expect(await test.store.pools.update(updated, change)).toBeNull();
      const emptied = expectPool(await test.store.pools.get('build'));
      expect(emptied.policy).toEqual(POLICY);
      await test.store.pools.clear(emptied, { generation: generation + 1, now: NOW + SECOND, deleted: true });
      expect(await test.store.pools.update({ ...emptied, generation: generation + 1 }, change)).toBeNull();
      expect(await test.store.pools.update({ ...pool, name: 'unknown' }, change)).toBeNull();
      expect(await test.store.pools.get('build')).toBeNull();
    });

    it('loses no change, however many change different fields at once', async () => {
      const stores = [test.store, await test.another()];
      await addPool(test.store, 'build');
      const changes: Partial<PoolPolicy>[] = [
        { leaseSeconds: 33 },
        { keyTtlSeconds: 99 },
        { maxKeys: 7 },
        { paused: false },
      ];
      const patch = async (store: Store, change: Partial<PoolPolicy>) => {
        for (let updated: Pool | null = null; updated === null; ) {
          const found = expectPool(await store.pools.get('build'));
          updated = await store.pools.update(found, { policy: { ...found.policy, ...change }, now: NOW });
        }
      };
      await Promise.all(
        changes.map((change, i) => persistently(() => patch(stores[i % 2] as Store, change))),
      );
      const { policy, updatedAt } = expectPool(await test.store.pools.get('build'));
      expect(policy).toEqual(Object.assign({}, POLICY, ...changes));
      expect(updatedAt).toBe(NOW + changes.length);
    });
  });

  describe('a refresh of a pool', () => {
    const test = useStore(makeStore);
    const request = (pool: Pool, refreshedAt: number) => test.store.pools.requestRefresh(pool, refreshedAt);
    const noted = async () => (await test.store.pools.get('build'))?.refreshedAt;

    it('is noted; a later moment stays', async () => {
      const pool = await addPool(test.store, 'build');
      expect(await request(pool, NOW + SECOND)).toBe(true);
      expect(await test.store.pools.get('build')).toEqual({ ...pool, refreshedAt: NOW + SECOND });
      expect(await request(pool, NOW)).toBe(true);
      expect(await noted()).toBe(NOW + SECOND);
      expect(await request(pool, NOW + 2 * SECOND)).toBe(true);
      expect(await noted()).toBe(NOW + 2 * SECOND);
      const [listed] = await test.store.pools.list({ limit: 1 });
      expect(listed?.refreshedAt).toBe(NOW + 2 * SECOND);
    });

    it('is noted though the policy was changed since, but not for a pool that was emptied or deleted', async () => {
      const pool = await addPool(test.store, 'build');
      await test.store.pools.update(pool, { policy: OTHER_POLICY, now: NOW + SECOND });
      expect(await request(pool, NOW + SECOND)).toBe(true);
      const generation = pool.generation + 1;
      await test.store.pools.clear(pool, { generation, now: NOW, deleted: true });
      expect(await request(pool, NOW + 2 * SECOND)).toBe(false);
      expect(await request({ ...pool, generation }, NOW + 2 * SECOND)).toBe(false);
      expect(await request({ ...pool, name: 'unknown' }, NOW)).toBe(false);
      await addPool(test.store, 'build', NOW + 3 * SECOND);
      expect(await request(pool, NOW + 3 * SECOND)).toBe(false);
      expect(await noted()).toBeUndefined();
    });

    it('is forgotten as found only', async () => {
      const pool = await addPool(test.store, 'build');
      await request(pool, NOW + SECOND);
      const found = expectPool(await test.store.pools.get('build'));
      await test.store.pools.forgetRefresh({ ...found, refreshedAt: NOW });
      await test.store.pools.forgetRefresh(pool);
      await test.store.pools.forgetRefresh({ ...found, name: 'unknown' });
      await test.store.pools.forgetRefresh({ ...found, generation: pool.generation + 1 });
      expect(await noted()).toBe(NOW + SECOND);
      await test.store.pools.forgetRefresh(found);
      expect(await test.store.pools.get('build')).toEqual(pool);
    });
  });

  describe('a page of pools', () => {
    const test = useStore(makeStore);

    it('goes by ascending name, without deleted ones', async () => {
      for (const name of ['b', 'a.b', 'a', 'a-b', 'gone']) await addPool(test.store, name);
      const gone = expectPool(await test.store.pools.get('gone'));
      await test.store.pools.clear(gone, { generation: gone.generation + 1, now: NOW, deleted: true });
      const namesOf = (pools: readonly Pool[]) => pools.map((pool) => pool.name);
      const expected = ['a', 'a-b', 'a.b', 'b', DEFAULT_POOL];
      expect(namesOf(await test.store.pools.list({ limit: 10 }))).toEqual(expected);
      expect(namesOf(await test.store.pools.list({ limit: 2 }))).toEqual(expected.slice(0, 2));
      expect(namesOf(await test.store.pools.list({ limit: 2, after: 'a-b' }))).toEqual(expected.slice(2, 4));
      expect(namesOf(await test.store.pools.list({ limit: 10, after: 'c' }))).toEqual([DEFAULT_POOL]);
    });
  });

  describe('clear', () => {
    const test = useStore(makeStore);
    const emptied = (pool: Pool) => ({ generation: pool.generation + 1, now: NOW + SECOND, deleted: false });
    const deleted = (pool: Pool) => ({ ...emptied(pool), deleted: true });

    it('starts a new generation of a pool that goes on', async () => {
      const pool = await addPool(test.store, 'build');
      await test.store.pools.requestRefresh(pool, NOW);
      expect(await test.store.pools.clear(pool, emptied(pool))).toBe(true);
      // What was to be refreshed is gone.
      expect(await test.store.pools.get('build')).toEqual({
        ...pool,
        generation: pool.generation + 1,
        clearedAt: NOW + SECOND,
      });
      const cleared = {
        name: 'build',
        generation: pool.generation + 1,
        clearedAt: NOW + SECOND,
        deleted: false,
      };
      expect(await test.store.pools.listCleared()).toEqual([cleared]);
    });

    it('hides a deleted pool at once', async () => {
      const pool = await addPool(test.store, 'build');
      expect(await test.store.pools.clear(pool, deleted(pool))).toBe(true);
      expect(await test.store.pools.get('build')).toBeNull();
      expect((await test.store.pools.list({ limit: 10 })).map(({ name }) => name)).toEqual([DEFAULT_POOL]);
      expect(await test.store.pools.listCleared()).toMatchObject([{ name: 'build', deleted: true }]);
    });

    it('refuses a pool that no longer stands as found', async () => {
      const pool = await addPool(test.store, 'build');
      await test.store.pools.clear(pool, emptied(pool));
      expect(await test.store.pools.clear(pool, deleted(pool))).toBe(false);
      expect(await test.store.pools.get('build')).not.toBeNull();
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

    it('is done to no pool that is deleted already', async () => {
      const pool = await addPool(test.store, 'build');
      await test.store.pools.clear(pool, deleted(pool));
      const gone = { ...pool, generation: pool.generation + 1 };
      expect(await test.store.pools.clear(gone, emptied(gone))).toBe(false);
      expect(await test.store.pools.get('build')).toBeNull();
    });

    it('lets a deleted pool be created again, in the generation that the deletion began', async () => {
      const pool = await addPool(test.store, 'build');
      await test.store.pools.requestRefresh(pool, NOW);
      await test.store.pools.clear(pool, deleted(pool));
      const again = await test.store.pools.create('build', OTHER_POLICY, NOW + 2 * SECOND);
      expect(again).toEqual({
        name: 'build',
        policy: OTHER_POLICY,
        generation: pool.generation + 1,
        createdAt: NOW + 2 * SECOND,
        updatedAt: NOW + 2 * SECOND,
        clearedAt: NOW + SECOND,
      });
      expect(await test.store.pools.get('build')).toEqual(again);
      // Its old keys are still to be removed.
      const [cleared] = await test.store.pools.listCleared();
      expect(cleared).toMatchObject({ name: 'build', generation: pool.generation + 1, deleted: false });
    });
  });

  describe('forgetCleared', () => {
    const test = useStore(makeStore);

    /** The one pool that was cleared. */
    async function clear(name: string, isDeleted: boolean) {
      const pool = (await test.store.pools.get(name)) ?? (await addPool(test.store, name));
      const options = { generation: pool.generation + 1, now: NOW, deleted: isDeleted };
      expect(await test.store.pools.clear(pool, options)).toBe(true);
      const cleared = (await test.store.pools.listCleared()).find((found) => found.name === name);
      if (cleared === undefined) throw new Error(`${name} is not listed as cleared`);
      return cleared;
    }

    it('forgets that a pool was emptied, and keeps the pool', async () => {
      const cleared = await clear('build', false);
      const pool = await test.store.pools.get('build');
      await test.store.pools.forgetCleared(cleared);
      expect(await test.store.pools.listCleared()).toEqual([]);
      expect(await test.store.pools.get('build')).toEqual({ ...pool, clearedAt: undefined });
    });

    it('forgets a deleted pool for good', async () => {
      const cleared = await clear('build', true);
      await test.store.pools.forgetCleared(cleared);
      expect(await test.store.pools.listCleared()).toEqual([]);
      expect(await test.store.pools.get('build')).toBeNull();
      const again = await addPool(test.store, 'build', NOW + SECOND);
      expect(again).toMatchObject({ createdAt: NOW + SECOND, clearedAt: undefined });
      expect(again.generation).toBeGreaterThan(cleared.generation);
    });

    it('keeps a deleted pool that was created again meanwhile', async () => {
      const cleared = await clear('build', true);
      const pool = await addPool(test.store, 'build', NOW + SECOND);
      await test.store.pools.forgetCleared(cleared);
      expect(await test.store.pools.listCleared()).toEqual([]);
      expect(await test.store.pools.get('build')).toEqual({ ...pool, clearedAt: undefined });
    });

    it('does not forget a pool that was cleared again meanwhile', async () => {
      for (const isDeleted of [false, true]) {
        const first = await clear('build', false);
        const second = await clear('build', isDeleted);
        await test.store.pools.forgetCleared(first);
        expect(await test.store.pools.listCleared()).toEqual([second]);
      }
    });
  });
}
