import type { Pool } from '../../../shared/contract/pools.ts';
import { addCounts, type Count } from '../text/format-count.ts';

/** How far back the chart goes, in milliseconds. */
export const HISTORY_MS = 5 * 60_000;
/** A longer time between two samples is drawn as a gap, in milliseconds. */
const GAP_MS = 40_000;

export interface Usage {
  readonly leased: Count;
  readonly cooling: Count;
  readonly total: Count;
}

/** The counts at one moment; without `pools` a gap, because of a hidden tab or an outage. */
export interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly pools?: ReadonlyMap<string, Usage>;
}

export function addSample(
  history: readonly Sample[],
  pools: readonly Pool[],
  now = Date.now(),
): readonly Sample[] {
  const kept = history.filter(({ at }) => now - at < HISTORY_MS + 10_000);
  const last = kept.at(-1);
  const usage = new Map(pools.map((pool) => [pool.pool, usageOf(pool)]));
  const gap = last !== undefined && now - last.at > GAP_MS ? [{ at: last.at + 1 }] : [];
  return [...kept, ...gap, { at: now, pools: usage }];
}

function usageOf({ counts: { free, leased, cooling } }: Pool): Usage {
  return { leased, cooling, total: addCounts([free, leased, cooling]) };
}

/** The usage of one pool, or of all together; undefined in a gap. */
export function usageAt(sample: Sample, pool: string | undefined): Usage | undefined {
  if (sample.pools === undefined) return undefined;
  if (pool !== undefined) return sample.pools.get(pool);
  const usages = [...sample.pools.values()];
  const sum = (name: keyof Usage): Count => addCounts(usages.map((usage) => usage[name]));
  return { leased: sum('leased'), cooling: sum('cooling'), total: sum('total') };
}
