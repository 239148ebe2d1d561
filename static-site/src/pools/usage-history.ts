import type { Pool } from '../../../shared/contract/pools.ts';
import type { UsageStep } from '../components/usage-steps.ts';

/** How far back it goes, in milliseconds. */
const HISTORY_MS = 3_600_000;
/** The least time span of a chart, so that its scale does not jump at the start. */
const LEAST_MS = 60_000;
/** A longer time between two samples is a gap, because of a hidden tab or an outage, in milliseconds. */
const GAP_MS = 40_000;

/** The use of each pool, as polled by this page. */
export interface UsageHistory {
  /** When it was polled last, in milliseconds since the epoch; 0: never. */
  readonly at: number;
  readonly pools: ReadonlyMap<string, readonly UsageStep[]>;
}

export const noHistory: UsageHistory = { at: 0, pools: new Map() };

export function addSample(history: UsageHistory, pools: readonly Pool[], now = Date.now()): UsageHistory {
  const gap = history.at > 0 && now - history.at > GAP_MS ? [{ at: history.at + 1 }] : [];
  const steps = pools.map((pool): [string, readonly UsageStep[]] => {
    const kept = (history.pools.get(pool.pool) ?? []).filter(
      (_, index, all) => now - (all[index + 1]?.at ?? now) < HISTORY_MS,
    );
    const step = { at: now, ...usageOf(pool) };
    const last = kept.at(-1);
    const isSame = last?.taken === step.taken && last?.leased === step.leased && last?.keys === step.keys;
    return [
      pool.pool,
      isSame && gap.length === 0 ? kept : [...kept, ...(last === undefined ? [] : gap), step],
    ];
  });
  return { at: now, pools: new Map(steps) };
}

function usageOf({ counts: { free, leased, cooling } }: Pool) {
  const taken = leased.count + cooling.count;
  return { leased: leased.count, taken, keys: taken + free.count };
}

/** What the charts of these points show: from the first one to now. */
export function spanOf(points: Iterable<readonly UsageStep[]>, now: number): { from: number; to: number } {
  const first = Math.min(...Array.from(points, (steps) => steps[0]?.at ?? now));
  return { from: Math.max(now - HISTORY_MS, Math.min(now - LEAST_MS, first)), to: now };
}
