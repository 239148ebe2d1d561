import type { Pool } from '../../../shared/contract/pools.ts';
import type { ListUsageResponse, UsagePoint } from '../../../shared/contract/usage.ts';
import type { UsageStep } from '../components/usage-steps.ts';

/** How far back it goes, in milliseconds. */
const HISTORY_MS = 3_600_000;
/** The least time span of a chart, so that its scale does not jump at the start. */
const LEAST_MS = 60_000;
/** A longer time between two samples is a gap, because of a hidden tab or an outage, in milliseconds. */
const GAP_MS = 40_000;

/** The use of each pool in the last hour: what the service recorded, then what this page has polled. */
export interface UsageHistory {
  /** When it was polled last, in milliseconds since the epoch; 0: never. */
  readonly at: number;
  readonly pools: ReadonlyMap<string, readonly UsageStep[]>;
}

/** Whether so much is missing that the service has to be asked. */
export function isOld({ at }: UsageHistory, now = Date.now()): boolean {
  return now - at > GAP_MS;
}

/** What the service recorded, each minute, up to now. */
export function recordedHistory({ pools, stepMinutes }: ListUsageResponse, now = Date.now()): UsageHistory {
  const steps = pools.map(({ pool, points }): [string, readonly UsageStep[]] => [
    pool,
    stepsOf(points, stepMinutes * 60_000).filter(({ at }) => at < now),
  ]);
  return { at: now, pools: new Map(steps) };
}

/** The points of the service, with a gap after each that no other one follows. */
export function stepsOf(points: readonly UsagePoint[], stepMs: number): readonly UsageStep[] {
  return points.flatMap(({ at: time, leased, peak, keys }, index) => {
    const at = Date.parse(time);
    const next = points[index + 1];
    const isFollowed = next !== undefined && Date.parse(next.at) === at + stepMs;
    const step: UsageStep =
      leased === undefined || peak === undefined || keys === undefined
        ? { at }
        : // The peak may be of another moment than the leased keys.
          { at, leased: Math.min(leased, peak), taken: peak, keys };
    return isFollowed ? [step] : [step, { at: at + stepMs }];
  });
}

export const noHistory: UsageHistory = { at: 0, pools: new Map() };

export function addSample(history: UsageHistory, pools: readonly Pool[], now = Date.now()): UsageHistory {
  const gap = history.at > 0 && isOld(history, now) ? [{ at: history.at + 1 }] : [];
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
