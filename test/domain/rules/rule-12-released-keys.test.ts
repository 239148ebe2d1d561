import { describe, expect, it } from 'vitest';
import type { Context } from '../../../shared/domain/context.ts';
import { getKey, unblockKey } from '../../../shared/domain/keys.ts';
import { getLease, keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { FORBIDDEN, leaseEnded, NO_KEY_AVAILABLE } from '../support/expected-errors.ts';
import { interruptAfter } from '../support/interrupt.ts';
import { persistently } from '../support/persistently.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKey,
  addKeys,
  BOB,
  KEY_LIFE,
  LEASE,
  SECOND,
  setPolicy,
  TOLERANCE,
} from '../support/world.ts';

/** Any two differ by less than the tolerance. */
const CLOCKS = [0, 300, 600, 900];
const CALLERS = 8;
const ACQUIRES = 400;

describeOnEveryStore((world, share) => {
  const sweepNow = () => sweep(world.context, () => true);

  describe('Rule 12: nobody is refused while a key is free throughout the call', () => {
    it.each<[string, (context: Context, keyId: string) => Promise<unknown>]>([
      ['new', async () => undefined],
      [
        'released',
        async (context) => {
          const { leaseId } = await acquire(context, ALICE);
          await releaseLease(context, ALICE, leaseId);
        },
      ],
      [
        'freed by force',
        async (context, keyId) => {
          await acquire(context, ALICE);
          await unblockKey(context, ADMIN, keyId, { force: true });
        },
      ],
    ])('a key that is %s can be had at once, by a clock that is behind too', async (_state, free) => {
      const ahead = await world.startProcess({ clockAheadMs: TOLERANCE });
      const keyId = await addKey(ahead);
      await free(ahead, keyId);

      expect(await acquire(world.context, BOB)).toMatchObject({ keyId });
    });

    it(`${CALLERS} callers on ${CALLERS + 1} keys, on hosts whose clocks are 300 ms apart, are never refused`, async () => {
      await addKeys(world.context, CALLERS + 1);
      const hosts = await Promise.all(CLOCKS.map((clockAheadMs) => world.startProcess({ clockAheadMs })));

      const work = async (_: unknown, index: number) => {
        const context = hosts[index % hosts.length] as Context;
        const caller = { clientId: `caller-${index}`, role: 'client' } as const;
        for (let count = 0; count < ACQUIRES * share * share; count += 1) {
          const idempotencyKey = `acquire-${count}`;
          const { leaseId } = await persistently(() => acquire(context, caller, { idempotencyKey }));
          world.passTime((7 * count + index) % 20);
          await persistently(() => releaseLease(context, caller, leaseId));
        }
      };
      await Promise.all(Array.from({ length: CALLERS }, work));
    });

    it.each(['keys.claim', 'keys.listClaimable'] as const)(
      'a lapsed key is found though a sweep records its lapse right after %s',
      async (verb) => {
        const keyId = await addKey(world.context);
        await acquire(world.context, ALICE);
        world.passTime(LEASE + TOLERANCE);
        const slow = interruptAfter(world.context, verb, sweepNow);

        expect(await acquire(slow, BOB)).toMatchObject({ keyId });
      },
    );

    it('but a key that cools, or is of another pool, is not free', async () => {
      await setPolicy(world.context, {}, 'licences');
      await addKey(world.context, 'licences');
      const keyId = await addKey(world.context);
      await acquire(world.context, ALICE);
      world.passTime(SECOND);
      await unblockKey(world.context, ADMIN, keyId, { force: false });

      await expect(acquire(world.context, BOB)).rejects.toMatchObject({
        ...NO_KEY_AVAILABLE,
        retryAfterMs: LEASE + TOLERANCE - SECOND,
      });
    });
  });

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

      await expect(releaseLease(world.context, ALICE, leaseId)).resolves.toMatchObject({ repeated: true });
      world.passTime(2 * LEASE);
      await sweep(world.context, () => true);
      await expect(releaseLease(world.context, ALICE, leaseId)).resolves.toMatchObject({ repeated: true });
    });

    it('and while somebody else holds the key, whose lease it leaves alone', async () => {
      const { keyId, leaseId } = await releaseKey();
      const lease = await acquire(world.context, BOB);

      await expect(releaseLease(world.context, ALICE, leaseId)).resolves.toMatchObject({ repeated: true });
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
      await expect(releaseLease(world.context, BOB, next.leaseId)).resolves.toMatchObject({ repeated: true });
      await sweep(world.context, () => true);
      await expect(releaseLease(world.context, BOB, next.leaseId)).rejects.toMatchObject(
        leaseEnded('unknown'),
      );
    });
  });
});
