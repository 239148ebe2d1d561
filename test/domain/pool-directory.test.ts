import { describe, expect, it } from 'vitest';
import { acquireLease } from '../../shared/domain/acquire-lease.ts';
import { getKey, unblockKey } from '../../shared/domain/keys.ts';
import { getLease, keepAliveLease, listLeases, releaseLease } from '../../shared/domain/leases.ts';
import { deletePool } from '../../shared/domain/pools.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { ADMIN, ALICE, acquire, addKeys, BOB, setPolicy } from './support/world.ts';

describeOnEveryStore((world) => {
  describe.each(['default', 'licences'])(
    'a process that knows the pool "%s" as it was before it was emptied',
    (pool) => {
      /** A lease of the new keys, and a process that has not heard of them. */
      const emptyElsewhere = async () => {
        const other = await world.startProcess();
        await setPolicy(world.context, {}, pool);
        await addKeys(world.context, 1, pool);
        await acquire(other, BOB, { pool });
        await deletePool(world.context, ADMIN, pool);
        await setPolicy(world.context, {}, pool);
        await addKeys(world.context, 2, pool);
        const lease = await acquire(world.context, ALICE, { pool, idempotencyKey: 'once' });
        return { other, lease };
      };

      it('keeps a lease of the new keys alive and finds it', async () => {
        const { other, lease } = await emptyElsewhere();

        expect(await keepAliveLease(other, ALICE, lease.leaseId)).toMatchObject({ keyId: lease.keyId });
        expect(await getLease(other, ALICE, lease.leaseId)).toMatchObject({ keyId: lease.keyId });
      });

      it('lists it', async () => {
        const { other, lease } = await emptyElsewhere();

        expect((await listLeases(other, ALICE, { limit: 10 })).leases).toMatchObject([
          { leaseId: lease.leaseId },
        ]);
      });

      it('releases it', async () => {
        const { other, lease } = await emptyElsewhere();

        await expect(releaseLease(other, ALICE, lease.leaseId)).resolves.toBeUndefined();
      });

      it('gives it for a repeated acquire', async () => {
        const { other, lease } = await emptyElsewhere();

        expect(await acquireLease(other, ALICE, { pool, idempotencyKey: 'once' })).toMatchObject({
          lease: { leaseId: lease.leaseId },
          repeated: true,
        });
      });

      it('finds the new keys and unblocks them', async () => {
        const { other, lease } = await emptyElsewhere();

        expect(await getKey(other, ADMIN, lease.keyId)).toMatchObject({ state: 'leased' });
        expect(await unblockKey(other, ADMIN, lease.keyId, { force: true })).toMatchObject({ state: 'free' });
      });
    },
  );
});
