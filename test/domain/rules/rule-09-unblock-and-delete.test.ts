import { describe, expect, it } from 'vitest';
import { deleteKey, getKey, unblockKey } from '../../../shared/domain/keys.ts';
import { keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import {
  KEY_NOT_FOUND,
  KEY_NOT_LEASED,
  leaseEnded,
  NO_KEY_AVAILABLE,
  POOL_FULL,
} from '../support/expected-errors.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKey,
  addKeys,
  BOB,
  LEASE,
  SECOND,
  setPolicy,
  TOLERANCE,
} from '../support/world.ts';

const GENTLY = { force: false };
const BY_FORCE = { force: true };

describeOnEveryStore((world) => {
  const holdKey = async () => {
    await addKey(world.context);
    return acquire(world.context, ALICE);
  };
  const addSeat = () => addKeys(world.context, 1);

  describe("Rule 9: unblock gives the key to nobody before the holder's own deadline has passed", () => {
    it('the lease is over at once, and the key cools until then', async () => {
      const { keyId, leaseId } = await holdKey();
      world.passTime(10 * SECOND);

      const key = await unblockKey(world.context, ADMIN, keyId, GENTLY);

      expect(key).toMatchObject({ keyId, state: 'cooling', freeInMs: LEASE - 10 * SECOND + TOLERANCE });
      expect(key.lease).toBeUndefined();
      await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject(
        leaseEnded('unblocked'),
      );
      await expect(releaseLease(world.context, ALICE, leaseId)).rejects.toMatchObject(
        leaseEnded('unblocked'),
      );
      world.passTime(LEASE - 10 * SECOND + TOLERANCE - 1);
      await expect(acquire(world.context, BOB)).rejects.toMatchObject({
        ...NO_KEY_AVAILABLE,
        retryAfterMs: 1,
      });
      world.passTime(1);
      expect(await acquire(world.context, BOB)).toMatchObject({ keyId });
    });

    it("the holder's deadline is that of its last keep-alive", async () => {
      const { keyId, leaseId } = await holdKey();
      world.passTime(40 * SECOND);
      await keepAliveLease(world.context, ALICE, leaseId);

      expect(await unblockKey(world.context, ADMIN, keyId, GENTLY)).toMatchObject({
        freeInMs: LEASE + TOLERANCE,
      });
    });

    it('by force the key is free at once', async () => {
      const { keyId, leaseId } = await holdKey();
      world.passTime(SECOND);

      expect(await unblockKey(world.context, ADMIN, keyId, BY_FORCE)).toMatchObject({ state: 'free' });
      expect(await acquire(world.context, BOB)).toMatchObject({ keyId });
      await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject(
        leaseEnded('unblocked'),
      );
    });

    it('an unblock that is repeated changes nothing, and one by force frees what still cools', async () => {
      const { keyId } = await holdKey();
      await unblockKey(world.context, ADMIN, keyId, GENTLY);
      world.passTime(20 * SECOND);

      expect(await unblockKey(world.context, ADMIN, keyId, GENTLY)).toMatchObject({
        state: 'cooling',
        freeInMs: LEASE - 20 * SECOND + TOLERANCE,
      });
      expect(await unblockKey(world.context, ADMIN, keyId, BY_FORCE)).toMatchObject({ state: 'free' });
      expect(await acquire(world.context, BOB)).toMatchObject({ keyId });
    });

    it('a key that cools after its lease lapsed is freed by force, too', async () => {
      const { keyId } = await holdKey();
      world.passTime(LEASE);

      expect(await unblockKey(world.context, ADMIN, keyId, GENTLY)).toMatchObject({ freeInMs: TOLERANCE });
      expect(await unblockKey(world.context, ADMIN, keyId, BY_FORCE)).toMatchObject({ state: 'free' });
      expect(await acquire(world.context, BOB)).toMatchObject({ keyId });
    });

    it.each([GENTLY, BY_FORCE])('a free key has no lease to end, with %o', async (options) => {
      const keyId = await addKey(world.context);
      await expect(unblockKey(world.context, ADMIN, keyId, options)).rejects.toMatchObject(KEY_NOT_LEASED);

      await acquire(world.context, ALICE);
      world.passTime(LEASE + TOLERANCE);
      await expect(unblockKey(world.context, ADMIN, keyId, options)).rejects.toMatchObject(KEY_NOT_LEASED);
    });

    it.each([GENTLY, BY_FORCE])('a key that does not exist is not found, with %o', async (options) => {
      await expect(unblockKey(world.context, ADMIN, 'key_none', options)).rejects.toMatchObject(
        KEY_NOT_FOUND,
      );
      await expect(deleteKey(world.context, ADMIN, 'key_none', options)).rejects.toMatchObject(KEY_NOT_FOUND);
    });
  });

  describe("Rule 9: delete gives the seat to nobody before the holder's own deadline has passed", () => {
    it('the lease is over at once, and its seat under maxKeys stays taken until then', async () => {
      await setPolicy(world.context, { maxKeys: 1 });
      const { keyId, leaseId } = await holdKey();
      world.passTime(10 * SECOND);

      await deleteKey(world.context, ADMIN, keyId, GENTLY);

      await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject(
        leaseEnded('deleted'),
      );
      world.passTime(LEASE - 10 * SECOND + TOLERANCE - 1);
      await expect(addSeat()).rejects.toMatchObject(POOL_FULL);
      world.passTime(1);
      expect(await addSeat()).toHaveLength(1);
    });

    it('by force the seat is free at once', async () => {
      await setPolicy(world.context, { maxKeys: 1 });
      const { keyId, leaseId } = await holdKey();
      await expect(addSeat()).rejects.toMatchObject(POOL_FULL);

      await deleteKey(world.context, ADMIN, keyId, BY_FORCE);

      expect(await addSeat()).toHaveLength(1);
      await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject(
        leaseEnded('deleted'),
      );
    });

    it('the seat of a key that was free is free at once', async () => {
      await setPolicy(world.context, { maxKeys: 1 });
      const keyId = await addKey(world.context);

      await deleteKey(world.context, ADMIN, keyId, GENTLY);

      expect(await addSeat()).toHaveLength(1);
    });

    it('the seat of a key that an unblock left cooling stays taken until it would be free', async () => {
      await setPolicy(world.context, { maxKeys: 1 });
      const { keyId } = await holdKey();
      await unblockKey(world.context, ADMIN, keyId, GENTLY);
      await deleteKey(world.context, ADMIN, keyId, GENTLY);

      world.passTime(LEASE + TOLERANCE - 1);
      await expect(addSeat()).rejects.toMatchObject(POOL_FULL);
      world.passTime(1);
      expect(await addSeat()).toHaveLength(1);
    });

    it('a deleted key comes back to nobody, not even once its seat is free', async () => {
      const { keyId } = await holdKey();
      await deleteKey(world.context, ADMIN, keyId, GENTLY);
      world.passTime(LEASE + TOLERANCE);

      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      await expect(getKey(world.context, ADMIN, keyId)).rejects.toMatchObject(KEY_NOT_FOUND);
      await expect(deleteKey(world.context, ADMIN, keyId, GENTLY)).rejects.toMatchObject(KEY_NOT_FOUND);
    });

    it('a delete leaves the other keys and leases of the pool alone', async () => {
      await addKeys(world.context, 2);
      const first = await acquire(world.context, ALICE);
      const second = await acquire(world.context, BOB);

      await deleteKey(world.context, ADMIN, first.keyId, BY_FORCE);

      expect(await keepAliveLease(world.context, BOB, second.leaseId)).toMatchObject({ keyId: second.keyId });
    });
  });
});
