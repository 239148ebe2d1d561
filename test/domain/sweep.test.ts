import { describe, expect, it } from 'vitest';
import { deleteKey, getKey } from '../../shared/domain/keys.ts';
import { keepAliveLease } from '../../shared/domain/leases.ts';
import { DEFAULT_POLICY, type Pool, poolReference } from '../../shared/domain/pool.ts';
import { deletePool } from '../../shared/domain/pools.ts';
import { sweep } from '../../shared/domain/sweep.ts';
import { makeKey } from '../store/contract/scene.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { leaseEnded } from './support/expected-errors.ts';
import { persistently } from './support/persistently.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKey,
  addKeys,
  KEY_LIFE,
  LEASE,
  SECOND,
  setPolicy,
  TOLERANCE,
} from './support/world.ts';

const HOUR = 3600 * SECOND;
const always = () => true;
/** Has time for so many batches. */
const batches = (count: number) => {
  let left = count;
  return () => {
    left -= 1;
    return left >= 0;
  };
};
const NOTHING = { lapsed: 0, lapsedByPool: {}, expired: 0, purged: 0, backlogMs: 0, complete: true };

describeOnEveryStore((world) => {
  const lapseKeys = async (count: number) => {
    // Some keys stay free: what a race for the last ones comes to is tested in races.
    for (let added = 0; added < count + 600; added += 600) await addKeys(world.context, 600);
    for (let acquired = 0; acquired < count; acquired += 50) {
      const inTurn = Array.from({ length: Math.min(50, count - acquired) }, (_, index) => acquired + index);
      await Promise.all(
        inTurn.map((turn) =>
          persistently(() => acquire(world.context, ALICE, { idempotencyKey: `turn-${turn}` })),
        ),
      );
    }
    world.passTime(LEASE + TOLERANCE);
  };
  const sweepNow = (hasTime = always) => sweep(world.context, hasTime);

  describe('a sweep', () => {
    it('finds nothing to do in a pool of free, leased and cooling keys', async () => {
      await addKeys(world.context, 3);
      await acquire(world.context, ALICE, { leaseSeconds: 10 });
      await acquire(world.context, ALICE);
      world.passTime(10 * SECOND);

      expect(await sweepNow()).toEqual(NOTHING);
    });

    it('frees lapsed keys once they have cooled, and counts them per pool', async () => {
      await setPolicy(world.context, {}, 'licences');
      await addKeys(world.context, 3);
      await addKeys(world.context, 2, 'licences');
      const leases = [await acquire(world.context, ALICE), await acquire(world.context, ALICE)];
      await acquire(world.context, ALICE, { pool: 'licences' });
      world.passTime(LEASE + TOLERANCE - 1);
      expect(await sweepNow()).toEqual(NOTHING);
      world.passTime(1);

      expect(await sweepNow()).toEqual({
        ...NOTHING,
        lapsed: 3,
        lapsedByPool: { default: 2, licences: 1 },
      });

      for (const { keyId, leaseId } of leases) {
        expect(await world.store.keys.getStored(keyId)).toMatchObject({ state: 'free' });
        await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject(
          leaseEnded('lapsed'),
        );
      }
      expect(await sweepNow()).toEqual(NOTHING);
    });

    it('frees 1,200 lapsed keys in batches; it stops when its time is over, and the next one goes on', async () => {
      await lapseKeys(1200);

      expect(await sweepNow(batches(0))).toEqual({ ...NOTHING, complete: false });
      expect(await sweepNow(batches(1))).toMatchObject({ lapsed: 500, complete: false });
      expect(await sweepNow()).toEqual({ ...NOTHING, lapsed: 700, lapsedByPool: { default: 700 } });
      expect(await sweepNow()).toEqual(NOTHING);
    });

    it('removes 1,200 expired keys in batches, and stops there too when its time is over', async () => {
      for (let created = 0; created < 1200; created += 600) await addKeys(world.context, 600);
      world.passTime(KEY_LIFE);

      // Two batches find that nothing has lapsed, and that nothing is noted.
      expect(await sweepNow(batches(3))).toEqual({ ...NOTHING, expired: 500, complete: false });
      expect(await sweepNow()).toEqual({ ...NOTHING, expired: 700 });
      expect(await sweepNow()).toEqual(NOTHING);
    });

    it('records a lapse before it removes the expired key', async () => {
      const keyId = await addKey(world.context);
      await acquire(world.context, ALICE);
      world.passTime(KEY_LIFE);

      expect(await sweepNow()).toEqual({
        ...NOTHING,
        lapsed: 1,
        lapsedByPool: { default: 1 },
        expired: 1,
        backlogMs: KEY_LIFE - LEASE - TOLERANCE,
      });
      expect(await world.store.keys.getStored(keyId)).toBeNull();
    });

    it('counts a deleted key among the expired, and no lapse of its lease', async () => {
      const keyId = await addKey(world.context);
      await acquire(world.context, ALICE);
      await deleteKey(world.context, ADMIN, keyId, { force: false });
      world.passTime(LEASE + TOLERANCE);

      expect(await sweepNow()).toEqual({ ...NOTHING, expired: 1 });
    });

    it('reaches every one of 250 pools', async () => {
      for (let pool = 0; pool < 250; pool += 1) {
        await world.store.pools.create(`pool-${pool}`, DEFAULT_POLICY, world.now);
      }
      for (const pool of ['default', 'pool-0', 'pool-249', 'pool-99']) {
        await addKey(world.context, pool);
        await acquire(world.context, ALICE, { pool });
      }
      world.passTime(LEASE + TOLERANCE);

      expect((await sweepNow()).lapsedByPool).toEqual({
        default: 1,
        'pool-0': 1,
        'pool-249': 1,
        'pool-99': 1,
      });
    });
  });

  describe('a sweep after the deletion of a pool', () => {
    it('removes its keys in batches, stops when its time is over, and goes on', async () => {
      await setPolicy(world.context, {}, 'licences');
      await addKeys(world.context, 1000, 'licences');
      await addKeys(world.context, 200, 'licences');
      const other = await addKey(world.context);
      await deletePool(world.context, ADMIN, 'licences');

      // Five batches find that no lease has lapsed, nothing is noted, no key has expired, no ticket has lapsed, and no
      // event is to be forgotten.
      expect(await sweepNow(batches(6))).toEqual({ ...NOTHING, purged: 500, complete: false });
      expect(await sweepNow()).toEqual({ ...NOTHING, purged: 700 });
      expect(await sweepNow()).toEqual(NOTHING);
      expect(await getKey(world.context, ADMIN, other)).toMatchObject({ keyId: other });
    });

    it('removes what a slow process adds to it afterwards', async () => {
      await setPolicy(world.context, {}, 'licences');
      const pool = poolReference((await world.store.pools.get('licences')) as Pool);
      await deletePool(world.context, ADMIN, 'licences');
      await sweepNow();
      await world.store.keys.create([makeKey({ pool, expiresAt: world.now + 2 * HOUR })], null);

      expect(await sweepNow()).toMatchObject({ purged: 1 });
    });

    it('remembers it for an hour, and not longer', async () => {
      await setPolicy(world.context, {}, 'licences');
      await deletePool(world.context, ADMIN, 'licences');
      await deletePool(world.context, ADMIN, 'default');
      await sweepNow();
      world.passTime(HOUR);
      await sweepNow();
      expect(await world.store.pools.listCleared()).toHaveLength(2);

      world.passTime(1);
      await sweepNow();

      expect(await world.store.pools.listCleared()).toEqual([]);
      expect(await world.store.pools.get('default')).toMatchObject({ name: 'default' });
      await setPolicy(world.context, {}, 'licences');
      expect(await addKeys(world.context, 2, 'licences')).toHaveLength(2);
      expect(await sweepNow()).toEqual(NOTHING);
    });

    it('does not forget it before its keys are removed', async () => {
      await setPolicy(world.context, { keyTtlSeconds: null }, 'licences');
      await addKeys(world.context, 600, 'licences');
      await deletePool(world.context, ADMIN, 'licences');
      world.passTime(HOUR + 1);

      expect(await sweepNow(batches(6))).toMatchObject({ purged: 500, complete: false });
      expect(await world.store.pools.listCleared()).toHaveLength(1);
      expect(await sweepNow()).toMatchObject({ purged: 100, complete: true });
      expect(await world.store.pools.listCleared()).toEqual([]);
    });
  });
});
