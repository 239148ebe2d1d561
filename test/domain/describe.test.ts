import { describe, expect, it } from 'vitest';
import { acquireLease } from '../../shared/domain/acquire-lease.ts';
import { getLease, keepAliveLease, listLeases } from '../../shared/domain/leases.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { ALICE, acquire, addKey, LEASE, SECOND, toTime } from './support/world.ts';

describeOnEveryStore((world) => {
  describe('a lease', () => {
    it('tells its holder all that it needs', async () => {
      const keyId = await addKey(world.context);

      const { lease } = await acquireLease(world.context, ALICE, {
        pool: 'default',
        holder: 'build-agent-7',
      });

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

    it('is told the same in every way, as of the moment', async () => {
      await addKey(world.context);
      const request = { pool: 'default', holder: 'build-agent-7', idempotencyKey: 'once' };
      const { lease } = await acquireLease(world.context, ALICE, request);
      world.passTime(10 * SECOND);
      const now = { ...lease, expiresInMs: LEASE - 10 * SECOND };

      expect(await getLease(world.context, ALICE, lease.leaseId)).toEqual(now);
      expect(await listLeases(world.context, ALICE, { limit: 1 })).toEqual({ leases: [now] });
      expect(await acquireLease(world.context, ALICE, request)).toEqual({ lease: now, repeated: true });
      expect(await keepAliveLease(world.context, ALICE, lease.leaseId)).toEqual({
        ...lease,
        expiresAt: toTime(world.now + LEASE),
      });
    });

    it('has no holder where none was given', async () => {
      await addKey(world.context);

      expect((await acquire(world.context, ALICE)).holder).toBeUndefined();
    });
  });
});
