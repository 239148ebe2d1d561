import { describe, expect, it } from 'vitest';
import type { Caller } from '../../../shared/domain/client.ts';
import type { Context } from '../../../shared/domain/context.ts';
import { OrchestratorError } from '../../../shared/domain/errors.ts';
import { deleteKey, getKey, refreshKey, unblockKey } from '../../../shared/domain/keys.ts';
import { releaseLease } from '../../../shared/domain/leases.ts';
import { DEFAULT_POLICY, DEFAULT_POOL } from '../../../shared/domain/pool.ts';
import { POOL_CACHE_MS } from '../../../shared/domain/pool-directory.ts';
import { deletePool, getPool, patchPool } from '../../../shared/domain/pools.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { createRuntime } from '../../../shared/runtime/runtime.ts';
import { randomFrom } from '../../support/seeded-random.ts';
import { watchStore } from '../../support/watch-store.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { invalid, NO_KEY_AVAILABLE, POOL_FULL } from '../support/expected-errors.ts';
import { HeldLeases } from '../support/held-leases.ts';
import { interruptAfter } from '../support/interrupt.ts';
import { persistently } from '../support/persistently.ts';
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
  startProcess,
  TOLERANCE,
} from '../support/world.ts';

/** How long a process may go by the pool as it was, and what it sent then may take. */
const SETTLED = 2 * POOL_CACHE_MS + TOLERANCE;
const AT_ONCE = 64;

describeOnEveryStore((world, share) => {
  const sweepNow = () => sweep(world.context, () => true);
  const counts = async (context = world.context, pool = DEFAULT_POOL) => {
    context.counts.forget((await world.store.pools.get(pool))?.name ?? '');
    const fresh = createRuntime(world.store, { clock: () => world.now, clockSkewToleranceMs: TOLERANCE });
    const { counts: figures } = await getPool(fresh.context, ADMIN, pool);
    return [figures.free.count, figures.leased.count, figures.cooling.count];
  };
  /** What each of so many callers at once is given: a lease, or a refusal. */
  const acquireAtOnce = async (contexts: readonly Context[], caller: Caller = ALICE, count = AT_ONCE) => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: count }, (_, index) =>
        persistently(() =>
          acquire(contexts[index % contexts.length] as Context, caller, {
            idempotencyKey: `${world.now} ${index}`,
          }),
        ),
      ),
    );
    const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    for (const refusal of refusals) expect(refusal).toMatchObject(NO_KEY_AVAILABLE);
    return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  };

  describe('a pool with a target size', () => {
    it('makes its keys as soon as it is given one, and holds them through sweeps', async () => {
      await setPolicy(world.context, { targetSize: 3 });

      expect(await counts()).toEqual([3, 0, 0]);
      await sweepNow();
      expect(await counts()).toEqual([3, 0, 0]);
    });

    it('takes no keys by hand', async () => {
      await setPolicy(world.context, { targetSize: 0 });

      await expect(addKey(world.context)).rejects.toMatchObject(POOL_FULL);
      await expect(acquire(world.context, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      expect(await counts()).toEqual([0, 0, 0]);
    });

    it('may be the default pool from its first use on', async () => {
      await deletePool(world.context, ADMIN, 'default');
      const options = { clock: () => world.now, clockSkewToleranceMs: TOLERANCE };
      const defaultPolicy = { ...DEFAULT_POLICY, targetSize: 2 };
      await setPolicy(world.context, {});
      const { context } = createRuntime(world.store, { ...options, defaultPolicy });

      // One that is there keeps its policy.
      await expect(acquire(context, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
    });

    it('holds no more keys than maxKeys', async () => {
      await expect(setPolicy(world.context, { targetSize: 4, maxKeys: 3 })).rejects.toMatchObject(
        invalid('targetSize'),
      );
      await setPolicy(world.context, { targetSize: 3, maxKeys: 3 });
      await expect(
        patchPool(world.context, ADMIN, 'default', { policy: { maxKeys: 2 } }),
      ).rejects.toMatchObject(invalid('targetSize'));
    });

    it('makes thousands, a part at once and the rest by the next sweep', async () => {
      const targetSize = Math.ceil(1800 * share);
      await setPolicy(world.context, { targetSize });
      await sweepNow();

      expect(await counts()).toEqual([targetSize, 0, 0]);
      await patchPool(world.context, ADMIN, 'default', { policy: { targetSize: 1 } });
      await sweepNow();
      expect(await counts()).toEqual([1, 0, 0]);
    });
  });

  describe('what a pool lacks of its target size', () => {
    it('by hard expiration is made by the sweep', async () => {
      await setPolicy(world.context, { targetSize: 3 });
      world.passTime(KEY_LIFE + TOLERANCE);

      expect(await counts()).toEqual([0, 0, 0]);
      await sweepNow();
      expect(await counts()).toEqual([3, 0, 0]);
    });

    it('is made by an acquire that finds none, leased already', async () => {
      await setPolicy(world.context, { targetSize: 2 });
      world.passTime(KEY_LIFE + TOLERANCE);

      const lease = await acquire(world.context, ALICE, { holder: 'host', idempotencyKey: 'once' });

      expect(await getKey(world.context, ADMIN, lease.keyId)).toMatchObject({
        state: 'leased',
        expiresInMs: KEY_LIFE,
        lease: { clientId: 'alice', holder: 'host', expiresInMs: LEASE },
      });
      expect(await acquire(world.context, ALICE, { holder: 'host', idempotencyKey: 'once' })).toEqual(lease);
      await acquire(world.context, ALICE);
      await expect(acquire(world.context, ALICE)).rejects.toMatchObject({
        ...NO_KEY_AVAILABLE,
        retryAfterMs: LEASE + TOLERANCE,
      });
    });

    it('is not made before a key that expired has surely expired for every host', async () => {
      await setPolicy(world.context, { targetSize: 1 });
      world.passTime(KEY_LIFE + TOLERANCE - 1);
      const behind = await world.startProcess({ clockAheadMs: -TOLERANCE });

      await expect(acquire(world.context, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      const lease = await acquire(behind, BOB);
      world.passTime(1);
      await expect(acquire(world.context, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      await releaseLease(behind, BOB, lease.leaseId);
      expect(await acquire(world.context, ALICE)).toMatchObject({ keyId: lease.keyId });
    });

    it('by a deletion is made when its holder has surely stopped, by force at once', async () => {
      await setPolicy(world.context, { targetSize: 1 });
      const { keyId } = await acquire(world.context, ALICE);
      await deleteKey(world.context, ADMIN, keyId, { force: false });

      await sweepNow();
      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      world.passTime(LEASE + TOLERANCE);
      const bobs = await acquire(world.context, BOB);
      await deleteKey(world.context, ADMIN, bobs.keyId, { force: true });
      expect((await acquire(world.context, BOB)).keyId).not.toBe(bobs.keyId);
    });

    it('by a discard is made at once, by the next acquire or the sweep', async () => {
      await setPolicy(world.context, { targetSize: 1 });
      const first = await acquire(world.context, ALICE);
      await releaseLease(world.context, ALICE, first.leaseId, { outcome: 'discard' });

      const second = await acquire(world.context, BOB);
      expect(second.keyId).not.toBe(first.keyId);
      await releaseLease(world.context, BOB, second.leaseId, { outcome: 'discard' });
      await sweepNow();
      expect(await counts()).toEqual([1, 0, 0]);
    });

    it('stays a free seat while a key cools', async () => {
      await setPolicy(world.context, { targetSize: 1 });
      const { keyId } = await acquire(world.context, ALICE);
      await unblockKey(world.context, ADMIN, keyId, { force: false });

      await sweepNow();
      expect(await counts()).toEqual([0, 0, 1]);
      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      world.passTime(LEASE + TOLERANCE);
      expect(await acquire(world.context, BOB)).toMatchObject({ keyId });
    });

    it('of a pool that was deleted is made once the old holders have surely stopped', async () => {
      await setPolicy(world.context, { targetSize: 2 }, 'licences');
      await acquire(world.context, ALICE, { pool: 'licences' });
      await deletePool(world.context, ADMIN, 'licences');
      await setPolicy(world.context, { targetSize: 2 }, 'licences');

      await expect(acquire(world.context, BOB, { pool: 'licences' })).rejects.toMatchObject(NO_KEY_AVAILABLE);
      world.passTime(SETTLED);
      await acquire(world.context, BOB, { pool: 'licences' });
      await expect(acquire(world.context, BOB, { pool: 'licences' })).rejects.toMatchObject(NO_KEY_AVAILABLE);
      world.passTime(LEASE + TOLERANCE - SETTLED);
      await acquire(world.context, BOB, { pool: 'licences' });
    });
  });

  describe('a target size that is changed', () => {
    const setTarget = (targetSize: number | null) =>
      patchPool(world.context, ADMIN, 'default', { policy: { targetSize } });

    it('and raised gives more keys at once', async () => {
      await setPolicy(world.context, { targetSize: 1 });
      const { keyId } = await acquire(world.context, ALICE);
      await setTarget(3);

      expect(await counts()).toEqual([2, 1, 0]);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'leased' });
    });

    it('and lowered removes free keys at once, and leaves leases to their holders', async () => {
      await setPolicy(world.context, { targetSize: 3 });
      const leases = [await acquire(world.context, ALICE), await acquire(world.context, ALICE)];
      await setTarget(0);

      expect(await counts()).toEqual([0, 2, 0]);
      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      for (const { leaseId } of leases) await releaseLease(world.context, ALICE, leaseId);
      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      await sweepNow();
      expect(await counts()).toEqual([0, 0, 0]);
    });

    it('and lowered counts the leases beyond it: new ones begin when enough of them are over', async () => {
      await setPolicy(world.context, { targetSize: 5 });
      const leases = await acquireAtOnce([world.context], ALICE, 5);
      await setTarget(2);

      for (const { leaseId } of leases.slice(0, 3)) {
        await releaseLease(world.context, ALICE, leaseId);
        await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      }
      await releaseLease(world.context, ALICE, leases[3]?.leaseId ?? '');
      await sweepNow();
      await acquire(world.context, BOB);
      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
    });

    it('and raised again takes back what it had left to its holders', async () => {
      await setPolicy(world.context, { targetSize: 3 });
      const leases = await acquireAtOnce([world.context], ALICE, 3);
      await setTarget(1);
      await setTarget(3);

      for (const { leaseId } of leases) await releaseLease(world.context, ALICE, leaseId);
      expect(await acquireAtOnce([world.context], BOB, 5)).toHaveLength(3);
      expect(await counts()).toEqual([0, 3, 0]);
    });

    it('and dropped leaves the keys as they are, and lets more be made by hand', async () => {
      await setPolicy(world.context, { targetSize: 2 });
      await setTarget(null);

      await addKey(world.context);
      expect(await acquireAtOnce([world.context], ALICE, 5)).toHaveLength(3);
    });

    it('and given to a pool with keys made by hand lets their holders end first', async () => {
      await addKeys(world.context, 4);
      const [first, second] = [await acquire(world.context, ALICE), await acquire(world.context, ALICE)];
      await setTarget(3);

      // The two free ones are gone; one seat is left beside the two that are held.
      expect(await counts()).toEqual([1, 2, 0]);
      expect(await acquireAtOnce([world.context], BOB, 5)).toHaveLength(1);
      await releaseLease(world.context, ALICE, first.leaseId);
      await acquire(world.context, BOB);
      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      await releaseLease(world.context, ALICE, second.leaseId);
      await acquire(world.context, BOB);
      await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      await sweepNow();
      expect(await counts()).toEqual([0, 3, 0]);
    });

    it('counts keys made by hand in a pool that was deleted and made again, until their holders have stopped', async () => {
      await setPolicy(world.context, {}, 'licences');
      await addKeys(world.context, 2, 'licences');
      await acquire(world.context, ALICE, { pool: 'licences' });
      await deletePool(world.context, ADMIN, 'licences');
      world.passTime(SETTLED);
      await setPolicy(world.context, { targetSize: 2 }, 'licences');

      await acquire(world.context, BOB, { pool: 'licences' });
      await expect(acquire(world.context, BOB, { pool: 'licences' })).rejects.toMatchObject(NO_KEY_AVAILABLE);
      world.passTime(LEASE + TOLERANCE - SETTLED);
      await acquire(world.context, BOB, { pool: 'licences' });
    });
  });

  describe(`the target size under ${AT_ONCE} callers at once`, () => {
    it('is reached and never exceeded where all keys have to be made', async () => {
      await setPolicy(world.context, { targetSize: 9 });
      world.passTime(KEY_LIFE + TOLERANCE);
      const processes = [world.context, await world.startProcess(), await world.startProcess()];

      const leases = await acquireAtOnce(processes);

      expect(leases).toHaveLength(9);
      expect(new Set(leases.map(({ keyId }) => keyId)).size).toBe(9);
      expect(await counts()).toEqual([0, 9, 0]);
    });

    it('is not exceeded by sweeps and changes of the policy beside them', async () => {
      await setPolicy(world.context, { targetSize: 9 });
      world.passTime(KEY_LIFE + TOLERANCE);
      const other = await world.startProcess();

      const [leases] = await Promise.all([
        acquireAtOnce([world.context, other]),
        persistently(sweepNow),
        persistently(() => sweep(other, () => true)),
        persistently(() => patchPool(other, ADMIN, 'default', { policy: { leaseSeconds: 50 } })),
      ]);

      expect(leases).toHaveLength(9);
      await sweepNow();
      expect(await counts()).toEqual([0, 9, 0]);
    });

    it('holds through releases, discards, lapses, deletions, unblocks, a lower and a higher target, and a pool made again', async () => {
      const random = randomFrom(11);
      const held = new HeldLeases(world);
      const processes = [world.context, await world.startProcess(), await world.startProcess()] as const;
      let targetSize = 6;
      await setPolicy(world.context, { targetSize, keyTtlSeconds: 90, cooldownSeconds: 3 });

      const beginCaller = async (index: number) => {
        const caller = { clientId: `client-${index}`, role: 'client' } as const;
        try {
          // Without an idempotency key: what was got by a response that is lost would count here and not be known.
          held.add(caller, await acquire(processes[index % 3] as Context, caller), targetSize);
        } catch (error) {
          if (!(error instanceof OrchestratorError)) throw error;
        }
      };
      const endSome = async () => {
        for (const lease of held.leases.filter(() => random() < 0.5)) {
          const outcome = (['ok', 'cooldown', 'discard'] as const)[Math.floor(random() * 3)];
          await held.release(lease, outcome);
        }
      };
      const interfere = async () => {
        const [lease] = held.leases;
        const choice = random();
        if (lease !== undefined && choice < 0.3) {
          await deleteKey(world.context, ADMIN, lease.keyId, { force: false }).catch(expectRefusal);
        } else if (lease !== undefined && choice < 0.5) {
          await unblockKey(world.context, ADMIN, lease.keyId, { force: false }).catch(expectRefusal);
        } else if (lease !== undefined && choice < 0.6) {
          await refreshKey(world.context, ADMIN, lease.keyId).catch(expectRefusal);
        } else await sweepNow();
      };
      const change = async () => {
        const choice = random();
        if (choice < 0.2) await deletePool(world.context, ADMIN, 'default');
        targetSize = choice < 0.5 ? 2 + Math.floor(random() * 6) : targetSize;
        await setPolicy(world.context, { targetSize, keyTtlSeconds: 90, cooldownSeconds: 3 });
        // The others follow. Where more is held than the lower target allows, nobody gets anything.
        world.passTime(POOL_CACHE_MS);
      };

      for (let round = 0; round < 40 * share; round += 1) {
        await Promise.all([
          ...Array.from({ length: AT_ONCE }, (_, index) => beginCaller(index)),
          persistently(interfere),
        ]);
        await persistently(endSome);
        world.passTime(Math.floor(random() * 40) * SECOND);
        if (round % 3 === 2) await persistently(change);
      }
      world.passTime(2 * KEY_LIFE);
      await sweepNow();
      expect(await counts()).toEqual([targetSize, 0, 0]);
    });
  });

  describe('a seat', () => {
    const expireOne = async () => {
      await setPolicy(world.context, { targetSize: 1 });
      world.passTime(KEY_LIFE + TOLERANCE);
    };

    it('that another took between the look and the insertion gives no second key', async () => {
      await expireOne();
      const slow = interruptAfter(world.context, 'keys.listSeated', () => acquire(world.context, BOB));

      await expect(acquire(slow, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      expect(await counts()).toEqual([0, 1, 0]);
    });

    it('that the sweep filled between the removal of the dead key and the insertion gives its key', async () => {
      await expireOne();
      const slow = interruptAfter(world.context, 'keys.remove', sweepNow);

      await acquire(slow, ALICE);
      expect(await counts()).toEqual([0, 1, 0]);
    });

    it('is looked for by no more than counts where all are taken', async () => {
      await setPolicy(world.context, { targetSize: 3 });
      for (let taken = 0; taken < 3; taken += 1) await acquire(world.context, BOB);
      const verbs: string[] = [];
      const watched = startProcess(
        watchStore(world.store, () => ({ before: (verb) => void verbs.push(verb) })),
        () => world.now,
      );

      await expect(acquire(watched, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      expect(verbs).toContain('keys.countSeated');
      expect(verbs).not.toContain('keys.listSeated');
    });
  });

  function expectRefusal(error: unknown): void {
    expect(error).toBeInstanceOf(OrchestratorError);
  }
});
