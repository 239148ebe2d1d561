import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Lease } from '../../shared/contract/leases.ts';
import type { Context } from '../../shared/domain/context.ts';
import { OrchestratorError } from '../../shared/domain/errors.ts';
import { deleteKey } from '../../shared/domain/keys.ts';
import { keepAliveLease, releaseLease } from '../../shared/domain/leases.ts';
import { POOL_CACHE_MS } from '../../shared/domain/pool-directory.ts';
import { deletePool } from '../../shared/domain/pools.ts';
import { sweep } from '../../shared/domain/sweep.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { leaseEnded, POOL_FULL } from './support/expected-errors.ts';
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
  setPolicy,
  TOLERANCE,
} from './support/world.ts';

/** How long the free keys of a pool that was deleted count: a process goes by the pool as it was, and what it sent is late. */
const FORMER = 2 * POOL_CACHE_MS + TOLERANCE;

describeOnEveryStore((world, share) => {
  describe('keys', () => {
    it('fill a pool up to maxKeys and no further, all of them or none', async () => {
      await setPolicy(world.context, { maxKeys: 5 });
      await addKeys(world.context, 3);

      await expect(addKeys(world.context, 3)).rejects.toMatchObject(POOL_FULL);
      expect(await addKeys(world.context, 2)).toHaveLength(2);
      await expect(addKeys(world.context, 1)).rejects.toMatchObject(POOL_FULL);
    });

    it('do not fill it further when several processes create at once', async () => {
      await setPolicy(world.context, { maxKeys: 5 });
      const other = await world.startProcess();

      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) => addKeys(index % 2 === 0 ? world.context : other, 2)),
      );

      expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(2);
    });

    it.each([
      ['free', async () => undefined],
      ['leased', async () => void (await acquire(world.context, ALICE))],
    ])('that are %s keep their seats a tolerance beyond their hard expiration', async (_state, use) => {
      await setPolicy(world.context, { maxKeys: 1 });
      await addKey(world.context);
      await use();

      world.passTime(KEY_LIFE + TOLERANCE);
      await expect(addKey(world.context)).rejects.toMatchObject(POOL_FULL);
      world.passTime(1);
      await addKey(world.context);
    });
  });

  describe.each(['default', 'licences'])('the seats of pool "%s" after its deletion', (pool) => {
    const fill = async () => {
      await setPolicy(world.context, { maxKeys: 1 }, pool);
      await addKey(world.context, pool);
    };
    const empty = async () => {
      await deletePool(world.context, ADMIN, pool);
      await setPolicy(world.context, { maxKeys: 1 }, pool);
    };
    const sweepNow = () => sweep(world.context, () => true);

    it("stay taken until the old holders' own deadlines have passed, sweep or no sweep", async () => {
      await fill();
      const { leaseId } = await acquire(world.context, ALICE, { pool });
      world.passTime(20 * SECOND);
      await keepAliveLease(world.context, ALICE, leaseId);
      await empty();

      world.passTime(LEASE + TOLERANCE - 1);
      await expect(addKey(world.context, pool)).rejects.toMatchObject(POOL_FULL);
      await sweepNow();
      await expect(addKey(world.context, pool)).rejects.toMatchObject(POOL_FULL);
      world.passTime(1);
      await addKey(world.context, pool);
    });

    it('are not freed by a second deletion', async () => {
      await fill();
      await acquire(world.context, ALICE, { pool });
      await empty();
      world.passTime(FORMER);
      await empty();

      world.passTime(LEASE + TOLERANCE - FORMER - 1);
      await expect(addKey(world.context, pool)).rejects.toMatchObject(POOL_FULL);
      world.passTime(1);
      await addKey(world.context, pool);
    });

    it('stay taken where an admin had deleted the leased key', async () => {
      await fill();
      const { keyId } = await acquire(world.context, ALICE, { pool });
      await deleteKey(world.context, ADMIN, keyId, { force: false });
      await empty();

      world.passTime(LEASE + TOLERANCE - 1);
      await expect(addKey(world.context, pool)).rejects.toMatchObject(POOL_FULL);
      world.passTime(1);
      await addKey(world.context, pool);
    });

    it('stay taken by free keys as long as a process may lease them, and no longer', async () => {
      await fill();
      await empty();

      world.passTime(FORMER - 1);
      await expect(addKey(world.context, pool)).rejects.toMatchObject(POOL_FULL);
      world.passTime(1);
      await addKey(world.context, pool);
      await expect(addKey(world.context, pool)).rejects.toMatchObject(POOL_FULL);
    });

    it('are free at once when the sweep has removed the free keys', async () => {
      await fill();
      await empty();

      await sweepNow();

      await addKey(world.context, pool);
      await expect(addKey(world.context, pool)).rejects.toMatchObject(POOL_FULL);
    });

    it('stay taken by a key that a process leases which goes by the pool as it was', async () => {
      const other = await world.startProcess();
      await fill();
      const { leaseId } = await acquire(other, BOB, { pool });
      await releaseLease(other, BOB, leaseId);
      const sentAt = world.now + POOL_CACHE_MS - 1;
      await empty();
      world.passTime(FORMER - 1);
      await expect(addKey(world.context, pool)).rejects.toMatchObject(POOL_FULL);

      const late = await acquire(carriedOutLate(other, sentAt), BOB, { pool });

      world.passTime(1);
      await expect(addKey(world.context, pool)).rejects.toMatchObject(POOL_FULL);
      await expect(keepAliveLease(world.context, BOB, late.leaseId)).rejects.toMatchObject(
        leaseEnded('deleted'),
      );
      world.passTime(sentAt + LEASE + TOLERANCE - world.now);
      await addKey(world.context, pool);
    });
  });

  it('a pool of one seat never has two holders, under 0.9 s of skew and whatever is done with it', async () => {
    const hosts = [world.context, await world.startProcess({ clockAheadMs: 900 })];
    const each = (...actions: Action[]) =>
      hosts.flatMap((host) => actions.map((action) => ({ host, action })));
    const step = fc.record({
      first: fc.option(fc.constantFrom(...each('release', 'deleteKey', 'replacePool')), { freq: 3 }),
      actions: fc.shuffledSubarray(each('create', 'acquire'), { minLength: 2 }),
      thenMs: fc.constantFrom(0, 500, 1001, 2050, 2500, 2500, 3100),
    });
    let runs = 0;

    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 30 }), async (steps) => {
        runs += 1;
        const seat = new OneSeat(`run-${runs}`, () => world.now);
        await seat.makePool(world.context);
        for (const { first, actions, thenMs } of steps) {
          for (const { host, action } of first === null ? actions : [first, ...actions])
            await unlessRefused(seat[action](host));
          world.passTime(thenMs);
        }
      }),
      { numRuns: 60 * share },
    );
  });
});

type Action = 'create' | 'acquire' | 'release' | 'deleteKey' | 'replacePool';

/** A pool of one seat, whose holders rely on their keys until their own deadlines, whatever others were told. */
class OneSeat {
  readonly #pool: string;
  readonly #now: () => number;
  #holder: { lease: Lease; until: number } | undefined;

  constructor(pool: string, now: () => number) {
    this.#pool = pool;
    this.#now = now;
  }

  async makePool(host: Context): Promise<void> {
    await setPolicy(host, { maxKeys: 1, leaseSeconds: 1, keyTtlSeconds: 3 }, this.#pool);
  }

  async create(host: Context): Promise<void> {
    await addKey(host, this.#pool);
  }

  async acquire(host: Context): Promise<void> {
    const lease = await acquire(host, ALICE, { pool: this.#pool });
    const { until } = this.#holder ?? { until: 0 };
    if (this.#now() < until) throw new Error(`Two holders, the first for another ${until - this.#now()} ms`);
    this.#holder = { lease, until: this.#now() + lease.expiresInMs };
  }

  async release(host: Context): Promise<void> {
    if (this.#holder === undefined) return;
    const { leaseId } = this.#holder.lease;
    this.#holder = undefined;
    await releaseLease(host, ALICE, leaseId);
  }

  async deleteKey(host: Context): Promise<void> {
    const { keyId } = this.#holder?.lease ?? {};
    if (keyId !== undefined) await deleteKey(host, ADMIN, keyId, { force: false });
  }

  async replacePool(host: Context): Promise<void> {
    await deletePool(host, ADMIN, this.#pool);
    await this.makePool(host);
  }
}

/** Refusals are part of the game. */
async function unlessRefused(operation: Promise<unknown>): Promise<void> {
  try {
    await operation;
  } catch (error) {
    if (!(error instanceof OrchestratorError)) throw error;
  }
}
