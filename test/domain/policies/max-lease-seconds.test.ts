import { describe, expect, it } from 'vitest';
import { getKey } from '../../../shared/domain/keys.ts';
import { decodeLeaseId, encodeLeaseId, generateLeaseProof } from '../../../shared/domain/lease-id.ts';
import { getLease, keepAliveLease, listLeases, releaseLease } from '../../../shared/domain/leases.ts';
import { patchPool } from '../../../shared/domain/pools.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { invalid, leaseEnded } from '../support/expected-errors.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  acquireOrRepeat,
  addKey,
  addKeys,
  BOB,
  carriedOutLate,
  LEASE,
  SECOND,
  setPolicy,
  TOLERANCE,
  toTime,
} from '../support/world.ts';

const LONGEST = 150 * SECOND;

describeOnEveryStore((world) => {
  const hold = async (request = {}) => {
    await setPolicy(world.context, { maxLeaseSeconds: LONGEST / SECOND });
    await addKeys(world.context, 2);
    return acquire(world.context, ALICE, request);
  };
  const keepAlive = (leaseId: string) => keepAliveLease(world.context, ALICE, leaseId);

  describe('a lease of a pool with a longest lease', () => {
    it('says in every way when it ends at the latest', async () => {
      const lease = await hold({ idempotencyKey: 'once' });
      const maxExpiresAt = toTime(world.now + LONGEST);

      expect(lease).toMatchObject({ maxExpiresAt, expiresInMs: LEASE });
      world.passTime(SECOND);
      expect(await keepAlive(lease.leaseId)).toMatchObject({ maxExpiresAt });
      expect(await getLease(world.context, ALICE, lease.leaseId)).toMatchObject({ maxExpiresAt });
      expect(await acquireOrRepeat(world.context, ALICE, { idempotencyKey: 'once' })).toMatchObject({
        lease: { maxExpiresAt },
      });
      expect((await listLeases(world.context, ALICE, { limit: 1 })).leases).toMatchObject([{ maxExpiresAt }]);
      expect(await getKey(world.context, ADMIN, lease.keyId)).toMatchObject({ lease: { maxExpiresAt } });
    });

    it('is kept alive up to it and no further, and told what is left', async () => {
      const { keyId, leaseId } = await hold();
      const end = toTime(world.now + LONGEST);
      world.passTime(50 * SECOND);
      expect(await keepAlive(leaseId)).toMatchObject({ expiresInMs: LEASE });
      world.passTime(50 * SECOND);
      for (const left of [50, 40, 30, 20, 10]) {
        expect(await keepAlive(leaseId)).toMatchObject({ expiresInMs: left * SECOND, expiresAt: end });
        world.passTime(10 * SECOND);
      }

      await expect(keepAlive(leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));
      world.passTime(TOLERANCE - 1);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'cooling', freeInMs: 1 });
      world.passTime(1);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'free' });
    });

    it('is over at its last millisecond, whatever clock the keep-alive goes by', async () => {
      const { leaseId } = await hold();
      for (let left = LONGEST; left > 40 * SECOND; left -= 40 * SECOND) {
        await keepAlive(leaseId);
        world.passTime(40 * SECOND);
      }
      await keepAlive(leaseId);
      const behind = await world.startProcess({ clockAheadMs: -TOLERANCE });
      world.passTime(30 * SECOND + TOLERANCE - 1);

      // By its own clock a millisecond is left. The end stays where it is.
      expect(await keepAliveLease(behind, ALICE, leaseId)).toMatchObject({ expiresInMs: 1 });
      world.passTime(1);
      await expect(keepAliveLease(behind, ALICE, leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));
    });

    it('is not revived or lengthened by a keep-alive that is carried out late', async () => {
      const { leaseId } = await hold();
      const sentAt = world.now;
      world.passTime(50 * SECOND);
      const kept = await keepAlive(leaseId);
      expect(await keepAliveLease(carriedOutLate(world.context, sentAt), ALICE, leaseId)).toMatchObject({
        expiresAt: kept.expiresAt,
      });
      world.passTime(LONGEST);
      await expect(keepAlive(leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));
    });

    it('may be as long as an ordinary one', async () => {
      await setPolicy(world.context, { maxLeaseSeconds: 60 });
      await addKey(world.context);
      const { leaseId, maxExpiresAt, expiresAt } = await acquire(world.context, ALICE);
      expect(maxExpiresAt).toBe(expiresAt);
      world.passTime(LEASE - 1);
      expect(await keepAlive(leaseId)).toMatchObject({ expiresInMs: 1 });
    });

    it('is never shorter than what the pool gives', async () => {
      await expect(setPolicy(world.context, { maxLeaseSeconds: 59 })).rejects.toMatchObject(
        invalid('maxLeaseSeconds'),
      );
      await setPolicy(world.context, { maxLeaseSeconds: 60 });
      await expect(
        patchPool(world.context, ADMIN, 'default', { policy: { leaseSeconds: 61 } }),
      ).rejects.toMatchObject(invalid('maxLeaseSeconds'));
    });
  });

  describe('a lease id that was forged', () => {
    it('with a later end, or none, or another length, holds nothing, and changes nothing', async () => {
      const lease = await hold();
      const { keyId, pool, proof } = decodeLeaseId(lease.leaseId) as {
        keyId: string;
        pool: string;
        proof: string;
      };
      const [lengths = '', random = ''] = proof.split('.');
      const [length = '', end = ''] = lengths.split('-');
      const later = (Number.parseInt(end, 36) + 10_000 * SECOND).toString(36);
      const forged = [
        `${length}-${later}.${random}`,
        `${length}.${random}`,
        `${(86_400 * SECOND).toString(36)}-${end}.${random}`,
        generateLeaseProof(LEASE, world.now + 10_000 * SECOND),
      ];
      const before = await world.store.keys.getStored(keyId);

      for (const wrong of forged) {
        const leaseId = encodeLeaseId({ keyId, pool, proof: wrong });
        await expect(keepAlive(leaseId)).rejects.toMatchObject(leaseEnded('unknown'));
        await expect(releaseLease(world.context, ALICE, leaseId)).rejects.toMatchObject(
          leaseEnded('unknown'),
        );
      }
      for (const wrong of [`${length}-.${random}`, `${length}-${end}-1.${random}`, `-${end}.${random}`]) {
        const leaseId = encodeLeaseId({ keyId, pool, proof: wrong });
        await expect(keepAlive(leaseId)).rejects.toMatchObject(invalid('leaseId'));
      }
      expect(await world.store.keys.getStored(keyId)).toEqual(before);
    });
  });

  describe('a longest lease that is changed while leases live', () => {
    const setLongest = (maxLeaseSeconds: number | null) =>
      patchPool(world.context, ADMIN, 'default', { policy: { maxLeaseSeconds } });

    it('is that of leases that begin after it, and no other', async () => {
      const { leaseId } = await hold();
      await setLongest(60);
      expect(await acquire(world.context, BOB)).toMatchObject({ maxExpiresAt: toTime(world.now + LEASE) });
      for (let left = LONGEST; left > 0; left -= 50 * SECOND) {
        expect(await keepAlive(leaseId)).toMatchObject({ expiresInMs: Math.min(left, LEASE) });
        world.passTime(50 * SECOND);
      }
      await expect(keepAlive(leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));
    });

    it('to none frees no lease of its end, and one without an end keeps none', async () => {
      const { leaseId } = await hold();
      await setLongest(null);
      const free = await acquire(world.context, BOB);
      expect(free.maxExpiresAt).toBeUndefined();
      await setLongest(60);
      for (let round = 0; round < 10; round += 1) {
        await keepAliveLease(world.context, BOB, free.leaseId);
        if (round < 3) await keepAlive(leaseId);
        world.passTime(50 * SECOND);
      }
      await expect(keepAlive(leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));
    });
  });
});
