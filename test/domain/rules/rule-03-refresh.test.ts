import { describe, expect, it } from 'vitest';
import type { Key } from '../../../shared/domain/key.ts';
import { deleteKey, getKey, refreshKey, unblockKey } from '../../../shared/domain/keys.ts';
import { keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { ADMIN, ALICE, acquire, addKey, KEY_LIFE, SECOND, setPolicy, TOLERANCE } from '../support/world.ts';

describeOnEveryStore((world) => {
  const stored = async (keyId: string) => (await world.store.keys.getStored(keyId)) as Key;

  describe('Rule 3: acquire and keep-alive refresh the key, and no key expires under a lease or while it cools', () => {
    it('an acquire restarts the life of the key', async () => {
      const keyId = await addKey(world.context);
      world.passTime(200 * SECOND);

      await acquire(world.context, ALICE);

      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ expiresInMs: KEY_LIFE });
    });

    it('an acquire of a lapsed key restarts its life too', async () => {
      const keyId = await addKey(world.context);
      await acquire(world.context, ALICE);
      world.passTime(200 * SECOND);

      await acquire(world.context, ALICE);

      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ expiresInMs: KEY_LIFE });
    });

    it('a keep-alive restarts the life of the key', async () => {
      const keyId = await addKey(world.context);
      const { leaseId } = await acquire(world.context, ALICE);
      world.passTime(40 * SECOND);

      await keepAliveLease(world.context, ALICE, leaseId);

      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ expiresInMs: KEY_LIFE });
    });

    it('a key that is kept alive outlives its first life', async () => {
      const keyId = await addKey(world.context);
      const { leaseId } = await acquire(world.context, ALICE);

      for (let kept = 0; kept < 20; kept += 1) {
        world.passTime(40 * SECOND);
        await keepAliveLease(world.context, ALICE, leaseId);
      }

      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'leased' });
    });

    it('refresh and release leave the lease and the life to each other', async () => {
      const keyId = await addKey(world.context);
      const { leaseId, expiresAt } = await acquire(world.context, ALICE);
      world.passTime(10 * SECOND);

      await refreshKey(world.context, ADMIN, keyId);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({
        expiresInMs: KEY_LIFE,
        lease: { expiresAt },
      });
      world.passTime(10 * SECOND);
      await releaseLease(world.context, ALICE, leaseId);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({
        expiresInMs: KEY_LIFE - 10 * SECOND,
        state: 'free',
      });
    });

    it('a lease that is longer than the key life of a later policy holds its key until the key is free', async () => {
      await setPolicy(world.context, { leaseSeconds: 60, keyTtlSeconds: 300 }, 'licences');
      const keyId = await addKey(world.context, 'licences');
      const { leaseId } = await acquire(world.context, ALICE, { pool: 'licences' });
      await setPolicy(world.context, { leaseSeconds: 1, keyTtlSeconds: 3 }, 'licences');

      world.passTime(50 * SECOND);
      const first = await keepAliveLease(world.context, ALICE, leaseId);
      for (let kept = 0; kept < 10; kept += 1) {
        world.passTime(50 * SECOND);
        await keepAliveLease(world.context, ALICE, leaseId);
      }
      world.passTime(59 * SECOND);

      expect(first.expiresInMs).toBe(60 * SECOND);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'leased' });
      const { expiresAt, freeAt } = await stored(keyId);
      expect(expiresAt).toBe(freeAt);
    });

    it('every write keeps the hard expiration at or after the moment the key is free', async () => {
      await setPolicy(world.context, { leaseSeconds: 60, keyTtlSeconds: 62 }, 'licences');
      const keyId = await addKey(world.context, 'licences');
      const lease = () => acquire(world.context, ALICE, { pool: 'licences' });
      const steps: (() => Promise<unknown>)[] = [
        async () => keepAliveLease(world.context, ALICE, (await lease()).leaseId),
        () => refreshKey(world.context, ADMIN, keyId),
        () => unblockKey(world.context, ADMIN, keyId, { force: false }),
        () => unblockKey(world.context, ADMIN, keyId, { force: true }),
        async () => releaseLease(world.context, ALICE, (await lease()).leaseId),
        lease,
        async () => world.passTime(60 * SECOND + TOLERANCE),
        () => sweep(world.context, () => true),
        lease,
        () => deleteKey(world.context, ADMIN, keyId, { force: false }),
      ];

      for (const step of steps) {
        await step();
        const { expiresAt, freeAt } = await stored(keyId);
        expect(expiresAt).toBeGreaterThanOrEqual(freeAt);
        world.passTime(SECOND / 10);
      }
    });
  });
});
