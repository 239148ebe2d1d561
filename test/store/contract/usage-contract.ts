import { describe, expect, it } from 'vitest';
import type { UsageFigures, UsageSample } from '../../../shared/domain/store.ts';
import { HOUR_MS, MINUTE_MS, USAGE_UNITS } from '../../../shared/domain/usage-units.ts';
import { NOW, SECOND } from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

const DAY = 24 * HOUR_MS;
const KEPT = USAGE_UNITS.minute.keptMs;

function figures(differing: Partial<UsageFigures> = {}): UsageFigures {
  return { leased: 3, free: 6, cooling: 1, waiting: 2, taken: 4, keys: 10, atLeast: false, ...differing };
}

function sample(at: number, differing: Partial<UsageSample> = {}): UsageSample {
  return { pool: 'a', at, figures: figures(), refused: false, ...differing };
}

function refusal(at: number): UsageSample {
  return { pool: 'a', at, refused: true };
}

export function describeUsage(makeStore: MakeStore): void {
  describe('usage', () => {
    const test = useStore(makeStore);
    const list = (unit: 'minute' | 'hour', from = NOW, to = NOW + DAY, pool = 'a') =>
      test.store.usage.list({ pool, unit, from, to });

    it('is kept of the minute and of the hour of a sample', async () => {
      await test.store.usage.record([sample(NOW + HOUR_MS + 2 * MINUTE_MS + 3 * SECOND)]);
      const entry = { minutes: 1, refusedMinutes: 0, figures: { ...figures(), leastLeased: 3 } };
      expect(await list('minute')).toEqual([{ ...entry, at: NOW + HOUR_MS + 2 * MINUTE_MS }]);
      expect(await list('hour')).toEqual([{ ...entry, at: NOW + HOUR_MS }]);
    });

    it('is of each figure the greatest of its time, of the free and of the leased the least too', async () => {
      const low = sample(NOW, {
        figures: figures({ leased: 0, free: 9, cooling: 0, waiting: 0, taken: 0, keys: 9 }),
      });
      const high = sample(NOW + 1, {
        figures: figures({ leased: 8, free: 0, cooling: 4, waiting: 5, taken: 12, keys: 12, atLeast: true }),
      });
      const both = { ...high.figures, leastLeased: 0 };
      await test.store.usage.record([low, high]);
      expect(await list('minute')).toMatchObject([{ at: NOW, figures: both }]);
      await test.store.usage.record([low]);
      expect(await list('minute')).toMatchObject([{ at: NOW, figures: both }]);
    });

    it('is the same however often, in whatever order and on whatever host samples are recorded', async () => {
      const samples = [0, 1, 29, 30, 59, 60, 61].flatMap((minute) => [
        sample(NOW + minute * MINUTE_MS, { figures: figures({ leased: minute, taken: minute + 1 }) }),
        refusal(NOW + minute * MINUTE_MS + SECOND),
      ]);
      await test.store.usage.record(samples);
      const [minutes, hours] = [await list('minute'), await list('hour')];
      expect(hours).toMatchObject([
        { at: NOW, minutes: 5, refusedMinutes: 5, figures: { leased: 59, leastLeased: 0, taken: 60 } },
        { at: NOW + HOUR_MS, minutes: 2, refusedMinutes: 2, figures: { leased: 61, leastLeased: 60 } },
      ]);

      const other = await test.another();
      await Promise.all([
        other.usage.record(samples.toReversed()),
        ...samples.map((each) => test.store.usage.record([each])),
      ]);
      expect([await list('minute'), await list('hour')]).toEqual([minutes, hours]);
    });

    it('of two hosts that are the first of an hour at once has the samples of both', async () => {
      const stores = await Promise.all(Array.from({ length: 4 }, () => test.another()));
      await Promise.all(
        stores.map((store, index) =>
          store.usage.record([sample(NOW + index * MINUTE_MS, { figures: figures({ leased: index }) })]),
        ),
      );
      expect((await list('minute')).map((entry) => entry.figures?.leased)).toEqual([0, 1, 2, 3]);
      expect(await list('hour')).toMatchObject([{ minutes: 4, figures: { leased: 3, leastLeased: 0 } }]);
    });

    it('has no figures where an acquire was refused and nobody counted, and gets them later', async () => {
      await test.store.usage.record([refusal(NOW)]);
      expect(await list('minute')).toEqual([{ at: NOW, minutes: 1, refusedMinutes: 1, figures: undefined }]);
      await test.store.usage.record([sample(NOW)]);
      const entry = { minutes: 1, refusedMinutes: 1, figures: { ...figures(), leastLeased: 3 } };
      expect(await list('minute')).toEqual([{ at: NOW, ...entry }]);
      expect(await list('hour')).toEqual([{ at: NOW, ...entry }]);
    });

    it('is listed from and to any moment, in order, across hours and days, of one pool', async () => {
      const times = [-25 * HOUR_MS, -MINUTE_MS, 0, 10 * MINUTE_MS, HOUR_MS, DAY].map((ms) => NOW + ms);
      await test.store.usage.record(times.map((at) => sample(at)));
      await test.store.usage.record([sample(NOW, { pool: 'a.b' }), sample(NOW, { pool: 'aa' })]);
      const listed = async (...range: Parameters<typeof list>) => (await list(...range)).map(({ at }) => at);

      expect(await listed('minute', NOW - 2 * DAY, NOW + 2 * DAY)).toEqual(times);
      expect(await listed('minute', NOW - MINUTE_MS, NOW + HOUR_MS)).toEqual(times.slice(1, 4));
      expect(await listed('minute', NOW + 1, NOW + DAY)).toEqual([NOW + 10 * MINUTE_MS, NOW + HOUR_MS]);
      expect(await listed('hour', NOW - DAY, NOW + DAY)).toEqual([NOW - HOUR_MS, NOW, NOW + HOUR_MS]);
      expect(await listed('minute', NOW, NOW + DAY, 'aa')).toEqual([NOW]);
      expect(await listed('minute', NOW, NOW + DAY, 'b')).toEqual([]);
    });

    it('of minutes is kept for seven days, of hours for 400, and removed up to a limit', async () => {
      await test.store.usage.record([sample(NOW), sample(NOW, { pool: 'b' })]);
      const remove = (now: number, limit = 100) => test.store.usage.removeExpired({ now, limit });

      expect(await remove(NOW + KEPT)).toBe(0);
      // A document, of which the last minute counts, may be about an hour.
      expect(await remove(NOW + KEPT + HOUR_MS, 1)).toBe(1);
      expect(await remove(NOW + KEPT + HOUR_MS)).toBe(1);
      expect(await list('minute')).toEqual([]);
      expect(await list('hour')).toHaveLength(1);
      expect(await remove(NOW + USAGE_UNITS.hour.keptMs)).toBe(0);
      expect(await remove(NOW + USAGE_UNITS.hour.keptMs + DAY)).toBe(2);
      expect(await list('hour')).toEqual([]);
    });

    it('takes nothing as well', async () => {
      await test.store.usage.record([]);
      expect(await list('minute')).toEqual([]);
    });
  });
}
