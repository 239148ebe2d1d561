import type { Pool } from '../../../shared/contract/pools.ts';

/** How far back the chart goes, in milliseconds. */
export const HISTORY_MS = 5 * 60_000;
/** A longer pause between two samples is a gap, not a straight line, in milliseconds. */
const GAP_MS = 40_000;

export interface Usage {
  readonly leased: number;
  readonly cooling: number;
  readonly total: number;
}

/** What was counted at one moment; `pools` is absent where nobody was asked (a hidden tab, an outage). */
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

function usageOf({ counts }: Pool): Usage {
  const leased = counts.leased.count;
  const cooling = counts.cooling.count;
  return { leased, cooling, total: leased + cooling + counts.free.count };
}

/** The usage of one pool, or of all together; undefined where nothing is known. */
export function usageAt(sample: Sample, pool: string | undefined): Usage | undefined {
  if (sample.pools === undefined) return undefined;
  if (pool !== undefined) return sample.pools.get(pool);
  let leased = 0;
  let cooling = 0;
  let total = 0;
  for (const usage of sample.pools.values()) {
    leased += usage.leased;
    cooling += usage.cooling;
    total += usage.total;
  }
  return { leased, cooling, total };
}
