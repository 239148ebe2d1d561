import { describe, expect, it } from 'vitest';
import { deleteKey, unblockKey } from '../../../shared/domain/keys.ts';
import { keepAliveLease, listLeases, releaseLease } from '../../../shared/domain/leases.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { invalid, leaseEnded, NO_KEY_AVAILABLE, POOL_PAUSED } from '../support/expected-errors.ts';
import { interruptAfter } from '../support/interrupt.ts';
import { persistently } from '../support/persistently.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  acquireOrRepeat,
  addKey,
  addKeys,
  BOB,
  KEY_LIFE,
  LEASE,
  SECOND,
  setPolicy,
  TOLERANCE,
} from '../support/world.ts';

const ONCE = { idempotencyKey: 'once' };

describeOnEveryStore((world) => {
  const repeat = () => acquireOrRepeat(world.context, ALICE, ONCE);
  const ownLeases = async () => (await listLeases(world.context, ALICE, { limit: 100 })).leases;

  describe('Rule 10: an acquire with an idempotency key is safe to retry', () => {
    it('a repeat gives the same lease while it lives, and takes no second key', async () => {
      await addKeys(world.context, 3);
      const first = await repeat();
      world.passTime(10 * SECOND);

      const second = await repeat();

      expect(first.repeated).toBe(false);
      expect(second).toEqual({
        lease: { ...first.lease, expiresInMs: first.lease.expiresInMs - 10 * SECOND },
        repeated: true,
      });
      expect(await ownLeases()).toHaveLength(1);
    });

    it('a repeat after a keep-alive gives the extended lease', async () => {
      await addKeys(world.context, 2);
      const { lease } = await repeat();
      world.passTime(40 * SECOND);
      await keepAliveLease(world.context, ALICE, lease.leaseId);
      world.passTime(40 * SECOND);

      expect(await repeat()).toMatchObject({
        lease: { leaseId: lease.leaseId, expiresInMs: LEASE - 40 * SECOND },
        repeated: true,
      });
    });

    it('a repeat in a pool of one key finds its own lease, and everybody else none', async () => {
      await addKey(world.context);
      const { lease } = await repeat();

      expect(await repeat()).toMatchObject({ lease: { leaseId: lease.leaseId }, repeated: true });
      await expect(acquire(world.context, ALICE, { idempotencyKey: 'twice' })).rejects.toMatchObject(
        NO_KEY_AVAILABLE,
      );
    });

    it('a repeat while the pool is paused gives the lease, and a new request none', async () => {
      await addKeys(world.context, 2);
      const { lease } = await repeat();
      await setPolicy(world.context, { paused: true });

      expect(await repeat()).toMatchObject({ lease: { leaseId: lease.leaseId }, repeated: true });
      await expect(acquire(world.context, ALICE, { idempotencyKey: 'twice' })).rejects.toMatchObject(
        POOL_PAUSED,
      );
      await expect(acquire(world.context, BOB, ONCE)).rejects.toMatchObject(POOL_PAUSED);
    });

    it('a repeat after the policy became stricter than the request gives the lease', async () => {
      await addKeys(world.context, 2);
      const request = { pool: 'default', leaseSeconds: 60, ...ONCE };
      const { lease } = await acquireOrRepeat(world.context, ALICE, request);
      await setPolicy(world.context, { leaseSeconds: 10 });

      expect(await acquireOrRepeat(world.context, ALICE, request)).toMatchObject({
        lease: { leaseId: lease.leaseId },
        repeated: true,
      });
      await expect(acquireOrRepeat(world.context, BOB, request)).rejects.toMatchObject(
        invalid('leaseSeconds'),
      );
    });

    it('twenty acquires at once with one idempotency key give one lease', async () => {
      await addKeys(world.context, 30);
      const other = await world.startProcess();

      const acquired = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          persistently(() => acquireOrRepeat(index % 2 === 0 ? world.context : other, ALICE, ONCE)),
        ),
      );

      expect(new Set(acquired.map(({ lease }) => lease.leaseId)).size).toBe(1);
      expect(acquired.filter(({ repeated }) => !repeated).length).toBeLessThanOrEqual(1);
      expect(await ownLeases()).toHaveLength(1);
    });

    it('another client with the same idempotency key gets a lease of its own', async () => {
      await addKeys(world.context, 2);
      const { lease } = await repeat();

      const bobs = await acquireOrRepeat(world.context, BOB, ONCE);

      expect(bobs.repeated).toBe(false);
      expect(bobs.lease.keyId).not.toBe(lease.keyId);
    });

    it('requests with different keys, or none, get a lease each', async () => {
      await addKeys(world.context, 4);
      await repeat();
      await acquire(world.context, ALICE, { idempotencyKey: 'twice' });
      await acquire(world.context, ALICE);
      await acquire(world.context, ALICE);

      expect(await ownLeases()).toHaveLength(4);
    });
  });

  describe('Rule 10: after the lease a repeat answers that it is over', () => {
    const ends = {
      released: (leaseId: string) => releaseLease(world.context, ALICE, leaseId),
      unblocked: async (_leaseId: string, keyId: string) => {
        await unblockKey(world.context, ADMIN, keyId, { force: true });
      },
      lapsed: async () => world.passTime(LEASE + TOLERANCE),
    } as const;

    it.each(['released', 'unblocked', 'lapsed'] as const)(
      'one that ended as %s, although keys are free',
      async (reason) => {
        await addKeys(world.context, 3);
        const { lease } = await repeat();
        await ends[reason](lease.leaseId, lease.keyId);

        await expect(repeat()).rejects.toMatchObject(leaseEnded(reason));
        await sweep(world.context, () => true);
        await expect(repeat()).rejects.toMatchObject(leaseEnded(reason));
        expect(await ownLeases()).toEqual([]);
      },
    );

    it.each(['released', 'unblocked', 'lapsed'] as const)(
      'one that ended as %s, on the only key',
      async (reason) => {
        await addKey(world.context);
        const { lease } = await repeat();
        await ends[reason](lease.leaseId, lease.keyId);

        await expect(repeat()).rejects.toMatchObject(leaseEnded(reason));
        expect(await acquire(world.context, BOB)).toMatchObject({ keyId: lease.keyId });
      },
    );

    it('until the key is acquired again: then the repeat is a new request', async () => {
      await addKeys(world.context, 2);
      const { lease } = await repeat();
      await releaseLease(world.context, ALICE, lease.leaseId);
      const taken = [await acquire(world.context, BOB), await acquire(world.context, BOB)];
      await releaseLease(world.context, BOB, taken[0]?.leaseId ?? '');

      const renewed = await repeat();

      expect(renewed.repeated).toBe(false);
      expect(renewed.lease.leaseId).not.toBe(lease.leaseId);
    });

    it.each([{ force: false }, { force: true }])('until the key is deleted, with %o', async (options) => {
      await addKeys(world.context, 2);
      const { lease } = await repeat();
      await deleteKey(world.context, ADMIN, lease.keyId, options);

      const renewed = await repeat();

      expect(renewed.repeated).toBe(false);
      expect(renewed.lease.keyId).not.toBe(lease.keyId);
    });

    it('until the expired key is removed', async () => {
      await addKey(world.context);
      await repeat();
      world.passTime(KEY_LIFE);
      const keyId = await addKey(world.context);

      await expect(repeat()).rejects.toMatchObject(leaseEnded('lapsed'));
      await sweep(world.context, () => true);
      expect(await repeat()).toMatchObject({ lease: { keyId }, repeated: false });
    });

    it('a repeat is carried out as new when the key is deleted between its refusal and its look', async () => {
      await addKeys(world.context, 2);
      const { lease } = await repeat();
      const slow = interruptAfter(world.context, 'keys.claim', () =>
        deleteKey(world.context, ADMIN, lease.keyId, { force: true }),
      );

      const renewed = await acquireOrRepeat(slow, ALICE, ONCE);

      expect(renewed.repeated).toBe(false);
      expect(renewed.lease.keyId).not.toBe(lease.keyId);
    });
  });
});
