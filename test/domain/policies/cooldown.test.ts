import { describe, expect, it } from 'vitest';
import { deleteKey, getKey, unblockKey } from '../../../shared/domain/keys.ts';
import { keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { patchPool } from '../../../shared/domain/pools.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { KEY_NOT_FOUND, leaseEnded, NO_KEY_AVAILABLE } from '../support/expected-errors.ts';
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

const COOLDOWN = 90 * SECOND;

describeOnEveryStore((world) => {
  const hold = async (policy = {}) => {
    await setPolicy(world.context, { cooldownSeconds: COOLDOWN / SECOND, ...policy });
    await addKey(world.context);
    return acquire(world.context, ALICE);
  };
  const sweepNow = () => sweep(world.context, () => true);
  /** The key is to be had from then on, by every host, and not before. */
  const expectFreeIn = async (ms: number, keyId: string) => {
    world.passTime(ms - 1);
    await expect(acquire(world.context, BOB)).rejects.toMatchObject({ ...NO_KEY_AVAILABLE, retryAfterMs: 1 });
    expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'cooling', freeInMs: 1 });
    world.passTime(1);
    expect(await acquire(world.context, BOB)).toMatchObject({ keyId });
  };

  describe('a key of a pool with a cooldown', () => {
    it('rests after its lease lapsed, whether or not a sweep has run', async () => {
      const { keyId } = await hold();
      await expectFreeIn(LEASE + TOLERANCE + COOLDOWN, keyId);
      world.passTime(LEASE);
      await sweepNow();
      await expectFreeIn(TOLERANCE + COOLDOWN, keyId);
    });

    it('rests after a lease that was kept alive and then lapsed', async () => {
      const { keyId, leaseId } = await hold();
      world.passTime(50 * SECOND);
      await keepAliveLease(world.context, ALICE, leaseId);
      await expectFreeIn(LEASE + TOLERANCE + COOLDOWN, keyId);
    });

    it('rests after it was unblocked, not before the old holder has surely stopped', async () => {
      const { keyId } = await hold();
      world.passTime(10 * SECOND);
      await unblockKey(world.context, ADMIN, keyId, { force: false });
      await expectFreeIn(LEASE - 10 * SECOND + TOLERANCE + COOLDOWN, keyId);
    });

    it('is free at once after a clean release', async () => {
      const { keyId, leaseId } = await hold();
      await releaseLease(world.context, ALICE, leaseId);
      expect(await acquire(world.context, BOB)).toMatchObject({ keyId });
    });

    it('rests from a release on that asks for it', async () => {
      const { keyId, leaseId } = await hold();
      world.passTime(10 * SECOND);
      await releaseLease(world.context, ALICE, leaseId, { outcome: 'cooldown' });

      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({
        state: 'cooling',
        freeInMs: COOLDOWN,
      });
      await releaseLease(world.context, ALICE, leaseId);
      await expectFreeIn(COOLDOWN, keyId);
    });

    it('is freed by force while it rests, whatever made it rest', async () => {
      const { keyId, leaseId } = await hold();
      await unblockKey(world.context, ADMIN, keyId, { force: true });
      const second = await acquire(world.context, BOB);
      await releaseLease(world.context, BOB, second.leaseId, { outcome: 'cooldown' });
      await unblockKey(world.context, ADMIN, keyId, { force: true });
      await acquire(world.context, BOB);
      world.passTime(LEASE);
      await sweepNow();
      await unblockKey(world.context, ADMIN, keyId, { force: true });
      expect(await acquire(world.context, BOB)).toMatchObject({ keyId });
      await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject({
        code: 'lease_ended',
      });
    });

    it('lives at least as long as it rests', async () => {
      const { keyId, leaseId } = await hold({ keyTtlSeconds: 62, cooldownSeconds: 600 });
      await releaseLease(world.context, ALICE, leaseId, { outcome: 'cooldown' });
      world.passTime(600 * SECOND - 1);
      await sweepNow();
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'cooling', freeInMs: 1 });
    });

    it('stays free where it was made, refreshed or never leased', async () => {
      await setPolicy(world.context, { cooldownSeconds: 90 });
      const keyId = await addKey(world.context);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'free' });
    });

    it('keeps its seat while it rests, also when it is deleted', async () => {
      const { keyId } = await hold({ maxKeys: 1 });
      await deleteKey(world.context, ADMIN, keyId, { force: false });
      world.passTime(LEASE + TOLERANCE + COOLDOWN - 1);
      await expect(addKey(world.context)).rejects.toMatchObject({ code: 'pool_full' });
      world.passTime(1);
      await addKey(world.context);
    });
  });

  describe('a cooldown that is changed while leases live', () => {
    const setCooldown = (cooldownSeconds: number) =>
      patchPool(world.context, ADMIN, 'default', { policy: { cooldownSeconds } });

    it('holds for what a lease promised before, and for its next keep-alive', async () => {
      await setPolicy(world.context, {});
      await addKeys(world.context, 1);
      const { keyId, leaseId } = await acquire(world.context, ALICE);
      await setCooldown(90);

      await expectFreeIn(LEASE + TOLERANCE, keyId);
      world.passTime(LEASE + TOLERANCE + 90 * SECOND);
      const third = await acquire(world.context, ALICE);
      await keepAliveLease(world.context, ALICE, third.leaseId);
      await expectFreeIn(LEASE + TOLERANCE + COOLDOWN, keyId);
      await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject({
        code: 'lease_ended',
      });
    });

    it('to none makes nobody wait less who was told to', async () => {
      const { keyId, leaseId } = await hold();
      await setCooldown(0);
      await keepAliveLease(world.context, ALICE, leaseId);
      await expectFreeIn(LEASE + TOLERANCE + COOLDOWN, keyId);
    });

    it('is none for a release in a pool without one', async () => {
      await addKey(world.context);
      const { keyId, leaseId } = await acquire(world.context, ALICE);
      await releaseLease(world.context, ALICE, leaseId, { outcome: 'cooldown' });
      expect(await acquire(world.context, BOB)).toMatchObject({ keyId });
    });
  });

  describe('a key that is discarded', () => {
    it('is gone at once, and its release is remembered until it is removed', async () => {
      await addKey(world.context);
      const { keyId, leaseId } = await acquire(world.context, ALICE, { idempotencyKey: 'once' });
      await releaseLease(world.context, ALICE, leaseId, { outcome: 'discard' });

      await expect(getKey(world.context, ADMIN, keyId)).rejects.toMatchObject(KEY_NOT_FOUND);
      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      await releaseLease(world.context, ALICE, leaseId, { outcome: 'discard' });
      await releaseLease(world.context, ALICE, leaseId);
      await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject(
        leaseEnded('released'),
      );
      await sweepNow();
      await expect(keepAliveLease(world.context, ALICE, leaseId)).rejects.toMatchObject(
        leaseEnded('unknown'),
      );
      await addKey(world.context);
      await acquire(world.context, ALICE, { idempotencyKey: 'once' });
    });

    it('gives its seat back at once, to hosts within the tolerance behind too', async () => {
      await setPolicy(world.context, { maxKeys: 1 });
      await addKey(world.context);
      const { leaseId } = await acquire(world.context, ALICE);
      await releaseLease(world.context, ALICE, leaseId, { outcome: 'discard' });

      await addKey(await world.startProcess({ clockAheadMs: -TOLERANCE }));
    });

    it('is not discarded by a lease that is over, nor by another client', async () => {
      await addKey(world.context);
      const { keyId, leaseId } = await acquire(world.context, ALICE);
      await expect(releaseLease(world.context, BOB, leaseId, { outcome: 'discard' })).rejects.toMatchObject({
        code: 'forbidden',
      });
      world.passTime(LEASE);
      await expect(releaseLease(world.context, ALICE, leaseId, { outcome: 'discard' })).rejects.toMatchObject(
        leaseEnded('lapsed'),
      );
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ keyId });
      world.passTime(KEY_LIFE);
    });
  });
});
