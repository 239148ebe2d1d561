import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../shared/contract/leases.ts';
import { deleteKey, unblockKey } from '../../../shared/domain/keys.ts';
import { getLease, keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import {
  FORBIDDEN,
  KEY_NOT_FOUND,
  KEY_NOT_LEASED,
  LEASE_CHANGED,
  leaseEnded,
  NO_KEY_AVAILABLE,
} from '../support/expected-errors.ts';
import { interruptAfter } from '../support/interrupt.ts';
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

const GENTLY = { force: false };
const BY_FORCE = { force: true };

const ENDINGS = [
  ['an unblock', unblockKey, GENTLY],
  ['an unblock by force', unblockKey, BY_FORCE],
  ['a delete', deleteKey, GENTLY],
  ['a delete by force', deleteKey, BY_FORCE],
] as const;

describeOnEveryStore((world) => {
  const holdKey = async () => {
    await addKey(world.context);
    return acquire(world.context, ALICE);
  };
  const stored = (keyId: string) => world.store.keys.getStored(keyId);
  const passOn = async ({ leaseId }: Lease) => {
    await releaseLease(world.context, ALICE, leaseId);
    return acquire(world.context, BOB);
  };

  describe('Rule 9: an ending applies to the lease that is meant, and to no other', () => {
    it.each(ENDINGS)(
      '%s leaves the lease alone that came after the one of its token',
      async (_, end, how) => {
        const first = await holdKey();
        const second = await passOn(first);
        const before = await stored(first.keyId);

        for (const fencingToken of [first.fencingToken, 0]) {
          await expect(
            end(world.context, ADMIN, first.keyId, { ...how, fencingToken }),
          ).rejects.toMatchObject(LEASE_CHANGED);
        }
        expect(await stored(first.keyId)).toEqual(before);
        expect(await keepAliveLease(world.context, BOB, second.leaseId)).toMatchObject({
          keyId: first.keyId,
        });
      },
    );

    it.each(ENDINGS)(
      '%s leaves a lease alone that came since its look, without a token too',
      async (_, end, how) => {
        for (const isNamed of [true, false]) {
          const first = await holdKey();
          const { keyId, fencingToken } = first;
          let between: unknown;
          const slow = interruptAfter(world.context, 'keys.get', async () => {
            await passOn(first);
            between = await stored(keyId);
          });

          await expect(
            end(slow, ADMIN, keyId, { ...how, fencingToken: isNamed ? fencingToken : undefined }),
          ).rejects.toMatchObject(LEASE_CHANGED);
          expect(await stored(keyId)).toEqual(between);
        }
      },
    );

    it.each(ENDINGS)('%s that found a free key leaves a lease alone that came since', async (_, end, how) => {
      const keyId = await addKey(world.context);
      let leaseId = '';
      const slow = interruptAfter(world.context, 'keys.get', async () => {
        ({ leaseId } = await acquire(world.context, ALICE));
      });

      await expect(end(slow, ADMIN, keyId, how)).rejects.toMatchObject({
        code: end === unblockKey ? 'key_not_leased' : 'lease_changed',
      });
      expect(await getLease(world.context, ALICE, leaseId)).toMatchObject({ keyId });
    });

    it.each(ENDINGS)('%s ends a lease that was kept alive since its look', async (_, end, how) => {
      const { keyId, leaseId } = await holdKey();
      world.passTime(30 * SECOND);
      const slow = interruptAfter(world.context, 'keys.get', () =>
        keepAliveLease(world.context, ALICE, leaseId),
      );

      await end(slow, ADMIN, keyId, how);

      await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject(
        leaseEnded(end === unblockKey ? 'unblocked' : 'deleted'),
      );
      const freeAt = how.force ? world.now - TOLERANCE : world.now + LEASE + TOLERANCE;
      expect(await stored(keyId)).toMatchObject({ freeAt });
    });

    it.each(ENDINGS)(
      '%s may be repeated with the same token, and changes nothing more',
      async (_, end, how) => {
        const { keyId, fencingToken } = await holdKey();
        const named = { ...how, fencingToken };
        await end(world.context, ADMIN, keyId, named);
        const before = await stored(keyId);

        for (const passed of [0, SECOND, LEASE + TOLERANCE]) {
          world.passTime(passed);
          const repeated = await end(world.context, ADMIN, keyId, named);
          if (end === unblockKey) expect(repeated).toMatchObject({ keyId, fencingToken });
          expect(await stored(keyId)).toEqual(before);
        }
      },
    );

    it.each(ENDINGS)(
      '%s by two admins at once with the same token succeeds for both',
      async (_, end, how) => {
        const { keyId, fencingToken } = await holdKey();
        const named = { ...how, fencingToken };
        const slow = interruptAfter(world.context, 'keys.get', () => end(world.context, ADMIN, keyId, named));

        await end(slow, ADMIN, keyId, named);

        await expect(end(world.context, ADMIN, keyId, { ...how, fencingToken: 0 })).rejects.toMatchObject({
          code: end === unblockKey ? 'lease_changed' : 'key_not_found',
        });
      },
    );

    it.each([GENTLY, BY_FORCE])('a lease that its holder released is none to end, with %o', async (how) => {
      const { keyId, leaseId, fencingToken } = await holdKey();
      const slow = interruptAfter(world.context, 'keys.get', () =>
        releaseLease(world.context, ALICE, leaseId),
      );

      await expect(unblockKey(slow, ADMIN, keyId, how)).rejects.toMatchObject(KEY_NOT_LEASED);
      await expect(unblockKey(world.context, ADMIN, keyId, { ...how, fencingToken })).rejects.toMatchObject(
        KEY_NOT_LEASED,
      );
    });

    it('a delete that is repeated for another token, or by whom the pool is closed to, is refused', async () => {
      const { keyId, fencingToken } = await holdKey();
      await deleteKey(world.context, ADMIN, keyId, { ...GENTLY, fencingToken });
      const limited = { ...ADMIN, pools: ['licences'] };

      await expect(
        deleteKey(world.context, ADMIN, keyId, { ...GENTLY, fencingToken: fencingToken + 1 }),
      ).rejects.toMatchObject(KEY_NOT_FOUND);
      await expect(
        deleteKey(world.context, limited, keyId, { ...GENTLY, fencingToken }),
      ).rejects.toMatchObject(FORBIDDEN);
    });
  });

  describe('Rule 9: an unblock of a lapsed lease that nobody recorded writes it down', () => {
    it.each([
      ['while the key cools', LEASE + 1, GENTLY, { state: 'cooling', freeInMs: TOLERANCE - 1 }],
      ['while the key cools, by force', LEASE + 1, BY_FORCE, { state: 'free' }],
      ['when the key is free', LEASE + TOLERANCE, GENTLY, KEY_NOT_LEASED],
    ])(
      '%s: no keep-alive revives the lease, neither late nor by a clock that is behind',
      async (_, passed, how, outcome) => {
        const { keyId, leaseId, fencingToken } = await holdKey();
        const inTime = carriedOutLate(world.context, world.now + LEASE - 1);
        const behind = await world.startProcess({ clockAheadMs: -900 });
        world.passTime(passed);

        const answer = await unblockKey(world.context, ADMIN, keyId, how).catch((error: unknown) => error);

        expect(answer).toMatchObject(outcome);
        for (const context of [inTime, behind, world.context]) {
          await expect(keepAliveLease(context, ALICE, leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));
        }
        // With its token the end of a lapsed lease may be asked for again.
        world.passTime(TOLERANCE);
        const repeated = await unblockKey(world.context, ADMIN, keyId, { ...how, fencingToken });
        expect(repeated).toMatchObject({ state: 'free' });
        await expect(acquire(world.context, BOB)).resolves.toMatchObject({ keyId });
        await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      },
    );
  });
});
