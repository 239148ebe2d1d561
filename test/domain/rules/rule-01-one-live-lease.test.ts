import { describe, expect, it } from 'vitest';
import { deleteKey, unblockKey } from '../../../shared/domain/keys.ts';
import { keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { KEY_NOT_FOUND, KEY_NOT_LEASED, NO_KEY_AVAILABLE } from '../support/expected-errors.ts';
import { interruptAfter } from '../support/interrupt.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKey,
  addKeys,
  BOB,
  carriedOutLate,
  LEASE,
  SECOND,
  TOLERANCE,
} from '../support/world.ts';

describeOnEveryStore((world) => {
  describe('Rule 1: at most one live lease per key', () => {
    it('a key that is leased goes to nobody else', async () => {
      await addKey(world.context);
      await acquire(world.context, ALICE);

      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      await expect(acquire(world.context, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
    });

    it('of two processes that acquire the only key at once, one gets it', async () => {
      await addKey(world.context);
      const other = await world.startProcess();

      const outcomes = await Promise.allSettled([acquire(world.context, ALICE), acquire(other, BOB)]);

      expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    it('each of several leases is on a key of its own', async () => {
      const keyIds = await addKeys(world.context, 5);

      const leased: string[] = [];
      for (const _ of keyIds) leased.push((await acquire(world.context, ALICE)).keyId);

      expect(leased.sort()).toEqual(keyIds.sort());
    });

    it('an acquire does not take a lapsed key that somebody else took between its look and its claim', async () => {
      await addKey(world.context);
      await acquire(world.context, ALICE);
      world.passTime(LEASE + TOLERANCE);
      const taken = interruptAfter(world.context, 'keys.listClaimable', () => acquire(world.context, BOB));

      await expect(acquire(taken, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
    });

    it('an acquire takes a key that was leased and released since its look as it is now', async () => {
      await addKey(world.context);
      await acquire(world.context, ALICE);
      world.passTime(LEASE + TOLERANCE);
      const sentAt = world.now;
      let between = 0;
      const slow = interruptAfter(carriedOutLate(world.context, sentAt), 'keys.listClaimable', async () => {
        world.passTime(TOLERANCE);
        const { leaseId, fencingToken } = await acquire(world.context, BOB);
        await releaseLease(world.context, BOB, leaseId);
        between = fencingToken;
      });

      expect((await acquire(slow, ALICE)).fencingToken).toBeGreaterThan(between);
    });

    it('a sweep that saw a lapsed lease leaves the lease alone that came after it', async () => {
      const keyId = await addKey(world.context);
      await acquire(world.context, ALICE);
      world.passTime(LEASE + TOLERANCE);
      const slow = interruptAfter(world.context, 'keys.listLapsed', () => acquire(world.context, BOB));

      const report = await sweep(slow, () => true);

      expect(report.lapsed).toBe(0);
      expect((await world.store.keys.get(keyId, world.now))?.lease?.clientId).toBe('bob');
      await expect(acquire(world.context, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
    });

    it('an unblock that saw a lease before its keep-alive waits for the later deadline', async () => {
      const keyId = await addKey(world.context);
      const { leaseId } = await acquire(world.context, ALICE);
      world.passTime(30 * SECOND);
      const slow = interruptAfter(world.context, 'keys.get', () =>
        keepAliveLease(world.context, ALICE, leaseId),
      );

      const key = await unblockKey(slow, ADMIN, keyId, { force: false });

      expect(key).toMatchObject({ state: 'cooling', freeInMs: LEASE + TOLERANCE });
    });

    it('a forced unblock that saw a lease which was released since then finds none to end', async () => {
      const keyId = await addKey(world.context);
      const { leaseId } = await acquire(world.context, ALICE);
      const slow = interruptAfter(world.context, 'keys.get', async () => {
        await releaseLease(world.context, ALICE, leaseId);
        world.passTime(SECOND);
      });

      await expect(unblockKey(slow, ADMIN, keyId, { force: true })).rejects.toMatchObject(KEY_NOT_LEASED);
    });

    it('of two deletes at once, both find the key gone', async () => {
      const keyId = await addKey(world.context);
      const slow = interruptAfter(world.context, 'keys.get', () =>
        deleteKey(world.context, ADMIN, keyId, { force: false }),
      );

      await expect(deleteKey(slow, ADMIN, keyId, { force: false })).rejects.toMatchObject(KEY_NOT_FOUND);
    });

    it('an acquire that is carried out late takes no key that is leased meanwhile', async () => {
      await addKey(world.context);
      const sentAt = world.now;
      world.passTime(10 * SECOND);
      await acquire(world.context, ALICE);

      await expect(acquire(carriedOutLate(world.context, sentAt), BOB)).rejects.toMatchObject(
        NO_KEY_AVAILABLE,
      );
      world.passTime(30 * SECOND);
      await expect(acquire(carriedOutLate(world.context, sentAt), BOB)).rejects.toMatchObject(
        NO_KEY_AVAILABLE,
      );
    });
  });
});
