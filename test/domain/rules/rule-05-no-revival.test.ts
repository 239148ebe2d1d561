import { describe, expect, it } from 'vitest';
import { getLease, keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { leaseEnded } from '../support/expected-errors.ts';
import { interruptAfter } from '../support/interrupt.ts';
import { ALICE, acquire, addKey, carriedOutLate, LEASE, SECOND, TOLERANCE } from '../support/world.ts';

/** A millisecond before its end the lease of the test is asked about; the keep-alive of then is carried out late. */
const JUST_IN_TIME = LEASE - 1;

describeOnEveryStore((world) => {
  const holdKey = async (request = {}) => {
    const keyId = await addKey(world.context);
    const { leaseId } = await acquire(world.context, ALICE, request);
    return { keyId, leaseId };
  };

  describe('Rule 5: a lease is over at its end and never comes back to life', () => {
    it('a lease lives until a millisecond before its end', async () => {
      const { leaseId } = await holdKey();
      world.passTime(JUST_IN_TIME);

      expect(await getLease(world.context, ALICE, leaseId)).toMatchObject({ expiresInMs: 1 });
      expect(await keepAliveLease(world.context, ALICE, leaseId)).toMatchObject({ expiresInMs: LEASE });
    });

    it('at its end the lease is over for keep-alive, find and release, even if nobody took the key', async () => {
      for (const operation of [keepAliveLease, getLease, releaseLease]) {
        const { leaseId } = await holdKey();
        world.passTime(LEASE);

        await expect(operation(world.context, ALICE, leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));
      }
    });

    it('the answer stays the same from then on', async () => {
      const { leaseId } = await holdKey();
      for (const passed of [LEASE, TOLERANCE, 30 * SECOND]) {
        world.passTime(passed);
        for (const operation of [keepAliveLease, getLease, releaseLease]) {
          await expect(operation(world.context, ALICE, leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));
        }
      }
    });

    it.each([
      ['keep-alive', keepAliveLease],
      ['find', getLease],
      ['release', releaseLease],
    ])('once a %s was refused, a keep-alive that was sent before is refused too', async (_name, refused) => {
      const { leaseId } = await holdKey();
      const sentAt = world.now + JUST_IN_TIME;
      world.passTime(LEASE);
      await expect(refused(world.context, ALICE, leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));

      await expect(
        keepAliveLease(carriedOutLate(world.context, sentAt), ALICE, leaseId),
      ).rejects.toMatchObject(leaseEnded('lapsed'));
    });

    it('once a repeated acquire was refused, a keep-alive that was sent before is refused too', async () => {
      const { leaseId } = await holdKey({ idempotencyKey: 'once' });
      const sentAt = world.now + JUST_IN_TIME;
      world.passTime(LEASE);
      await expect(acquire(world.context, ALICE, { idempotencyKey: 'once' })).rejects.toMatchObject(
        leaseEnded('lapsed'),
      );

      await expect(
        keepAliveLease(carriedOutLate(world.context, sentAt), ALICE, leaseId),
      ).rejects.toMatchObject(leaseEnded('lapsed'));
    });

    it('once a sweep recorded the lapse, a keep-alive that was sent before is refused', async () => {
      const { leaseId } = await holdKey();
      const sentAt = world.now + JUST_IN_TIME;
      world.passTime(LEASE + TOLERANCE);
      expect(await sweep(world.context, () => true)).toMatchObject({ lapsed: 1 });

      await expect(
        keepAliveLease(carriedOutLate(world.context, sentAt), ALICE, leaseId),
      ).rejects.toMatchObject(leaseEnded('lapsed'));
    });

    it('once a process whose clock is ahead refused the lease, every process refuses it', async () => {
      const { leaseId } = await holdKey();
      const ahead = await world.startProcess({ clockAheadMs: TOLERANCE - 1 });
      world.passTime(LEASE - 500);
      await expect(keepAliveLease(ahead, ALICE, leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));

      await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));
    });

    it('a keep-alive that is carried out between the look at a lapsed lease and its record is the one that counts', async () => {
      const { leaseId } = await holdKey();
      const sentAt = world.now + JUST_IN_TIME;
      world.passTime(LEASE);
      const slow = interruptAfter(world.context, 'keys.getStored', () =>
        keepAliveLease(carriedOutLate(world.context, sentAt), ALICE, leaseId),
      );

      // Nobody was told yet that the lease is over, so the keep-alive was in time, and so is this one.
      expect(await keepAliveLease(slow, ALICE, leaseId)).toMatchObject({ expiresInMs: LEASE });
    });
  });
});
