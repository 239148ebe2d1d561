import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AcquireRequest } from '../../../shared/domain/acquire-lease.ts';
import type { Key } from '../../../shared/domain/key.ts';
import { generateLeaseProof } from '../../../shared/domain/lease-id.ts';
import { listLeases, releaseLease } from '../../../shared/domain/leases.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { IDEMPOTENCY_KEY_REUSED } from '../support/expected-errors.ts';
import {
  ALICE,
  acquireOrRepeat,
  addKey,
  addKeys,
  KEY_LIFE,
  LEASE,
  setPolicy,
  TOLERANCE,
} from '../support/world.ts';

const ONCE = { idempotencyKey: 'once' };

describeOnEveryStore((world) => {
  const request = (differing: Partial<AcquireRequest> = {}) =>
    acquireOrRepeat(world.context, ALICE, { ...differing, ...ONCE });

  describe('Rule 10: an idempotency key is for one request', () => {
    it.each<[string, Partial<AcquireRequest>]>([
      ['pool', { pool: 'licences' }],
      ['lease length', { leaseSeconds: 30 }],
      ['lease length, though it is the one of the pool', { leaseSeconds: 60 }],
      ['holder', { holder: 'host-2' }],
    ])('the same idempotency key for another %s is refused, and takes no key', async (_what, differing) => {
      await addKeys(world.context, 2);
      await setPolicy(world.context, {}, 'licences');
      await addKey(world.context, 'licences');
      const { lease } = await request();

      for (const other of [differing, { ...differing, leaseSeconds: 70 }]) {
        await expect(request(other)).rejects.toMatchObject(IDEMPOTENCY_KEY_REUSED);
      }
      const { leases } = await listLeases(world.context, ALICE, { limit: 10 });
      expect(leases.map(({ keyId }) => keyId)).toEqual([lease.keyId]);
      await releaseLease(world.context, ALICE, lease.leaseId);
      await expect(request(differing)).rejects.toMatchObject(IDEMPOTENCY_KEY_REUSED);
    });

    it('a key that an older version leased, which did not note what was asked for, refuses no repeat', async () => {
      const keyId = await addKey(world.context);
      await setPolicy(world.context, {}, 'licences');
      const { now } = world;
      const lease = {
        id: generateLeaseProof(LEASE),
        clientId: 'alice',
        acquiredAt: now,
        expiresAt: now + LEASE,
      };
      const requestHash = createHash('sha256').update('alice\nonce').digest('base64url');
      const found = (await world.store.keys.get(keyId, now)) as Key;
      const times = { now, freeAt: now + LEASE + TOLERANCE, keyExpiresAt: now + KEY_LIFE };
      await world.store.keys.reclaim(found, { pool: found.pool, lease, requestHash, ...times });

      await expect(request({ pool: 'licences' })).rejects.toMatchObject(IDEMPOTENCY_KEY_REUSED);
      for (const differing of [{}, { holder: 'host-1' }, { leaseSeconds: 30 }]) {
        expect(await request(differing)).toMatchObject({ lease: { keyId }, repeated: true });
      }
    });
  });
});
