import { expect, test } from 'vitest';
import { type Pool, policySchema } from '../../shared/contract/pools.ts';
import { addSample, usageAt } from '../../static-site/src/pools/usage-history.ts';
import { type Count, formatCount } from '../../static-site/src/text/format-count.ts';

const exact = (count: number): Count => ({ count, relation: 'exact' });
const atLeast = (count: number): Count => ({ count, relation: 'atLeast' });

function poolWith(pool: string, free: Count, leased: Count): Pool {
  const time = '2026-01-01T00:00:00.000Z';
  return {
    pool,
    ...policySchema.parse({}),
    counts: { free, leased, cooling: exact(0) },
    nextFreeInMs: null,
    createdAt: time,
    updatedAt: time,
  };
}

test('all keys of a pool that is not counted to its end are shown as more than what was counted', () => {
  const history = addSample([], [poolWith('large', atLeast(10_000), exact(272))]);
  const usage = usageAt(history[0] as never, 'large');
  expect(usage && formatCount(usage.total)).toBe('10,272+');
  expect(usage && formatCount(usage.leased)).toBe('272');
});

test('one pool that is not counted to its end makes the sum of all a lower bound', () => {
  const pools = [poolWith('large', atLeast(10_000), exact(272)), poolWith('small', exact(5), exact(3))];
  const usage = usageAt(addSample([], pools)[0] as never, undefined);
  expect(usage && formatCount(usage.total)).toBe('10,280+');
  expect(usage && formatCount(usage.leased)).toBe('275');
});
