import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../shared/contract/leases.ts';
import { decodeLeaseId, encodeLeaseId, type LeaseId } from '../../../shared/domain/lease-id.ts';
import { getLease, keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { poolReference } from '../../../shared/domain/pool.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { FORBIDDEN, invalid, leaseEnded } from '../support/expected-errors.ts';
import { ALICE, acquire, addKey, addKeys, SECOND, setPolicy } from '../support/world.ts';

describeOnEveryStore((world) => {
  const forge = (lease: Lease, change: Partial<LeaseId>) =>
    encodeLeaseId({ ...(decodeLeaseId(lease.leaseId) as LeaseId), ...change });
  const proofOf = (lease: Lease) => (decodeLeaseId(lease.leaseId) as LeaseId).proof;
  const expectRefused = async (leaseId: string, refusal: object) => {
    for (const operation of [keepAliveLease, getLease, releaseLease]) {
      await expect(operation(world.context, ALICE, leaseId)).rejects.toMatchObject(refusal);
    }
  };

  describe('Rule 6: a forged lease id is no lease', () => {
    it('not one with a longer lease in it', async () => {
      await addKey(world.context);
      const lease = await acquire(world.context, ALICE, { leaseSeconds: 10 });
      const random = proofOf(lease).split('.')[1];

      await expectRefused(
        forge(lease, { proof: `${(86_400 * SECOND).toString(36)}.${random}` }),
        leaseEnded('unknown'),
      );
      expect(await getLease(world.context, ALICE, lease.leaseId)).toMatchObject({
        expiresInMs: 10 * SECOND,
      });
    });

    it('not one with another key in it', async () => {
      await addKeys(world.context, 2);
      const first = await acquire(world.context, ALICE);
      const second = await acquire(world.context, ALICE);

      await expectRefused(forge(first, { keyId: second.keyId }), leaseEnded('unknown'));
      await expectRefused(forge(first, { keyId: 'key_that-never-was' }), leaseEnded('unknown'));
    });

    it('not one with another pool in it, and the policy of that pool is not borrowed', async () => {
      await addKey(world.context);
      const lease = await acquire(world.context, ALICE);
      await setPolicy(world.context, { keyTtlSeconds: null }, 'licences');
      const licences = await world.store.pools.get('licences');

      await expectRefused(
        forge(lease, { pool: poolReference(licences ?? { name: '', generation: 0 }) }),
        leaseEnded('unknown'),
      );
      await expectRefused(forge(lease, { pool: 'nowhere/000000000000001' }), leaseEnded('deleted'));
      expect((await world.store.keys.getStored(lease.keyId))?.expiresAt).toBe(world.now + 300 * SECOND);
    });

    it('not one that names a pool which the credential covers, for a key of one that it does not', async () => {
      await setPolicy(world.context, {}, 'licences');
      await addKey(world.context, 'licences');
      const lease = await acquire(world.context, ALICE, { pool: 'licences' });
      const limited = { ...ALICE, pools: ['default'] };
      const fallback = await world.store.pools.get('default');
      const forged = forge(lease, { pool: poolReference(fallback ?? { name: '', generation: 0 }) });

      await expect(keepAliveLease(world.context, limited, lease.leaseId)).rejects.toMatchObject(FORBIDDEN);
      for (const operation of [keepAliveLease, getLease, releaseLease]) {
        await expect(operation(world.context, limited, forged)).rejects.toMatchObject(leaseEnded('unknown'));
      }
    });

    it('not one of another generation of its pool', async () => {
      await addKey(world.context);
      const lease = await acquire(world.context, ALICE);

      for (const generation of [0, 999_999_999_999_999]) {
        await expectRefused(
          forge(lease, { pool: poolReference({ name: 'default', generation }) }),
          leaseEnded('deleted'),
        );
      }
    });

    it('not one with a guessed random part', async () => {
      await addKey(world.context);
      const lease = await acquire(world.context, ALICE);
      const [length] = proofOf(lease).split('.');

      await expectRefused(forge(lease, { proof: `${length}.${'A'.repeat(22)}` }), leaseEnded('unknown'));
    });

    it.each(['', 'x', 'garbage', '%7C', 'a'.repeat(512), Buffer.from('a|b').toString('base64url')])(
      'and garbage is no lease id at all: %j',
      async (leaseId) => {
        await expectRefused(leaseId, invalid('leaseId'));
      },
    );
  });
});
