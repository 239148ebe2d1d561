import { describe, expect, it } from 'vitest';
import { deleteKey, getKey, unblockKey } from '../../../shared/domain/keys.ts';
import { getLease, keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKey,
  BOB,
  carriedOutLate,
  LEASE,
  SECOND,
  TOLERANCE,
} from '../support/world.ts';

describeOnEveryStore((world) => {
  describe('Rule 11: fencing tokens only grow', () => {
    it('they start at the creation time in milliseconds, and the first lease has a greater one', async () => {
      const keyId = await addKey(world.context);

      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ fencingToken: world.now });
      expect((await acquire(world.context, ALICE)).fencingToken).toBeGreaterThan(world.now);
    });

    it('each lease of a key has a greater one, whatever ended the lease before', async () => {
      const keyId = await addKey(world.context);
      const sentAt = world.now;
      const endings: ((leaseId: string) => Promise<unknown>)[] = [
        (leaseId) => releaseLease(world.context, ALICE, leaseId),
        () => unblockKey(world.context, ADMIN, keyId, { force: true }),
        async () => world.passTime(LEASE + TOLERANCE),
        async () => {
          world.passTime(LEASE + TOLERANCE);
          await sweep(world.context, () => true);
        },
        async () => {
          await unblockKey(world.context, ADMIN, keyId, { force: false });
          world.passTime(LEASE + TOLERANCE);
        },
        (leaseId) => releaseLease(carriedOutLate(world.context, sentAt), ALICE, leaseId),
      ];

      let previous = 0;
      for (const end of endings) {
        const { fencingToken, leaseId } = await acquire(world.context, ALICE);
        expect(fencingToken).toBeGreaterThan(previous);
        previous = fencingToken;
        await end(leaseId);
      }
      expect((await acquire(world.context, ALICE)).fencingToken).toBeGreaterThan(previous);
    });

    it('a lease keeps its token as long as it lives', async () => {
      const keyId = await addKey(world.context);
      const { fencingToken, leaseId } = await acquire(world.context, ALICE, { idempotencyKey: 'once' });
      world.passTime(SECOND);

      expect(await keepAliveLease(world.context, ALICE, leaseId)).toMatchObject({ fencingToken });
      expect(await getLease(world.context, ALICE, leaseId)).toMatchObject({ fencingToken });
      expect(await acquire(world.context, ALICE, { idempotencyKey: 'once' })).toMatchObject({ fencingToken });
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ fencingToken });
    });

    it('a lease on a host whose clock is behind has a greater one, too', async () => {
      await addKey(world.context);
      const behind = await world.startProcess({ clockAheadMs: -10 * SECOND });
      world.passTime(30 * SECOND);
      const first = await acquire(world.context, ALICE);
      world.passTime(2 * LEASE);

      expect((await acquire(behind, BOB)).fencingToken).toBeGreaterThan(first.fencingToken);
    });

    it('a key that takes the place of a deleted one starts above all that it ever gave', async () => {
      const keyId = await addKey(world.context);
      let last = 0;
      for (let lease = 0; lease < 10; lease += 1) {
        const { fencingToken, leaseId } = await acquire(world.context, ALICE);
        await releaseLease(world.context, ALICE, leaseId);
        last = fencingToken;
        world.passTime(SECOND);
      }
      await deleteKey(world.context, ADMIN, keyId, { force: true });
      await addKey(world.context);

      expect((await acquire(world.context, ALICE)).fencingToken).toBeGreaterThan(last);
    });
  });
});
