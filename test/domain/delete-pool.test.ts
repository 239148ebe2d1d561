import { describe, expect, it } from 'vitest';
import type { Context } from '../../shared/domain/context.ts';
import { createKeys } from '../../shared/domain/create-keys.ts';
import { deleteKey, getKey, listKeys, refreshKey, unblockKey } from '../../shared/domain/keys.ts';
import { getLease, keepAliveLease, listLeases, releaseLease } from '../../shared/domain/leases.ts';
import { POOL_CACHE_MS } from '../../shared/domain/pool-directory.ts';
import { deletePool, getPool, listPools } from '../../shared/domain/pools.ts';
import { sweep } from '../../shared/domain/sweep.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import {
  FORBIDDEN,
  KEY_NOT_FOUND,
  leaseEnded,
  NO_KEY_AVAILABLE,
  POOL_NOT_FOUND,
} from './support/expected-errors.ts';
import { interruptAfter } from './support/interrupt.ts';
import { ADMIN, ALICE, acquire, addKey, addKeys, BOB, LEASE, setPolicy, TOLERANCE } from './support/world.ts';

const POOL = 'licences';

describeOnEveryStore((world) => {
  const holdKey = async (context = world.context) => {
    await setPolicy(context, {}, POOL);
    await addKeys(context, 2, POOL);
    return acquire(context, ALICE, { pool: POOL });
  };
  const expectGone = async (context: Context, { keyId, leaseId }: { keyId: string; leaseId: string }) => {
    for (const operation of [keepAliveLease, getLease, releaseLease]) {
      await expect(operation(context, ALICE, leaseId)).rejects.toMatchObject(leaseEnded('deleted'));
    }
    await expect(getKey(context, ADMIN, keyId)).rejects.toMatchObject(KEY_NOT_FOUND);
    await expect(refreshKey(context, ADMIN, keyId)).rejects.toMatchObject(KEY_NOT_FOUND);
    await expect(unblockKey(context, ADMIN, keyId, { force: true })).rejects.toMatchObject(KEY_NOT_FOUND);
    await expect(deleteKey(context, ADMIN, keyId, { force: true })).rejects.toMatchObject(KEY_NOT_FOUND);
    expect(await listLeases(context, ALICE, { limit: 10 })).toEqual({ leases: [] });
  };
  const sweepNow = () => sweep(world.context, () => true);
  const expectNoPool = async (context: Context) => {
    await expect(acquire(context, BOB, { pool: POOL })).rejects.toMatchObject(POOL_NOT_FOUND);
    await expect(createKeys(context, ADMIN, { pool: POOL, count: 1 })).rejects.toMatchObject(POOL_NOT_FOUND);
    await expect(listKeys(context, ADMIN, { pool: POOL, limit: 1 })).rejects.toMatchObject(POOL_NOT_FOUND);
    await expect(getPool(context, ADMIN, POOL)).rejects.toMatchObject(POOL_NOT_FOUND);
    expect((await listPools(context, ADMIN, { limit: 10 })).pools).toMatchObject([{ pool: 'default' }]);
  };

  describe('a deleted pool', () => {
    it('is gone at once for the process that deletes it, with its keys and leases', async () => {
      const lease = await holdKey();

      await deletePool(world.context, ADMIN, POOL);

      await expectNoPool(world.context);
      await expectGone(world.context, lease);
    });

    it('is gone for another process five seconds later, at the latest', async () => {
      const other = await world.startProcess();
      const lease = await holdKey(other);
      await keepAliveLease(other, ALICE, lease.leaseId);
      await deletePool(world.context, ADMIN, POOL);

      world.passTime(POOL_CACHE_MS);

      await expectNoPool(other);
      await expectGone(other, lease);
    });

    it('stays gone after the sweep removed its keys, and leaves other pools alone', async () => {
      const lease = await holdKey();
      await setPolicy(world.context, {}, 'licences-2');
      const others = [await addKey(world.context), await addKey(world.context, 'licences-2')];
      await deletePool(world.context, ADMIN, POOL);

      // The leased key keeps its seat until its holder has surely stopped.
      expect(await sweepNow()).toMatchObject({ lapsed: 0, purged: 1, complete: true });
      world.passTime(LEASE + TOLERANCE);
      expect(await sweepNow()).toMatchObject({ lapsed: 0, purged: 1, complete: true });

      expect(await world.store.keys.getStored(lease.keyId)).toBeNull();
      for (const keyId of others) expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ keyId });
      await expect(keepAliveLease(world.context, ALICE, lease.leaseId)).rejects.toMatchObject(
        leaseEnded('deleted'),
      );
    });

    it('cannot be deleted twice', async () => {
      await holdKey();
      await deletePool(world.context, ADMIN, POOL);

      await expect(deletePool(world.context, ADMIN, POOL)).rejects.toMatchObject(POOL_NOT_FOUND);
    });

    it('is deleted once when two processes delete it at the same time', async () => {
      await holdKey();
      const slow = interruptAfter(world.context, 'pools.get', () => deletePool(world.context, ADMIN, POOL));

      await expect(deletePool(slow, ADMIN, POOL)).rejects.toMatchObject(POOL_NOT_FOUND);
      await expectNoPool(world.context);
    });

    it('cannot be deleted by a credential that is limited to others', async () => {
      await holdKey();

      await expect(deletePool(world.context, { ...ADMIN, pools: ['default'] }, POOL)).rejects.toMatchObject(
        FORBIDDEN,
      );
    });
  });

  describe('a pool that is created again under the name of a deleted one', () => {
    it.each([
      ['before a sweep', async () => undefined],
      ['after a sweep', async () => void (await sweepNow())],
    ])('is empty and works, %s', async (_when, between) => {
      const old = await holdKey();
      await deletePool(world.context, ADMIN, POOL);
      await between();
      await setPolicy(world.context, { leaseSeconds: 10 }, POOL);

      await expectGone(world.context, old);
      expect(await getPool(world.context, ADMIN, POOL)).toMatchObject({
        leaseSeconds: 10,
        counts: { free: { count: 0 }, leased: { count: 0 }, cooling: { count: 0 } },
      });
      await expect(acquire(world.context, BOB, { pool: POOL })).rejects.toMatchObject(NO_KEY_AVAILABLE);
      const keyId = await addKey(world.context, POOL);
      const lease = await acquire(world.context, BOB, { pool: POOL });
      expect(lease).toMatchObject({ keyId, expiresInMs: 10_000 });
      await sweepNow();
      expect(await keepAliveLease(world.context, BOB, lease.leaseId)).toMatchObject({ keyId });
    });

    it('keeps its keys when the old pool was deleted several times in the same millisecond', async () => {
      for (let round = 0; round < 3; round += 1) {
        const old = await holdKey();
        await deletePool(world.context, ADMIN, POOL);
        await expectGone(world.context, old);
      }
      await setPolicy(world.context, {}, POOL);
      const keyId = await addKey(world.context, POOL);

      world.passTime(LEASE + TOLERANCE);
      expect(await sweepNow()).toMatchObject({ purged: 6 });
      expect(await acquire(world.context, BOB, { pool: POOL })).toMatchObject({ keyId });
    });

    it('answers a repeated acquire of the old pool that its lease is over', async () => {
      await holdKey();
      await acquire(world.context, ALICE, { pool: POOL, idempotencyKey: 'once' });
      await deletePool(world.context, ADMIN, POOL);
      await setPolicy(world.context, {}, POOL);
      await addKey(world.context, POOL);

      await expect(
        acquire(world.context, ALICE, { pool: POOL, idempotencyKey: 'once' }),
      ).rejects.toMatchObject(leaseEnded('deleted'));
    });
  });

  describe('the default pool', () => {
    it('becomes empty instead, and keeps its policy', async () => {
      await setPolicy(world.context, { leaseSeconds: 20, maxKeys: 5 });
      await addKeys(world.context, 5);
      const old = await acquire(world.context, ALICE);

      await deletePool(world.context, ADMIN, 'default');

      await expectGone(world.context, old);
      expect(await getPool(world.context, ADMIN, 'default')).toMatchObject({
        leaseSeconds: 20,
        maxKeys: 5,
        counts: { free: { count: 0 }, leased: { count: 0 } },
      });
      world.passTime(LEASE);
      await addKeys(world.context, 5);
      expect(await acquire(world.context, ALICE)).toMatchObject({ expiresInMs: 20_000 });
      expect(await sweepNow()).toMatchObject({ purged: 5 });
    });

    it('is empty once the later of two processes that empty it at the same time has done so', async () => {
      await addKeys(world.context, 2);
      const slow = interruptAfter(world.context, 'pools.get', async () => {
        await deletePool(world.context, ADMIN, 'default');
        await addKeys(world.context, 2);
      });

      await deletePool(slow, ADMIN, 'default');

      await expect(acquire(slow, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      expect(await sweepNow()).toMatchObject({ purged: 4 });
    });

    it('is empty for another process five seconds later, at the latest', async () => {
      await addKeys(world.context, 2);
      const other = await world.startProcess();
      const old = await acquire(other, ALICE);
      await deletePool(world.context, ADMIN, 'default');

      world.passTime(POOL_CACHE_MS);

      await expectGone(other, old);
      await expect(acquire(other, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
    });
  });
});
