import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { COUNTS_CACHE_MS } from '../../shared/domain/pool-counts.ts';
import { getPool, listPools } from '../../shared/domain/pools.ts';
import { type Watch, watchStore } from '../support/watch-store.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { ADMIN, ALICE, acquire, addKey, addKeys, setPolicy, startProcess } from './support/world.ts';

describeOnEveryStore((world) => {
  const countsOf = async (context = world.context) => (await getPool(context, ADMIN, 'default')).counts;
  const startWatched = (watch: Watch) =>
    startProcess(
      watchStore(world.store, () => watch),
      () => world.now,
    );
  const makePools = async (count: number) => {
    for (let index = 1; index < count; index += 1) await setPolicy(world.context, {}, `pool-${index}`);
  };

  it('counts are exact up to 10,000, and beyond that at least 10,000', async () => {
    await setPolicy(world.context, { keyTtlSeconds: null });
    for (let added = 0; added < 10_000; added += 1000) await addKeys(world.context, 1000);
    expect((await countsOf()).free).toEqual({ count: 10_000, relation: 'exact' });

    await addKeys(world.context, 2);
    await acquire(world.context, ALICE);

    expect(await countsOf()).toEqual({
      free: { count: 10_000, relation: 'atLeast' },
      leased: { count: 1, relation: 'exact' },
      cooling: { count: 0, relation: 'exact' },
      paused: { count: 0, relation: 'exact' },
    });
  });

  describe('many who list the pools at once', () => {
    it('have each pool counted once in two seconds, and at most two at a time', async () => {
      await makePools(20);
      let [running, most, counted] = [0, 0, 0];
      const context = startWatched({
        before: async (verb) => {
          if (verb !== 'keys.count') return;
          counted += 1;
          running += 1;
          most = Math.max(most, running);
          // The embedded store counts without a pause: others get the time to begin.
          for (let turn = 0; turn < 5; turn += 1) await setImmediate();
        },
        after: (verb) => {
          if (verb === 'keys.count') running -= 1;
        },
      });
      const listAtOnce = () =>
        Promise.all(Array.from({ length: 8 }, () => listPools(context, ADMIN, { limit: 50 })));

      for (const { pools } of await listAtOnce()) expect(pools).toHaveLength(20);
      expect({ counted, most }).toEqual({ counted: 20, most: 2 });
      world.passTime(COUNTS_CACHE_MS - 1);
      await listAtOnce();
      expect(counted).toBe(20);
      world.passTime(1);
      await listAtOnce();
      expect({ counted, most, running }).toEqual({ counted: 40, most: 2, running: 0 });
    });

    it('do not keep an acquire waiting behind all of them', async () => {
      await makePools(20);
      await addKey(world.context);
      let counted = 0;
      let acquired: Promise<number> | undefined;
      const context = startWatched({
        after: (verb) => {
          if (verb !== 'keys.count') return;
          counted += 1;
          // As a request does that comes from outside, in a turn of the event loop of its own.
          acquired ??= setImmediate()
            .then(() => acquire(context, ALICE))
            .then(() => counted);
        },
      });

      await listPools(context, ADMIN, { limit: 50 });

      expect(counted).toBe(20);
      expect(await acquired).toBeLessThan(20);
    });

    it('all learn that the database does not answer, and the next look counts again', async () => {
      let isDown = true;
      const context = startWatched({
        before: (verb) => {
          if (verb === 'keys.count' && isDown) throw new DatabaseUnavailableError();
        },
      });

      const outcomes = await Promise.allSettled([countsOf(context), countsOf(context), countsOf(context)]);
      for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected' });
      isDown = false;
      expect(await countsOf(context)).toMatchObject({ free: { count: 0 } });
    });
  });

  it('a process that adds keys counts them at once, another within two seconds', async () => {
    const other = await world.startProcess();
    for (const context of [world.context, other])
      expect(await countsOf(context)).toMatchObject({ free: { count: 0 } });

    await addKey(world.context);

    expect(await countsOf()).toMatchObject({ free: { count: 1 } });
    expect(await countsOf(other)).toMatchObject({ free: { count: 0 } });
    world.passTime(COUNTS_CACHE_MS);
    expect(await countsOf(other)).toMatchObject({ free: { count: 1 } });
  });
});
