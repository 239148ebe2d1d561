import { describe, expect, it } from 'vitest';
import type { UsagePoint } from '../../shared/contract/usage.ts';
import type { Context } from '../../shared/domain/context.ts';
import { DatabaseUnavailableError, NoKeyAvailableError } from '../../shared/domain/errors.ts';
import { releaseLease } from '../../shared/domain/leases.ts';
import { recordUsage } from '../../shared/domain/record-usage.ts';
import type { UsageFigures } from '../../shared/domain/store.ts';
import { sweep } from '../../shared/domain/sweep.ts';
import { getUsage, listUsage } from '../../shared/domain/usage.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/domain/usage-units.ts';
import { randomFrom } from '../support/seeded-random.ts';
import { watchStore } from '../support/watch-store.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKeys,
  BOB,
  LEASE,
  SECOND,
  setPolicy,
  startProcess,
  TOLERANCE,
  toTime,
  type World,
} from './support/world.ts';

const always = () => true;
const sweepOn = async (context: Context) => {
  const report = await sweep(context, always);
  await recordUsage(context, always);
  return report;
};
const refuse = (context: Context) => expect(acquire(context, BOB)).rejects.toThrow(NoKeyAvailableError);

describeOnEveryStore((world, share) => {
  const usage = (query: { hours: number; step?: number } = { hours: 1, step: 1 }, pool = 'default') =>
    getUsage(world.context, ADMIN, pool, query);
  const pointsOf = async (...query: Parameters<typeof usage>) => (await usage(...query)).points;
  const figures = (taken: number, keys = 20): UsageFigures => {
    return { leased: taken, free: keys - taken, cooling: 0, waiting: 0, taken, keys, atLeast: false };
  };
  /** So many minutes in a row, up to the present one, with as many keys taken. */
  const recordMinutes = (peaks: readonly (number | 'refused')[]) =>
    world.store.usage.record(
      peaks.map((peak, index) => ({
        pool: 'default',
        at: world.now - (peaks.length - 1 - index) * MINUTE_MS,
        figures: figures(peak === 'refused' ? 7 : peak),
        refused: peak === 'refused',
      })),
    );

  describe('usage', () => {
    it.each([1, 2, 3])('equals a recount of the same run, whose seed is %i', async (seed) => {
      await compareWithRecount(world, seed, Math.ceil(600 * share));
    });

    it('outlives the processes that recorded it', async () => {
      await addKeys(world.context, 2);
      await acquire(world.context, ALICE);
      await sweepOn(world.context);
      const later = await world.startProcess();
      expect((await getUsage(later, ADMIN, 'default', { hours: 1 })).points).toMatchObject([
        { at: toTime(world.now), minutes: 1, refusedMinutes: 0, peak: 1, keys: 2, leased: 1, free: 1 },
      ]);
    });

    it('has a gap where no sweep ran, and none where two did', async () => {
      const start = world.now;
      for (const minute of [0, 1, 12, 13]) {
        world.passTime(start + minute * MINUTE_MS - world.now);
        await Promise.all([sweepOn(world.context), sweepOn(await world.startProcess())]);
      }
      expect((await pointsOf()).map(({ at }) => (Date.parse(at) - start) / MINUTE_MS)).toEqual([
        0, 1, 12, 13,
      ]);
      expect((await usage()).totals).toMatchObject({ minutes: 4, refusedMinutes: 0, peak: 0, p999: 0 });
    });

    it('has the minutes of a host whose clock is held back where that clock was', async () => {
      const late = await world.startProcess({ clockAheadMs: -10 * MINUTE_MS });
      await sweepOn(late);
      expect(await pointsOf()).toMatchObject([{ at: toTime(world.now - 10 * MINUTE_MS) }]);
    });

    it('takes every key for taken in a minute in which somebody was refused, whenever it was counted', async () => {
      await addKeys(world.context, 3);
      await sweepOn(world.context);
      const leases = [];
      for (let taken = 0; taken < 3; taken += 1) leases.push(await acquire(world.context, ALICE));
      await refuse(world.context);
      for (const { leaseId } of leases) await releaseLease(world.context, ALICE, leaseId);
      const { points, totals, keys } = await usage();
      expect(points).toMatchObject([{ refusedMinutes: 1, peak: 3, leased: 0, free: 3, keys: 3 }]);
      expect(totals).toEqual({
        minutes: 1,
        refusedMinutes: 1,
        peak: 3,
        p50: null,
        p95: null,
        p99: null,
        p999: null,
      });
      expect(keys).toEqual({ count: 3, relation: 'exact' });
    });

    it('knows of a refusal without a sweep', async () => {
      await refuse(world.context);
      expect((await usage()).points).toEqual([{ at: toTime(world.now), minutes: 1, refusedMinutes: 1 }]);
      expect((await usage()).totals).toMatchObject({ minutes: 1, refusedMinutes: 1, peak: null, p50: null });
    });

    it('counts keys that cool as taken, and says who waits', async () => {
      await setPolicy(world.context, { fair: true, cooldownSeconds: 60 });
      await addKeys(world.context, 2);
      const { leaseId } = await acquire(world.context, ALICE);
      await acquire(world.context, ALICE);
      await releaseLease(world.context, ALICE, leaseId, { outcome: 'cooldown' });
      await acquire(world.context, BOB, { wait: true }).catch(() => undefined);
      await sweepOn(world.context);
      expect(await pointsOf()).toMatchObject([{ peak: 2, leased: 1, cooling: 1, free: 0, waiting: 1 }]);
    });

    it('says so where a count came to its limit', async () => {
      await world.store.usage.record([
        { pool: 'default', at: world.now, figures: { ...figures(9), atLeast: true }, refused: false },
      ]);
      const { points, totals } = await usage();
      expect([points[0], totals]).toMatchObject([{ atLeast: true }, { atLeast: true, peak: 9 }]);
    });
  });

  describe('the keys that would have covered a part of the minutes', () => {
    it('are the fewest that were enough in so many of them', async () => {
      await recordMinutes(Array.from({ length: 100 }, (_, index) => index + 1).reverse());
      expect((await usage({ hours: 2 })).totals).toEqual({
        minutes: 100,
        refusedMinutes: 0,
        peak: 100,
        p50: 50,
        p95: 95,
        p99: 99,
        p999: 100,
      });
    });

    it('are unknown where callers were refused in more than the rest', async () => {
      await recordMinutes([...Array(98).fill(4), 'refused', 5]);
      expect((await usage({ hours: 2 })).totals).toMatchObject({
        minutes: 100,
        refusedMinutes: 1,
        peak: 20,
        p95: 4,
        p99: 5,
        p999: null,
      });
    });

    it('are unknown where nothing is known', async () => {
      expect((await usage()).totals).toEqual({
        minutes: 0,
        refusedMinutes: 0,
        peak: null,
        p50: null,
        p95: null,
        p99: null,
        p999: null,
      });
    });

    it('go by the maxima of hours beyond seven days, each for the minutes that are known of it', async () => {
      const record = (at: number, taken: number) =>
        world.store.usage.record([{ pool: 'default', at, figures: figures(taken), refused: false }]);
      for (const minute of [0, 1, 2]) await record(world.now - 300 * HOUR_MS + minute * MINUTE_MS, minute);
      await record(world.now, 9);
      const { totals, points, ...window } = await usage({ hours: 9600 });
      expect(window).toMatchObject({ resolutionMinutes: 60, stepMinutes: 1440 });
      expect(totals).toMatchObject({ minutes: 4, peak: 9, p50: 2, p95: 9 });
      expect(points).toMatchObject([
        { minutes: 3, peak: 2, leased: 2, leastLeased: 0, free: 18 },
        { minutes: 1, peak: 9 },
      ]);
    });
  });

  describe('the points', () => {
    it.each([
      [1, 1, 1],
      [24, 5, 1],
      [168, 30, 1],
      [169, 60, 60],
      [720, 120, 60],
      [9600, 1440, 60],
    ])(
      'of %i hours have %i minutes by default, and the present one among them',
      async (hours, step, resolution) => {
        await recordMinutes([3]);
        const { from, to, points, stepMinutes, resolutionMinutes } = await usage({ hours });
        expect({ stepMinutes, resolutionMinutes }).toEqual({
          stepMinutes: step,
          resolutionMinutes: resolution,
        });
        const length = (Date.parse(to) - Date.parse(from)) / MINUTE_MS;
        expect(length).toBeGreaterThanOrEqual(hours * 60);
        expect(length).toBeLessThan(hours * 60 + step);
        expect(length / step).toBeLessThanOrEqual(500);
        expect(Date.parse(to)).toBeGreaterThan(world.now);
        expect(points).toHaveLength(1);
      },
    );

    it('of a step are the greatest and least of its minutes', async () => {
      const start = Math.floor(world.now / HOUR_MS) * HOUR_MS;
      world.passTime(start + 9 * MINUTE_MS - world.now);
      await recordMinutes([1, 8, 'refused', 3, 3, 5, 2]);
      expect(await pointsOf({ hours: 1, step: 5 })).toEqual([
        point(start, { minutes: 2, peak: 8, leased: 8, leastLeased: 1, free: 12 }),
        point(start + 5 * MINUTE_MS, {
          minutes: 5,
          refusedMinutes: 1,
          peak: 20,
          leased: 7,
          leastLeased: 2,
          free: 13,
        }),
      ]);
    });

    it.each([
      [{ hours: 168, step: 1 }, 'Must be at least 7'],
      [{ hours: 169, step: 90 }, 'Must be a multiple of 60 for more than 168 hours'],
    ])('of %o are refused', async (query, message) => {
      await expect(usage(query)).rejects.toMatchObject({ issues: [{ path: 'step', message }] });
    });
  });

  describe('a sweep', () => {
    it('leaves a gap where it has no time', async () => {
      await recordUsage(world.context, () => false);
      expect(await pointsOf()).toEqual([]);
    });

    it('leaves a gap where a pool cannot be counted, or nothing be written, and is complete', async () => {
      await setPolicy(world.context, {}, 'licences');
      let counts = 0;
      const without = (broken: string, first = 1) =>
        startProcess(
          watchStore(world.store, () => ({
            before: (verb: string) => {
              if (verb !== broken) return;
              counts += 1;
              if (counts >= first) throw new DatabaseUnavailableError();
            },
          })),
          () => world.now,
        );
      expect(await sweepOn(without('keys.count', 2))).toMatchObject({ complete: true });
      const all = await listUsage(world.context, ADMIN, { hours: 1, limit: 9 });
      expect(all.usage.pools.map(({ pool, points }) => [pool, points.length])).toEqual([
        ['default', 1],
        ['licences', 0],
      ]);
      world.passTime(MINUTE_MS);
      expect(await sweepOn(without('usage.record'))).toMatchObject({ complete: true });
      expect(await pointsOf()).toHaveLength(1);
    });

    it('hides no mistake of ours', async () => {
      const broken = startProcess(
        watchStore(world.store, () => ({
          before: (verb: string) => {
            if (verb === 'usage.record') throw new TypeError('A mistake');
          },
        })),
        () => world.now,
      );
      await expect(sweepOn(broken)).rejects.toThrow('A mistake');
    });

    it('samples every pool, however many there are', async () => {
      const names = Array.from({ length: 25 }, (_, index) => `pool-${index}`);
      for (const name of names) await setPolicy(world.context, {}, name);
      await sweepOn(world.context);
      const { usage, next } = await listUsage(world.context, ADMIN, { hours: 24, limit: 200 });
      expect(usage.pools.filter(({ points }) => points.length === 1)).toHaveLength(26);
      expect(next).toBeUndefined();
    });

    it('forgets what is over', async () => {
      await sweepOn(world.context);
      world.passTime(8 * 24 * HOUR_MS);
      await sweepOn(world.context);
      const all = { pool: 'default', from: 0, to: world.now + 1 };
      expect(await world.store.usage.list({ ...all, unit: 'minute' })).toHaveLength(1);
      expect(await world.store.usage.list({ ...all, unit: 'hour' })).toHaveLength(2);
    });
  });

  describe('a refusal', () => {
    const startWatched = (before: (verb: string) => unknown) =>
      startProcess(
        watchStore(world.store, () => ({ before })),
        () => world.now,
      );

    it('is marked once a minute by each process', async () => {
      let marks = 0;
      const process = startWatched((verb) => {
        if (verb === 'usage.record') marks += 1;
      });
      for (let times = 0; times < 5; times += 1) await refuse(process);
      expect(marks).toBe(1);
      world.passTime(MINUTE_MS);
      await refuse(process);
      expect(marks).toBe(2);
      expect((await usage()).totals).toMatchObject({ minutes: 2, refusedMinutes: 2 });
    });

    it('is the same to the caller when the mark fails, or never comes to an end', async () => {
      for (const outcome of [
        () => Promise.reject(new DatabaseUnavailableError()),
        () => new Promise(() => undefined),
      ]) {
        await refuse(startWatched((verb) => (verb === 'usage.record' ? outcome() : undefined)));
      }
      expect(await pointsOf()).toEqual([]);
    });

    it('is what a lease is not: an acquire that gets a key, its keep-alive and its release record nothing', async () => {
      await addKeys(world.context, 1);
      const verbs: string[] = [];
      const process = startWatched((verb) => verbs.push(verb));
      const { leaseId } = await acquire(process, ALICE);
      await releaseLease(process, ALICE, leaseId);
      expect(verbs.filter((verb) => verb.startsWith('usage.'))).toEqual([]);
    });
  });

  describe('the usage of all pools', () => {
    it('comes in pages by name, each pool with few points', async () => {
      for (const name of ['b', 'c', 'd']) await setPolicy(world.context, {}, name);
      await sweepOn(world.context);
      const names = async (after?: string) => {
        const { usage, next } = await listUsage(world.context, ADMIN, { hours: 24, limit: 3, after });
        return { names: usage.pools.map(({ pool }) => pool), next };
      };
      expect(await names()).toEqual({ names: ['b', 'c', 'd'], next: 'd' });
      expect(await names('d')).toEqual({ names: ['default'], next: undefined });
      for (const [hours, stepMinutes, resolutionMinutes] of [
        [1, 1, 1],
        [3, 5, 1],
        [4, 60, 60],
        [24, 60, 60],
        [168, 180, 60],
      ] as const) {
        const { usage } = await listUsage(world.context, ADMIN, { hours, limit: 9 });
        expect(usage).toMatchObject({ stepMinutes, resolutionMinutes });
        expect(usage.pools[0]?.points).toMatchObject([{ peak: 0 }]);
      }
    });

    it('has the pools alone that the caller may see', async () => {
      await setPolicy(world.context, {}, 'mine');
      const limited = { ...ADMIN, pools: ['mine'] };
      const { usage } = await listUsage(world.context, limited, { hours: 1, limit: 9 });
      expect(usage.pools.map(({ pool }) => pool)).toEqual(['mine']);
      await expect(getUsage(world.context, limited, 'default', { hours: 1 })).rejects.toMatchObject({
        code: 'forbidden',
      });
    });
  });
});

function point(at: number, differing: Partial<UsagePoint>): UsagePoint {
  return { at: toTime(at), minutes: 1, refusedMinutes: 0, keys: 20, cooling: 0, waiting: 0, ...differing };
}

interface Recount {
  refused: boolean;
  samples: { leased: number; cooling: number; free: number }[];
}

/** A run of leases, lapses, refusals and sweeps, of which a list of leases and a look at the clock are kept beside. */
async function compareWithRecount(world: World, seed: number, steps: number): Promise<void> {
  const random = randomFrom(seed);
  const size = 2 + Math.floor(random() * 6);
  await setPolicy(world.context, { keyTtlSeconds: null });
  await addKeys(world.context, size);
  const leases: { leaseId: string; endsAt: number; released: boolean }[] = [];
  const minutes = new Map<number, Recount>();
  const recountOf = (at: number): Recount => {
    const minute = Math.floor(at / MINUTE_MS) * MINUTE_MS;
    const recount = minutes.get(minute) ?? { refused: false, samples: [] };
    minutes.set(minute, recount);
    return recount;
  };

  for (let step = 0; step < steps; step += 1) {
    world.passTime(Math.floor(random() * 15 * SECOND));
    const { now } = world;
    const choice = random();
    if (choice < 0.55) {
      try {
        const { leaseId } = await acquire(world.context, ALICE);
        leases.push({ leaseId, endsAt: now + LEASE, released: false });
      } catch (error) {
        expect(error).toBeInstanceOf(NoKeyAvailableError);
        recountOf(now).refused = true;
      }
    } else if (choice < 0.7) {
      const lease = leases.find(({ released, endsAt }) => !released && endsAt > now);
      if (lease === undefined) continue;
      await releaseLease(world.context, ALICE, lease.leaseId);
      lease.released = true;
    } else {
      // A process of its own, as on another host: what another one counted is not in its cache.
      await sweepOn(startProcess(world.store, () => world.now));
      const held = leases.filter(({ released }) => !released);
      const leased = held.filter(({ endsAt }) => endsAt > now).length;
      const cooling = held.filter(({ endsAt }) => endsAt <= now && endsAt + TOLERANCE > now).length;
      recountOf(now).samples.push({ leased, cooling, free: size - leased - cooling });
    }
  }

  const { points } = await getUsage(world.context, ADMIN, 'default', { hours: 24, step: 1 });
  const expected = [...minutes].map(([at, { refused, samples }]) => {
    const known = { at: toTime(at), minutes: 1, refusedMinutes: Number(refused) };
    if (samples.length === 0) return known;
    const of = (figure: 'leased' | 'cooling' | 'free') => samples.map((sample) => sample[figure]);
    return {
      ...known,
      peak: refused ? size : Math.max(...samples.map(({ leased, cooling }) => leased + cooling)),
      keys: size,
      leased: Math.max(...of('leased')),
      leastLeased: Math.min(...of('leased')),
      free: Math.min(...of('free')),
      cooling: Math.max(...of('cooling')),
      waiting: 0,
    };
  });
  expect(points).toEqual(expected);
  expect(points.length).toBeGreaterThan(5);
  expect(points.some(({ refusedMinutes }) => refusedMinutes > 0)).toBe(true);
}
