import { describe, expect, it } from 'vitest';
import { getKey, refreshKey } from '../../../shared/domain/keys.ts';
import { keepAliveLease } from '../../../shared/domain/leases.ts';
import { putPool } from '../../../shared/domain/pools.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { invalid, KEY_NOT_FOUND } from '../support/expected-errors.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKey,
  KEY_LIFE,
  LEASE,
  SECOND,
  setPolicy,
  TOLERANCE,
  toTime,
} from '../support/world.ts';

const CENTURY = 100 * 366 * 86_400 * SECOND;

describeOnEveryStore((world) => {
  describe('Rule 2: the lengths of leases and of key lives', () => {
    it('a lease of the default pool lasts 60 seconds and is kept alive every 20', async () => {
      await addKey(world.context);

      expect(await acquire(world.context, ALICE)).toMatchObject({
        acquiredAt: toTime(world.now),
        expiresAt: toTime(world.now + 60_000),
        expiresInMs: 60_000,
        keepAliveEveryMs: 20_000,
      });
    });

    it('a key of the default pool lives 300 seconds', async () => {
      const keyId = await addKey(world.context);

      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({
        createdAt: toTime(world.now),
        expiresAt: toTime(world.now + 300_000),
        expiresInMs: 300_000,
      });
    });

    it("a pool's own policy sets both", async () => {
      await setPolicy(world.context, { leaseSeconds: 10, keyTtlSeconds: 20 }, 'licences');
      const keyId = await addKey(world.context, 'licences');

      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ expiresInMs: 20_000 });
      expect(await acquire(world.context, ALICE, { pool: 'licences' })).toMatchObject({
        expiresInMs: 10_000,
      });
    });

    it('a caller may ask for a shorter lease, and each keep-alive gives that length again', async () => {
      await addKey(world.context);
      const lease = await acquire(world.context, ALICE, { leaseSeconds: 12 });
      expect(lease).toMatchObject({ expiresInMs: 12_000, keepAliveEveryMs: 4000 });

      world.passTime(5 * SECOND);

      expect(await keepAliveLease(world.context, ALICE, lease.leaseId)).toMatchObject({
        expiresInMs: 12_000,
        keepAliveEveryMs: 4000,
      });
    });

    it("a caller may ask for exactly the pool's lease, and for none longer", async () => {
      await addKey(world.context);

      await expect(acquire(world.context, ALICE, { leaseSeconds: 61 })).rejects.toMatchObject(
        invalid('leaseSeconds'),
      );
      expect(await acquire(world.context, ALICE, { leaseSeconds: 60 })).toMatchObject({ expiresInMs: LEASE });
    });

    it('a refused lease length takes no key', async () => {
      const keyId = await addKey(world.context);
      await expect(acquire(world.context, ALICE, { leaseSeconds: 61 })).rejects.toThrow();

      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'free' });
    });

    it.each([
      { leaseSeconds: 60, keyTtlSeconds: 30 },
      { leaseSeconds: 60, keyTtlSeconds: 60 },
      { leaseSeconds: 60, keyTtlSeconds: 60 + TOLERANCE / 1000 },
    ])(
      'a policy is refused whose key life does not exceed the lease and the tolerance: %o',
      async (policy) => {
        await expect(putPool(world.context, ADMIN, 'licences', { policy })).rejects.toMatchObject(
          invalid('keyTtlSeconds'),
        );
        expect(await world.store.pools.get('licences')).toBeNull();
      },
    );

    it('a policy is accepted whose key life exceeds the lease by more than the tolerance', async () => {
      await setPolicy(world.context, { leaseSeconds: 60, keyTtlSeconds: 62 }, 'licences');

      expect(await world.store.pools.get('licences')).toMatchObject({ policy: { keyTtlSeconds: 62 } });
    });

    it('a key of a pool without a key life never expires, whatever is done with it', async () => {
      await setPolicy(world.context, { keyTtlSeconds: null }, 'licences');
      const keyId = await addKey(world.context, 'licences');
      const never = { expiresAt: null, expiresInMs: null };

      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject(never);
      world.passTime(CENTURY);
      expect(await refreshKey(world.context, ADMIN, keyId)).toMatchObject(never);
      const { leaseId } = await acquire(world.context, ALICE, { pool: 'licences' });
      await keepAliveLease(world.context, ALICE, leaseId);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ ...never, state: 'leased' });
    });

    it('a key ends with its life where nobody refreshes it', async () => {
      const keyId = await addKey(world.context);

      world.passTime(KEY_LIFE - 1);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ expiresInMs: 1 });
      world.passTime(1);
      await expect(getKey(world.context, ADMIN, keyId)).rejects.toMatchObject(KEY_NOT_FOUND);
    });
  });
});
