import { describe, expect, it } from 'vitest';
import { acquireLease } from '../../shared/domain/acquire-lease.ts';
import type { Context } from '../../shared/domain/context.ts';
import { getKey, unblockKey } from '../../shared/domain/keys.ts';
import { getLease, keepAliveLease, listLeases, releaseLease } from '../../shared/domain/leases.ts';
import { type Pool, poolReference } from '../../shared/domain/pool.ts';
import { POOL_CACHE_MS } from '../../shared/domain/pool-directory.ts';
import { deletePool } from '../../shared/domain/pools.ts';
import { makeKey } from '../store/contract/scene.ts';
import { watchStore } from '../support/watch-store.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { NO_KEY_AVAILABLE } from './support/expected-errors.ts';
import { ADMIN, ALICE, acquire, addKeys, BOB, setPolicy, startProcess } from './support/world.ts';

describeOnEveryStore((world) => {
  describe.each(['default', 'licences'])(
    'a process that knows the pool "%s" as it was before it was emptied',
    (pool) => {
      /** A lease of the new keys, and a process that has not heard of them. */
      const emptyElsewhere = async () => {
        const other = await world.startProcess();
        await setPolicy(world.context, {}, pool);
        await addKeys(world.context, 1, pool);
        await acquire(other, BOB, { pool });
        await deletePool(world.context, ADMIN, pool);
        await setPolicy(world.context, {}, pool);
        await addKeys(world.context, 2, pool);
        const lease = await acquire(world.context, ALICE, { pool, idempotencyKey: 'once' });
        return { other, lease };
      };

      it('keeps a lease of the new keys alive and finds it', async () => {
        const { other, lease } = await emptyElsewhere();

        expect(await keepAliveLease(other, ALICE, lease.leaseId)).toMatchObject({ keyId: lease.keyId });
        expect(await getLease(other, ALICE, lease.leaseId)).toMatchObject({ keyId: lease.keyId });
      });

      it('lists it', async () => {
        const { other, lease } = await emptyElsewhere();

        expect((await listLeases(other, ALICE, { limit: 10 })).leases).toMatchObject([
          { leaseId: lease.leaseId },
        ]);
      });

      it('releases it', async () => {
        const { other, lease } = await emptyElsewhere();

        await expect(releaseLease(other, ALICE, lease.leaseId)).resolves.toMatchObject({ repeated: false });
      });

      it('gives it for a repeated acquire', async () => {
        const { other, lease } = await emptyElsewhere();

        expect(await acquireLease(other, ALICE, { pool, idempotencyKey: 'once' })).toMatchObject({
          lease: { leaseId: lease.leaseId },
          repeated: true,
        });
      });

      it('finds the new keys and unblocks them', async () => {
        const { other, lease } = await emptyElsewhere();

        expect(await getKey(other, ADMIN, lease.keyId)).toMatchObject({ state: 'leased' });
        expect(await unblockKey(other, ADMIN, lease.keyId, { force: true })).toMatchObject({ state: 'free' });
      });
    },
  );

  describe('in a large pool', () => {
    /** Dead keys and live ones, as they are stored: all of them as free. */
    const fill = async (dead: number, slots: readonly number[]) => {
      const pool = poolReference((await world.store.pools.get('default')) as Pool);
      const { now } = world;
      const deadKeys = Array.from({ length: dead }, (_, index) =>
        makeKey({ pool, slot: index / dead, expiresAt: now + 1 }),
      );
      const liveKeys = slots.map((slot) => makeKey({ pool, slot }));
      for (const keys of [deadKeys, liveKeys])
        expect(await world.store.keys.create(keys, null)).toBe('created');
      world.passTime(1);
    };
    const width = (context: Context) => {
      const { from, to } = context.pools.claimRange('default');
      return to - from;
    };
    const look = async (context = world.context) => {
      world.passTime(POOL_CACHE_MS);
      await context.pools.get('default', world.now);
      return width(context);
    };

    it('a claim walks past a few hundred keys, measured once a minute from the second look on', async () => {
      await fill(1000, []);
      let measured = 0;
      const context = startProcess(
        watchStore(world.store, () => ({
          before: (verb) => {
            if (verb === 'keys.measureSlots') measured += 1;
          },
        })),
        () => world.now,
      );

      expect(await look(context)).toBeCloseTo(1);
      expect(measured).toBe(0);
      for (let looks = 0; looks < 12; looks += 1) expect(await look(context)).toBeCloseTo(0.3, 1);
      expect(measured).toBe(1);
      await look(context);
      expect(measured).toBe(2);
    });

    it('a claim looks at all of a small pool', async () => {
      await fill(0, [0.1, 0.5]);
      await look();

      expect(await look()).toBeCloseTo(1);
    });

    it('what a claim leaves is found, wherever it stands', async () => {
      await fill(2000, [0.001, 0.5, 0.999]);
      await look();
      expect(await look()).toBeLessThan(0.5);

      for (let round = 0; round < 10; round += 1) {
        const leases = [];
        for (let held = 0; held < 3; held += 1) leases.push(await acquire(world.context, ALICE));
        await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
        for (const { leaseId } of leases) await releaseLease(world.context, ALICE, leaseId);
      }
    });
  });

  it('claims take one key after the other where they queue, and begin anywhere where they would collide', async () => {
    const pool = poolReference((await world.store.pools.get('default')) as Pool);
    const keys = [0.1, 0.3, 0.5, 0.7, 0.9].map((slot) => makeKey({ pool, slot }));
    expect(await world.store.keys.create(keys.toReversed(), null)).toBe('created');
    const { pools } = world.context;
    await pools.get('default', world.now);
    pools.noteClaim('default', 0.2);
    const taken: (number | undefined)[] = [];
    const starts = new Set<number>();
    for (let turn = 0; turn < 4; turn += 1) {
      starts.add(pools.claimRange('default').from).add(pools.claimRange('default').from);
      const { keyId, leaseId } = await acquire(world.context, ALICE);
      await releaseLease(world.context, ALICE, leaseId);
      taken.push(keys.find((key) => key.keyId === keyId)?.slot);
    }
    if (world.store.claimsQueue) expect(taken).toEqual([0.3, 0.5, 0.7, 0.9]);
    expect(starts.size).toBe(world.store.claimsQueue ? 4 : 8);

    // Above the last key nothing is found: the next claim begins anywhere.
    await acquire(world.context, ALICE);
    expect(pools.claimRange('default').from).not.toBe(pools.claimRange('default').from);
  });
});
