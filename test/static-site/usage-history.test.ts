import { expect, test } from 'vitest';
import { type Pool, policySchema } from '../../shared/contract/pools.ts';
import { drawSteps, stepsFrom } from '../../static-site/src/components/usage-steps.ts';
import { addSample, noHistory, spanOf } from '../../static-site/src/pools/usage-history.ts';

const MINUTE = 60_000;

function poolWith(pool: string, free: number, leased: number): Pool {
  const time = '2026-01-01T00:00:00.000Z';
  const exact = (count: number) => ({ count, relation: 'exact' as const });
  return {
    pool,
    ...policySchema.parse({}),
    counts: { free: exact(free), leased: exact(leased), cooling: exact(0), paused: exact(0) },
    waiting: exact(0),
    nextFreeInMs: null,
    createdAt: time,
    updatedAt: time,
  };
}

/** The history of pool `a`, polled with so many leased keys at these minutes. */
function polled(...samples: readonly [minute: number, leased: number][]) {
  const history = samples.reduce(
    (so, [minute, leased]) => addSample(so, [poolWith('a', 9 - leased, leased)], minute * MINUTE),
    noHistory,
  );
  return history.pools.get('a') ?? [];
}

test('a sample that changes nothing adds no point, and time without samples is a gap', () => {
  const step = (minute: number, leased: number) => ({ at: minute * MINUTE, leased, taken: leased, keys: 9 });
  expect(polled([1, 2], [1.5, 2], [2, 3])).toEqual([step(1, 2), step(2, 3)]);
  expect(polled([1, 2], [3, 2])).toEqual([step(1, 2), { at: MINUTE + 1 }, step(3, 2)]);
});

test('a point that is older than an hour goes once another one has taken its place', () => {
  expect(polled([0, 1], [0.5, 2], [60, 2], [60.6, 2]).map(({ at }) => at / MINUTE)).toEqual([
    0.5 + 1 / MINUTE,
    60,
  ]);
});

test('a pool that comes later has no gap before it', () => {
  const history = addSample(addSample(noHistory, [], 1), [poolWith('a', 1, 0)], 5 * MINUTE);
  expect(history.pools.get('a')).toEqual([{ at: 5 * MINUTE, leased: 0, taken: 0, keys: 1 }]);
});

test('a chart spans a minute at least, and an hour at most', () => {
  expect(spanOf([], 100 * MINUTE)).toEqual({ from: 99 * MINUTE, to: 100 * MINUTE });
  expect(spanOf([[{ at: 90 * MINUTE }], []], 100 * MINUTE).from).toBe(90 * MINUTE);
  expect(spanOf([[{ at: 0 }]], 100 * MINUTE).from).toBe(40 * MINUTE);
});

test('numbers are drawn as steps that hold until the next one, with gaps left open', () => {
  const points = [{ at: 0, taken: 1 }, { at: 2, taken: 3 }, { at: 4 }, { at: 6, taken: 2 }];
  const scale = { x: (at: number) => at * 10, y: (amount: number) => 10 - amount, to: 8 };
  expect(drawSteps(points, 'taken', scale)).toEqual({
    line: 'M0 9H20V7H40M60 8H80',
    area: 'M0 10V9H20V7H40V10ZM60 10V8H80V10Z',
  });
  expect(stepsFrom(points, 3)).toEqual([{ at: 3, taken: 3 }, { at: 4 }, { at: 6, taken: 2 }]);
  expect(stepsFrom(points, -5)).toEqual(points);
  expect(stepsFrom([], 3)).toEqual([]);
});
