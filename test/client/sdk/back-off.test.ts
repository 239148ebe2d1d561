import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backOffMs, retryMs, waitForKeyMs } from '../../../client/sdk/back-off.ts';

const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('a pause is spread from next to nothing up to a bound that doubles, and stays at a few seconds', () => {
  expect(backOffMs(0, () => 0)).toBe(20);
  expect([0, 1, 2, 3, 4, 5, 6].map((retry) => backOffMs(retry, () => 1))).toEqual([
    100, 200, 400, 800, 1600, 3000, 3000,
  ]);
});

test('no pause for a key is longer than a few seconds, or ends before nothing', () => {
  fc.assert(
    fc.property(fc.nat(1e9), fc.nat(1e9), randoms, (waitedMs, retryAfterMs, random) => {
      const ms = waitForKeyMs(waitedMs, retryAfterMs, () => random);
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(3250);
    }),
  );
});

test('a key that is free sooner than the pause would end is asked for then, by all callers a little apart', () => {
  expect(waitForKeyMs(10_000, 500, () => 0)).toBe(500);
  expect(waitForKeyMs(10_000, 500, () => 0.5)).toBe(625);
  expect(waitForKeyMs(0, 500, () => 0.5)).toBe(50);
});

test('pauses for a key are a share of the time that was waited: a short wait loses little, a long one asks rarely', () => {
  const longest = [0, 400, 1000, 5000, 15_000, 600_000].map((ms) => waitForKeyMs(ms, 1e9, () => 1));
  expect(longest).toEqual([100, 100, 100, 500, 1500, 3000]);
});

test('a service that asks for time gets it', () => {
  expect(retryMs(0, 2000, () => 0.5)).toBe(2050);
  expect(retryMs(0, 60_000, () => 0.5)).toBe(3050);
});
