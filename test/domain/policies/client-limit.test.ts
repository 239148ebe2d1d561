import { describe, expect, it } from 'vitest';
import type { HeldLease } from '../../../shared/contract/leases.ts';
import type { Caller } from '../../../shared/domain/client.ts';
import type { Context } from '../../../shared/domain/context.ts';
import { deleteKey, unblockKey } from '../../../shared/domain/keys.ts';
import { keepAliveLease, listLeases, releaseLease } from '../../../shared/domain/leases.ts';
import { POOL_CACHE_MS } from '../../../shared/domain/pool-directory.ts';
import { deletePool, patchPool } from '../../../shared/domain/pools.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { randomFrom } from '../../support/seeded-random.ts';
import { watchStore } from '../../support/watch-store.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { LEASE_LIMIT_REACHED, leaseEnded } from '../support/expected-errors.ts';
import { HeldLeases } from '../support/held-leases.ts';
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
  LEASE,
  SECOND,
  setPolicy,
  startProcess,
  TOLERANCE,
} from '../support/world.ts';

const AT_ONCE = 64;
const SETTLED = 2 * POOL_CACHE_MS + TOLERANCE;

describeOnEveryStore((world, share) => {
  const setLimit = (maxLeasesPerClient: number | null) =>
    patchPool(world.context, ADMIN, 'default', { policy: { maxLeasesPerClient } });
  const acquireSome = async (count: number, caller: Caller = ALICE) => {
    const leases: HeldLease[] = [];
    for (let number = 0; number < count; number += 1) leases.push(await acquire(world.context, caller));
    return leases;
  };
  const expectLimit = async (context = world.context) =>
    expect(acquire(context, ALICE)).rejects.toMatchObject(LEASE_LIMIT_REACHED);

  describe('a client', () => {
    it('holds so many leases of the pool and no more, each other client as many', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 2 });
      await addKeys(world.context, 9);
      await acquireSome(2);

      await expectLimit();
      await acquireSome(2, BOB);
      expect((await listLeases(world.context, ALICE, { limit: 9 })).leases).toHaveLength(2);
    });

    it('holds as many in every other pool', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 1 });
      await setPolicy(world.context, { maxLeasesPerClient: 1 }, 'licences');
      await addKey(world.context);
      await addKey(world.context, 'licences');

      await acquire(world.context, ALICE);
      await acquire(world.context, ALICE, { pool: 'licences' });
    });

    it('is told when the first of its leases ends', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 2 });
      await addKeys(world.context, 3);
      await acquireSome(1);
      world.passTime(10 * SECOND);
      await acquireSome(1);
      world.passTime(10 * SECOND);

      await expect(acquire(world.context, ALICE)).rejects.toMatchObject({
        retryAfterMs: LEASE - 20 * SECOND,
      });
    });

    it.each<[string, (lease: HeldLease) => Promise<unknown>]>([
      ['released', ({ leaseId }) => releaseLease(world.context, ALICE, leaseId)],
      ['discarded', ({ leaseId }) => releaseLease(world.context, ALICE, leaseId, { outcome: 'discard' })],
      ['unblocked', ({ keyId }) => unblockKey(world.context, ADMIN, keyId, { force: false })],
      ['deleted', ({ keyId }) => deleteKey(world.context, ADMIN, keyId, { force: false })],
      ['lapsed', async () => world.passTime(LEASE)],
      [
        'lapsed and swept',
        async () => {
          world.passTime(LEASE + TOLERANCE);
          await sweep(world.context, () => true);
        },
      ],
    ])('has its number back at once when a lease is %s', async (_how, end) => {
      await setPolicy(world.context, { maxLeasesPerClient: 2 });
      await addKeys(world.context, 5);
      const [first] = await acquireSome(2);
      await end(first as HeldLease);

      await acquireSome(1);
      if (_how.startsWith('lapsed')) await acquireSome(1);
      await expectLimit();
    });

    it('has the number back of a lease that lapsed, and whose late keep-alive is refused', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 1 });
      await addKeys(world.context, 2);
      const [lapsed] = await acquireSome(1);
      const behind = await world.startProcess({ clockAheadMs: -TOLERANCE / 2 });
      world.passTime(LEASE);
      await acquireSome(1);

      await expect(keepAliveLease(behind, ALICE, lapsed?.leaseId ?? '')).rejects.toMatchObject(
        leaseEnded('lapsed'),
      );
    });

    it('keeps a number while its lease is kept alive', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 1 });
      await addKeys(world.context, 2);
      const [lease] = await acquireSome(1);
      world.passTime(LEASE - SECOND);
      await keepAliveLease(world.context, ALICE, lease?.leaseId ?? '');
      world.passTime(LEASE - SECOND);

      await expectLimit();
    });
  });

  describe('at the limit', () => {
    it('the repeat of a request is still its lease, and another request is refused', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 2 });
      await addKeys(world.context, 9);
      const first = await acquireOrRepeat(world.context, ALICE, { idempotencyKey: 'one' });
      await acquire(world.context, ALICE, { idempotencyKey: 'two' });

      for (let repeat = 0; repeat < 10; repeat += 1) {
        expect(await acquireOrRepeat(world.context, ALICE, { idempotencyKey: 'one' })).toEqual({
          ...first,
          repeated: true,
        });
      }
      await expect(acquire(world.context, ALICE, { idempotencyKey: 'three' })).rejects.toMatchObject(
        LEASE_LIMIT_REACHED,
      );
    });

    it('the repeat of a request whose lease is over is told so, and one that was refused is new', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 1, cooldownSeconds: 60 });
      await addKeys(world.context, 9);
      const { leaseId } = await acquire(world.context, ALICE, { idempotencyKey: 'one' });
      const refused = () => acquire(world.context, ALICE, { idempotencyKey: 'two' });
      await expect(refused()).rejects.toMatchObject(LEASE_LIMIT_REACHED);
      // It rests, so that the next acquire takes another key, and this one remembers its lease.
      await releaseLease(world.context, ALICE, leaseId, { outcome: 'cooldown' });

      await refused();
      await expect(acquire(world.context, ALICE, { idempotencyKey: 'one' })).rejects.toMatchObject(
        leaseEnded('released'),
      );
    });

    it('a caller whose lease lapsed is not refused because the sweep writes that down first', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 1 });
      await addKeys(world.context, 3);
      await acquire(world.context, ALICE);
      world.passTime(LEASE + TOLERANCE);
      const slow = interruptAfter(world.context, 'keys.listClientSeats', () =>
        sweep(world.context, () => true),
      );

      await acquire(slow, ALICE);
    });
  });

  describe('a limit that is changed while leases live', () => {
    it('and lowered leaves them alone, and gives new ones when enough of them are over', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 6 });
      await addKeys(world.context, 20);
      const leases = await acquireSome(6);
      await setLimit(3);
      const other = await world.startProcess();

      for (const lease of leases.slice(0, 3)) {
        await expectLimit();
        await expectLimit(other);
        await keepAliveLease(world.context, ALICE, lease.leaseId);
        await releaseLease(world.context, ALICE, lease.leaseId);
      }
      await expectLimit();
      await releaseLease(world.context, ALICE, leases[3]?.leaseId ?? '');
      await acquire(other, ALICE);
      await expectLimit();
      await expectLimit(other);
    });

    it('from none counts the leases from before', async () => {
      await addKeys(world.context, 20);
      await setPolicy(world.context, {}, 'licences');
      await addKeys(world.context, 5, 'licences');
      for (let count = 0; count < 5; count += 1) await acquire(world.context, ALICE, { pool: 'licences' });
      const leases = await acquireSome(3);
      await setLimit(4);

      await acquireSome(1);
      await expectLimit();
      await setLimit(2);
      for (const { leaseId } of leases.slice(0, 2)) await releaseLease(world.context, ALICE, leaseId);
      await expectLimit();
      await releaseLease(world.context, ALICE, leases[2]?.leaseId ?? '');
      await acquireSome(1);
      await expectLimit();
    });

    it('counts them once more when they have lapsed', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 5 });
      await addKeys(world.context, 20);
      await acquireSome(5);
      await setLimit(2);
      world.passTime(LEASE);

      await acquireSome(2);
      await expectLimit();
    });

    it('and raised gives more at once', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 1 });
      await addKeys(world.context, 5);
      await acquireSome(1);
      await setLimit(3);

      await acquireSome(2);
      await expectLimit();
      await setLimit(null);
      await acquireSome(2);
    });

    it('is looked for no more once every process has followed, so that an acquire is one command', async () => {
      await addKeys(world.context, 20);
      await setLimit(9);
      const verbs: string[] = [];
      const watched = startProcess(
        watchStore(world.store, () => ({ before: (verb) => verbs.push(verb) })),
        () => world.now,
      );
      world.passTime(SETTLED + SECOND);
      await acquire(watched, ALICE);
      verbs.length = 0;
      await acquire(watched, ALICE);

      // Two claims where the first one came too high in the slots, or on a number that is taken.
      expect(verbs.filter((verb) => verb === 'keys.listLeased')).toEqual([]);
      expect(verbs[0]).toBe('keys.claim');
    });
  });

  describe(`under ${AT_ONCE} callers at once`, () => {
    it('a client gets as many as it may, and not one more', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 7 });
      await addKeys(world.context, 2 * AT_ONCE);
      const processes = [world.context, await world.startProcess(), await world.startProcess()];

      const outcomes = await Promise.allSettled(
        Array.from({ length: AT_ONCE }, (_, index) =>
          persistently(() =>
            acquire(processes[index % 3] as Context, ALICE, { idempotencyKey: `request-${index}` }),
          ),
        ),
      );

      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(LEASE_LIMIT_REACHED);
      }
      expect((await listLeases(world.context, ALICE, { limit: 99 })).leases).toHaveLength(7);
    });

    it('the limit holds through releases, lapses, unblocks, deletions and limits that change', async () => {
      const random = randomFrom(5);
      const held = new HeldLeases(world);
      const processes = [world.context, await world.startProcess(), await world.startProcess()];
      let limit = 5;
      await setPolicy(world.context, { maxLeasesPerClient: limit, keyTtlSeconds: null });
      await addKeys(world.context, 90);

      const begin = async (index: number) => {
        try {
          held.add(ALICE, await acquire(processes[index % 3] as Context, ALICE), limit);
        } catch (error) {
          if ((error as { code: string }).code !== 'database_unavailable') {
            expect(error).toMatchObject(LEASE_LIMIT_REACHED);
          }
        }
      };
      for (let round = 0; round < 30 * share; round += 1) {
        await Promise.all(Array.from({ length: AT_ONCE / 2 }, (_, index) => begin(index)));
        for (const lease of held.leases) {
          const choice = random();
          if (choice < 0.3) await held.release(lease, choice < 0.1 ? 'cooldown' : 'ok');
          // By force: for the holder its lease is over, as far as the limit goes.
          else if (choice < 0.4)
            await unblockKey(world.context, ADMIN, lease.keyId, { force: true }).then(() =>
              held.release(lease),
            );
        }
        world.passTime(Math.floor(random() * 50) * SECOND);
        if (round % 4 === 3) {
          limit = 1 + Math.floor(random() * 7);
          await persistently(() => setLimit(limit));
          world.passTime(POOL_CACHE_MS);
        }
      }
      world.passTime(2 * LEASE);
      for (let count = 0; count < limit; count += 1) await acquire(world.context, ALICE);
      await expectLimit();
    });

    it('a pool that was deleted and made again gives as many as the limit allows', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 2 }, 'licences');
      await addKeys(world.context, 4, 'licences');
      await acquire(world.context, ALICE, { pool: 'licences' });
      await deletePool(world.context, ADMIN, 'licences');
      await setPolicy(world.context, { maxLeasesPerClient: 2 }, 'licences');
      await addKeys(world.context, 4, 'licences');

      // Its lease from before counts until its own deadline.
      await acquire(world.context, ALICE, { pool: 'licences' });
      await expect(acquire(world.context, ALICE, { pool: 'licences' })).rejects.toMatchObject(
        LEASE_LIMIT_REACHED,
      );
      world.passTime(LEASE);
      await acquire(world.context, ALICE, { pool: 'licences' });
    });
  });
});
