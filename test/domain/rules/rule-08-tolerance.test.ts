import { describe, expect, it } from 'vitest';
import { getKey } from '../../../shared/domain/keys.ts';
import { keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { NO_KEY_AVAILABLE } from '../support/expected-errors.ts';
import { ADMIN, ALICE, acquire, addKey, BOB, LEASE, SECOND, TOLERANCE } from '../support/world.ts';

/** Just under the tolerance. */
const SKEW = TOLERANCE - 1;

describeOnEveryStore((world) => {
  describe('Rule 8: a key is claimable from the end of its lease plus the tolerance', () => {
    it('it cools from the end of the lease, and is free a tolerance later', async () => {
      const keyId = await addKey(world.context);
      await acquire(world.context, ALICE);

      world.passTime(LEASE);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({
        state: 'cooling',
        freeInMs: TOLERANCE,
      });
      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      world.passTime(TOLERANCE - 1);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'cooling', freeInMs: 1 });
      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      world.passTime(1);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'free' });
      expect(await acquire(world.context, BOB)).toMatchObject({ keyId });
    });

    it('the same holds when a refused keep-alive has recorded the lapse, or a sweep was there', async () => {
      await addKey(world.context);
      const { leaseId } = await acquire(world.context, ALICE);
      world.passTime(LEASE);
      await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toThrow();
      await sweep(world.context, () => true);

      world.passTime(TOLERANCE - 1);
      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      world.passTime(1);
      expect(await acquire(world.context, BOB)).toMatchObject({ clientId: 'bob' });
    });

    it('a keep-alive moves that moment with the end of the lease', async () => {
      await addKey(world.context);
      const { leaseId } = await acquire(world.context, ALICE);
      world.passTime(30 * SECOND);
      await keepAliveLease(world.context, ALICE, leaseId);

      world.passTime(LEASE + TOLERANCE - 1);
      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      world.passTime(1);
      expect(await acquire(world.context, BOB)).toMatchObject({ clientId: 'bob' });
    });

    it('who finds no key free is told when the first will be', async () => {
      await addKey(world.context);
      await acquire(world.context, ALICE);
      world.passTime(10 * SECOND);
      await addKey(world.context);
      await acquire(world.context, ALICE);
      world.passTime(10 * SECOND);

      await expect(acquire(world.context, BOB)).rejects.toMatchObject({
        ...NO_KEY_AVAILABLE,
        retryAfterMs: LEASE - 20 * SECOND + TOLERANCE,
      });
    });

    it('a pool without keys is worth another look in five seconds', async () => {
      await expect(acquire(world.context, BOB)).rejects.toMatchObject({
        ...NO_KEY_AVAILABLE,
        retryAfterMs: 5000,
      });
    });

    it('a released key is free at once', async () => {
      const keyId = await addKey(world.context);
      const { leaseId } = await acquire(world.context, ALICE);
      await releaseLease(world.context, ALICE, leaseId);

      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'free' });
      expect(await acquire(world.context, BOB)).toMatchObject({ keyId });
    });
  });

  describe('Rule 8: hosts whose clocks differ by less than the tolerance never overlap', () => {
    it.each([
      { holder: 0, taker: SKEW },
      { holder: -SKEW, taker: 0 },
      { holder: -500, taker: 499 },
      { holder: SKEW, taker: 0 },
      { holder: 0, taker: -SKEW },
    ])('the holder on a clock that is off by $holder ms, the taker by $taker ms', async (clocks) => {
      await addKey(world.context);
      const holder = await world.startProcess({ clockAheadMs: clocks.holder });
      const taker = await world.startProcess({ clockAheadMs: clocks.taker });
      world.passTime(10 * SECOND);
      const { expiresInMs } = await acquire(holder, ALICE);

      // The holder counts the duration that it was told from before it sent the request.
      world.passTime(expiresInMs - 1);
      await expect(acquire(taker, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      world.passTime(1 + 2 * TOLERANCE);
      expect(await acquire(taker, BOB)).toMatchObject({ clientId: 'bob' });
    });

    it('nor do they when the lease was kept alive on a host whose clock is behind', async () => {
      await addKey(world.context);
      const behind = await world.startProcess({ clockAheadMs: -SKEW });
      const { leaseId } = await acquire(world.context, ALICE);
      world.passTime(30 * SECOND);
      const { expiresInMs } = await keepAliveLease(behind, ALICE, leaseId);
      expect(expiresInMs).toBe(LEASE);

      world.passTime(expiresInMs - 1);
      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      world.passTime(TOLERANCE);
      expect(await acquire(world.context, BOB)).toMatchObject({ clientId: 'bob' });
    });

    it('nor does a sweep on a host whose clock is ahead free a key early', async () => {
      await addKey(world.context);
      const ahead = await world.startProcess({ clockAheadMs: SKEW });
      const { expiresInMs, leaseId } = await acquire(world.context, ALICE);

      world.passTime(expiresInMs - 1);
      expect(await sweep(ahead, () => true)).toMatchObject({ lapsed: 0 });
      expect(await keepAliveLease(world.context, ALICE, leaseId)).toMatchObject({ expiresInMs: LEASE });
    });
  });
});
