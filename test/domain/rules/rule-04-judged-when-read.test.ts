import { describe, expect, it } from 'vitest';
import type { KeyState } from '../../../shared/domain/key.ts';
import { deleteKey, getKey, listKeys, refreshKey, unblockKey } from '../../../shared/domain/keys.ts';
import { getLease, keepAliveLease, listLeases } from '../../../shared/domain/leases.ts';
import { getPool } from '../../../shared/domain/pools.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { KEY_NOT_FOUND, leaseEnded, NO_KEY_AVAILABLE } from '../support/expected-errors.ts';
import { interruptAfter } from '../support/interrupt.ts';
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
  startProcess,
  TOLERANCE,
} from '../support/world.ts';

describeOnEveryStore((world) => {
  const idsIn = async (state?: KeyState) => {
    const { keys } = await listKeys(world.context, ADMIN, { pool: 'default', limit: 100, state });
    return keys.map((key) => key.keyId);
  };
  const counts = async () => {
    // A process of its own: each keeps its counts for a while.
    const { counts: counted } = await getPool(
      startProcess(world.store, () => world.now),
      ADMIN,
      'default',
    );
    return { free: counted.free.count, leased: counted.leased.count, cooling: counted.cooling.count };
  };
  const expectGone = async (keyId: string) => {
    await expect(getKey(world.context, ADMIN, keyId)).rejects.toMatchObject(KEY_NOT_FOUND);
    await expect(refreshKey(world.context, ADMIN, keyId)).rejects.toMatchObject(KEY_NOT_FOUND);
    for (const force of [false, true]) {
      await expect(unblockKey(world.context, ADMIN, keyId, { force })).rejects.toMatchObject(KEY_NOT_FOUND);
      await expect(deleteKey(world.context, ADMIN, keyId, { force })).rejects.toMatchObject(KEY_NOT_FOUND);
    }
    await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
    for (const state of [undefined, 'free', 'leased', 'cooling'] as const)
      expect(await idsIn(state)).toEqual([]);
    expect(await counts()).toEqual({ free: 0, leased: 0, cooling: 0 });
  };

  describe('Rule 4: time rules hold when they are read, with no sweep having run', () => {
    it('a key past its hard expiration is gone for every operation', async () => {
      const keyId = await addKey(world.context);
      world.passTime(KEY_LIFE);

      await expectGone(keyId);
      expect(await world.store.keys.getStored(keyId)).not.toBeNull();
    });

    it('a leased key whose hard expiration has passed is gone too, and cannot be kept alive', async () => {
      const keyId = await addKey(world.context);
      const { leaseId } = await acquire(world.context, ALICE);
      world.passTime(KEY_LIFE);

      await expectGone(keyId);
      await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));
      await expect(getLease(world.context, ALICE, leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));
      await expectGone(keyId);
    });

    it('a refresh that comes too late does not bring an expired key back', async () => {
      const keyId = await addKey(world.context);
      world.passTime(KEY_LIFE);
      await expect(refreshKey(world.context, ADMIN, keyId)).rejects.toMatchObject(KEY_NOT_FOUND);

      await expectGone(keyId);
    });

    it('an expired key is passed over for one that lives', async () => {
      await addKeys(world.context, 20);
      world.passTime(KEY_LIFE - SECOND);
      const living = await addKey(world.context);
      world.passTime(SECOND);

      expect(await acquire(world.context, ALICE)).toMatchObject({ keyId: living });
      await expect(acquire(world.context, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
    });

    it('a lapsed key is acquired again', async () => {
      const keyId = await addKey(world.context);
      await acquire(world.context, ALICE);
      world.passTime(LEASE + TOLERANCE);

      expect(await acquire(world.context, BOB)).toMatchObject({ keyId, clientId: 'bob' });
    });

    it('a key is leased, cooling and free as the time passes', async () => {
      const keyId = await addKey(world.context);
      await acquire(world.context, ALICE, { holder: 'host-1' });

      const look = async () => ({ key: await getKey(world.context, ADMIN, keyId), counts: await counts() });
      world.passTime(LEASE - 1);
      expect(await look()).toMatchObject({
        key: { state: 'leased', lease: { clientId: 'alice', holder: 'host-1', expiresInMs: 1 } },
        counts: { free: 0, leased: 1, cooling: 0 },
      });
      expect([await idsIn('free'), await idsIn('leased'), await idsIn('cooling')]).toEqual([[], [keyId], []]);
      world.passTime(1);
      const cooling = await look();
      expect(cooling).toMatchObject({
        key: { state: 'cooling', freeInMs: TOLERANCE },
        counts: { free: 0, leased: 0, cooling: 1 },
      });
      expect(cooling.key.lease).toBeUndefined();
      expect([await idsIn('free'), await idsIn('leased'), await idsIn('cooling')]).toEqual([[], [], [keyId]]);
      world.passTime(TOLERANCE);
      expect(await look()).toMatchObject({
        key: { state: 'free' },
        counts: { free: 1, leased: 0, cooling: 0 },
      });
      expect([await idsIn('free'), await idsIn('leased'), await idsIn('cooling')]).toEqual([[keyId], [], []]);
    });

    it('a lapsed lease is not listed among the leases of its client', async () => {
      await addKeys(world.context, 2);
      await acquire(world.context, ALICE, { leaseSeconds: 10 });
      const { leaseId } = await acquire(world.context, ALICE);
      world.passTime(10 * SECOND);

      // Nor does it take a place on a page, or make one of its own behind it.
      const { leases, next } = await listLeases(world.context, ALICE, { limit: 1 });
      expect(leases.map((lease) => lease.leaseId)).toEqual([leaseId]);
      expect(next).toBeUndefined();
    });
  });

  describe('Rule 4: a deleted key is hidden everywhere at once', () => {
    it.each([{ force: false }, { force: true }])(
      'also while its lease would still run, with %o',
      async (options) => {
        const keyId = await addKey(world.context);
        const { leaseId } = await acquire(world.context, ALICE);

        await deleteKey(world.context, ADMIN, keyId, options);

        await expectGone(keyId);
        expect(await listLeases(world.context, ALICE, { limit: 10 })).toEqual({ leases: [] });
        await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject(
          leaseEnded('deleted'),
        );
        world.passTime(LEASE + TOLERANCE);
        await expectGone(keyId);
      },
    );

    it('also for a refresh that saw it before', async () => {
      const keyId = await addKey(world.context);
      const slow = interruptAfter(world.context, 'keys.get', () =>
        deleteKey(world.context, ADMIN, keyId, { force: false }),
      );

      await expect(refreshKey(slow, ADMIN, keyId)).rejects.toMatchObject(KEY_NOT_FOUND);
      expect(await sweep(world.context, () => true)).toMatchObject({ expired: 1 });
    });

    it('and is removed once the moment has passed at which it would have been free', async () => {
      const keyId = await addKey(world.context);
      await acquire(world.context, ALICE);
      await deleteKey(world.context, ADMIN, keyId, { force: false });

      world.passTime(LEASE + TOLERANCE - 1);
      expect(await sweep(world.context, () => true)).toMatchObject({ expired: 0 });
      expect(await world.store.keys.getStored(keyId)).toMatchObject({ state: 'deleted' });
      world.passTime(1);
      expect(await sweep(world.context, () => true)).toMatchObject({ expired: 1 });
      expect(await world.store.keys.getStored(keyId)).toBeNull();
    });
  });
});
