import type { Pool } from '../../../shared/contract/pools.ts';

export type Count = Pool['counts']['free'];

const number = new Intl.NumberFormat();

export function formatNumber(value: number): string {
  return number.format(value);
}

/** `1,234`, or `10,000+` where the service stopped counting. */
export function formatCount({ count, relation }: Count): string {
  return relation === 'exact' ? formatNumber(count) : `${formatNumber(count)}+`;
}

/** The sum. If one of the counts is a lower bound, so is the sum. */
export function addCounts(counts: readonly Count[]): Count {
  return {
    count: counts.reduce((sum, { count }) => sum + count, 0),
    relation: counts.every(({ relation }) => relation === 'exact') ? 'exact' : 'atLeast',
  };
}

/** `1 key`, `3 keys`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`;
}
