import { describe, expect, it } from 'vitest';
import { getKey } from '../../shared/domain/keys.ts';
import { keepAliveLease, releaseLease } from '../../shared/domain/leases.ts';
import { DEFAULT_POLICY, type Pool } from '../../shared/domain/pool.ts';
import { POOL_CACHE_MS } from '../../shared/domain/pool-directory.ts';
import { getPool, listPools, patchPool, putPool, refreshPool } from '../../shared/domain/pools.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { FORBIDDEN, POOL_NOT_FOUND, POOL_PAUSED } from './support/expected-errors.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKey,
  addKeys,
  LEASE,
  SECOND,
  setPolicy,
  TOLERANCE,
  toTime,
} from './support/world.ts';

describeOnEveryStore((world) => {
  describe('a policy', () => {
    it('is in force in another process five seconds after its change, at the latest', async () => {
      await addKeys(world.context, 3);
      const other = await world.startProcess();
      expect(await acquire(other, ALICE)).toMatchObject({ expiresInMs: LEASE });

      await setPolicy(world.context, { leaseSeconds: 10 });
      world.passTime(POOL_CACHE_MS);

      expect(POOL_CACHE_MS).toBe(5000);
      expect(await acquire(other, ALICE)).toMatchObject({ expiresInMs: 10 * SECOND });
    });

    it('is in force at once in the process that changes it', async () => {
      await addKeys(world.context, 2);
      await acquire(world.context, ALICE);
      await setPolicy(world.context, { leaseSeconds: 10 });

      expect(await acquire(world.context, ALICE)).toMatchObject({ expiresInMs: 10 * SECOND });
    });

    it('is read once in five seconds, not with every acquire', async () => {
      await addKeys(world.context, 2);
      const other = await world.startProcess();
      await acquire(other, ALICE);
      await setPolicy(world.context, { leaseSeconds: 10 });
      world.passTime(POOL_CACHE_MS - 1);

      expect(await acquire(other, ALICE)).toMatchObject({ expiresInMs: LEASE });
    });

    it('is read anew where the clock of the process was set back', async () => {
      await addKeys(world.context, 2);
      const other = await world.startProcess();
      await acquire(other, ALICE);
      await setPolicy(world.context, { leaseSeconds: 10 });
      const setBack = { ...other, clock: () => world.now - 1 };

      await expect(acquire(setBack, ALICE, { leaseSeconds: 11 })).rejects.toMatchObject({
        code: 'invalid_request',
      });
    });

    it('leaves live leases their length', async () => {
      await addKey(world.context);
      const { leaseId } = await acquire(world.context, ALICE);
      await setPolicy(world.context, { leaseSeconds: 10, keyTtlSeconds: 20 });
      world.passTime(30 * SECOND);

      expect(await keepAliveLease(world.context, ALICE, leaseId)).toMatchObject({ expiresInMs: LEASE });
    });

    it('is answered with what the pool holds', async () => {
      const policy = { ...DEFAULT_POLICY, maxKeys: 7 };
      const created = await putPool(world.context, ADMIN, 'licences', { policy });
      expect(created).toMatchObject({
        created: true,
        pool: {
          pool: 'licences',
          ...policy,
          createdAt: toTime(world.now),
          updatedAt: toTime(world.now),
          nextFreeInMs: null,
        },
      });
      await addKeys(world.context, 2, 'licences');
      await acquire(world.context, ALICE, { pool: 'licences' });
      world.passTime(10 * SECOND);

      const replaced = await putPool(world.context, ADMIN, 'licences', {
        policy: { ...policy, paused: true },
      });

      expect(replaced).toMatchObject({
        created: false,
        pool: {
          paused: true,
          createdAt: toTime(world.now - 10 * SECOND),
          updatedAt: toTime(world.now),
          nextFreeInMs: LEASE - 10 * SECOND + TOLERANCE,
          counts: {
            free: { count: 1, relation: 'exact' },
            leased: { count: 1, relation: 'exact' },
            cooling: { count: 0, relation: 'exact' },
          },
        },
      });
      expect(await getPool(world.context, ADMIN, 'licences')).toEqual(replaced.pool);
    });
  });

  describe('a paused pool', () => {
    it('gives no new leases, while live ones go on', async () => {
      const [keyId] = await addKeys(world.context, 2);
      const lease = await acquire(world.context, ALICE);
      await setPolicy(world.context, { paused: true });

      await expect(acquire(world.context, ALICE)).rejects.toMatchObject(POOL_PAUSED);
      expect(await getKey(world.context, ADMIN, keyId as string)).toMatchObject({ pool: 'default' });
      world.passTime(30 * SECOND);
      expect(await keepAliveLease(world.context, ALICE, lease.leaseId)).toMatchObject({ expiresInMs: LEASE });
      await releaseLease(world.context, ALICE, lease.leaseId);
      await expect(acquire(world.context, ALICE)).rejects.toMatchObject(POOL_PAUSED);
    });

    it('gives them again when it goes on', async () => {
      await addKey(world.context);
      await setPolicy(world.context, { paused: true });
      await setPolicy(world.context, { paused: false });

      expect(await acquire(world.context, ALICE)).toMatchObject({ clientId: 'alice' });
    });
  });

  describe('pools', () => {
    it('are listed by name and page by page, each with its own keys', async () => {
      for (const pool of ['cards', 'seats', 'apples']) {
        await setPolicy(world.context, {}, pool);
        await addKeys(world.context, 2, pool);
      }
      await acquire(world.context, ALICE, { pool: 'seats' });

      const first = await listPools(world.context, ADMIN, { limit: 3 });
      const second = await listPools(world.context, ADMIN, { limit: 3, after: first.next });

      expect(first.pools.map(({ pool }) => pool)).toEqual(['apples', 'cards', 'default']);
      expect(second.pools.map(({ pool }) => pool)).toEqual(['seats']);
      expect(second.next).toBeUndefined();
      expect(first.pools[2]?.counts.free.count).toBe(0);
      expect(second.pools[0]?.counts).toMatchObject({ free: { count: 1 }, leased: { count: 1 } });
    });

    it('do not share keys', async () => {
      await setPolicy(world.context, {}, 'licences');
      await addKey(world.context, 'licences');

      await expect(acquire(world.context, ALICE)).rejects.toMatchObject({ code: 'no_key_available' });
    });

    it('that do not exist give nothing', async () => {
      await expect(acquire(world.context, ALICE, { pool: 'none' })).rejects.toMatchObject(POOL_NOT_FOUND);
      await expect(addKey(world.context, 'none')).rejects.toMatchObject(POOL_NOT_FOUND);
      await expect(getPool(world.context, ADMIN, 'none')).rejects.toMatchObject(POOL_NOT_FOUND);
      await expect(patchPool(world.context, ADMIN, 'none', { policy: {} })).rejects.toMatchObject(
        POOL_NOT_FOUND,
      );
      await expect(refreshPool(world.context, ADMIN, 'none')).rejects.toMatchObject(POOL_NOT_FOUND);
    });

    it('are closed to credentials that are limited to others', async () => {
      const limited = { ...ADMIN, pools: ['licences'] };
      await setPolicy(world.context, {}, 'licences');

      expect((await listPools(world.context, limited, { limit: 10 })).pools).toMatchObject([
        { pool: 'licences' },
      ]);
      await expect(getPool(world.context, limited, 'default')).rejects.toMatchObject(FORBIDDEN);
      await expect(putPool(world.context, limited, 'default', { policy: {} })).rejects.toMatchObject(
        FORBIDDEN,
      );
      await expect(patchPool(world.context, limited, 'default', { policy: {} })).rejects.toMatchObject(
        FORBIDDEN,
      );
      await expect(refreshPool(world.context, limited, 'default')).rejects.toMatchObject(FORBIDDEN);
    });

    it('include the default one, which comes back where a database lacks it', async () => {
      const standing = (await world.store.pools.get('default')) as Pool;
      const cleared = {
        name: 'default',
        generation: standing.generation + 1,
        clearedAt: world.now,
        deleted: true,
      };
      await world.store.pools.clear(standing, { ...cleared, now: world.now });
      await world.store.pools.forgetCleared(cleared);
      expect(await world.store.pools.get('default')).toBeNull();

      expect(await getPool(world.context, ADMIN, 'default')).toMatchObject({
        pool: 'default',
        ...DEFAULT_POLICY,
      });
      expect(await addKeys(world.context, 1)).toHaveLength(1);
    });

    it('keep their policy when the database is prepared again', async () => {
      await setPolicy(world.context, { maxKeys: 3 });
      await world.store.prepare(world.now + SECOND);

      expect(await getPool(world.context, ADMIN, 'default')).toMatchObject({ maxKeys: 3 });
    });
  });
});
