import { describe, expect, it } from 'vitest';
import { getLease, keepAliveLease, listLeases } from '../../shared/domain/leases.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { ALICE, acquire, acquireOrRepeat, addKey, LEASE, SECOND, toTime } from './support/world.ts';

describeOnEveryStore((world) => {
  describe('a lease', () => {
    it('tells its holder all that it needs', async () => {
      const keyId = await addKey(world.context);

      const lease = await acquire(world.context, ALICE, { holder: 'build-agent-7' });

      expect(lease).toEqual({
        leaseId: expect.stringMatching(/^[A-Za-z0-9_-]+$/),
        keyId,
        pool: 'default',
        value: keyId,
        fencingToken: expect.any(Number),
        clientId: 'alice',
        holder: 'build-agent-7',
        acquiredAt: toTime(world.now),
        expiresAt: toTime(world.now + LEASE),
        expiresInMs: LEASE,
        keepAliveEveryMs: LEASE / 3,
      });
    });

    it('is told the same in every way, as of the moment, but for its value', async () => {
      await addKey(world.context);
      const request = { holder: 'build-agent-7', idempotencyKey: 'once' };
      const lease = await acquire(world.context, ALICE, request);
      world.passTime(10 * SECOND);
      const now = { ...lease, expiresInMs: LEASE - 10 * SECOND };
      const { value: _, labels: __, ...withoutValue } = now;

      expect(await getLease(world.context, ALICE, lease.leaseId)).toEqual(now);
      expect(await acquireOrRepeat(world.context, ALICE, request)).toEqual({ lease: now, repeated: true });
      expect(await listLeases(world.context, ALICE, { limit: 1 })).toEqual({ leases: [withoutValue] });
      expect(await keepAliveLease(world.context, ALICE, lease.leaseId)).toEqual({
        ...withoutValue,
        expiresInMs: LEASE,
        expiresAt: toTime(world.now + LEASE),
      });
    });

    it('has no holder where none was given', async () => {
      await addKey(world.context);

      expect((await acquire(world.context, ALICE)).holder).toBeUndefined();
    });
  });
});
