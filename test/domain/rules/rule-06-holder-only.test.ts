import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../shared/contract/leases.ts';
import type { Caller } from '../../../shared/domain/client.ts';
import { unblockKey } from '../../../shared/domain/keys.ts';
import { decodeLeaseId, encodeLeaseId, type LeaseId } from '../../../shared/domain/lease-id.ts';
import { getLease, keepAliveLease, listLeases, releaseLease } from '../../../shared/domain/leases.ts';
import { poolReference } from '../../../shared/domain/pool.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { FORBIDDEN, invalid, leaseEnded } from '../support/expected-errors.ts';
import { interruptAfter } from '../support/interrupt.ts';
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

const OPERATIONS = [
  ['keep alive', keepAliveLease],
  ['find', getLease],
  ['release', releaseLease],
] as const;

describeOnEveryStore((world) => {
  describe('Rule 6: only the client that holds a lease can touch it', () => {
    it.each(OPERATIONS)("a client cannot %s another client's lease", async (_name, operation) => {
      await addKey(world.context);
      const { leaseId, expiresAt } = await acquire(world.context, ALICE);

      await expect(operation(world.context, BOB, leaseId)).rejects.toMatchObject(FORBIDDEN);
      expect(await getLease(world.context, ALICE, leaseId)).toMatchObject({ expiresAt });
    });

    it.each(OPERATIONS)("an admin cannot %s a client's lease either", async (_name, operation) => {
      await addKey(world.context);
      const { leaseId } = await acquire(world.context, ALICE);

      await expect(operation(world.context, ADMIN, leaseId)).rejects.toMatchObject(FORBIDDEN);
    });

    it.each(OPERATIONS)(
      "a client cannot %s another client's lease that is over",
      async (_name, operation) => {
        await addKey(world.context);
        const { leaseId } = await acquire(world.context, ALICE);

        world.passTime(LEASE);
        await expect(operation(world.context, BOB, leaseId)).rejects.toMatchObject(FORBIDDEN);
        await expect(getLease(world.context, ALICE, leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));
        await expect(operation(world.context, BOB, leaseId)).rejects.toMatchObject(FORBIDDEN);
      },
    );

    it.each(OPERATIONS)(
      'an old holder cannot %s once somebody else acquired the key',
      async (_name, operation) => {
        await addKey(world.context);
        const old = await acquire(world.context, ALICE);
        world.passTime(LEASE + TOLERANCE);
        const current = await acquire(world.context, BOB);

        await expect(operation(world.context, ALICE, old.leaseId)).rejects.toMatchObject(
          leaseEnded('lapsed'),
        );
        expect(await getLease(world.context, BOB, current.leaseId)).toMatchObject({
          expiresAt: current.expiresAt,
        });
      },
    );

    it.each(OPERATIONS)(
      'a client cannot %s with its old lease once it acquired the key anew',
      async (_name, operation) => {
        await addKey(world.context);
        const old = await acquire(world.context, ALICE);
        await unblockKey(world.context, ADMIN, old.keyId, { force: true });
        const current = await acquire(world.context, ALICE);

        await expect(operation(world.context, ALICE, old.leaseId)).rejects.toMatchObject(
          leaseEnded('unblocked'),
        );
        expect(await getLease(world.context, ALICE, current.leaseId)).toMatchObject({ keyId: old.keyId });
      },
    );

    it('what a key forgot about a lease two leases ago is answered as unknown', async () => {
      await addKey(world.context);
      const old = await acquire(world.context, ALICE);
      await releaseLease(world.context, ALICE, old.leaseId);
      await releaseLease(world.context, BOB, (await acquire(world.context, BOB)).leaseId);

      for (const [, operation] of OPERATIONS) {
        await expect(operation(world.context, ALICE, old.leaseId)).rejects.toMatchObject(
          leaseEnded('unknown'),
        );
      }
    });

    it('a release does not end the lease that took the key while the release was refused', async () => {
      await addKey(world.context);
      const old = await acquire(world.context, ALICE);
      world.passTime(LEASE + TOLERANCE);
      let current = '';
      const slow = interruptAfter(world.context, 'keys.release', async () => {
        current = (await acquire(world.context, BOB)).leaseId;
      });

      await expect(releaseLease(slow, ALICE, old.leaseId)).rejects.toMatchObject(leaseEnded('lapsed'));
      expect(await getLease(world.context, BOB, current)).toMatchObject({ clientId: 'bob' });
    });

    it('each client lists its own leases, by key id and page by page', async () => {
      await addKeys(world.context, 5);
      const own: string[] = [];
      for (const caller of [ALICE, BOB, ALICE, BOB, ALICE]) {
        const { keyId } = await acquire(world.context, caller);
        if (caller === ALICE) own.push(keyId);
      }
      own.sort();

      const first = await listLeases(world.context, ALICE, { limit: 2 });
      expect(first.leases.map((lease) => lease.keyId)).toEqual(own.slice(0, 2));
      const second = await listLeases(world.context, ALICE, { limit: 2, after: first.next });
      expect(second.leases.map((lease) => lease.keyId)).toEqual(own.slice(2));
      expect(second.next).toBeUndefined();
    });

    it('a credential that is limited to some pools neither lists nor touches leases in others', async () => {
      await setPolicy(world.context, {}, 'licences');
      await addKey(world.context, 'licences');
      const { leaseId } = await acquire(world.context, ALICE, { pool: 'licences' });
      const limited: Caller = { ...ALICE, pools: ['default'] };

      for (const [, operation] of OPERATIONS) {
        await expect(operation(world.context, limited, leaseId)).rejects.toMatchObject(FORBIDDEN);
      }
      await expect(acquire(world.context, limited, { pool: 'licences' })).rejects.toMatchObject(FORBIDDEN);
      expect(await listLeases(world.context, limited, { limit: 10 })).toEqual({ leases: [] });
      expect((await listLeases(world.context, ALICE, { limit: 10 })).leases).toHaveLength(1);
    });
  });

  describe('Rule 6: a forged lease id is no lease', () => {
    const forge = (lease: Lease, change: Partial<LeaseId>) =>
      encodeLeaseId({ ...(decodeLeaseId(lease.leaseId) as LeaseId), ...change });
    const proofOf = (lease: Lease) => (decodeLeaseId(lease.leaseId) as LeaseId).proof;
    const expectRefused = async (leaseId: string, refusal: object) => {
      for (const operation of [keepAliveLease, getLease, releaseLease]) {
        await expect(operation(world.context, ALICE, leaseId)).rejects.toMatchObject(refusal);
      }
    };

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
