import { describe, expect, it } from 'vitest';
import { acquireLease } from '../../../shared/domain/acquire-lease.ts';
import { getKey } from '../../../shared/domain/keys.ts';
import { getLease, keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { FORBIDDEN, leaseEnded } from '../support/expected-errors.ts';
import { ADMIN, ALICE, acquire, addKey, BOB, KEY_LIFE, LEASE, SECOND } from '../support/world.ts';

describeOnEveryStore((world) => {
  const releaseKey = async () => {
    const keyId = await addKey(world.context);
    const { leaseId } = await acquire(world.context, ALICE);
    world.passTime(SECOND);
    await releaseLease(world.context, ALICE, leaseId);
    return { keyId, leaseId };
  };

  describe('Rule 12: a release that is repeated succeeds as long as the key remembers it', () => {
    it('at once, and long after the lease would have ended', async () => {
      const { leaseId } = await releaseKey();

      await expect(releaseLease(world.context, ALICE, leaseId)).resolves.toBeUndefined();
      world.passTime(2 * LEASE);
      await sweep(world.context, () => true);
      await expect(releaseLease(world.context, ALICE, leaseId)).resolves.toBeUndefined();
    });

    it('and while somebody else holds the key, whose lease it leaves alone', async () => {
      const { keyId, leaseId } = await releaseKey();
      const { lease } = await acquireLease(world.context, BOB, { pool: 'default' });

      await expect(releaseLease(world.context, ALICE, leaseId)).resolves.toBeUndefined();
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({
        state: 'leased',
        lease: { clientId: 'bob' },
      });
      expect(await getLease(world.context, BOB, lease.leaseId)).toMatchObject({ keyId });
    });

    it('and changes nothing more', async () => {
      const { keyId, leaseId } = await releaseKey();
      const before = await world.store.keys.getStored(keyId);
      world.passTime(SECOND);

      await releaseLease(world.context, ALICE, leaseId);

      expect(await world.store.keys.getStored(keyId)).toEqual(before);
    });

    it('for its own client only', async () => {
      const { leaseId } = await releaseKey();

      await expect(releaseLease(world.context, BOB, leaseId)).rejects.toMatchObject(FORBIDDEN);
    });

    it('but everything else finds the lease over', async () => {
      const { leaseId } = await releaseKey();

      await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject(
        leaseEnded('released'),
      );
      await expect(getLease(world.context, ALICE, leaseId)).rejects.toMatchObject(leaseEnded('released'));
    });

    it('and no longer, once the next lease of the key is over or the key is removed', async () => {
      const { leaseId } = await releaseKey();
      const next = await acquire(world.context, BOB);
      await releaseLease(world.context, BOB, next.leaseId);
      await expect(releaseLease(world.context, ALICE, leaseId)).rejects.toMatchObject(leaseEnded('unknown'));

      world.passTime(KEY_LIFE);
      await expect(releaseLease(world.context, BOB, next.leaseId)).resolves.toBeUndefined();
      await sweep(world.context, () => true);
      await expect(releaseLease(world.context, BOB, next.leaseId)).rejects.toMatchObject(
        leaseEnded('unknown'),
      );
    });
  });
});
