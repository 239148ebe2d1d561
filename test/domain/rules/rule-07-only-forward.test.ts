import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../shared/contract/leases.ts';
import type { Context } from '../../../shared/domain/context.ts';
import { deleteKey, getKey, refreshKey, unblockKey } from '../../../shared/domain/keys.ts';
import { getLease, keepAliveLease, listLeases, releaseLease } from '../../../shared/domain/leases.ts';
import { deletePool, patchPool, refreshPool } from '../../../shared/domain/pools.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { leaseEnded } from '../support/expected-errors.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKey,
  addKeys,
  BOB,
  carriedOutLate,
  KEY_LIFE,
  LEASE,
  SECOND,
  TOLERANCE,
  toTime,
} from '../support/world.ts';

describeOnEveryStore((world) => {
  const stored = (keyId: string) => world.store.keys.getStored(keyId);

  describe('Rule 7: times only move forward, so what is carried out late does no harm', () => {
    it('a late keep-alive shortens neither the lease nor the life of the key', async () => {
      const keyId = await addKey(world.context);
      const { leaseId } = await acquire(world.context, ALICE);
      const sentAt = world.now + 10 * SECOND;
      world.passTime(30 * SECOND);
      await keepAliveLease(world.context, ALICE, leaseId);
      const before = await stored(keyId);

      const late = await keepAliveLease(carriedOutLate(world.context, sentAt), ALICE, leaseId);

      expect(late.expiresAt).toBe(toTime(world.now + LEASE));
      expect(await stored(keyId)).toEqual(before);
    });

    it('a keep-alive by a process whose clock is behind shortens nothing', async () => {
      const keyId = await addKey(world.context);
      const behind = await world.startProcess({ clockAheadMs: 1 - TOLERANCE });
      const { leaseId } = await acquire(world.context, ALICE);
      const before = await stored(keyId);

      await keepAliveLease(behind, ALICE, leaseId);

      expect(await stored(keyId)).toEqual(before);
    });

    it('a late refresh does not shorten the life of the key', async () => {
      const keyId = await addKey(world.context);
      const sentAt = world.now;
      world.passTime(100 * SECOND);
      await refreshKey(world.context, ADMIN, keyId);

      await refreshKey(carriedOutLate(world.context, sentAt), ADMIN, keyId);

      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ expiresInMs: KEY_LIFE });
    });

    it('a late release ends nothing but its own lease', async () => {
      await addKey(world.context);
      const sentAt = world.now;
      const old = await acquire(world.context, ALICE);
      world.passTime(LEASE + TOLERANCE);
      const current = await acquire(world.context, BOB);

      await expect(
        releaseLease(carriedOutLate(world.context, sentAt), ALICE, old.leaseId),
      ).rejects.toMatchObject(leaseEnded('lapsed'));
      expect(await getLease(world.context, BOB, current.leaseId)).toMatchObject({ expiresInMs: LEASE });
    });

    it('a late keep-alive by an old holder steals nothing from the new one', async () => {
      const keyId = await addKey(world.context);
      const old = await acquire(world.context, ALICE);
      const sentAt = world.now + LEASE - 1;
      world.passTime(LEASE + TOLERANCE);
      await acquire(world.context, BOB);
      const before = await stored(keyId);

      await expect(
        keepAliveLease(carriedOutLate(world.context, sentAt), ALICE, old.leaseId),
      ).rejects.toMatchObject(leaseEnded('lapsed'));
      expect(await stored(keyId)).toEqual(before);
    });

    it('a late keep-alive does not bring back a lease that was released or unblocked', async () => {
      const keyId = await addKey(world.context);
      const sentAt = world.now;
      const ends = {
        released: (leaseId: string) => releaseLease(world.context, ALICE, leaseId),
        unblocked: () => unblockKey(world.context, ADMIN, keyId, { force: true }),
      } as const;
      for (const reason of ['released', 'unblocked'] as const) {
        world.passTime(SECOND);
        const { leaseId } = await acquire(world.context, ALICE);
        await ends[reason](leaseId);
        const before = await stored(keyId);

        await expect(
          keepAliveLease(carriedOutLate(world.context, sentAt), ALICE, leaseId),
        ).rejects.toMatchObject(leaseEnded(reason));
        expect(await stored(keyId)).toEqual(before);
      }
    });

    it('a late acquire gives a lease from when it was sent, and the key is free no later than that says', async () => {
      await addKey(world.context);
      const sentAt = world.now;
      world.passTime(LEASE - SECOND);

      expect(await acquire(carriedOutLate(world.context, sentAt), ALICE)).toMatchObject({
        acquiredAt: toTime(sentAt),
        expiresAt: toTime(sentAt + LEASE),
      });
      world.passTime(SECOND + TOLERANCE);
      expect(await acquire(world.context, BOB)).toMatchObject({ clientId: 'bob' });
    });

    it('a late acquire shortens no life of a key', async () => {
      const keyId = await addKey(world.context);
      const sentAt = world.now;
      world.passTime(100 * SECOND);
      await refreshKey(world.context, ADMIN, keyId);

      await acquire(carriedOutLate(world.context, sentAt), ALICE);

      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ expiresInMs: KEY_LIFE });
    });

    it('a late sweep frees and removes nothing that is live', async () => {
      const keyId = await addKey(world.context);
      const sentAt = world.now + LEASE + TOLERANCE;
      const { leaseId } = await acquire(world.context, ALICE);
      world.passTime(30 * SECOND);
      await keepAliveLease(world.context, ALICE, leaseId);
      world.passTime(40 * SECOND);

      expect(await sweep(carriedOutLate(world.context, sentAt), () => true)).toMatchObject({
        lapsed: 0,
        expired: 0,
      });
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'leased' });
    });
  });

  describe('Rule 7: every operation goes by one moment', () => {
    it.each<[string, (context: Context, lease: Lease) => Promise<unknown>]>([
      ['acquire', (context) => acquire(context, BOB)],
      ['acquire with an idempotency key', (context) => acquire(context, ALICE, { idempotencyKey: 'once' })],
      ['keep-alive', (context, { leaseId }) => keepAliveLease(context, ALICE, leaseId)],
      ['find', (context, { leaseId }) => getLease(context, ALICE, leaseId)],
      ['release', (context, { leaseId }) => releaseLease(context, ALICE, leaseId)],
      ['list', (context) => listLeases(context, ALICE, { limit: 10 })],
      ['refresh', (context, { keyId }) => refreshKey(context, ADMIN, keyId)],
      ['unblock', (context, { keyId }) => unblockKey(context, ADMIN, keyId, { force: false })],
      ['delete', (context, { keyId }) => deleteKey(context, ADMIN, keyId, { force: false })],
      ['create', (context) => addKeys(context, 2)],
      [
        'a change of the policy',
        (context) => patchPool(context, ADMIN, 'default', { policy: { maxKeys: 9 } }),
      ],
      ['the refresh of a pool', (context) => refreshPool(context, ADMIN, 'default')],
      ['the deletion of a pool', (context) => deletePool(context, ADMIN, 'default')],
      ['sweep', (context) => sweep(context, () => true)],
    ])('%s reads the clock once', async (_name, operation) => {
      await addKeys(world.context, 2);
      const lease = await acquire(world.context, ALICE, { idempotencyKey: 'once' });
      let reads = 0;
      const clock = () => {
        reads += 1;
        return world.now;
      };

      await operation({ ...world.context, clock }, lease);

      expect(reads).toBe(1);
    });
  });
});
