import { describe, expect, it } from 'vitest';
import { type AcquireRequest, acquireLease, acquireLeases } from '../../../shared/domain/acquire-lease.ts';
import type { Caller } from '../../../shared/domain/client.ts';
import type { Context } from '../../../shared/domain/context.ts';
import { DatabaseUnavailableError, NoKeyAvailableError } from '../../../shared/domain/errors.ts';
import { getLease, keepAliveLease, listLeases, releaseLease } from '../../../shared/domain/leases.ts';
import { getPool } from '../../../shared/domain/pools.ts';
import { randomFrom } from '../../support/seeded-random.ts';
import { watchStore } from '../../support/watch-store.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import {
  IDEMPOTENCY_KEY_REUSED,
  LEASE_LIMIT_REACHED,
  leaseEnded,
  NO_KEY_AVAILABLE,
  POOL_PAUSED,
} from '../support/expected-errors.ts';
import { interruptAfter } from '../support/interrupt.ts';
import { persistently } from '../support/persistently.ts';
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
  startProcess,
  TOLERANCE,
} from '../support/world.ts';

const ONCE = { idempotencyKey: 'once' };

describeOnEveryStore((world, share) => {
  const acquireSome = async (
    count: number,
    {
      context = world.context,
      caller = ALICE,
      ...request
    }: Partial<AcquireRequest> & { context?: Context; caller?: Caller } = {},
  ) => {
    const acquired = await acquireLeases(context, caller, { pool: 'default', ...request, count });
    if ('waiting' in acquired) throw new Error('It has to wait');
    return acquired;
  };
  const ownLeases = async (caller = ALICE) => {
    const { leases } = await listLeases(world.context, caller, { limit: 100 });
    return leases.map(({ leaseId }) => leaseId).toSorted();
  };
  const ids = (leases: readonly { leaseId: string }[]) => leases.map(({ leaseId }) => leaseId).toSorted();

  describe('several leases at once', () => {
    it('are leases of their own, on as many keys', async () => {
      await addKeys(world.context, 5);

      const { leases, repeated } = await acquireSome(3, { holder: 'host', leaseSeconds: 30 });

      expect(repeated).toBe(false);
      expect(new Set(leases.map(({ keyId }) => keyId)).size).toBe(3);
      for (const lease of leases) {
        expect(lease).toMatchObject({ holder: 'host', expiresInMs: 30 * SECOND, value: lease.keyId });
      }
      await releaseLease(world.context, ALICE, leases[0]?.leaseId ?? '');
      expect(await ownLeases()).toEqual(ids(leases.slice(1)));
      for (const { leaseId } of leases.slice(1)) await keepAliveLease(world.context, ALICE, leaseId);
    });

    it.each([1, 16])('may be %i', async (count) => {
      await addKeys(world.context, count);
      expect((await acquireSome(count)).leases).toHaveLength(count);
    });

    it('are none where one is missing, and the keys are free at once for every host', async () => {
      const keyIds = await addKeys(world.context, 2);
      const behind = await world.startProcess({ clockAheadMs: -TOLERANCE });

      await expect(acquireSome(3)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      expect(await ownLeases()).toEqual([]);
      const taken = [await acquire(behind, BOB), await acquire(behind, BOB)];
      expect(taken.map(({ keyId }) => keyId).toSorted()).toEqual(keyIds.toSorted());
    });

    it('are none where the client may not hold as many', async () => {
      await setPolicy(world.context, { maxLeasesPerClient: 2 });
      await addKeys(world.context, 5);

      await expect(acquireSome(3)).rejects.toMatchObject(LEASE_LIMIT_REACHED);
      expect(await ownLeases()).toEqual([]);
      expect((await acquireSome(2)).leases).toHaveLength(2);
    });

    it('are made where the pool lacks keys of its target size', async () => {
      await setPolicy(world.context, { targetSize: 4 });
      await releaseLease(world.context, ALICE, (await acquire(world.context, ALICE)).leaseId, {
        outcome: 'discard',
      });

      expect((await acquireSome(4)).leases).toHaveLength(4);
    });

    it('are none in a paused pool', async () => {
      await addKeys(world.context, 2);
      await setPolicy(world.context, { paused: true });

      await expect(acquireSome(2)).rejects.toMatchObject(POOL_PAUSED);
    });

    it('are given back also where the database fails midway', async () => {
      await addKeys(world.context, 5);
      let claims = 0;
      const failing = startProcess(
        watchStore(world.store, () => ({
          before: (verb) => {
            if (verb !== 'keys.claim') return;
            claims += 1;
            if (claims === 3) throw new DatabaseUnavailableError();
          },
        })),
        () => world.now,
      );

      await expect(acquireSome(5, { context: failing })).rejects.toBeInstanceOf(DatabaseUnavailableError);
      expect(await ownLeases()).toEqual([]);
    });
  });

  describe('a repeat of several leases at once', () => {
    it('gives the same ones, and takes no more', async () => {
      await addKeys(world.context, 9);
      const first = await acquireSome(3, ONCE);

      expect(await acquireSome(3, ONCE)).toEqual({ leases: first.leases, repeated: true });
      expect(await ownLeases()).toEqual(ids(first.leases));
    });

    it('is a new request after one that was given back', async () => {
      await addKeys(world.context, 2);
      await expect(acquireSome(3, ONCE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      await addKey(world.context);

      expect(await acquireSome(3, ONCE)).toMatchObject({ repeated: false });
      expect(await ownLeases()).toHaveLength(3);
    });

    it('completes what an attempt left that broke off', async () => {
      await addKeys(world.context, 5);
      let claims = 0;
      // The process ends: neither the third claim nor the release is ever sent.
      const dying = startProcess(
        watchStore(world.store, () => ({
          before: (verb) => {
            if (verb === 'keys.claim') claims += 1;
            if (claims === 3) throw new DatabaseUnavailableError();
          },
        })),
        () => world.now,
      );
      await expect(acquireSome(3, { context: dying, ...ONCE })).rejects.toBeInstanceOf(
        DatabaseUnavailableError,
      );
      const left = await ownLeases();
      expect(left).toHaveLength(2);

      const { leases, repeated } = await acquireSome(3, ONCE);
      expect(repeated).toBe(false);
      expect(ids(leases)).toEqual(expect.arrayContaining(left));
      expect(await ownLeases()).toEqual(ids(leases));
    });

    it.each<[string, Partial<AcquireRequest>]>([
      ['another count', { count: 2 }],
      ['a greater count', { count: 4 }],
      ['one lease', {}],
      ['another holder', { count: 3, holder: 'host' }],
    ])('for %s is refused', async (_, differing) => {
      await addKeys(world.context, 9);
      const first = await acquireSome(3, ONCE);
      const { count, ...request } = { pool: 'default', ...ONCE, ...differing };
      const repeat = () =>
        count === undefined
          ? acquireLease(world.context, ALICE, request)
          : acquireLeases(world.context, ALICE, { ...request, count });

      await expect(repeat()).rejects.toMatchObject(IDEMPOTENCY_KEY_REUSED);
      expect(await ownLeases()).toEqual(ids(first.leases));
    });

    it('for several is refused where the key was used for one', async () => {
      await addKeys(world.context, 9);
      const { leaseId } = await acquire(world.context, ALICE, ONCE);

      await expect(acquireSome(2, ONCE)).rejects.toMatchObject(IDEMPOTENCY_KEY_REUSED);
      expect(await ownLeases()).toEqual([leaseId]);
    });

    it('that comes late takes nothing away from its holder, though one of the leases is over', async () => {
      await addKeys(world.context, 3);
      const { leases } = await acquireSome(3, ONCE);
      await releaseLease(world.context, ALICE, leases[1]?.leaseId ?? '');

      await expect(acquireSome(3, ONCE)).rejects.toMatchObject(leaseEnded('released'));
      // Somebody has its key by now, so that the repeat finds none instead.
      await acquire(world.context, BOB);
      await expect(acquireSome(3, ONCE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      for (const index of [0, 2]) {
        expect(await getLease(world.context, ALICE, leases[index]?.leaseId ?? '')).toMatchObject({
          keyId: leases[index]?.keyId,
        });
      }
    });

    it('that is sent many times at once gives one set', async () => {
      await addKeys(world.context, 12);
      const other = await world.startProcess();

      const sets = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          persistently(() => acquireSome(3, { context: index % 2 === 0 ? world.context : other, ...ONCE })),
        ),
      );

      for (const { leases } of sets) expect(ids(leases)).toEqual(ids(sets[0]?.leases ?? []));
      expect(await ownLeases()).toHaveLength(3);
    });
  });

  describe('two callers who both want three of five', () => {
    it('never keep each other from it: one of them gets them, round by round', async () => {
      await addKeys(world.context, 5);
      const other = await world.startProcess();

      for (let round = 0; round < 60 * share; round += 1) {
        const outcomes = await Promise.allSettled([
          persistently(() => acquireSome(3)),
          persistently(() => acquireSome(3, { context: other, caller: BOB })),
        ]);
        const winners = outcomes.flatMap((outcome) =>
          outcome.status === 'fulfilled' ? [outcome.value] : [],
        );
        expect(winners).toHaveLength(1);
        expect((await ownLeases()).length + (await ownLeases(BOB)).length).toBe(3);
        for (const { leaseId, clientId } of winners.flatMap(({ leases }) => leases)) {
          await persistently(() => releaseLease(world.context, { clientId, role: 'client' }, leaseId));
        }
      }
    });

    it('get them one after the other in whatever order their commands come', async () => {
      await addKeys(world.context, 5);
      for (const verb of ['keys.claim', 'keys.listClaimable', 'keys.release'] as const) {
        // What is given back by the one is there for the other.
        const slow = interruptAfter(world.context, verb, () =>
          acquireSome(3, { caller: BOB }).catch((error: unknown) =>
            expect(error).toBeInstanceOf(NoKeyAvailableError),
          ),
        );
        await acquireSome(3, { context: slow }).catch((error: unknown) =>
          expect(error).toBeInstanceOf(NoKeyAvailableError),
        );
        expect((await ownLeases()).length + (await ownLeases(BOB)).length).toBe(3);
        for (const caller of [ALICE, BOB]) {
          for (const leaseId of await ownLeases(caller)) await releaseLease(world.context, caller, leaseId);
        }
      }
    });
  });

  it('many callers who want some of a pool leave nothing held that nobody was given', async () => {
    await addKeys(world.context, 10);
    const random = randomFrom(3);
    const processes = [world.context, await world.startProcess(), await world.startProcess()];

    for (let round = 0; round < 6 * share; round += 1) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 32 }, (_, index) => {
          const caller = { clientId: `client-${index}`, role: 'client' } as const;
          const count = 1 + Math.floor(random() * 6);
          return acquireSome(count, { context: processes[index % 3] as Context, caller });
        }),
      );
      const leases = outcomes.flatMap((outcome) =>
        outcome.status === 'fulfilled' ? outcome.value.leases : [],
      );
      expect(new Set(leases.map(({ keyId }) => keyId)).size).toBe(leases.length);
      const lost = outcomes.some(
        (outcome) => outcome.status === 'rejected' && !(outcome.reason instanceof NoKeyAvailableError),
      );
      world.context.counts.forget((await world.store.pools.get('default'))?.name ?? '');
      if (!lost) {
        world.passTime(3 * SECOND);
        const { counts } = await getPool(world.context, ADMIN, 'default');
        expect(counts.leased.count).toBe(leases.length);
      }
      world.passTime(LEASE + TOLERANCE);
    }
  });
});
